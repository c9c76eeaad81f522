package codebook

import (
	"context"
	"fmt"
	"slices"

	"chartcode/internal/codeset"
	"chartcode/internal/coding"
)

// rules are the lines of the newest tabular list and Medicare files, which hold
// for ICD-10-CM of any release.
type rules struct {
	tabular, hcc, mce, poa coding.Release // empty ID: not loaded

	at         map[string][]codeset.Line // by code
	ranges     []heading                 // chapters and sections, in the order of the list
	categories map[string][]string       // HCC by code
	edits      map[string][]Edit
	exempt     map[string]bool
}

// heading is a chapter or section.
type heading struct {
	code, level, title string
	lines              []codeset.Line
}

// Edit is an edit of the Medicare Code Editor: Group is Age, Sex or Other.
type Edit struct {
	Group string `json:"group"`
	Text  string `json:"text"`
}

// rulesOf gives the rule lines, loaded at their first use.
func (e *edition) rulesOf(ctx context.Context, source Source) (*rules, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.rules != nil {
		return e.rules, nil
	}
	r := &rules{at: map[string][]codeset.Line{}, categories: map[string][]string{}, edits: map[string][]Edit{}, exempt: map[string]bool{}}
	files := map[string]*coding.Release{codeset.KindTabular: &r.tabular, codeset.KindHCC: &r.hcc, codeset.KindMCE: &r.mce, codeset.KindPOA: &r.poa}
	for _, rel := range e.releases {
		if at := files[rel.Kind]; at != nil && (at.ID == "" || at.EffectiveFrom.Before(rel.EffectiveFrom)) {
			*at = rel
		}
	}
	ctx, cancel := loading(ctx)
	defer cancel()
	for _, rel := range []coding.Release{r.tabular, r.hcc, r.mce, r.poa} {
		if rel.ID == "" {
			continue
		}
		rows, err := source.Lines(ctx, rel.ID)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			line, err := codeset.ParseLine(row)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", rel.ID, err)
			}
			r.add(line)
		}
	}
	e.rules = r
	return r, nil
}

func (r *rules) add(l codeset.Line) {
	switch {
	case l.Kind == codeset.LineHCC:
		r.categories[l.Code] = append(r.categories[l.Code], l.Text)
	case l.Kind == codeset.LineMCE:
		r.edits[l.Code] = append(r.edits[l.Code], Edit{l.Group, l.Text})
	case l.Kind == codeset.LinePOAExempt:
		r.exempt[l.Code] = true
	case l.Level == codeset.LevelChapter || l.Level == codeset.LevelSection:
		i := slices.IndexFunc(r.ranges, func(h heading) bool { return h.code == l.Code && h.level == l.Level })
		if i < 0 {
			i = len(r.ranges)
			r.ranges = append(r.ranges, heading{code: l.Code, level: l.Level})
		}
		if l.Kind == codeset.LineTitle {
			r.ranges[i].title = l.Text
		} else {
			r.ranges[i].lines = append(r.ranges[i].lines, l)
		}
	default:
		r.at[l.Code] = append(r.at[l.Code], l)
	}
}

// headings gives the chapter and the sections that hold a code, the widest first.
func (r *rules) headings(code string) []heading {
	var out []heading
	for _, level := range []string{codeset.LevelChapter, codeset.LevelSection} {
		for _, h := range r.ranges {
			if h.level == level && codeset.Section(h.code, code) {
				out = append(out, h)
			}
		}
	}
	return out
}
