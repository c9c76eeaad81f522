-- Code systems: releases with their codes, terms and rule lines.
-- codes, terms and release_lines have no foreign keys: checking them row by row
-- nearly doubles the time of an import, and only ImportRelease and
-- RemoveRelease write here, in one transaction under one lock.
-- Codes and texts compare by bytes (collation C), whatever the database's own.

CREATE TABLE releases (
  id             text COLLATE "C" PRIMARY KEY CHECK (id <> ''),
  system         text COLLATE "C" NOT NULL CHECK (system <> ''),
  kind           text COLLATE "C" NOT NULL CHECK (kind <> ''),
  version        text COLLATE "C" NOT NULL,
  effective_from date NOT NULL,
  row_count      integer NOT NULL CHECK (row_count >= 0),
  billable       integer NOT NULL CHECK (billable >= 0),
  details        jsonb NOT NULL,
  sha256         text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
  imported_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX releases_successor ON releases (system, kind, effective_from);

CREATE TABLE codes (
  release_id text COLLATE "C" NOT NULL,
  code       text COLLATE "C" NOT NULL CHECK (code <> ''),
  title      text NOT NULL,
  short      text NOT NULL,
  billable   boolean NOT NULL,
  parent     text COLLATE "C" NOT NULL, -- empty at the top
  PRIMARY KEY (release_id, code)
);

-- One row for each different text, shared by all terms that read the same, so
-- that it has one vector. The id is made of the text's hash: the same in every
-- database and in whatever order releases are imported. A text that leads only
-- where another one leads too (a title with its 7th character's words, beside
-- its stem) needs no vector.
CREATE TABLE term_texts (
  id           bigint PRIMARY KEY CHECK (id > 0),
  text         text COLLATE "C" NOT NULL CHECK (text <> ''),
  needs_vector boolean NOT NULL
);

CREATE TABLE terms (
  release_id text COLLATE "C" NOT NULL,
  system     text COLLATE "C" NOT NULL,
  code       text COLLATE "C" NOT NULL CHECK (code <> ''),
  kind       text COLLATE "C" NOT NULL CHECK (kind <> ''),
  text_id    bigint NOT NULL,
  PRIMARY KEY (release_id, code, kind, text_id)
);

-- Rule data of a release, one JSON value for each line, in the file's order.
CREATE TABLE release_lines (
  release_id text COLLATE "C" NOT NULL,
  line_no    integer NOT NULL CHECK (line_no > 0),
  line       json NOT NULL,
  PRIMARY KEY (release_id, line_no)
);

-- Only an owner may gather statistics, but the program imports under its role.
CREATE FUNCTION analyze_codesets() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  ANALYZE codes, term_texts, terms, release_lines;
END $$;
REVOKE ALL ON FUNCTION analyze_codesets() FROM PUBLIC;

INSERT INTO app_rights (object, rights) VALUES
  ('TABLE releases', 'SELECT, INSERT, UPDATE, DELETE'),
  ('TABLE codes', 'SELECT, INSERT, DELETE'),
  ('TABLE term_texts', 'SELECT, INSERT, UPDATE (needs_vector), DELETE'),
  ('TABLE terms', 'SELECT, INSERT, DELETE'),
  ('TABLE release_lines', 'SELECT, INSERT, DELETE'),
  ('FUNCTION analyze_codesets()', 'EXECUTE');
