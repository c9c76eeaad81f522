package coding

import "time"

// ItemState is the state of a worklist item.
type ItemState string

// The states of an item.
const (
	ItemOpen     ItemState = "open"
	ItemClaimed  ItemState = "claimed"
	ItemHeld     ItemState = "held"
	ItemQueried  ItemState = "queried"
	ItemFinished ItemState = "finished"
)

// DecisionKind is one append-only act of a coder.
type DecisionKind string

// The kinds of decisions.
const (
	Accept   DecisionKind = "accept"
	Reject   DecisionKind = "reject"
	Modify   DecisionKind = "modify"
	Add      DecisionKind = "add"
	Reorder  DecisionKind = "reorder"
	Detail   DecisionKind = "detail" // role, present on admission, units, modifiers, pointers of a code
	Override DecisionKind = "override"
	Remark   DecisionKind = "remark" // on the item
	Undo     DecisionKind = "undo"
	Redo     DecisionKind = "redo"
	Finish   DecisionKind = "finish"
	Reopen   DecisionKind = "reopen"
)

// UserRole is what a user may do.
type UserRole string

// The roles of users.
const (
	RoleCoder   UserRole = "coder"
	RoleAuditor UserRole = "auditor"
	RoleManager UserRole = "manager"
	RoleAdmin   UserRole = "admin"
	RoleService UserRole = "service"
)

// Origin says how a code came into the final list.
type Origin string

// The origins.
const (
	OriginAccepted            Origin = "accepted"
	OriginModified            Origin = "modified"
	OriginAdded               Origin = "added"
	OriginAddedThoughProposed Origin = "added_though_suggested"
)

// ReviewedCode is one code of a finished item.
type ReviewedCode struct {
	System   System     `json:"system"`
	Code     string     `json:"code"`
	Sequence int        `json:"sequence"`
	Role     Role       `json:"role"`
	POA      *string    `json:"poa"`
	Origin   Origin     `json:"origin"`
	Evidence []Evidence `json:"evidence"`

	Display   string    `json:"display,omitempty"`
	Units     int       `json:"units,omitempty"`     // of a HCPCS or CPT code; absent: not stated
	Modifiers []string  `json:"modifiers,omitempty"` // of a HCPCS or CPT code, in order
	Pointers  []int     `json:"pointers,omitempty"`  // sequences of the diagnoses that a service was for
	DecidedBy string    `json:"decided_by,omitempty"`
	DecidedAt time.Time `json:"decided_at,omitzero"`
}

// ReviewedDecision is one decision of a review's making.
type ReviewedDecision struct {
	Seq    int          `json:"seq"`
	Kind   DecisionKind `json:"kind"`
	Coder  string       `json:"coder"`
	At     time.Time    `json:"at"`
	System System       `json:"system,omitempty"`
	Code   string       `json:"code,omitempty"`
	To     *CodeKey     `json:"to,omitempty"`
	Rule   string       `json:"rule,omitempty"`
	Reason string       `json:"reason,omitempty"` // in a coder's words
	Why    ReasonCode   `json:"reason_code,omitempty"`
}

// Review is the message on REVIEWS: what a coder decided about an encounter.
type Review struct {
	Schema      int            `json:"schema"` // 1
	ReviewID    string         `json:"review_id"`
	NoteIDs     []string       `json:"note_ids"`
	Source      string         `json:"source"`
	EncounterID string         `json:"encounter_id"`
	Disposition string         `json:"disposition"` // completed, returned
	Coder       string         `json:"coder"`
	FinishedAt  time.Time      `json:"finished_at"`
	Codes       []ReviewedCode `json:"codes"`

	Remark    string             `json:"remark,omitempty"`
	Decisions []ReviewedDecision `json:"decisions,omitempty"` // all of the item's so far, in order
}

// RulePOAExempt is the rule of the finding that a code needs no
// present-on-admission indicator.
const RulePOAExempt = "poa_exempt"
