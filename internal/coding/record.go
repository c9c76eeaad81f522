package coding

// ItemRecord is everything that is kept of one item.
type ItemRecord struct {
	Head      ItemHead
	Notes     []ItemNote // by service date, then by arrival
	Decisions []Decision // by Seq
	Events    []AuditEvent
	Checks    []ReleaseCheck // the latest last; very old ones are left out
}

// Check is the check that holds for the item's content; nil when there is none.
func (r ItemRecord) Check() *ReleaseCheck {
	if n := len(r.Checks); n > 0 && r.Checks[n-1].Content == r.Head.Content {
		return &r.Checks[n-1]
	}
	return nil
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
	Invalid  *int           // codes in the list that the releases do not have; nil: as it is
	Events   []AuditEvent   // for the audit trail
	Outbox   *OutboxMessage // to announce
}
