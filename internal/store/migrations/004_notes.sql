-- Notes with every body they ever had, what the pipeline found, the worklist,
-- and the outbox.

-- One row for each encounter with notes; a note without an encounter is one by
-- itself. What lists filter and sort by is repeated here from the current
-- revisions of its notes, in the transaction that changes them. An item whose
-- notes all moved to another encounter stays, with note_count 0, because
-- decisions refer to it; lists leave it out.
CREATE TABLE items (
  id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  source          text COLLATE "C" NOT NULL,
  encounter_key   text COLLATE "C" NOT NULL, -- e: and the encounter's id, or n: and the note's
  encounter_id    text COLLATE "C" NOT NULL, -- empty when the note is the encounter
  state           text COLLATE "C" NOT NULL DEFAULT 'open'
                  CHECK (state IN ('open', 'claimed', 'held', 'queried', 'finished')),
  priority        smallint NOT NULL DEFAULT 5 CHECK (priority BETWEEN 1 AND 9), -- the highest of its notes
  received_at     timestamptz NOT NULL, -- of its first note
  due_at          timestamptz,          -- the earliest of its notes
  setting         text COLLATE "C" NOT NULL DEFAULT '', -- as used for its latest note
  specialty       text COLLATE "C" NOT NULL DEFAULT '',
  note_types      text[] NOT NULL DEFAULT '{}', -- in order of service
  service_date    date, -- the latest of its notes
  note_count      integer NOT NULL DEFAULT 0 CHECK (note_count >= 0),
  code_count      integer NOT NULL DEFAULT 0 CHECK (code_count >= 0), -- different codes suggested
  confidence      double precision NOT NULL DEFAULT 0, -- the lowest of the codes', each the highest of its notes
  degraded        boolean NOT NULL DEFAULT false, -- of at least one note
  reopened_reason text NOT NULL DEFAULT '', -- why the pipeline reopened it; empty once finished again
  changed_reason  text NOT NULL DEFAULT '', -- why its content changed last: note changed, new note; empty at first
  changed_at      timestamptz,
  content         bigint NOT NULL DEFAULT 1, -- counts changes of notes and suggestions
  version         bigint NOT NULL DEFAULT 1, -- counts every change
  created_at      timestamptz NOT NULL DEFAULT now(),
  updated_at      timestamptz NOT NULL DEFAULT now(),
  UNIQUE (source, encounter_key)
);
CREATE INDEX items_worklist ON items (priority DESC, received_at, id) WHERE state <> 'finished' AND note_count > 0;

CREATE TABLE notes (
  id                  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  source              text COLLATE "C" NOT NULL,
  note_id             text COLLATE "C" NOT NULL,
  current_revision_id bigint, -- the newest by receipt, not by arrival here
  created_at          timestamptz NOT NULL DEFAULT now(),
  UNIQUE (source, note_id)
);

-- Every body that came for a note, once each, also those that came late.
CREATE TABLE note_revisions (
  id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  note_id        bigint NOT NULL REFERENCES notes,
  number         integer NOT NULL CHECK (number > 0), -- in order of arrival here
  sha256         text COLLATE "C" NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
  received_at    timestamptz NOT NULL, -- by the stream
  stream_seq     bigint NOT NULL,      -- 0 when it came another way
  encounter_id   text COLLATE "C" NOT NULL,
  patient_id     text NOT NULL,
  patient_sex    text NOT NULL,
  patient_birth  date,
  author_id      text NOT NULL,
  author_name    text NOT NULL,
  attending_id   text NOT NULL,
  attending_name text NOT NULL,
  payer          text NOT NULL,
  setting        text COLLATE "C" NOT NULL, -- empty when the note does not say
  specialty      text COLLATE "C" NOT NULL,
  note_type      text NOT NULL,
  service_date   date,
  admit_date     date,
  due_at         timestamptz,
  priority       smallint NOT NULL CHECK (priority BETWEEN 1 AND 9),
  text           text NOT NULL,
  stored_at      timestamptz NOT NULL DEFAULT now(),
  UNIQUE (note_id, sha256),
  UNIQUE (note_id, number)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON note_revisions
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

ALTER TABLE notes ADD FOREIGN KEY (current_revision_id) REFERENCES note_revisions;

-- A note belongs to one item.
CREATE TABLE item_notes (
  note_id  bigint PRIMARY KEY REFERENCES notes,
  item_id  bigint NOT NULL REFERENCES items,
  added_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX item_notes_item ON item_notes (item_id);

CREATE TABLE suggestion_sets (
  id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  set_id          text COLLATE "C" NOT NULL UNIQUE CHECK (set_id <> ''), -- as published
  note_id         bigint NOT NULL REFERENCES notes,
  revision_id     bigint NOT NULL REFERENCES note_revisions,
  pipeline        text COLLATE "C" NOT NULL,
  is_current      boolean NOT NULL,
  setting         text COLLATE "C" NOT NULL,
  coding_style    text COLLATE "C" NOT NULL,
  ranker          text COLLATE "C" NOT NULL,
  model           text COLLATE "C" NOT NULL, -- empty without an LLM
  degraded        boolean NOT NULL,
  degraded_reason text COLLATE "C" NOT NULL,
  cost_usd        double precision NOT NULL,
  created_at      timestamptz NOT NULL,
  body            json NOT NULL, -- the whole set, as published
  UNIQUE (revision_id, pipeline)
);
CREATE UNIQUE INDEX suggestion_sets_current ON suggestion_sets (note_id) WHERE is_current;
CREATE INDEX suggestion_sets_note ON suggestion_sets (note_id);

-- What is counted and filtered by of a set's suggestions; the rest is in its body.
CREATE TABLE suggestions (
  set_id     bigint NOT NULL REFERENCES suggestion_sets,
  rank       smallint NOT NULL CHECK (rank > 0),
  system     text COLLATE "C" NOT NULL,
  code       text COLLATE "C" NOT NULL,
  role       text COLLATE "C" NOT NULL,
  confidence double precision NOT NULL CHECK (confidence BETWEEN 0 AND 1),
  PRIMARY KEY (set_id, rank),
  UNIQUE (set_id, system, code)
);

-- What is to be announced. Written with what it tells of; sent, at least once,
-- by a relay.
CREATE TABLE outbox (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  subject    text COLLATE "C" NOT NULL CHECK (subject <> ''),
  message_id text COLLATE "C" NOT NULL UNIQUE CHECK (message_id <> ''),
  payload    bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  sent_at    timestamptz
);
CREATE INDEX outbox_unsent ON outbox (id) WHERE sent_at IS NULL;
CREATE INDEX outbox_sent ON outbox (sent_at) WHERE sent_at IS NOT NULL;

INSERT INTO app_rights (object, rights) VALUES
  ('TABLE items', 'SELECT, INSERT, UPDATE'),
  ('TABLE notes', 'SELECT, INSERT, UPDATE'),
  ('TABLE note_revisions', 'SELECT, INSERT'),
  ('TABLE item_notes', 'SELECT, INSERT, UPDATE'),
  ('TABLE suggestion_sets', 'SELECT, INSERT, UPDATE (is_current)'),
  ('TABLE suggestions', 'SELECT, INSERT'),
  ('TABLE outbox', 'SELECT, INSERT, UPDATE, DELETE');
