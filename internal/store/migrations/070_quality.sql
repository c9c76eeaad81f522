-- Quality of coders: random samples of finished items, coded again blind, and
-- judged; and practice notes into which wrong suggestions are seeded.
--
-- None of this is an item: what is coded again or practised lies in tables of its
-- own, from which nothing is announced, exported, learned or counted as work.

CREATE TABLE audit_samples (
  id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  drawn_by        text COLLATE "C" NOT NULL CHECK (drawn_by <> ''), -- login, or console
  drawn_at        timestamptz NOT NULL,
  finished_from   timestamptz NOT NULL, -- of the reviews that could be drawn
  finished_before timestamptz NOT NULL,
  source          text COLLATE "C" NOT NULL, -- empty: of all
  rate            double precision NOT NULL CHECK (rate > 0 AND rate <= 1), -- of each coder's reviews
  at_least        integer NOT NULL CHECK (at_least >= 0), -- of each coder's reviews, where there are as many
  seed            bigint NOT NULL,
  recodings       smallint NOT NULL CHECK (recodings BETWEEN 1 AND 3), -- blind ones that each case is to have
  eligible        integer NOT NULL CHECK (eligible >= 0) -- reviews that could be drawn
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_samples
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A finished item as it was when it was drawn. A review is drawn once.
CREATE TABLE audit_cases (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  sample_id   bigint NOT NULL REFERENCES audit_samples,
  item_id     bigint NOT NULL REFERENCES items,
  finish_seq  integer NOT NULL, -- the decision that finished it
  coder       text COLLATE "C" NOT NULL CHECK (coder <> ''), -- who finished it
  finished_at timestamptz NOT NULL,
  setting     text COLLATE "C" NOT NULL,
  specialty   text COLLATE "C" NOT NULL,
  revisions   bigint[] NOT NULL CHECK (cardinality(revisions) > 0), -- the notes, in the order in which they are read
  given       jsonb NOT NULL, -- its codes, in order
  UNIQUE (item_id, finish_seq)
);
CREATE INDEX audit_cases_sample ON audit_cases (sample_id);
CREATE INDEX audit_cases_coder ON audit_cases (coder);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_cases
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE practice_notes (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  run         text COLLATE "C" NOT NULL CHECK (run <> ''), -- the evaluation run whose suggestions are shown
  sha256      text COLLATE "C" NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'), -- of the note
  rate        double precision NOT NULL CHECK (rate >= 0 AND rate <= 1), -- at which wrong suggestions were seeded
  added_by    text COLLATE "C" NOT NULL CHECK (added_by <> ''),
  added_at    timestamptz NOT NULL,
  note        jsonb NOT NULL,
  suggestions jsonb NOT NULL, -- as shown, each with whether it was seeded
  gold        jsonb NOT NULL,
  UNIQUE (run, sha256)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON practice_notes
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Somebody's coding of a case, or of a practice note.
CREATE TABLE recodings (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  case_id     bigint REFERENCES audit_cases,
  practice_id bigint REFERENCES practice_notes,
  coder       text COLLATE "C" NOT NULL CHECK (coder <> ''),
  taken_at    timestamptz NOT NULL,
  finished_at timestamptz,
  given       jsonb NOT NULL DEFAULT '[]',
  rejected    jsonb NOT NULL DEFAULT '[]', -- of the suggestions of a practice note
  CHECK ((case_id IS NULL) <> (practice_id IS NULL)),
  UNIQUE (case_id, coder),
  UNIQUE (practice_id, coder)
);
CREATE UNIQUE INDEX recodings_open_case ON recodings (coder) WHERE finished_at IS NULL AND case_id IS NOT NULL;
CREATE UNIQUE INDEX recodings_open_practice ON recodings (coder) WHERE finished_at IS NULL AND practice_id IS NOT NULL;

CREATE FUNCTION refuse_finished() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.finished_at IS NOT NULL THEN
    RAISE EXCEPTION 'a finished row of % is never changed or removed', TG_TABLE_NAME
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER finished_stays BEFORE UPDATE OR DELETE ON recodings
  FOR EACH ROW EXECUTE FUNCTION refuse_finished();

-- What is right about a case, by somebody who coded it neither time.
CREATE TABLE judgements (
  case_id bigint PRIMARY KEY REFERENCES audit_cases,
  judge   text COLLATE "C" NOT NULL CHECK (judge <> ''),
  at      timestamptz NOT NULL,
  codes   jsonb NOT NULL, -- in order; acceptable ones say so
  remark  text NOT NULL
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON judgements
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What coders say to findings on their codes; the last one counts.
CREATE TABLE finding_answers (
  id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  case_id bigint NOT NULL REFERENCES audit_cases,
  coder   text COLLATE "C" NOT NULL CHECK (coder <> ''),
  kind    text COLLATE "C" NOT NULL CHECK (kind IN ('wrong', 'missed', 'first')),
  system  text COLLATE "C" NOT NULL,
  code    text COLLATE "C" NOT NULL,
  agrees  boolean NOT NULL,
  text    text NOT NULL,
  at      timestamptz NOT NULL
);
CREATE INDEX finding_answers_case ON finding_answers (case_id, coder);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON finding_answers
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

INSERT INTO app_rights (object, rights) VALUES
  ('TABLE audit_samples', 'SELECT, INSERT'),
  ('TABLE audit_cases', 'SELECT, INSERT'),
  ('TABLE practice_notes', 'SELECT, INSERT'),
  ('TABLE recodings', 'SELECT, INSERT, UPDATE (given, rejected, finished_at), DELETE'),
  ('TABLE judgements', 'SELECT, INSERT'),
  ('TABLE finding_answers', 'SELECT, INSERT');
