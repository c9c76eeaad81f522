// Package export writes what coders decided for other systems: as CSV for
// spreadsheets, as JSON in the form of the REVIEWS messages, and as a FHIR R4
// Bundle. It writes item by item, so that any number fits into memory, and it
// knows no database and no HTTP. What it writes holds patient data; its errors do
// not.
package export

import (
	"errors"
	"io"
	"iter"
	"time"

	"chartcode/internal/coding"
	"chartcode/internal/review"
)

// Format is a way to write.
type Format string

// The formats.
const (
	CSV  Format = "csv"  // a row for each code, and one for an item without codes
	JSON Format = "json" // an array of reviews
	FHIR Format = "fhir" // one Bundle of type collection
)

// ErrFormat says that there is no such format.
var ErrFormat = errors.New("the format must be csv, json or fhir")

// Entry is one item as it is written.
type Entry struct {
	coding.Review
	// Finished: a coder has answered for the codes. Otherwise they are what the list
	// holds so far, undecided suggestions included.
	Finished bool
	Setting  coding.Setting
	Patient  coding.Patient // what the notes say of the patient
	From, To coding.Date    // of the encounter; zero where the notes do not say
	Rankers  []Ranker       // that suggested codes for its notes
	Updated  time.Time      // when the item changed last
}

// recorded is since when the codes stand so.
func (e Entry) recorded() time.Time {
	if e.Finished {
		return e.FinishedAt
	}
	return e.Updated
}

// Ranker is what suggested codes: its name with the version, and the LLM that it
// asked, if any.
type Ranker struct{ Name, Model string }

// Of makes the entry of an item.
func Of(r coding.ItemRecord) Entry {
	e := Entry{Setting: r.Head.Setting, Updated: r.Head.UpdatedAt}
	if e.Review, e.Finished = review.Final(r); !e.Finished {
		e.Review = review.Draft(r)
	}
	seen := make(map[Ranker]bool)
	for _, n := range r.Notes {
		e.Patient = e.Patient.Or(n.Note.Patient)
		for _, d := range []coding.Date{n.Note.AdmitDate, n.Note.ServiceDate} {
			if d.IsZero() {
				continue
			}
			if e.From.IsZero() || d.Before(e.From) {
				e.From = d
			}
			if e.To.IsZero() || e.To.Before(d) {
				e.To = d
			}
		}
		if n.Set == nil {
			continue
		}
		ranker := Ranker{Name: n.Set.Ranker}
		if n.Set.Model != nil {
			ranker.Model = *n.Set.Model
		}
		if !seen[ranker] {
			seen[ranker] = true
			e.Rankers = append(e.Rankers, ranker)
		}
	}
	return e
}

// writer writes entries one by one. Each of its functions may be called when the
// one before succeeded.
type writer interface {
	begin() error
	entry(e Entry) error
	end() error
}

// Write writes entries in a format and gives their number. The first error of
// entries or of w ends it.
func Write(w io.Writer, format Format, entries iter.Seq2[Entry, error]) (n int, err error) {
	var out writer
	switch format {
	case CSV:
		out = newCSV(w)
	case JSON:
		out = &jsonWriter{w: w}
	case FHIR:
		out = &fhirWriter{w: w}
	default:
		return 0, ErrFormat
	}
	if err := out.begin(); err != nil {
		return 0, err
	}
	for e, err := range entries {
		if err == nil {
			err = out.entry(e)
		}
		if err != nil {
			return n, err
		}
		n++
	}
	return n, out.end()
}
