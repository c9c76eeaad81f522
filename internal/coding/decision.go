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
//	accept    System, Code, Display, Role, POA, Evidence; Batch and Above where many were accepted at once
//	reject    System, Code, Display, ReasonCode, Reason
//	modify    System, Code, Display and To, ToDisplay, Role, POA, Evidence, Reason
//	add       System, Code, Display, Role, POA, Evidence, Origin
//	detail    System, Code, Display and of Role, POA, Units, Modifiers, Pointers those that it sets
//	reorder   Order
//	override  Rule, Codes, Reason
//	remark    Remark
//	undo redo System, Code, Display of the decision that it is about
//	finish    Disposition, Reason, ReviewID
//	reopen    Reason
//
// Evidence and Display are copied into the decision, so that it still says
// what was decided when suggestions, text or code set have changed.
//
// Decisions with the same Batch, the Seq of the first of them, were one act and
// are undone together.
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

	ReasonCode ReasonCode `json:"reason_code,omitempty"`
	POA        POA        `json:"poa,omitempty"`
	Units      *int       `json:"units,omitempty"`     // nil: as they were
	Modifiers  *[]string  `json:"modifiers,omitempty"` // nil: as they were; empty: none
	Pointers   *[]CodeKey `json:"pointers,omitempty"`  // the diagnoses that a service was for; nil: as they were
	Remark     *string    `json:"remark,omitempty"`    // on the item; empty: taken away
	Batch      int        `json:"batch,omitempty"`
	Above      float64    `json:"above,omitempty"` // the confidence from which all were accepted
}

// POA says whether a diagnosis was present on admission.
type POA string

// The indicators, as inpatient claims have them (UB-04, field 67). POAClear, in
// a decision, takes one away.
const (
	POAYes        POA = "Y"
	POANo         POA = "N"
	POAUnknown    POA = "U" // the documentation does not tell
	POAClinically POA = "W" // cannot be told clinically
	POAExempt     POA = "1" // needs none
	POAClear      POA = "-"
)

// Valid reports whether it is an indicator that a review can carry.
func (p POA) Valid() bool {
	switch p {
	case POAYes, POANo, POAUnknown, POAClinically, POAExempt:
		return true
	}
	return false
}

// ReasonCode is why a suggestion was rejected, from a short list, so that it
// can be counted; Reason may say more.
type ReasonCode string

// The reasons.
const (
	RejectNotInNote     ReasonCode = "not_in_note"    // the text does not say so
	RejectRuledOut      ReasonCode = "ruled_out"      // negated, or only suspected
	RejectOther         ReasonCode = "other_person"   // family, or a donor
	RejectHistory       ReasonCode = "history_only"   // resolved, not treated now
	RejectIntegral      ReasonCode = "integral"       // a sign of another code's condition
	RejectLessSpecific  ReasonCode = "less_specific"  // another code in the list says more
	RejectWrongDetail   ReasonCode = "wrong_detail"   // side, type, stage, or encounter
	RejectNotThisVisit  ReasonCode = "not_this_visit" // not evaluated or treated in this encounter
	RejectNotReportable ReasonCode = "not_reportable" // a guideline or payer forbids it
	RejectAnotherReason ReasonCode = "other"          // Reason says which
)

// ReasonChoice is a reason of a short list with its words.
type ReasonChoice struct {
	Code  ReasonCode `json:"code"`
	Label string     `json:"label"`
}

// RejectReasons gives the reasons to reject a suggestion, in the order in which
// they are offered.
func RejectReasons() []ReasonChoice {
	return []ReasonChoice{
		{RejectNotInNote, "Not in the note"},
		{RejectRuledOut, "Negated or only suspected"},
		{RejectHistory, "History only, not current"},
		{RejectNotThisVisit, "Not evaluated or treated in this encounter"},
		{RejectLessSpecific, "Another code is more specific"},
		{RejectIntegral, "Part of another coded condition"},
		{RejectWrongDetail, "Wrong side, type, stage or encounter"},
		{RejectOther, "About another person"},
		{RejectNotReportable, "Not to be reported by guideline or payer"},
		{RejectAnotherReason, "Another reason"},
	}
}

// Valid reports whether the reason is in the list.
func (r ReasonCode) Valid() bool {
	for _, c := range RejectReasons() {
		if c.Code == r {
			return true
		}
	}
	return false
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
