-- Tells who listens that an item changed: its number and how, nothing else. The
-- channel carries the table's number, so that schemas of one database keep apart.
CREATE FUNCTION item_changed() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('chartcode_items_' || TG_RELID, NEW.id || ' ' || CASE
    WHEN OLD.note_count = 0 THEN 'new'
    WHEN OLD.content <> NEW.content OR OLD.note_count <> NEW.note_count THEN 'notes'
    WHEN OLD.state <> NEW.state OR OLD.claimed_by <> NEW.claimed_by OR OLD.sent_to <> NEW.sent_to THEN 'state'
    ELSE 'changed' END);
  RETURN NULL;
END $$;
CREATE TRIGGER changed AFTER UPDATE ON items FOR EACH ROW
  WHEN (OLD.version <> NEW.version OR OLD.note_count <> NEW.note_count) EXECUTE FUNCTION item_changed();
