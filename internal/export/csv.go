package export

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
	"time"

	"chartcode/internal/coding"
)

var csvHeader = []string{
	"source", "encounter_id", "note_ids", "disposition", "coder", "finished_at", "review_id",
	"sequence", "system", "code", "display", "role", "poa", "origin", "units", "modifiers", "pointers", "evidence", "decided_by", "decided_at", "remark",
}

type csvWriter struct{ w *csv.Writer }

func newCSV(w io.Writer) *csvWriter {
	out := csv.NewWriter(w)
	out.UseCRLF = true // RFC 4180
	return &csvWriter{out}
}

func (c *csvWriter) begin() error { return c.w.Write(csvHeader) }

func (c *csvWriter) entry(e Entry) error {
	before := []string{e.Source, e.EncounterID, strings.Join(e.NoteIDs, " "), e.Disposition, e.Coder, moment(e.FinishedAt), e.ReviewID}
	row := func(code ...string) error {
		cells := append(append(before[:len(before):len(before)], code...), e.Remark)
		for i := range cells {
			cells[i] = PlainCell(cells[i])
		}
		return c.w.Write(cells)
	}
	if len(e.Codes) == 0 {
		return row(make([]string, len(csvHeader)-len(before)-1)...)
	}
	for _, code := range e.Codes {
		if err := row(strconv.Itoa(code.Sequence), string(code.System), code.Code, code.Display, string(code.Role), poaOf(code), string(code.Origin),
			positive(code.Units), strings.Join(code.Modifiers, " "), numbers(code.Pointers), quotes(code.Evidence), code.DecidedBy, moment(code.DecidedAt)); err != nil {
			return err
		}
	}
	return nil
}

func (c *csvWriter) end() error {
	c.w.Flush()
	return c.w.Error()
}

// PlainCell keeps a spreadsheet from taking text of others for a formula: an
// apostrophe goes before what it would calculate.
func PlainCell(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

func poaOf(c coding.ReviewedCode) string {
	if c.POA == nil {
		return ""
	}
	return *c.POA
}

func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func positive(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func numbers(values []int) string {
	var parts []string
	for _, v := range values {
		parts = append(parts, strconv.Itoa(v))
	}
	return strings.Join(parts, " ")
}

// quotes are the words of the evidence, each once.
func quotes(evidence []coding.Evidence) string {
	var parts []string
	seen := make(map[string]bool)
	for _, ev := range evidence {
		if !seen[ev.Text] {
			seen[ev.Text] = true
			parts = append(parts, ev.Text)
		}
	}
	return strings.Join(parts, " | ")
}
