-- Acts of several people are written by one statement, so the trigger of their events
-- works once for all that a statement enters, whoever enters them.
DROP TRIGGER unsealed ON audit_events;
CREATE OR REPLACE FUNCTION audit_event_written() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO audit_unsealed (event_id) SELECT id FROM written;
  INSERT INTO throughput_changes (item_id) SELECT item_id FROM written WHERE item_id <> 0;
  RETURN NULL;
END $$;
CREATE TRIGGER unsealed AFTER INSERT ON audit_events
  REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION audit_event_written();
