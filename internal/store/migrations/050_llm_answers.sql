-- Answers of LLMs by the hash of the whole question, so that the same question is
-- paid once. An answer holds codes' numbers and quotes of the note: patient text,
-- until it expires. The question itself is not here.

CREATE TABLE llm_answers (
  hash       bytea PRIMARY KEY CHECK (octet_length(hash) = 32), -- of model, parameters, prompt and schema
  answer     bytea NOT NULL, -- one JSON object, as the model wrote it
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL CHECK (expires_at > created_at)
);
CREATE INDEX llm_answers_expiry ON llm_answers (expires_at);

-- An answer is never changed: it is there or it is not.
INSERT INTO app_rights (object, rights) VALUES
  ('TABLE llm_answers', 'SELECT, INSERT, DELETE');
