-- What the system tells of itself: processes with what they are doing, their recent
-- errors, and whether workers take notes; and where in a trace a note was worked on.

ALTER TABLE note_revisions ADD traceparent text COLLATE "C" NOT NULL DEFAULT '' CHECK (length(traceparent) <= 100);
ALTER TABLE outbox ADD traceparent text COLLATE "C" NOT NULL DEFAULT '' CHECK (length(traceparent) <= 100);

-- A row for each running process, renewed every few seconds; one that stopped or
-- died is removed a while later.
CREATE TABLE processes (
  id          text COLLATE "C" PRIMARY KEY CHECK (id <> ''), -- drawn at each start
  role        text COLLATE "C" NOT NULL,  -- work, serve, demo
  host        text COLLATE "C" NOT NULL,
  pid         integer NOT NULL,
  version     text COLLATE "C" NOT NULL,
  started_at  timestamptz NOT NULL,
  seen_at     timestamptz NOT NULL DEFAULT now(),
  stopped_at  timestamptz,                -- said good-bye
  ranker      text NOT NULL DEFAULT '',
  concurrency integer NOT NULL DEFAULT 0, -- notes at once; 0: it does not work on notes
  done        bigint NOT NULL DEFAULT 0,  -- deliveries since it started
  jobs        json NOT NULL DEFAULT '[]'  -- what it is doing: [{"seq", "stage", "since", "attempt"}]
);

-- Errors and warnings of the log, as codes: the message, which is a constant of the
-- program, and those of its attributes that are codes.
CREATE TABLE process_errors (
  id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at      timestamptz NOT NULL,
  role    text COLLATE "C" NOT NULL,
  host    text COLLATE "C" NOT NULL,
  level   text COLLATE "C" NOT NULL,
  message text NOT NULL,
  detail  text NOT NULL -- name=value, separated by blanks
);

-- Whether workers take notes: the last row says. Empty: they do.
CREATE TABLE intake_switches (
  id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  paused boolean NOT NULL,
  at     timestamptz NOT NULL,
  by     text COLLATE "C" NOT NULL CHECK (by <> ''), -- login
  reason text NOT NULL DEFAULT ''
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON intake_switches
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

INSERT INTO app_rights (object, rights) VALUES
  ('TABLE processes', 'SELECT, INSERT, UPDATE, DELETE'),
  ('TABLE process_errors', 'SELECT, INSERT, DELETE'),
  ('TABLE intake_switches', 'SELECT, INSERT');
