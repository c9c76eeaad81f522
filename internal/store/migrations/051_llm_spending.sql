-- What LLMs were used for and what that has cost, by day of the site, all processes
-- together. A call is entered with its expected cost before it is made and
-- corrected after; what a process that died had under way stays as expected.

CREATE TABLE llm_spending (
  day               date PRIMARY KEY,
  calls             bigint NOT NULL DEFAULT 0,
  prompt_tokens     bigint NOT NULL DEFAULT 0,
  cached_tokens     bigint NOT NULL DEFAULT 0,
  completion_tokens bigint NOT NULL DEFAULT 0,
  nano_usd          bigint NOT NULL DEFAULT 0 -- billionths of a US dollar
);

INSERT INTO app_rights (object, rights) VALUES
  ('TABLE llm_spending', 'SELECT, INSERT, UPDATE (calls, prompt_tokens, cached_tokens, completion_tokens, nano_usd)');
