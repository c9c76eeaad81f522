package qa

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"chartcode/eval/dataset"
	"chartcode/eval/measure"
	"chartcode/eval/runs"
	"chartcode/internal/coding"
)

// MakePractice gives a run's notes as practice notes: with what the run suggested,
// and at the rate (wrong ones for each suggestion, 0 to 1) plainly wrong ones.
//
// A plainly wrong suggestion is a code that the run gave to other notes, of a
// chapter in which the note has neither gold, nor suggestion, nor one of its first
// fifty candidates; symptoms, external causes and factors are no such chapters. It
// has words of the note as its evidence that no other suggestion has, and stands
// where its confidence, between those of its neighbours, puts it, so that nothing
// but reading tells it apart. A note without such words has fewer than the rate says.
func MakePractice(r *runs.Run, notes []dataset.Note, cases []measure.Case, titles map[string]runs.Title, rate float64, seed uint64) []coding.PracticeNote {
	pool := map[string]bool{}
	low, high := 1.0, 0.0 // of the run
	for i := range cases {
		for _, s := range cases[i].Shown {
			low, high = min(low, s.Confidence), max(high, s.Confidence)
			if t := titles[s.Code]; t.Billable && !vague(s.Code) {
				pool[s.Code] = true
			}
		}
	}
	codes := keys(pool)
	rng := rand.New(rand.NewPCG(seed, 0x70726163))
	var out []coding.PracticeNote
	for i := range notes {
		n, c := &notes[i], &cases[i]
		p := coding.PracticeNote{Run: r.ID, Rate: rate, Note: n.Note}
		p.Note.Setting = coding.Setting(cmp.Or(c.Setting, string(n.Setting)))
		for _, code := range append(slices.Clone(c.Required), c.Acceptable...) {
			p.Gold = append(p.Gold, coding.GivenCode{CodeKey: coding.CodeKey{System: coding.ICD10CM, Code: code}, Display: titles[code].Title,
				Evidence: evidence(n, c.Evidence[code]), Acceptable: !slices.Contains(c.Required, code)})
		}
		for _, s := range c.Shown {
			p.Suggested = append(p.Suggested, coding.PracticeSuggestion{Suggestion: coding.Suggestion{System: coding.ICD10CM, Code: s.Code,
				Display: titles[s.Code].Title, Confidence: s.Confidence, Evidence: evidence(n, s.Evidence), Warnings: []coding.Finding{}}})
		}
		if len(p.Suggested) == 0 {
			continue // nothing to decide on
		}
		wrong := unrelated(codes, c)
		for range c.Shown {
			if rng.Float64() >= rate || len(wrong) == 0 {
				continue
			}
			words, ok := otherWords(&p, rng)
			if !ok {
				break // nothing that would not tell it apart
			}
			k := rng.IntN(len(wrong))
			at, confidence := between(p.Suggested, low, high, rng)
			one := coding.PracticeSuggestion{Seeded: true, Suggestion: coding.Suggestion{System: coding.ICD10CM, Code: wrong[k], Display: titles[wrong[k]].Title,
				Confidence: confidence, Evidence: words, Warnings: []coding.Finding{}}}
			p.Suggested = slices.Insert(p.Suggested, at, one)
			wrong = slices.Delete(wrong, k, k+1)
		}
		for k := range p.Suggested {
			p.Suggested[k].Rank = k + 1
		}
		out = append(out, p)
	}
	return out
}

func evidence(n *dataset.Note, spans []coding.Span) []coding.Evidence {
	out := []coding.Evidence{}
	for _, s := range spans {
		if s.Start >= 0 && s.Start < s.End && s.End <= len(n.Text) {
			out = append(out, coding.Evidence{NoteID: n.NoteID, Span: s, Text: n.Text[s.Start:s.End]})
		}
	}
	return out
}

// vague are chapters whose codes may be half right of almost any note.
func vague(code string) bool { return code == "" || strings.ContainsAny(code[:1], "RUVWXYZ") }

// nearby is how many candidates a plainly wrong code must have nothing to do with.
const nearby = 50

