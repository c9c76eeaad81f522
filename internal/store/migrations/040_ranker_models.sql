-- Models of the local ranker that were learned here, beside the ones that are
-- part of the program, and which of them were used from when. Nothing of a
-- note is in a model but counts of codes and of phrases that several patients' notes have.

CREATE TABLE ranker_models (
  id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  version integer NOT NULL UNIQUE CHECK (version > 0), -- the N of local@N
  styles  text[] NOT NULL CHECK (cardinality(styles) > 0), -- coding styles learned anew; the others are those of the models before
  sha256  text COLLATE "C" NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'), -- of the file
  file    bytea NOT NULL,
  record  json NOT NULL, -- how they were made, with figures
  items   bigint[] NOT NULL, -- whose reviews taught them, directly or through the models before: they cannot measure them
  made_at timestamptz NOT NULL,
  made_by text COLLATE "C" NOT NULL CHECK (made_by <> '')
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ranker_models
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The latest row says which models are used; without one those of the program are.
CREATE TABLE ranker_choices (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  version     integer REFERENCES ranker_models (version), -- none: those of the program
  active_from timestamptz NOT NULL,
  chosen_by   text COLLATE "C" NOT NULL CHECK (chosen_by <> '')
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ranker_choices
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

INSERT INTO app_rights (object, rights) VALUES
  ('TABLE ranker_models', 'SELECT, INSERT'),
  ('TABLE ranker_choices', 'SELECT, INSERT');
