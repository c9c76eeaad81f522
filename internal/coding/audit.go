package coding

import "time"

// AuditEvent is one row of the audit trail: who did what to which item. It
// holds no note text and nothing that names a patient.
type AuditEvent struct {
	ID     int64     `json:"id"`
	At     time.Time `json:"at"` // microseconds, UTC
	Actor  string    `json:"actor"`
	Action string    `json:"action"` // an ItemEventKind, "decision." and a DecisionKind, "user." and an act ...
	Item   int64     `json:"item,omitempty"`
	Target string    `json:"target,omitempty"` // what else it was about: a login, a token's number
	Digest string    `json:"digest,omitempty"` // hex SHA-256 of the decision's content

	// Reason is what the actor said. It may concern a patient: it is kept with the
	// item, is shown in its timeline, and is no part of the trail or its chain.
	Reason string `json:"-"`
}

// AuditLink is one link of the audit trail's hash chain and the event it seals.
type AuditLink struct {
	Seq   int64 // from 1 without gaps
	Hash  [32]byte
	Event AuditEvent
}

// AuditCounts says how many events there are, in the chain, waiting for it,
// and in neither, which cannot be without tampering.
type AuditCounts struct{ Events, Sealed, Waiting, Lost int64 }

// AuditedDecision is a stored decision beside the digest that its event in the
// audit trail has. One of the two may be missing: then Decision.Seq is 0, or
// Digest is empty.
type AuditedDecision struct {
	Item     int64
	Decision Decision
	Digest   string
}