// unrelated gives the codes of chapters that a note has nothing to do with.
func unrelated(codes []string, c *measure.Case) []string {
	near := map[string]bool{}
	for _, list := range [][]string{c.Required, c.Acceptable, c.Unscored, c.Candidates[:min(len(c.Candidates), nearby)]} {
		for _, code := range list {
			near[measure.Chapter(code)] = true
		}
	}
	for _, s := range c.Shown {
		near[measure.Chapter(s.Code)] = true
	}
	return slices.DeleteFunc(slices.Clone(codes), func(code string) bool { return near[measure.Chapter(code)] })
}

// AddPractice keeps practice notes and gives how many are new.
func (s *Service) AddPractice(ctx context.Context, by string, notes []coding.PracticeNote) (int, error) {
	seeded := 0
	for i := range notes {
		notes[i].AddedBy, notes[i].AddedAt = by, s.moment()
		for _, g := range notes[i].Suggested {
			seeded += btoi(g.Seeded)
		}
	}
	added, err := s.store.AddPractice(ctx, notes, s.event(by, coding.AuditPracticeAdded, fmt.Sprintf("%d notes, %d seeded", len(notes), seeded)))
	if err != nil {
		return added, failed("keep practice notes", err)
	}
	return added, nil
}

// Taken is how many suggestions of a kind were accepted, as a share with its
// interval.
type Taken struct {
	Accepted int            `json:"accepted"`
	Of       int            `json:"of"`
	Share    measure.Figure `json:"share"`
}

func (t *Taken) count(accepted bool) {
	t.Of++
	t.Accepted += btoi(accepted)
}

func (t *Taken) share() { t.Share = measure.Proportion(t.Accepted, t.Of, 0.95) }

// Bias is how somebody, or with an empty login everybody, decided on practice
// notes. The share of the seeded that was accepted is automation bias.
type Bias struct {
	Coder  string `json:"coder"`
	Notes  int    `json:"notes"`
	Seeded Taken  `json:"seeded"` // plainly wrong, put there
	Wrong  Taken  `json:"wrong"`  // wrong, by the ranker itself
	Right  Taken  `json:"right"`
}

// Practice is what practice says.
type Practice struct {
	Notes  int    `json:"notes"`  // there are
	Seeded int    `json:"seeded"` // suggestions in them
	All    Bias   `json:"all"`
	Coders []Bias `json:"coders"`
}

// Practice reports how practice notes were decided on by everybody, and how many
// there are.
func (s *Service) Practice(ctx context.Context) (Practice, error) {
	out, err := s.practised(ctx, "")
	if err != nil {
		return out, err
	}
	if out.Notes, out.Seeded, err = s.store.PracticeCounts(ctx); err != nil {
		return out, failed("count practice notes", err)
	}
	return out, nil
}

// OwnPractice reports how a user decided on practice notes.
func (s *Service) OwnPractice(ctx context.Context, u coding.User) (Bias, error) {
	p, err := s.practised(ctx, u.Login)
	return p.All, err
}

func (s *Service) practised(ctx context.Context, login string) (Practice, error) {
	var out Practice
	done, err := s.store.Practised(ctx, login)
	if err != nil {
		return out, failed("read practice", err)
	}
	by := map[string]*Bias{}
	for i := range done {
		r := &done[i]
		if by[r.Coder] == nil {
			by[r.Coder] = &Bias{Coder: r.Coder}
		}
		for _, b := range []*Bias{by[r.Coder], &out.All} {
			b.Notes++
			for k := range r.Suggested {
				b.count(r, &r.Suggested[k])
			}
		}
	}
	out.Coders = []Bias{}
	for _, login := range keys(by) {
		out.Coders = append(out.Coders, *by[login])
	}
	for _, b := range append([]*Bias{&out.All}, pointers(out.Coders)...) {
		b.Seeded.share()
		b.Wrong.share()
		b.Right.share()
	}
	return out, nil
}

func pointers[T any](list []T) []*T {
	out := make([]*T, len(list))
	for i := range list {
		out[i] = &list[i]
	}
	return out
}

func (b *Bias) count(r *coding.Recoding, p *coding.PracticeSuggestion) {
	accepted := Decided(r, p) == Accept
	switch {
	case p.Seeded:
		b.Seeded.count(accepted)
	case slices.ContainsFunc(r.Gold, func(g coding.GivenCode) bool { return g.System == p.System && g.Code == p.Code }):
		b.Right.count(accepted)
	default:
		b.Wrong.count(accepted)
	}
}
