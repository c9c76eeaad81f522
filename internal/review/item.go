package review

import (
	"time"

	"chartcode/internal/coding"
)

// CodeState is where a code of an item stands.
type CodeState string

// The states of a code.
const (
	Undecided CodeState = "undecided"
	Accepted  CodeState = "accepted"
	Rejected  CodeState = "rejected"
	Modified  CodeState = "modified" // replaced by another code, which is in the list as added by it
	Added     CodeState = "added"    // by a coder: by search, from text, or in place of another
)

// Code is one code of an item: the suggestions of its notes merged, with what
// was decided about it.
type Code struct {
	coding.CodeKey
	Title    string            `json:"display"`
	Sequence int               `json:"sequence"` // from 1, in the order of the list as shown
	Final    int               `json:"final"`    // its sequence in the review; 0 when it would not be in it
	Role     coding.Role       `json:"role"`     // as it would be in the review; of undecided ones as suggested
	State    CodeState         `json:"state"`
	Evidence []coding.Evidence `json:"evidence"` // in the order of notes and text; each names its note
	Warnings []coding.Finding  `json:"warnings"` // errors first

	// Of the suggestion; zero for a code that only a coder named.
	Suggested  bool     `json:"suggested"`
	Confidence float64  `json:"confidence"` // highest of its notes
	Rationale  string   `json:"rationale"`  // of the note with that confidence
	NoteIDs    []string `json:"note_ids"`   // notes whose suggestions have it
	// Agreement of that note; empty where no LLM was asked.
	Agreement coding.Agreement `json:"agreement,omitempty"`

	// Of the decision; zero while undecided.
	Origin     coding.Origin     `json:"origin,omitempty"`
	ReplacedBy *coding.CodeKey   `json:"replaced_by,omitempty"` // when Modified
	Replaces   *coding.CodeKey   `json:"replaces,omitempty"`    // when it came in place of another
	Reason     string            `json:"reason,omitempty"`
	ReasonCode coding.ReasonCode `json:"reason_code,omitempty"` // of a rejection
	By         string            `json:"by,omitempty"`
	At         time.Time         `json:"at,omitzero"`
	// Outdated: decided on suggestions that have changed since, and it is no
	// longer suggested or its evidence no longer stands in the text.
	Outdated bool `json:"outdated,omitempty"`

	POA       coding.POA       `json:"poa,omitempty"`
	POANeeded bool             `json:"poa_needed"`          // it must have one before the item can be finished
	Units     int              `json:"units,omitempty"`     // of a HCPCS or CPT code; 0: not stated
	Modifiers []string         `json:"modifiers,omitempty"` // of a HCPCS or CPT code
	Pointers  []coding.CodeKey `json:"pointers,omitempty"`  // the diagnoses that a service was for

	// Check is what the releases that hold now say of the code; nil when nothing.
	// The finding of one that may not be reported is among the warnings too.
	Check *coding.CodeCheck `json:"check,omitempty"`

	chosen  bool             // a coder gave it its role
	checked bool             // the coding rules looked at the codes as they stand
	stops   []coding.Finding // what they say of it among the codes of the review, when checked
}

// Listed reports whether the code would be in the review.
func (c Code) Listed() bool { return c.State == Accepted || c.State == Added }

// Invalid reports whether the releases that hold now lack the code, while it is
// neither rejected nor replaced.
func (c Code) Invalid() bool {
	return c.Check != nil && c.Check.Invalid() && (c.State == Undecided || c.Listed())
}

// Note is one note of an item as it is shown.
type Note struct {
	ID         int64     `json:"id"` // in the database; fit for anchors and URLs
	Revision   int       `json:"revision"`
	ReceivedAt time.Time `json:"received_at"`
	Changed    bool      `json:"changed"` // came or changed after the last decision of a person
	coding.Note
	Sections       []coding.Section `json:"-"` // empty when no segmenter is configured
	SettingUsed    coding.Setting   `json:"setting_used"`
	Ranker         string           `json:"ranker"` // empty while there are no suggestions
	Degraded       bool             `json:"degraded"`
	DegradedReason string           `json:"degraded_reason,omitempty"`
	Notices        []coding.Notice  `json:"notices"`
}

// Blocker is an error of a coding rule among the codes that would be in the
// review. Finishing waits until one of the codes is gone or it is overridden; a
// code that the releases do not have must go.
type Blocker struct {
	coding.Finding
	MustGo     bool   `json:"must_go,omitempty"` // cannot be overridden
	Overridden bool   `json:"overridden"`
	Reason     string `json:"reason,omitempty"`
}

// Event is one line of an item's timeline.
type Event struct {
	At     time.Time `json:"at"`
	Actor  string    `json:"actor"`  // login, or coding.ByPipeline
	Action string    `json:"action"` // a coding.DecisionKind, coding.ItemEventKind or ActionChecked
	Code   string    `json:"code,omitempty"`
	Target string    `json:"target,omitempty"` // to whom it was sent: a login; which query: its number
	Detail string    `json:"detail,omitempty"` // a reason, the code that came in place, or what a check found
}

// Item is all that the page of an item needs.
type Item struct {
	coding.ItemHead
	Notes    []Note    `json:"notes_in_full"`
	Codes    []Code    `json:"code_list"`
	Blockers []Blocker `json:"blockers"`
	Timeline []Event   `json:"timeline"` // the latest last

	// Check is what looking the codes up in the releases that hold now gave, after
	// these had changed; nil when they have not, or there was nothing to say.
	Check *coding.ReleaseCheck `json:"release_check,omitempty"`

	Queries []coding.Query `json:"queries"` // as asked
	Remark  string         `json:"remark,omitempty"`

	// AcceptAllFrom is the confidence from which all may be accepted at once, above 1
	// when they may not; AcceptAll is how many that would be now.
	AcceptAllFrom float64 `json:"accept_all_from"`
	AcceptAll     int     `json:"accept_all"`

	Undecided int    `json:"undecided"` // codes still without a decision
	CanUndo   bool   `json:"can_undo"`
	CanRedo   bool   `json:"can_redo"`
	Changed   bool   `json:"changed"`    // notes or suggestions changed after the last decision of a person
	Mine      bool   `json:"mine"`       // the viewer holds the claim
	MayDecide bool   `json:"may_decide"` // the viewer may decide now, if need be by taking the claim with it
	MayReopen bool   `json:"may_reopen"`
	ReviewID  string `json:"review_id,omitempty"` // of the last finishing
}
