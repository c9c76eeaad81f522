package runs

import (
	"fmt"
	"strings"

	"chartcode/eval/dataset"
	"chartcode/eval/measure"
	"chartcode/internal/coding"
)

// Cases puts a run's predictions beside the gold of its notes. The dataset must
// hold the notes that were run, as they were. Gold codes that titles calls
// headers, or does not know, are not scored.
func (s Store) Cases(idOrPath string, d *dataset.Dataset) ([]measure.Case, error) {
	r, err := s.Get(idOrPath)
	if err != nil {
		return nil, err
	}
	predictions, took, err := s.Predictions(idOrPath)
	if err != nil {
		return nil, err
	}
	titles, err := s.Titles(idOrPath)
	if err != nil {
		return nil, err
	}
	notes, err := Notes(d, r.Config.NoteIDs)
	if err != nil {
		return nil, err
	}
	labelled := false
	for i := range notes {
		for _, c := range notes[i].Codes {
			labelled = labelled || len(c.Evidence) > 0
		}
	}
	out := make([]measure.Case, len(notes))
	for i := range notes {
		n, p := &notes[i], &predictions[i]
		if p.NoteSHA256 != n.SHA256() {
			return nil, fmt.Errorf("note %d: %w", i+1, ErrBroken)
		}
		c := newCase(n, p, titles, labelled)
		c.Judged = r.Config.Judged
		if len(took) > 0 {
			t := &took[i]
			c.Millis, c.CostUSD, c.Tokens = t.Millis, t.Usage.CostUSD, float64(t.Usage.PromptTokens+t.Usage.CompletionTokens)
		}
		out[i] = c
	}
	return out, nil
}

// Notes gives the notes of a dataset by their ids.
func Notes(d *dataset.Dataset, ids []string) ([]dataset.Note, error) {
	at := make(map[string]int, len(d.Notes))
	for i := range d.Notes {
		at[d.Notes[i].NoteID] = i
	}
	out := make([]dataset.Note, len(ids))
	for i, id := range ids {
		k, ok := at[id]
		if !ok {
			return nil, fmt.Errorf("the dataset does not hold note %d of the run: %w", i+1, ErrBroken)
		}
		out[i] = d.Notes[k]
	}
	return out, nil
}

func newCase(n *dataset.Note, p *Prediction, titles map[string]Title, labelled bool) measure.Case {
	c := measure.Case{NoteID: n.NoteID, Setting: string(p.Setting), Specialty: n.Specialty, Bytes: len(n.Text),
		First: n.First, Candidates: p.Candidates, Removed: p.Removed, Silent: map[string]bool{}}
	if n.Group != "" {
		c.Cluster = "group " + n.Group
	} else if n.Patient.ID != "" {
		c.Cluster = "patient " + n.Source + " " + n.Patient.ID
	}
	if labelled {
		c.Evidence = map[string][]coding.Span{}
	}
	required, acceptable := n.Gold()
	words := beginnings(n.Text)
	seen := map[string]bool{}
	for _, g := range n.Codes {
		if seen[g.Code] || g.System != coding.ICD10CM {
			continue
		}
		seen[g.Code] = true
		t, known := titles[g.Code]
		switch {
		case !required[g.Code] && !acceptable[g.Code], len(titles) > 0 && !(known && t.Billable):
			c.Unscored = append(c.Unscored, coding.UndotCode(g.Code))
			continue
		case required[g.Code]:
			c.Required = append(c.Required, g.Code)
		default:
			c.Acceptable = append(c.Acceptable, g.Code)
		}
		if len(g.Evidence) > 0 {
			c.Evidence[g.Code] = g.Evidence
		} else if known && !mentioned(t.Title, words) {
			c.Silent[g.Code] = true
		}
	}
	for _, s := range p.Suggestions {
		c.Shown = append(c.Shown, measure.Shown{Code: s.Code, Confidence: s.Confidence, Evidence: s.Evidence, Invalid: s.Invalid})
	}
	return c
}

// beginnings are the first five letters of the words of a text.
func beginnings(text string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.FieldsFunc(strings.ToLower(text), notLetter) {
		out[w[:min(len(w), 5)]] = true
	}
	return out
}

func notLetter(r rune) bool { return r < 'a' || r > 'z' }

// mentioned reports whether a word of the title of four letters or more begins
// as a word of the note does, so that "hypertensive" is named by "hypertension".
func mentioned(title string, words map[string]bool) bool {
	for _, w := range strings.FieldsFunc(strings.ToLower(title), notLetter) {
		if len(w) < 4 || glue(w) {
			continue
		}
		if words[w[:min(len(w), 5)]] {
			return true
		}
	}
	return false
}

// glue are words of titles that name no condition.
func glue(w string) bool {
	switch w {
	case "with", "without", "other", "unspecified", "specified", "elsewhere", "classified", "encounter", "initial", "subsequent", "sequela", "from", "type", "site", "part", "that", "this":
		return true
	}
	return false
}
