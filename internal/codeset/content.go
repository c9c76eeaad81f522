package codeset

import (
	"encoding/json"
	"fmt"

	"chartcode/internal/coding"
)

// The kinds of files.
const (
	KindOrder    = "order"    // codes of ICD-10-CM or ICD-10-PCS
	KindTabular  = "tabular"  // notes of the ICD-10-CM tabular list
	KindIndex    = "index"    // Alphabetic Index
	KindEIndex   = "eindex"   // index to external causes
	KindNeoplasm = "neoplasm" // neoplasm table
	KindDrug     = "drug"     // drug table
	KindStarter  = "starter"  // the set that comes with the program
)

// Content is what was read from one file.
type Content struct {
	Release coding.Release
	SHA256  string // hex, of the file as read
	Codes   []coding.Code
	Terms   []coding.Term
	Lines   []Line
}

// Line is one line of rule data: a note of the tabular list with the code, or
// stem, that it stands at.
type Line struct {
	Code string `json:"code"`
	Kind string `json:"kind"` // excludes1, codeFirst, ... as the tabular list names it
	Text string `json:"text"`
}

// ParseLine reads a stored line.
func ParseLine(b []byte) (Line, error) {
	var l Line
	if err := json.Unmarshal(b, &l); err != nil {
		return Line{}, fmt.Errorf("a stored rule line cannot be read: %w", err)
	}
	return l, nil
}

// ReadOptions name what a file's content and name do not say.
type ReadOptions struct {
	System        coding.System
	Version       string
	EffectiveFrom coding.Date
}

// Error says where a file is wrong.
type Error struct {
	File   string
	Line   int // 0: the file as a whole
	Reason string
}

func (e *Error) Error() string {
	if e.Line > 0 {
		return fmt.Sprintf("%s, line %d: %s", e.File, e.Line, e.Reason)
	}
	return fmt.Sprintf("%s: %s", e.File, e.Reason)
}
