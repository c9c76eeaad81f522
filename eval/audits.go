package eval

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"chartcode/internal/coding"
)

// Audits is where audited cases are kept.
type Audits interface {
	// AuditCases gives the cases of a sample, or with 0 of all, that a login coded,
	// or with an empty one all.
	AuditCases(ctx context.Context, sample int64, login string) ([]coding.AuditCase, error)
	// CaseNotes gives the notes of cases as they were drawn, by case.
	CaseNotes(ctx context.Context, cases []int64) (map[int64][]coding.ItemNote, error)
}

// AuditCounts says what FromAudits found and left out.
type AuditCounts struct {
	Cases, Judged int
	Coders        int // whose reviews were judged
	Notes         int
	Codes         int // required; of an encounter with several notes each once
	Acceptable    int
}

// FromAudits makes gold notes of the judged cases of a sample, or with 0 of all: the
// notes as they were drawn, with the ICD-10-CM codes that were judged to be right and
// the one that leads. The reviews were drawn at random and coded again blind, and
// their judge saw no names, so that unlike FromReviews it favours neither what was
// easy to finish nor what was suggested. A code belongs to the notes of its case as
// in FromReviews.
func FromAudits(ctx context.Context, src Audits, sample int64) (*Dataset, AuditCounts, error) {
	var counts AuditCounts
	cases, err := src.AuditCases(ctx, sample, "")
	if err != nil {
		return nil, counts, err
	}
	counts.Cases = len(cases)
	cases = slices.DeleteFunc(cases, func(c coding.AuditCase) bool { return c.Judgement == nil })
	counts.Judged = len(cases)
	cases = latest(cases)
	d := &Dataset{Name: "audits"}
	entered := ReviewCounts{Codes: map[coding.Origin]int{}}
	coders, groups := map[string]bool{}, grouping{}
	for some := range slices.Chunk(cases, 100) {
		var ids []int64
		for i := range some {
			ids = append(ids, some[i].ID)
		}
		notes, err := src.CaseNotes(ctx, ids)
		if err != nil {
			return nil, counts, err
		}
		for i := range some {
			c := &some[i]
			var item []GoldNote
			for _, n := range notes[c.ID] {
				g := GoldNote{Note: n.Note, Item: c.Item, Group: "item " + strconv.FormatInt(c.Item, 10), Weight: AuditorWeight}
				g.Setting = c.Setting
				if n.Note.Patient.ID != "" {
					groups.join(g.Group, "patient "+n.Note.Patient.ID)
				}
				item = append(item, g)
			}
			entered.enterJudged(item, nil, c.Judgement)
			for _, g := range c.Judgement.Codes {
				switch {
				case g.System != coding.ICD10CM:
				case g.Acceptable:
					counts.Acceptable++
				default:
					counts.Codes++
				}
			}
			coders[c.Coder] = true
			d.Notes = append(d.Notes, item...)
		}
	}
	for i := range d.Notes {
		d.Notes[i].Group = groups.of(d.Notes[i].Group)
	}
	counts.Notes, counts.Coders = len(d.Notes), len(coders)
	return d, counts, nil
}

// latest leaves out the cases of reviews whose item was finished anew and judged
// again: a note has one answer.
func latest(cases []coding.AuditCase) []coding.AuditCase {
	last := map[int64]int{}
	for i := range cases {
		last[cases[i].Item] = max(last[cases[i].Item], cases[i].FinishSeq)
	}
	return slices.DeleteFunc(cases, func(c coding.AuditCase) bool { return c.FinishSeq < last[c.Item] })
}

// SelectionText says how the notes were chosen and their codes made.
func (c *AuditCounts) SelectionText() string {
	return fmt.Sprintf(`how the notes were chosen: finished reviews drawn at random for audit, of each of %d coders apart.
how the codes were made: each case was coded again blind, and an auditor who did neither coding judged both without names.
%d of %d cases are judged: %d notes, %d required codes, %d acceptable. The first coding was made with suggestions in view.
`, c.Coders, c.Judged, c.Cases, c.Notes, c.Codes, c.Acceptable)
}
