-- pgvector, and what guards the tables that only grow.

DO $$
BEGIN
  IF to_regtype('halfvec') IS NULL THEN
    CREATE EXTENSION vector SCHEMA public;
  END IF;
END $$;

-- What the role chartcode_app may do. Rights are applied from this table at
-- the end of every migration run, because the role belongs to the whole server
-- and may have been made, lost or restored apart from this database.
CREATE TABLE app_rights (
  object text COLLATE "C" PRIMARY KEY, -- as GRANT ... ON writes it
  rights text NOT NULL
);

INSERT INTO app_rights (object, rights) VALUES
  ('TABLE app_rights', 'SELECT'),
  ('TABLE schema_version', 'SELECT');

-- Attached as trigger append_only to tables that record what happened.
CREATE FUNCTION refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'rows of % are never changed or removed', TG_TABLE_NAME
    USING ERRCODE = 'restrict_violation';
END $$;
