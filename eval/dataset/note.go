package dataset

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"chartcode/internal/coding"
)

// Code is a code that people gave to a note.
type Code struct {
	System   coding.System `json:"system"`
	Code     string        `json:"code"`
	Tier     string        `json:"tier,omitempty"`      // required (also when empty) or acceptable
	InFY2026 string        `json:"in_fy2026,omitempty"` // billable (also when empty), header, absent
	Evidence []coding.Span `json:"evidence,omitempty"`
	Origin   coding.Origin `json:"origin,omitempty"` // how it came into a review
	Weight   int           `json:"weight,omitempty"` // for how many the decision on it counts in training; 0: as the note
}

// Note is a note with the codes that people gave it.
type Note struct {
	coding.Note
	Codes []Code   `json:"codes"`
	First []string `json:"first,omitempty"` // the codes that are right as first-listed or principal, where that was labelled

	// Of notes of finished reviews, see FromReviews.
	Rejected []Code `json:"rejected,omitempty"` // that were suggested, and rejected or replaced
	Group    string `json:"group,omitempty"`    // notes of one group stand on one side of every split; empty: the article's
	Item     int64  `json:"item,omitempty"`     // of the worklist
	Weight   int    `json:"weight,omitempty"`   // for how many notes it counts in training; 0: one
}

// TrainingWeight is for how many rows the one of a code counts in training.
func (n *Note) TrainingWeight(code string) float32 {
	for _, list := range [][]Code{n.Codes, n.Rejected} {
		for i := range list {
			if list[i].Code == code && list[i].Weight > 0 {
				return float32(list[i].Weight)
			}
		}
	}
	return float32(max(n.Weight, 1))
}

// The tiers and the states of a code in the edition scored against.
const (
	TierRequired   = "required"
	TierAcceptable = "acceptable"
	InBillable     = "billable"
	NotBillable    = "absent"
)

// Dataset is a list of gold notes with its name.
type Dataset struct {
	Name  string
	Notes []Note
}

// ErrDataset is returned for a file that is no dataset.
var ErrDataset = errors.New("not a dataset: each line must be a note with note_id, text and codes")

// ErrCodings is returned for a file that is no coding of notes.
var ErrCodings = errors.New("not a coding: each line must have its own note_id, and codes")

// ErrNoteText is returned for labels whose note is in none of the files given.
var ErrNoteText = errors.New("the labelled note is not among the notes given")

// Read reads a JSON-lines file of gold notes. Where a line has codes but
// no text (labels of notes that may not be copied), the note is taken by its id
// from the files of notes. Errors name file and line, never what stands there.
func Read(path string, notes ...string) (*Dataset, error) {
	d := &Dataset{Name: path}
	var texts map[string]coding.Note
	err := readLines(path, func(line int, b []byte) error {
		var n Note
		if json.Unmarshal(b, &n) != nil || n.NoteID == "" {
			return fmt.Errorf("%s:%d: %w", path, line, ErrDataset)
		}
		if n.Text == "" && len(notes) > 0 {
			if texts == nil {
				var err error
				if texts, err = readNotes(notes); err != nil {
					return err
				}
			}
			note, ok := texts[n.NoteID]
			if !ok {
				return fmt.Errorf("%s:%d: %w", path, line, ErrNoteText)
			}
			n.Note = note
		}
		if n.Text == "" {
			return fmt.Errorf("%s:%d: %w", path, line, ErrDataset)
		}
		if n.Source == "" {
			n.Source = coding.DefaultSource
		}
		d.Notes = append(d.Notes, n)
		return nil
	})
	if err == nil && len(d.Notes) == 0 {
		err = fmt.Errorf("%s: %w", path, ErrDataset)
	}
	if err != nil {
		return nil, err
	}
	return d, nil
}

// ReadCodings reads a JSON-lines file of codes without the notes' texts: each
// line has note_id and codes. No note may be there twice.
func ReadCodings(path string) ([]Note, error) {
	var out []Note
	seen := map[string]bool{}
	err := readLines(path, func(line int, b []byte) error {
		var n Note
		if json.Unmarshal(b, &n) != nil || n.NoteID == "" || seen[n.NoteID] {
			return fmt.Errorf("%s:%d: %w", path, line, ErrCodings)
		}
		seen[n.NoteID] = true
		out = append(out, n)
		return nil
	})
	return out, err
}

func readNotes(paths []string) (map[string]coding.Note, error) {
	out := map[string]coding.Note{}
	for _, p := range paths {
		err := readLines(p, func(line int, b []byte) error {
			var n coding.Note
			if json.Unmarshal(b, &n) != nil || n.NoteID == "" {
				return fmt.Errorf("%s:%d: %w", p, line, ErrDataset)
			}
			out[n.NoteID] = n
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// readLines gives the lines of a file that are not blank.
func readLines(path string, use func(line int, b []byte) error) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open dataset: %w", err)
	}
	defer f.Close()
	r := bufio.NewReader(f)
	for line := 1; ; line++ {
		b, err := r.ReadBytes('\n')
		if len(strings.TrimSpace(string(b))) > 0 {
			if err := use(line, b); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read dataset: %w", err)
		}
	}
}

// Gold gives the distinct codes that recall and precision are counted over:
// those billable in the edition scored against; acceptable ones apart.
func (n *Note) Gold() (required, acceptable map[string]bool) {
	required, acceptable = map[string]bool{}, map[string]bool{}
	for _, c := range n.Codes {
		if c.InFY2026 != "" && c.InFY2026 != InBillable {
			continue
		}
		if c.Tier == TierAcceptable {
			acceptable[c.Code] = true
		} else {
			required[c.Code] = true
		}
	}
	for c := range required {
		delete(acceptable, c)
	}
	return required, acceptable
}

// Dropped reports whether a suggested code is neither right nor wrong, because
// it lies under a gold code that is a header or absent in the edition scored
// against.
func (n *Note) Dropped(code string) bool {
	c := coding.UndotCode(code)
	for _, g := range n.Codes {
		if g.InFY2026 != "" && g.InFY2026 != InBillable && strings.HasPrefix(c, coding.UndotCode(g.Code)) {
			return true
		}
	}
	return false
}

// Article is the note's group or, without one, its id without its last "-N":
// notes of one article are kept on one side of every split. An id without such
// an end is its own article.
func (n *Note) Article() string {
	if n.Group != "" {
		return n.Group
	}
	i := strings.LastIndexByte(n.NoteID, '-')
	if i <= 0 || i == len(n.NoteID)-1 || strings.Trim(n.NoteID[i+1:], "0123456789") != "" {
		return n.NoteID
	}
	return n.NoteID[:i]
}

// Billable marks the codes of notes that the table cannot give: they are then
// neither asked for nor wrong.
func (d *Dataset) Billable(t interface{ Billable(code string) bool }) {
	for i := range d.Notes {
		for k := range d.Notes[i].Codes {
			if c := &d.Notes[i].Codes[k]; !t.Billable(c.Code) {
				c.InFY2026 = NotBillable
			}
		}
	}
}

// Remove takes out the notes that have the text or the patient of one of the
// other dataset, and gives their number.
func (d *Dataset) Remove(other *Dataset) int {
	texts, patients := map[string]bool{}, map[string]bool{}
	for i := range other.Notes {
		texts[other.Notes[i].Text], patients[other.Notes[i].Patient.ID] = true, true
	}
	delete(patients, "")
	before := len(d.Notes)
	d.Notes = slices.DeleteFunc(d.Notes, func(n Note) bool { return texts[n.Text] || patients[n.Patient.ID] })
	return before - len(d.Notes)
}
