-- The graph over the terms' vectors has more neighbors for each (m 24 instead of
-- 16, ef_construction 80 instead of 64): mentions of real notes lie far from all
-- terms, and on the way to their nearest ones a search got lost too often.
-- `chartcode bench index` measures it. Existing graphs are taken away and made
-- again when the program next fills in vectors.
CREATE OR REPLACE FUNCTION build_vector_index(model smallint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
  width smallint;
BEGIN
  SELECT dims INTO STRICT width FROM embedding_models WHERE id = model;
  EXECUTE format(
    'CREATE INDEX IF NOT EXISTS term_vectors_hnsw_%s ON term_vectors'
    ' USING hnsw ((embedding::halfvec(%s)) halfvec_cosine_ops) WITH (m = 24, ef_construction = 80) WHERE model_id = %s',
    model, width, model);
  ANALYZE term_vectors;
END $$;

DO $$
DECLARE
  model smallint;
BEGIN
  FOR model IN SELECT id FROM embedding_models LOOP
    PERFORM drop_vector_index(model);
    UPDATE embedding_models SET ready_at = NULL WHERE id = model;
  END LOOP;
END $$;
