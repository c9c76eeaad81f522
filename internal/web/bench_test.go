package web_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"chartcode/internal/coding"
)

// longNote has 200 KB and sixty suggestions, each with three pieces of evidence, of
// which two overlap.
func longNote() (coding.Note, []sug) {
	var text strings.Builder
	var list []sug
	for i := range 60 {
		phrase, sign := fmt.Sprintf("Finding number %d.", i), fmt.Sprintf("Sign %d of it was seen", i)
		fmt.Fprintf(&text, "PLAN:\n%s\n%s\n%s again.\n", strings.Repeat("Stable on current treatment; no new complaints today. ", 62), phrase, sign)
		list = append(list, sug{code: fmt.Sprintf("A%02d.0", i), words: []string{phrase, sign, sign + " again"}, confidence: 0.9})
	}
	return note("D-1", "E-1", text.String()), list
}

// BenchmarkItem is the time of an item's page as a browser waits for it,
// database included: of a usual note, and of one of 200 KB with sixty codes.
func BenchmarkItem(b *testing.B) {
	for _, c := range []struct {
		name string
		note func() (coding.Note, []sug)
	}{
		{"usual", func() (coding.Note, []sug) { return note("D-1", "E-1", visit), visitCodes }},
		{"long", longNote},
	} {
		b.Run(c.name, func(b *testing.B) {
			s := newSite(b)
			n, list := c.note()
			s.save(n, s.set(n, list...))
			path := itemPath(s.itemOf("D-1"))
			coder := s.as(coding.RoleCoder)
			for b.Loop() {
				if a := coder.get(path); a.StatusCode != http.StatusOK {
					b.Fatal(a.Status)
				}
			}
		})
	}
}

// BenchmarkWorklist is the time of the first page of a list of 50 items.
func BenchmarkWorklist(b *testing.B) {
	s := newSite(b)
	for i := range 50 {
		n := note(fmt.Sprint("D-", i), fmt.Sprint("E-", i), visit)
		s.save(n, s.set(n, visitCodes...))
	}
	coder := s.as(coding.RoleCoder)
	for b.Loop() {
		if a := coder.get("/"); a.StatusCode != http.StatusOK {
			b.Fatal(a.Status)
		}
	}
}
