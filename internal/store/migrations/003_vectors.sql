-- Vectors of the terms' texts, for several embedding models side by side.

CREATE TABLE embedding_models (
  id         smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name       text COLLATE "C" NOT NULL UNIQUE CHECK (name <> ''),
  dims       smallint NOT NULL CHECK (dims BETWEEN 1 AND 4000), -- pgvector's limit for an index on halfvec
  created_at timestamptz NOT NULL DEFAULT now(),
  ready_at   timestamptz -- when every text had a vector and the index stood
);

-- No foreign keys, for the same reason as in 002: PutVectors and imports share
-- a lock, and models are never removed.
CREATE TABLE term_vectors (
  model_id  smallint NOT NULL,
  text_id   bigint NOT NULL,
  embedding halfvec NOT NULL,
  PRIMARY KEY (model_id, text_id)
);
CREATE INDEX term_vectors_text ON term_vectors (text_id);

-- Makes the index of one model, named term_vectors_hnsw_<id>, unless it is
-- there. Only an owner may make an index, but the program works as a role that
-- owns nothing. The caller sets maintenance_work_mem and the number of workers,
-- and sees to it that no two do this at once.
CREATE FUNCTION build_vector_index(model smallint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
  width smallint;
BEGIN
  SELECT dims INTO STRICT width FROM embedding_models WHERE id = model;
  EXECUTE format(
    'CREATE INDEX IF NOT EXISTS term_vectors_hnsw_%s ON term_vectors'
    ' USING hnsw ((embedding::halfvec(%s)) halfvec_cosine_ops) WHERE model_id = %s',
    model, width, model);
  ANALYZE term_vectors;
END $$;
REVOKE ALL ON FUNCTION build_vector_index(smallint) FROM PUBLIC;

-- Takes the index of one model away, before many vectors are added.
CREATE FUNCTION drop_vector_index(model smallint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  EXECUTE format('DROP INDEX IF EXISTS term_vectors_hnsw_%s', model);
END $$;
REVOKE ALL ON FUNCTION drop_vector_index(smallint) FROM PUBLIC;

INSERT INTO app_rights (object, rights) VALUES
  ('TABLE embedding_models', 'SELECT, INSERT, UPDATE'),
  ('TABLE term_vectors', 'SELECT, INSERT, DELETE'),
  ('FUNCTION build_vector_index(smallint)', 'EXECUTE'),
  ('FUNCTION drop_vector_index(smallint)', 'EXECUTE');
