package dataset

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"chartcode/internal/coding"
)

// Severity of a problem: an error keeps a dataset from being added.
type Severity string

// The severities.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
)

// Problem is something wrong with one line of a dataset.
type Problem struct {
	Severity Severity `json:"severity"`
	Line     int      `json:"line"`
	NoteID   string   `json:"note_id"`
	Kind     string   `json:"kind"` // unknown_code, evidence, duplicate_id, duplicate_text, duplicate_code, tier, first, split_patient
	Message  string   `json:"message"`
}

// String is the problem as a line for people.
func (p Problem) String() string {
	return fmt.Sprintf("%s: line %d, note %s: %s", p.Severity, p.Line, p.NoteID, p.Message)
}

// Codes tells of a code on a date of service.
type Codes interface {
	// Known reports whether the code stands in the table that holds on the date,
	// and whether it may be reported.
	Known(code string, date coding.Date) (there, billable bool)
}

// labelled is a note with what the checks need of its labels: the texts of
// evidence and the split.
type labelled struct {
	Note
	Codes []struct {
		Code
		Evidence []coding.Evidence `json:"evidence"`
	} `json:"codes"`
	Split string `json:"split"`
}

// checker looks at one note after the other.
type checker struct {
	codes    Codes // nil: codes are not looked up
	ids      map[string]int
	texts    map[string]int
	patients map[string]string // split by patient
	problems []Problem
}

func newChecker(codes Codes) *checker {
	return &checker{codes: codes, ids: map[string]int{}, texts: map[string]int{}, patients: map[string]string{}}
}

func (c *checker) say(s Severity, line int, n *labelled, kind, format string, args ...any) {
	c.problems = append(c.problems, Problem{s, line, n.NoteID, kind, fmt.Sprintf(format, args...)})
}

func (c *checker) note(line int, raw []byte) error {
	var n labelled
	if json.Unmarshal(raw, &n) != nil || n.NoteID == "" || n.Text == "" {
		return ErrDataset
	}
	if first, ok := c.ids[n.NoteID]; ok {
		c.say(Error, line, &n, "duplicate_id", "the id is that of line %d", first)
	}
	c.ids[n.NoteID] = line
	key := strings.Join(strings.Fields(strings.ToLower(n.Text)), " ")
	if first, ok := c.texts[key]; ok {
		c.say(Error, line, &n, "duplicate_text", "the text is that of line %d", first)
	}
	c.texts[key] = line
	if n.Split != "" && n.Patient.ID != "" {
		who := n.Source + "\x00" + n.Patient.ID
		if split, ok := c.patients[who]; ok && split != n.Split {
			c.say(Error, line, &n, "split_patient", "the patient has notes in two splits")
		}
		c.patients[who] = n.Split
	}
	seen := map[string]bool{}
	for i := range n.Codes {
		g := &n.Codes[i]
		if seen[string(g.System)+g.Code.Code] {
			c.say(Error, line, &n, "duplicate_code", "%s is there twice", g.Code.Code)
		}
		seen[string(g.System)+g.Code.Code] = true
		if !slices.Contains([]string{"", TierRequired, TierAcceptable}, g.Tier) {
			c.say(Error, line, &n, "tier", "the tier of %s is neither required nor acceptable", g.Code.Code)
		}
		c.lookup(line, &n, &g.Code)
		for _, e := range g.Evidence {
			switch {
			case e.Start < 0 || e.End <= e.Start || e.End > len(n.Text):
				c.say(Error, line, &n, "evidence", "the evidence of %s at %d-%d lies outside the note", g.Code.Code, e.Start, e.End)
			case e.Text != "" && n.Text[e.Start:e.End] != e.Text:
				c.say(Error, line, &n, "evidence", "the evidence of %s at %d-%d is not what stands there", g.Code.Code, e.Start, e.End)
			}
		}
	}
	for _, f := range n.First {
		if !seen[string(coding.ICD10CM)+f] {
			c.say(Error, line, &n, "first", "%s is labelled as first-listed and is not among the codes", f)
		}
	}
	return nil
}

// lookup checks a code that the file does not itself call a header or absent.
func (c *checker) lookup(line int, n *labelled, g *Code) {
	if g.System != coding.ICD10CM {
		c.say(Warning, line, n, "unknown_code", "%s of %s is not scored: suggestions are made for ICD-10-CM", g.Code, g.System)
		return
	}
	if c.codes == nil || g.InFY2026 != "" && g.InFY2026 != InBillable {
		return
	}
	switch there, billable := c.codes.Known(g.Code, n.ServiceDate); {
	case !there:
		c.say(Error, line, n, "unknown_code", "%s is no code on the date of service", g.Code)
	case !billable:
		c.say(Error, line, n, "unknown_code", "%s is a header, which may not be reported", g.Code)
	}
}

// Check looks at a JSON-lines file of gold notes: unknown codes, evidence that
// is not in the note, duplicates, one patient in two splits. It gives the number
// of notes. codes may be nil: then codes are not looked up.
func Check(path string, codes Codes) (notes int, problems []Problem, err error) {
	c := newChecker(codes)
	err = readLines(path, func(line int, b []byte) error {
		if err := c.note(line, b); err != nil {
			return fmt.Errorf("%s:%d: %w", path, line, err)
		}
		notes++
		return nil
	})
	if err == nil && notes == 0 {
		err = fmt.Errorf("%s: %w", path, ErrDataset)
	}
	return notes, c.problems, err
}
