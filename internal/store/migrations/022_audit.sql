-- The audit trail: who did what, when. No note text, nothing of a patient.
--
-- Events are written in the transaction that does what they tell of, so many
-- at once; the hash chain over them is forged afterwards by one writer at a
-- time, because a chain that every act had to wait for would make all acts
-- queue. An event waits in audit_unsealed until it is in the chain; an event
-- that is in neither was tampered with.

CREATE TABLE audit_events (
  id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at      timestamptz NOT NULL,
  actor   text COLLATE "C" NOT NULL CHECK (actor <> ''),
  action  text COLLATE "C" NOT NULL CHECK (action <> ''),
  item_id bigint NOT NULL, -- 0: not about an item
  target  text COLLATE "C" NOT NULL,
  digest  text COLLATE "C" NOT NULL -- hex SHA-256 of a decision; empty of others
);
CREATE INDEX audit_events_item ON audit_events (item_id, id) WHERE item_id <> 0;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_events
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE audit_unsealed (
  event_id bigint PRIMARY KEY
);

CREATE FUNCTION audit_event_written() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO audit_unsealed (event_id) VALUES (NEW.id);
  RETURN NULL;
END $$;
CREATE TRIGGER unsealed AFTER INSERT ON audit_events
  FOR EACH ROW EXECUTE FUNCTION audit_event_written();

CREATE TABLE audit_chain (
  seq      bigint PRIMARY KEY CHECK (seq > 0), -- without gaps
  event_id bigint NOT NULL UNIQUE REFERENCES audit_events,
  hash     bytea NOT NULL CHECK (octet_length(hash) = 32)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_chain
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

INSERT INTO app_rights (object, rights) VALUES
  ('TABLE audit_events', 'SELECT, INSERT'),
  ('TABLE audit_unsealed', 'SELECT, INSERT, DELETE'),
  ('TABLE audit_chain', 'SELECT, INSERT');
