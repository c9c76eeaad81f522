package coding

import "time"

// ItemRecord is everything that is kept of one item.
type ItemRecord struct {
	Head      ItemHead
	Notes     []ItemNote // by service date, then by arrival
	Decisions []Decision // by Seq
	Events    []AuditEvent
	Checks    []ReleaseCheck // the latest last; very old ones are left out
	Queries   []Query        // as asked
	// Done is the act that the key of the present one was used for before; nil when
	// for none. Only an act's own record has it.
	Done *ActKey
}

// ActKey makes an act that is no decision count once, however often it is sent. The
// zero value, and one without a Key, does not.
type ActKey struct {
	Login  string // whose act it is: keys of different people have nothing to do with each other
	Key    string
	Item   int64  // that the act is done to, or that it took
	Digest string // hex SHA-256 of what it asks for
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
	// Traceparent is the place in a trace that it belongs to; empty without one.
	Traceparent string
}

// ItemChange is what an act on an item leads to. The zero value changes nothing.
type ItemChange struct {
	Decisions []Decision     // to append
	State     ItemState      // the item's new state; empty: as it is
	Claim     *Claim         // who holds it from now on; only with State claimed
	Reason    string         // why it is held or queried; only with those states
	Invalid   *int           // codes in the list that the releases do not have; nil: as it is
	Sent      *Sent          // for whom it waits, only with State open; nil: as it is, which for another State is nobody; without a login: nobody
	Asked     *Query         // to append; its Number is the next of the item
	Closed    []Query        // queries with their new Status and what closed them
	Skipped   *Skip          // whom not to give it
	Events    []AuditEvent   // for the audit trail
	Outbox    *OutboxMessage // to announce
}

// Skip says that Next does not give an item to somebody before a time.
type Skip struct {
	Login string
	Until time.Time
}
