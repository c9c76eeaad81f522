-- The figures of /throughput: what happened, counted once for all.
--
-- Facts are computed of one item at a time from its events (audit_events,
-- decisions, suggestion_sets and notes), whatever the order in which those come;
-- cells are sums of facts. An item whose events grew is entered in
-- throughput_changes by the transaction that made them grow. Whoever counts it
-- takes the entry out, computes the item's facts anew and adds the difference to
-- the cells, all in one transaction. So figures follow late events, nothing is
-- counted twice, and nobody who works on an item waits.

CREATE TABLE throughput_changes (
  id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  item_id bigint NOT NULL,
  at      timestamptz NOT NULL DEFAULT now()
);

CREATE FUNCTION throughput_act() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO throughput_changes (item_id) VALUES (NEW.item_id);
  RETURN NULL;
END $$;
CREATE TRIGGER throughput AFTER INSERT ON audit_events FOR EACH ROW
  WHEN (NEW.item_id <> 0) EXECUTE FUNCTION throughput_act();

-- The pipeline's doings have no events of the audit trail.
CREATE FUNCTION throughput_set() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO throughput_changes (item_id) SELECT m.item_id FROM item_notes m WHERE m.note_id = NEW.note_id;
  RETURN NULL;
END $$;
CREATE TRIGGER throughput AFTER INSERT ON suggestion_sets FOR EACH ROW EXECUTE FUNCTION throughput_set();

CREATE FUNCTION throughput_moved() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO throughput_changes (item_id) VALUES (OLD.item_id), (NEW.item_id);
  RETURN NULL;
END $$;
CREATE TRIGGER throughput AFTER UPDATE ON item_notes FOR EACH ROW EXECUTE FUNCTION throughput_moved();

-- What the facts were counted by: with other rules they are counted anew.
CREATE TABLE throughput_state (
  only_row   boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  rules      text NOT NULL, -- version of the definitions, time zone, working days
  counted_at timestamptz NOT NULL
);

-- One stay of an item with the coders: from its receipt or reopening to its finishing.
-- Facts refer to nothing: references would touch the items' rows with each count.
CREATE TABLE throughput_rounds (
  item_id     bigint NOT NULL,
  number      integer NOT NULL CHECK (number > 0),
  source      text COLLATE "C" NOT NULL,
  setting     text COLLATE "C" NOT NULL,
  specialty   text COLLATE "C" NOT NULL,
  state       text COLLATE "C" NOT NULL, -- of the item; only of use while the round is open
  started_at  timestamptz NOT NULL,
  looked_at   timestamptz, -- NULL: nobody has
  finished_at timestamptz, -- NULL: open
  coder       text COLLATE "C" NOT NULL, -- login of who finished it
  returned    boolean NOT NULL,
  notes       integer NOT NULL, -- that were finished with it for the first time; of an open round: that wait
  bytes       bigint NOT NULL,  -- of the texts of the item's notes
  active_us   bigint NOT NULL,  -- of who finished it
  others_us   bigint NOT NULL,
  work_us     bigint NOT NULL,  -- from start to finish, on working days
  accepted    integer NOT NULL,
  modified    integer NOT NULL,
  added       integer NOT NULL,
  reasons     text[] NOT NULL,  -- of the rejected, one each; empty text: none given
  PRIMARY KEY (item_id, number)
);
CREATE INDEX throughput_rounds_open ON throughput_rounds (started_at, item_id) WHERE finished_at IS NULL;
CREATE INDEX throughput_rounds_started ON throughput_rounds (started_at, item_id);
CREATE INDEX throughput_rounds_finished ON throughput_rounds (finished_at, item_id) WHERE finished_at IS NOT NULL;
CREATE INDEX throughput_rounds_coder ON throughput_rounds (coder, finished_at, item_id) WHERE finished_at IS NOT NULL;

-- One suggestion set.
CREATE TABLE throughput_notes (
  set_id         bigint PRIMARY KEY,
  item_id        bigint NOT NULL,
  note_id        bigint NOT NULL,
  source         text COLLATE "C" NOT NULL,
  setting        text COLLATE "C" NOT NULL,
  specialty      text COLLATE "C" NOT NULL,
  is_first       boolean NOT NULL,     -- of the note's body that was received first
  received_at    timestamptz NOT NULL, -- the body
  suggested_at   timestamptz NOT NULL,
  model          text COLLATE "C" NOT NULL, -- without an LLM the ranker
  degraded       boolean NOT NULL,
  nano_usd       bigint NOT NULL
);
CREATE INDEX throughput_notes_item ON throughput_notes (item_id);
CREATE INDEX throughput_notes_received ON throughput_notes (received_at, set_id) WHERE is_first;
CREATE INDEX throughput_notes_suggested ON throughput_notes (suggested_at, set_id);
CREATE INDEX throughput_notes_degraded ON throughput_notes (suggested_at, set_id) WHERE degraded;

-- Sums of facts for a day of the site. by_what says what name is: all (nothing),
-- coder, model, length or reason. A narrow cell counts one specialty, the others
-- all; a placed one counts one source and setting, the others all.
-- Distributions are pairs of a step and a count, in order of steps: an hour of the
-- day, or the number of a step of internal/throughput.Steps.
CREATE TABLE throughput_cells (
  by_what    text COLLATE "C" NOT NULL,
  narrow     boolean NOT NULL,
  placed     boolean NOT NULL,
  specialty  text COLLATE "C" NOT NULL,
  day        date NOT NULL,
  source     text COLLATE "C" NOT NULL,
  setting    text COLLATE "C" NOT NULL,
  name       text COLLATE "C" NOT NULL,
  notes_in   bigint NOT NULL,
  items_in   bigint NOT NULL,
  reopened   bigint NOT NULL,
  notes_out  bigint NOT NULL,
  items_out  bigint NOT NULL,
  returned   bigint NOT NULL,
  active_us  bigint NOT NULL,
  others_us  bigint NOT NULL,
  accepted   bigint NOT NULL,
  modified   bigint NOT NULL,
  rejected   bigint NOT NULL,
  added      bigint NOT NULL,
  suggested  bigint NOT NULL,
  degraded   bigint NOT NULL,
  nano_usd   bigint NOT NULL,
  notes_in_hours  integer[] NOT NULL,
  items_in_hours  integer[] NOT NULL,
  notes_out_hours integer[] NOT NULL,
  items_out_hours integer[] NOT NULL,
  to_suggestion   integer[] NOT NULL,
  to_look         integer[] NOT NULL,
  to_finish       integer[] NOT NULL,
  to_finish_work  integer[] NOT NULL, -- working days alone
  active          integer[] NOT NULL, -- for each note
  PRIMARY KEY (by_what, narrow, placed, specialty, day, source, setting, name)
);
CREATE INDEX throughput_cells_specialties ON throughput_cells (placed, day) WHERE by_what = 'all' AND narrow;

INSERT INTO app_rights (object, rights) VALUES
  ('TABLE throughput_changes', 'SELECT, INSERT, DELETE'),
  ('TABLE throughput_state', 'SELECT, INSERT, UPDATE'),
  ('TABLE throughput_rounds', 'SELECT, INSERT, DELETE'),
  ('TABLE throughput_notes', 'SELECT, INSERT, DELETE'),
  ('TABLE throughput_cells', 'SELECT, INSERT, UPDATE, DELETE');
