package coding

// ItemRecord is everything that is kept of one item.
type ItemRecord struct {
	Head      ItemHead
	Notes     []ItemNote // by service date, then by arrival
	Decisions []Decision // by Seq
	Events    []AuditEvent
}

// OutboxMessage is an announcement that is sent after the commit.
type OutboxMessage struct {
	Subject   string
	MessageID string // the receiving stream drops repetitions of it
	Payload   []byte
}

// ItemChange is what an act on an item leads to. The zero value changes nothing.
type ItemChange struct {
	Decision *Decision      // to append
	State    ItemState      // the item's new state; empty: as it is
	Claim    *Claim         // who holds it from now on; only with State claimed
	Reason   string         // why it is held or queried; only with those states
	Events   []AuditEvent   // for the audit trail
	Outbox   *OutboxMessage // to announce
}
