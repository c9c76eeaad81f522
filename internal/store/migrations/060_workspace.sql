-- What coders filter and sort their lists by, for whom an item waits, queries,
-- skips, saved filters, and the signals for pages that are open.

-- How much a set of suggestions needs a person, 0 to 1. Each of these alone would
-- make the given need, and together they make 1 - (1-a)(1-b)...:
--   0.6 times the doubt: the mean over the suggestions of 4c(1-c), where c is the
--       confidence: 0 where all are sure either way, 1 where all are even;
--   0.8 if nothing was suggested;
--   0.3 if a suggestion has an error of the coding rules;
--   0.05 for each suggestion with a warning, at most 0.25;
--   0.3 if the set is degraded.
CREATE FUNCTION set_need(body json) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT 1 - (1 - 0.6 * coalesce(avg(4 * c * (1 - c)), 0)) * (CASE WHEN count(c) = 0 THEN 0.2 ELSE 1 END)
    * (CASE WHEN coalesce(bool_or(e), false) THEN 0.7 ELSE 1 END) * (1 - least(0.25, 0.05 * count(*) FILTER (WHERE w)))
    * (CASE WHEN coalesce((body->>'degraded')::boolean, false) THEN 0.7 ELSE 1 END)
  FROM (
    SELECT (g->>'confidence')::double precision AS c,
      EXISTS (SELECT FROM json_array_elements(CASE WHEN json_typeof(g->'warnings') = 'array' THEN g->'warnings' ELSE '[]' END) f
        WHERE f->>'severity' = 'error') AS e,
      EXISTS (SELECT FROM json_array_elements(CASE WHEN json_typeof(g->'warnings') = 'array' THEN g->'warnings' ELSE '[]' END) f
        WHERE f->>'severity' = 'warning') AS w
    FROM json_array_elements(CASE WHEN json_typeof(body->'suggestions') = 'array' THEN body->'suggestions' ELSE '[]' END) g
  ) AS s
$$;

ALTER TABLE suggestion_sets ADD need double precision NOT NULL DEFAULT 0 CHECK (need BETWEEN 0 AND 1);
UPDATE suggestion_sets SET need = set_need(body) WHERE is_current;

ALTER TABLE items
  ADD ranker       text COLLATE "C" NOT NULL DEFAULT '', -- of the suggestions of its latest note
  ADD need         double precision NOT NULL DEFAULT 0 CHECK (need BETWEEN 0 AND 1),
  ADD coder        text COLLATE "C" NOT NULL DEFAULT '', -- login of the person who decided on it last
  ADD sent_to      text COLLATE "C" NOT NULL DEFAULT '', -- login of whom it waits for
  ADD sent_by      text COLLATE "C" NOT NULL DEFAULT '', -- login of who sent it; empty: an answered query
  ADD open_queries integer NOT NULL DEFAULT 0 CHECK (open_queries >= 0),
  ADD moved_at     timestamptz NOT NULL DEFAULT now(); -- when state, holder, for whom it waits, or content changed last


UPDATE items i SET
  moved_at = updated_at,
  need = coalesce((SELECT max(s.need) FROM item_notes m JOIN suggestion_sets s ON s.note_id = m.note_id AND s.is_current
    WHERE m.item_id = i.id), 0),
  ranker = coalesce((SELECT s.ranker FROM item_notes m JOIN notes n ON n.id = m.note_id
      JOIN note_revisions r ON r.id = n.current_revision_id JOIN suggestion_sets s ON s.note_id = n.id AND s.is_current
    WHERE m.item_id = i.id ORDER BY r.service_date DESC NULLS LAST, r.received_at DESC, r.stream_seq DESC, n.note_id LIMIT 1), ''),
  coder = coalesce((SELECT d.coder FROM decisions d WHERE d.item_id = i.id AND d.coder <> 'pipeline' ORDER BY d.seq DESC LIMIT 1), '');

