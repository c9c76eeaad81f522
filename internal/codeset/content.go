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
	KindHCPCS    = "hcpcs"    // codes of HCPCS Level II
	KindHCC      = "hcc"      // ICD-10-CM codes with their CMS-HCC categories
	KindMCE      = "mce"      // ICD-10-CM codes with their Medicare Code Editor edits
	KindPOA      = "poa"      // ICD-10-CM codes exempt from present-on-admission reporting
	KindTable    = "table"    // codes of any system as CSV, such as a licensed CPT file
	KindStarter  = "starter"  // the set that comes with the program
)

// Content is what was read from one file.
type Content struct {
	Release coding.Release
	// SHA256 is the hex hash of the file and of the edition of the readers (and of
	// the everyday names, where they are read with it), so that a file counts as
	// new when a later program reads more from it.
	SHA256 string
	Codes  []coding.Code // in the order of the file
	Terms  []coding.Term // with System and Release, without TextID
	Lines  []Line        // rule data, in the order of the file
}

// Line is one line of rule data. It is kept as JSON and read back by ParseLine.
//
//   - tabular: a note. Kind is the element it stands in (includes, excludes1,
//     excludes2, codeFirst, useAdditionalCode, codeAlso, notes, sevenChrNote),
//     Code the code it stands at (without a mark; A00-A09 for a section or
//     chapter), Refs the codes that it names. Kind "sevenChr" is one 7th character
//     with Text its meaning, kind "title" the title of a chapter or section.
//   - index, eindex: Kind "reference" is an entry that refers to the neoplasm or
//     drug table (Text the entry's phrase, See the target, Code that of the cell
//     once Link found it), "guidance" one that names no code (by site, omit code, a
//     category), "unresolved" one whose target was not found.
//   - hcc: Kind "hcc", Text the category. mce: Kind "mce", Group and Text the edit.
//     poa: Kind "poa_exempt".
type Line struct {
	Code  string `json:"code,omitempty"`
	Kind  string `json:"kind"`
	Level string `json:"level,omitempty"` // tabular: chapter, section or diag
	Group string `json:"group,omitempty"`
	Char  string `json:"char,omitempty"` // sevenChr: the character
	Text  string `json:"text,omitempty"`
	See   string `json:"see,omitempty"`
	Refs  []Ref  `json:"refs,omitempty"`
	// Linked is set on a reference from which Link made a term that the entry did not have.
	Linked bool `json:"linked,omitempty"`
	// Unread is set on a note that seems to name codes of which no Ref could be made.
	Unread bool `json:"unread,omitempty"`
}

// The kinds of lines that are not elements of the tabular list.
const (
	LineSevenChr   = "sevenChr"
	LineTitle      = "title"
	LineReference  = "reference"
	LineGuidance   = "guidance"
	LineUnresolved = "unresolved"
	LineHCC        = "hcc"
	LineMCE        = "mce"
	LinePOAExempt  = "poa_exempt"
)

// The levels of the tabular list.
const (
	LevelChapter = "chapter"
	LevelSection = "section"
	LevelDiag    = "diag"
)

// Unresolved reports whether a person should look at the line, because what it
// refers to could not be found or read.
func (l Line) Unresolved() bool {
	return l.Unread || l.Kind == LineUnresolved || l.Kind == LineReference && l.Code == ""
}

// ParseLine reads a stored line.
func ParseLine(b []byte) (Line, error) {
	var l Line
	if err := json.Unmarshal(b, &l); err != nil {
		return Line{}, fmt.Errorf("a stored rule line cannot be read: %w", err)
	}
	return l, nil
}

// ReadOptions name what a file's content and name do not say. They are for a
// file with one release.
type ReadOptions struct {
	System        coding.System
	Version       string
	EffectiveFrom coding.Date
}

func (o ReadOptions) given() bool { return o != ReadOptions{} }

// Error says where a file is wrong.
type Error struct {
	File   string // with the member of a zip: cm.zip > order.txt
	Line   int    // counted from 1; 0: the file as a whole
	Reason string
}

func (e *Error) Error() string {
	if e.Line > 0 {
		return fmt.Sprintf("%s, line %d: %s", e.File, e.Line, e.Reason)
	}
	return fmt.Sprintf("%s: %s", e.File, e.Reason)
}
