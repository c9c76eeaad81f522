-- Who works on an item, and why it waits.

ALTER TABLE items
  ADD claimed_by    text COLLATE "C" NOT NULL DEFAULT '', -- login
  ADD claimed_until timestamptz, -- the claim is a lease: after this the item is free
  ADD wait_reason   text NOT NULL DEFAULT '',
  ADD CHECK ((state = 'claimed') = (claimed_by <> '')),
  ADD CHECK ((claimed_by <> '') = (claimed_until IS NOT NULL)),
  ADD CHECK (wait_reason = '' OR state IN ('held', 'queried'));

-- The other orders of the worklist.
CREATE INDEX items_received ON items (received_at, id) WHERE state <> 'finished' AND note_count > 0;
CREATE INDEX items_all ON items (priority DESC, received_at, id) WHERE note_count > 0;
CREATE INDEX items_holder ON items (claimed_by) WHERE claimed_by <> '';