-- Questions to who wrote a note or was responsible for the patient.
CREATE TABLE item_queries (
  item_id     bigint NOT NULL REFERENCES items,
  number      integer NOT NULL CHECK (number > 0), -- without gaps: written while the item is locked
  to_whom     text COLLATE "C" NOT NULL CHECK (to_whom IN ('attending', 'author')),
  person_id   text NOT NULL,
  person_name text NOT NULL,
  note_id     text COLLATE "C" NOT NULL, -- as its source names it; empty: about the encounter
  template    text COLLATE "C" NOT NULL, -- empty: none
  question    text NOT NULL CHECK (question <> ''),
  asked_by    text COLLATE "C" NOT NULL CHECK (asked_by <> ''),
  asked_at    timestamptz NOT NULL,
  status      text COLLATE "C" NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'answered', 'withdrawn')),
  answer      text NOT NULL DEFAULT '', -- or why it was withdrawn
  closed_by   text COLLATE "C" NOT NULL DEFAULT '',
  closed_at   timestamptz,
  PRIMARY KEY (item_id, number),
  CHECK ((status = 'open') = (closed_at IS NULL)),
  CHECK ((status = 'open') = (closed_by = ''))
);
CREATE INDEX item_queries_open ON item_queries (asked_at) WHERE status = 'open';

-- Until now a query was only a state with a reason.
INSERT INTO item_queries (item_id, number, to_whom, person_id, person_name, note_id, template, question, asked_by, asked_at)
SELECT i.id, 1, 'attending', '', '', '', '', CASE WHEN i.wait_reason = '' THEN 'Query' ELSE i.wait_reason END,
  coalesce((SELECT e.actor FROM audit_events e WHERE e.item_id = i.id AND e.item_id <> 0 AND e.action = 'queried' ORDER BY e.id DESC LIMIT 1), 'unknown'),
  i.updated_at
FROM items i WHERE i.state = 'queried';
UPDATE items SET open_queries = 1 WHERE state = 'queried';

ALTER TABLE items
  ADD CHECK ((state = 'queried') = (open_queries > 0)),
  ADD CHECK (sent_to = '' OR state = 'open'),
  ADD CHECK (sent_by = '' OR sent_to <> '');

-- Whom Next does not give an item for a while, because they skipped it.
CREATE TABLE item_skips (
  login   text COLLATE "C" NOT NULL,
  item_id bigint NOT NULL REFERENCES items,
  until   timestamptz NOT NULL,
  PRIMARY KEY (login, item_id)
);

-- What somebody said with an act that is no decision. It may concern a patient,
-- so it is beside the audit trail and not in it.
CREATE TABLE item_reasons (
  event_id bigint PRIMARY KEY REFERENCES audit_events,
  item_id  bigint NOT NULL REFERENCES items,
  reason   text NOT NULL CHECK (reason <> '')
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON item_reasons
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE saved_filters (
  id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  owner  text COLLATE "C" NOT NULL REFERENCES users (login),
  name   text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 80),
  shared boolean NOT NULL,
  query  jsonb NOT NULL, -- coding.WorklistQuery
  UNIQUE (owner, name)
);

-- New kinds of decisions: details of a code, and a remark on the item.
ALTER TABLE decisions DROP CONSTRAINT decisions_kind_check;
ALTER TABLE decisions ADD CONSTRAINT decisions_kind_check CHECK (kind IN
  ('accept', 'reject', 'modify', 'add', 'reorder', 'detail', 'override', 'remark', 'undo', 'redo', 'finish', 'reopen'));
-- Finds what was finished within a period.
CREATE INDEX decisions_finished ON decisions (at, item_id) WHERE kind = 'finish';

INSERT INTO app_rights (object, rights) VALUES
  ('FUNCTION set_need(json)', 'EXECUTE'),
  ('TABLE item_queries', 'SELECT, INSERT, UPDATE (status, answer, closed_by, closed_at)'),
  ('TABLE item_skips', 'SELECT, INSERT, UPDATE, DELETE'),
  ('TABLE item_reasons', 'SELECT, INSERT'),
  ('TABLE saved_filters', 'SELECT, INSERT, UPDATE, DELETE');
