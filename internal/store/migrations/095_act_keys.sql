-- Acts that are no decisions and were sent with an idempotency key: sent again,
-- such an act counts once. Decisions carry their keys themselves.
CREATE TABLE act_keys (
  login   text COLLATE "C" NOT NULL CHECK (login <> ''),
  key     text COLLATE "C" NOT NULL CHECK (key <> ''),
  item_id bigint NOT NULL REFERENCES items, -- that the act was done to, or that it took
  digest  text COLLATE "C" NOT NULL CHECK (digest <> ''), -- hex SHA-256 of what was asked for
  PRIMARY KEY (login, key)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON act_keys
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

INSERT INTO app_rights (object, rights) VALUES
  ('TABLE act_keys', 'SELECT, INSERT');
