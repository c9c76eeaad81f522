-- Decisions on items, the pipeline's own reopening included: replaying those
-- of an item in order of seq gives its state.
CREATE TABLE decisions (
  item_id bigint NOT NULL REFERENCES items,
  seq     integer NOT NULL CHECK (seq > 0), -- without gaps: written while the item is locked
  kind    text COLLATE "C" NOT NULL CHECK (kind IN
          ('accept', 'reject', 'modify', 'add', 'reorder', 'override', 'undo', 'redo', 'finish', 'reopen')),
  coder   text COLLATE "C" NOT NULL CHECK (coder <> ''), -- login, or 'pipeline'
  at      timestamptz NOT NULL,
  key     text COLLATE "C" CHECK (key <> ''), -- idempotency key
  content bigint NOT NULL, -- the item's content that it was taken on
  detail  jsonb NOT NULL,
  PRIMARY KEY (item_id, seq),
  UNIQUE (item_id, key)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON decisions
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

INSERT INTO app_rights (object, rights) VALUES
  ('TABLE decisions', 'SELECT, INSERT');
