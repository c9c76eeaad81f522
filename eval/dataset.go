package eval

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"chartcode/internal/coding"
)

// GoldCode is a code that people gave to a note.
type GoldCode struct {
	System   coding.System `json:"system"`
	Code     string        `json:"code"`
	Tier     string        `json:"tier,omitempty"`      // required (also when empty) or acceptable
	InFY2026 string        `json:"in_fy2026,omitempty"` // billable (also when empty), header, absent
	Evidence []coding.Span `json:"evidence,omitempty"`
}

// GoldNote is a note with the codes that people gave it.
type GoldNote struct {
	coding.Note
	Codes []GoldCode `json:"codes"`
}

// The tiers and the states of a code in the edition scored against.
const (
	TierRequired   = "required"
	TierAcceptable = "acceptable"
	inBillable     = "billable"
)

// Dataset is a list of gold notes with its name.
type Dataset struct {
	Name  string
	Notes []GoldNote
}

// ErrDataset is returned for a file that is no dataset.
var ErrDataset = errors.New("not a dataset: each line must be a note with note_id, text and codes")

// ReadDataset reads a JSON-lines file of gold notes. Errors name file and
// line, never what stands there.
func ReadDataset(path string) (*Dataset, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open dataset: %w", err)
	}
	defer f.Close()
	d := &Dataset{Name: path}
	r := bufio.NewReader(f)
	for line := 1; ; line++ {
		b, err := r.ReadBytes('\n')
		if len(strings.TrimSpace(string(b))) > 0 {
			var n GoldNote
			if json.Unmarshal(b, &n) != nil || n.NoteID == "" || n.Text == "" {
				return nil, fmt.Errorf("%s:%d: %w", path, line, ErrDataset)
			}
			if n.Source == "" {
				n.Source = coding.DefaultSource
			}
			d.Notes = append(d.Notes, n)
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read dataset: %w", err)
		}
	}
	if len(d.Notes) == 0 {
		return nil, fmt.Errorf("%s: %w", path, ErrDataset)
	}
	return d, nil
}

// Gold gives the distinct codes that recall and precision are counted over:
// those billable in the edition scored against; acceptable ones apart.
func (n *GoldNote) Gold() (required, acceptable map[string]bool) {
	required, acceptable = map[string]bool{}, map[string]bool{}
	for _, c := range n.Codes {
		if c.InFY2026 != "" && c.InFY2026 != inBillable {
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
func (n *GoldNote) Dropped(code string) bool {
	c := coding.UndotCode(code)
	for _, g := range n.Codes {
		if g.InFY2026 != "" && g.InFY2026 != inBillable && strings.HasPrefix(c, coding.UndotCode(g.Code)) {
			return true
		}
	}
	return false
}

// Article is the note's id without its last "-N": notes of one article are
// kept on one side of every split. An id without such an end is its own article.
func (n *GoldNote) Article() string {
	i := strings.LastIndexByte(n.NoteID, '-')
	if i <= 0 || i == len(n.NoteID)-1 || strings.Trim(n.NoteID[i+1:], "0123456789") != "" {
		return n.NoteID
	}
	return n.NoteID[:i]
}
