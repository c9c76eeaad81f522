package eval

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"strconv"

	"chartcode/internal/coding"
	"chartcode/internal/learned"
	"chartcode/internal/review"
)

// Reviews is where finished reviews are kept.
type Reviews interface {
	FinishedItems(ctx context.Context) iter.Seq2[coding.ItemRecord, error]
	Users(ctx context.Context) ([]coding.User, error)
	// AuditCases gives with 0 and an empty login all cases that were drawn of reviews.
	AuditCases(ctx context.Context, sample int64, login string) ([]coding.AuditCase, error)
}

// Who decided, and how, says for how many decisions one counts in training.
// That a code was accepted as it was shown says less than that a person changed,
// added or rejected it; and an auditor is asked because auditors err less.
const (
	AuditorWeight = 3 // times as much as anybody else
	DecidedWeight = 2 // changed, added or rejected, times as much as accepted
)

// ReviewCounts says what FromReviews found and left out.
type ReviewCounts struct {
	Items, Notes int
	ByAuditors   int                   // items finished by auditors
	Judged       int                   // notes whose codes auditors judged
	Returned     int                   // items left out: sent back, not coded
	OtherStyle   int                   // notes left out: suggested for in another style
	Codes        map[coding.Origin]int // final codes by how they came in
	Rejected     int                   // suggested codes that were rejected or replaced
	Undecided    int                   // suggested codes that were left undecided
	Rankers      map[string]int        // notes by who made the suggestions that the coders saw
	LLM          []learned.LLMAnswer   // decided suggestions that an LLM chose
}

// FromReviews makes gold notes of the items that were finished as coded, and
// whose suggestions are of the style: the notes as they are now, with the final
// ICD-10-CM codes, which of them is first-listed, and what was rejected.
//
// Of an item with several notes a code belongs to the notes that its evidence
// names, or to all where it has none; in the others it is acceptable, for it is
// on the encounter's bill. A code that was suggested and rejected belongs to
// the notes it was suggested for. Where an auditor judged the review as it stands,
// the judgement's codes take the place of the coder's. Notes of one patient, and of one item, are of
// one group. The role of a user is the one that he has now.
func FromReviews(ctx context.Context, src Reviews, style coding.Style) (*Dataset, ReviewCounts, error) {
	counts := ReviewCounts{Codes: map[coding.Origin]int{}, Rankers: map[string]int{}}
	users, err := src.Users(ctx)
	if err != nil {
		return nil, counts, err
	}
	auditors := map[string]bool{}
	for _, u := range users {
		auditors[u.Login] = u.Role == coding.RoleAuditor
	}
	judged, err := judgements(ctx, src)
	if err != nil {
		return nil, counts, err
	}
	d := &Dataset{Name: "reviews"}
	groups := grouping{}
	for r, err := range src.FinishedItems(ctx) {
		if err != nil {
			return nil, counts, err
		}
		end := finish(r)
		if end == nil || end.Disposition == coding.DispositionReturned {
			counts.Returned++
			continue
		}
		judgement := judged[judgedReview{r.Head.ID, end.Seq}]
		var item []GoldNote
		for _, n := range r.Notes {
			if n.Set == nil || n.Set.CodingStyle != style {
				counts.OtherStyle++
				continue
			}
			counts.Rankers[n.Set.Ranker]++
			g := GoldNote{Note: n.Note, Item: r.Head.ID, Group: "item " + strconv.FormatInt(r.Head.ID, 10)}
			g.Setting = n.Set.Setting
			if auditors[end.Coder] || judgement != nil {
				g.Weight = AuditorWeight
			}
			if n.Note.Patient.ID != "" {
				groups.join(g.Group, "patient "+n.Note.Patient.ID)
			}
			item = append(item, g)
		}
		if len(item) == 0 {
			continue
		}
		counts.Items++
		counts.Notes += len(item)
		if auditors[end.Coder] {
			counts.ByAuditors++
		}
		codes := slices.DeleteFunc(review.CodesOf(r), func(c review.Code) bool { return c.System != coding.ICD10CM })
		if judgement != nil {
			counts.Judged += len(item)
			counts.enterJudged(item, codes, judgement)
		}
		for _, c := range codes {
			if judgement != nil {
				counts.enterLLM(r, c, judgedRight(judgement, c.CodeKey))
				continue
			}
			counts.enter(item, c, auditors[c.By])
			if c.State != review.Undecided {
				counts.enterLLM(r, c, c.Listed())
			}
		}
		d.Notes = append(d.Notes, item...)
	}
	for i := range d.Notes {
		d.Notes[i].Group = groups.of(d.Notes[i].Group)
	}
	return d, counts, nil
}

