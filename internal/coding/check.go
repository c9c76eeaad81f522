package coding

import (
	"strings"
	"time"
)

// CheckStatus says what the releases that hold now have to say of a code.
type CheckStatus string

// The statuses. A code that is as it was has none.
const (
	CheckNotValid    CheckStatus = "not_valid"    // not in the release
	CheckNotBillable CheckStatus = "not_billable" // a header there
	CheckValidAgain  CheckStatus = "valid_again"  // an earlier check found it not valid
	CheckRetitled    CheckStatus = "retitled"     // valid, under another title
)

// CodeCheck is what a check says of one code.
type CodeCheck struct {
	CodeKey
	Status       CheckStatus `json:"status"`
	Title        string      `json:"display"`        // in the release; empty when it is not there
	Finding      Finding     `json:"finding"`        // an error where the code may not be reported
	Replacements []Code      `json:"replacements"`   // what may stand in its place, the likeliest first; empty: look it up
	More         int         `json:"more,omitempty"` // replacements beyond those given
}

// Invalid reports whether the code may not be reported.
func (c CodeCheck) Invalid() bool {
	return c.Status == CheckNotValid || c.Status == CheckNotBillable
}

// SetCheck is what a check says of one suggestion set: its releases and the
// notices of their choice, as they would be now.
type SetCheck struct {
	SetID    string            `json:"set_id"`
	Releases map[System]string `json:"releases"`
	Notices  []Notice          `json:"notices"`
}

// ReleaseCheck is what looking the codes of an item up again gave, after a
// release came or was replaced. Suggestions and decisions stay as they are.
type ReleaseCheck struct {
	At      time.Time `json:"at"`
	Edition string    `json:"-"` // the releases, as codeset.Releases.Edition names them
	Content int64     `json:"-"` // the item's Content that it is about
	CheckBody
}

// CheckBody is the part of a check that depends on the item and the releases
// alone.
type CheckBody struct {
	ServiceDate Date              `json:"service_date"`
	Releases    map[System]string `json:"releases"` // system -> version, of the systems of its codes
	Sets        []SetCheck        `json:"sets"`     // those that differ from what the set says itself
	Codes       []CodeCheck       `json:"codes"`    // those that there is something to say of
}

// Invalid counts the codes that may not be reported.
func (b CheckBody) Invalid() int {
	n := 0
	for _, c := range b.Codes {
		if c.Invalid() {
			n++
		}
	}
	return n
}

// Editions names the releases: "ICD-10-CM 2027, HCPCS 2026-10".
func (b CheckBody) Editions() string {
	var parts []string
	for _, system := range systems {
		if version, ok := b.Releases[system]; ok {
			parts = append(parts, string(system)+" "+version)
		}
	}
	return strings.Join(parts, ", ")
}

// Of gives what the check says of a code; nil when nothing.
func (c *ReleaseCheck) Of(key CodeKey) *CodeCheck {
	if c == nil {
		return nil
	}
	for i := range c.Codes {
		if c.Codes[i].CodeKey == key {
			return &c.Codes[i]
		}
	}
	return nil
}

// CheckedItem is what a check needs to know of an item: no text of notes.
type CheckedItem struct {
	ID          int64
	Version     int64
	Content     int64
	Edition     string // empty: to be looked up, whatever holds
	ServiceDate Date   // of the item: the latest of its notes
	Notes       []CheckedNote
	Decisions   []Decision
	Last        *ReleaseCheck // the newest, if it is about this content
}

// CheckedNote is a note of a CheckedItem.
type CheckedNote struct {
	ServiceDate Date
	Set         SuggestionSet
}

// CheckResult is what a check of an item leads to. It is written only if the
// item is still as it was read.
type CheckResult struct {
	Item    int64
	Version int64  // as read
	Was     string // Edition as read
	Edition string // from now on
	Body    *CheckBody
	Content int64 // that Body is about
	Invalid int   // codes still in the item's list that may not be reported
}
