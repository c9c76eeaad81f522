-- What became of the codes of unfinished items when releases came or were
-- replaced. Suggestions and decisions stay as they were; a check is laid over
-- them.

ALTER TABLE items
  ADD edition       text COLLATE "C" NOT NULL DEFAULT '', -- the releases that its codes were made from or looked up in last; empty: to be looked up
  ADD invalid_count integer NOT NULL DEFAULT 0 CHECK (invalid_count >= 0); -- codes still in its list that the releases do not have

-- Finds the items whose codes are to be looked up again.
CREATE INDEX items_edition ON items (service_date, edition, id) WHERE state <> 'finished' AND note_count > 0;

CREATE TABLE release_checks (
  item_id bigint NOT NULL REFERENCES items,
  seq     integer NOT NULL CHECK (seq > 0), -- the highest holds; without gaps: written while the item is locked
  at      timestamptz NOT NULL DEFAULT now(),
  edition text COLLATE "C" NOT NULL, -- the releases that it was made with
  content bigint NOT NULL, -- the item's content that it is about; of any other it says nothing
  body    json NOT NULL,
  PRIMARY KEY (item_id, seq)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON release_checks
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

INSERT INTO app_rights (object, rights) VALUES
  ('TABLE release_checks', 'SELECT, INSERT');
