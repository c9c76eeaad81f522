package coding

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"
)

// CodeKey names a code within a code system.
type CodeKey struct {
	System System `json:"system"`
	Code   string `json:"code"`
}

// Decision is one append-only act on an item. Seq counts from 1 without gaps
// within the item; replaying an item's decisions in that order gives its state.
type Decision struct {
	Seq     int          `json:"seq"`
	Kind    DecisionKind `json:"kind"`
	Coder   string       `json:"coder"` // login; ByPipeline when no person did it
	At      time.Time    `json:"at"`
	Key     string       `json:"key,omitempty"` // idempotency key, unique within the item
	Content int64        `json:"content"`       // which suggestions it was taken on: the item's Content then
	DecisionDetail
}

// ByPipeline is the Coder of a reopening that a changed or new note caused.
const ByPipeline = "pipeline"

// DecisionDetail is what a decision says besides who and when. Which fields
// are set depends on the kind:
//
//	accept    System, Code, Display, Role, Evidence
//	reject    System, Code, Display, Reason
//	modify    System, Code, Display and To, ToDisplay, Role, Evidence, Reason
//	add       System, Code, Display, Role, Evidence, Origin
//	reorder   Order
//	override  Rule, Codes, Reason
//	undo redo (none)
//	finish    Disposition, Reason, ReviewID
//	reopen    Reason
//
// Evidence and Display are copied into the decision, so that it still says
// what was decided when suggestions, text or code set have changed.
type DecisionDetail struct {
	System      System     `json:"system,omitempty"`
	Code        string     `json:"code,omitempty"`
	Display     string     `json:"display,omitempty"`
	To          *CodeKey   `json:"to,omitempty"`
	ToDisplay   string     `json:"to_display,omitempty"`
	Role        Role       `json:"role,omitempty"` // empty: follows from the place in the list
	Evidence    []Evidence `json:"evidence,omitempty"`
	Origin      Origin     `json:"origin,omitempty"`
	Order       []CodeKey  `json:"order,omitempty"`
	Rule        string     `json:"rule,omitempty"`
	Codes       []string   `json:"codes,omitempty"`
	Reason      string     `json:"reason,omitempty"`
	Disposition string     `json:"disposition,omitempty"`
	ReviewID    string     `json:"review_id,omitempty"`
}

// Digest is the hex SHA-256 of a decision, as the audit trail keeps it: of its
// JSON with the time in UTC.
func (d Decision) Digest() string {
	d.At = d.At.UTC()
	b, err := json.Marshal(d)
	if err != nil {
		// A decision is strings, numbers and a time that this program set.
		panic("coding: a decision cannot be written as JSON: " + err.Error())
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// The dispositions of a finished item.
const (
	DispositionCompleted = "completed"
	DispositionReturned  = "returned" // cannot be coded; goes back to its sender
)

// Why an item was reopened without a person asking.
const (
	ReopenedNoteChanged = "note changed"
	ReopenedNewNote     = "new note"
)