// finish is the decision that finished the item; nil where it is not.
func finish(r coding.ItemRecord) *coding.Decision {
	for i := len(r.Decisions) - 1; i >= 0; i-- {
		switch r.Decisions[i].Kind {
		case coding.Finish:
			return &r.Decisions[i]
		case coding.Reopen:
			return nil
		}
	}
	return nil
}

// enter gives a code of an item to its notes.
func (counts *ReviewCounts) enter(item []GoldNote, c review.Code, auditor bool) {
	g := GoldCode{System: c.System, Code: c.Code, Origin: c.Origin, Weight: DecidedWeight}
	if c.State == review.Accepted {
		g.Weight = 1
	}
	if auditor {
		g.Weight *= AuditorWeight
	}
	switch {
	case c.Listed():
		counts.Codes[c.Origin]++
		place(item, g, c.Evidence, c.Final == 1)
	case !c.Suggested:
	case c.State == review.Rejected, c.State == review.Modified:
		counts.reject(item, g, c.NoteIDs)
	case c.State == review.Undecided:
		counts.Undecided++
	}
}

// place gives a code of the final list to the notes that its evidence names, or to
// all; in the others it is acceptable.
func place(item []GoldNote, g GoldCode, evidence []coding.Evidence, first bool) {
	named := map[string][]coding.Span{}
	for _, e := range evidence {
		named[e.NoteID] = append(named[e.NoteID], e.Span)
	}
	all := !slices.ContainsFunc(item, func(n GoldNote) bool { return named[n.NoteID] != nil })
	for i := range item {
		own := g
		own.Evidence = named[item[i].NoteID]
		if !all && own.Evidence == nil {
			own.Tier = TierAcceptable
		} else if first {
			item[i].First = []string{g.Code}
		}
		item[i].Codes = append(item[i].Codes, own)
	}
}

// reject gives a suggestion that is wrong to the notes that it was suggested for.
func (counts *ReviewCounts) reject(item []GoldNote, g GoldCode, noteIDs []string) {
	counts.Rejected++
	for i := range item {
		if slices.Contains(noteIDs, item[i].NoteID) {
			item[i].Rejected = append(item[i].Rejected, g)
		}
	}
}

// enterLLM adds what the LLM ranker said of a code that was decided on, for each
// note for which it chose it.
func (counts *ReviewCounts) enterLLM(r coding.ItemRecord, c review.Code, accepted bool) {
	if !c.Suggested {
		return
	}
	for _, n := range r.Notes {
		if n.Set == nil {
			continue
		}
		for _, s := range n.Set.Suggestions {
			if s.System == c.System && s.Code == c.Code && s.Signals != nil && s.Signals.LLM > 0 {
				counts.LLM = append(counts.LLM, learned.LLMAnswer{Stated: s.Signals.LLM, Local: s.Signals.Local,
					Both: s.Agreement == coding.AgreementBoth, Accepted: accepted})
			}
		}
	}
}

// grouping joins names into groups; a group is called by its least name.
type grouping map[string]string

func (g grouping) of(name string) string {
	for g[name] != "" {
		name = g[name]
	}
	return name
}

func (g grouping) join(a, b string) {
	a, b = g.of(a), g.of(b)
	switch cmp.Compare(a, b) {
	case -1:
		g[b] = a
	case 1:
		g[a] = b
	}
}
