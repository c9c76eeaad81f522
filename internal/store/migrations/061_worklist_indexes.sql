-- Indexes that give a page of the worklist, or the next item, in order after a
-- few rows, however long the list is: of the items that can be taken (open, or
-- claimed, of which there are as many as coders) by each order and by the filters
-- that one value of may be rare among the first; of every state for lists and
-- counts of it.
--
-- What changes with each decision (version, updated_at, claimed_until) is in no
-- index, so that a decision touches none of them: PostgreSQL then writes the row's
-- new version into the same page (HOT), for which pages keep some room.

DROP INDEX items_worklist;
CREATE INDEX items_worklist ON items (priority DESC, received_at, id) WHERE state IN ('open', 'claimed') AND note_count > 0;
DROP INDEX items_received;
CREATE INDEX items_received ON items (received_at, id) WHERE state IN ('open', 'claimed') AND note_count > 0;
CREATE INDEX items_need ON items (need DESC, received_at, id) WHERE state IN ('open', 'claimed') AND note_count > 0;
CREATE INDEX items_specialty ON items (specialty, priority DESC, received_at, id) WHERE state IN ('open', 'claimed') AND note_count > 0;
CREATE INDEX items_setting ON items (setting, priority DESC, received_at, id) WHERE state IN ('open', 'claimed') AND note_count > 0;
CREATE INDEX items_source ON items (source, priority DESC, received_at, id) WHERE state IN ('open', 'claimed') AND note_count > 0;
CREATE INDEX items_ranker ON items (ranker, priority DESC, received_at, id) WHERE state IN ('open', 'claimed') AND note_count > 0;
CREATE INDEX items_degraded ON items (priority DESC, received_at, id) WHERE degraded AND state IN ('open', 'claimed') AND note_count > 0;
CREATE INDEX items_invalid ON items (priority DESC, received_at, id) WHERE invalid_count > 0 AND state IN ('open', 'claimed') AND note_count > 0;
CREATE INDEX items_state ON items (state, priority DESC, received_at, id) WHERE note_count > 0;
CREATE INDEX items_moved ON items (moved_at DESC, id DESC) WHERE note_count > 0;
CREATE INDEX items_coder ON items (coder, moved_at DESC, id DESC) WHERE coder <> '' AND note_count > 0;
CREATE INDEX items_sent ON items (sent_to, priority DESC, received_at, id) WHERE sent_to <> '';

ALTER TABLE items SET (fillfactor = 85);
