package review

import (
	"context"
	"fmt"
	"slices"

	"chartcode/internal/coding"
)

// RulesOn gives the coding rules that hold on a date of service, with what they
// need of the systems named: a function that gives the findings of each list. It
// is pure and holds no connection. It is nil when no code set is loaded.
type RulesOn func(ctx context.Context, on coding.Date, systems []coding.System) (Rules, error)

// Rules gives the findings of each list of in.
type Rules = func(in coding.ListCheck) [][]coding.Finding

// rulesOf gives the rules for an item and the codes that an act names; nil where
// there are none, and the findings made with the suggestions stand.
func (s *Service) rulesOf(ctx context.Context, r coding.ItemRecord, acts ...coding.CodeKey) (Rules, error) {
	if s.rules == nil {
		return nil, nil
	}
	systems := []coding.System{coding.ICD10CM}
	add := func(system coding.System) {
		if system.Valid() && !slices.Contains(systems, system) {
			systems = append(systems, system)
		}
	}
	for _, c := range codeList(r, Replay(r.Decisions)) {
		add(c.System)
	}
	for _, d := range r.Decisions { // an undo brings back what was taken out
		add(d.System)
	}
	for _, key := range acts {
		add(key.System)
	}
	rules, err := s.rules(ctx, r.Head.ServiceDate, systems)
	if err != nil {
		return nil, fmt.Errorf("review: load the coding rules: %w", err)
	}
	return rules, nil
}

// rulesAhead gives them ahead of an act's transaction, so that this holds no
// second connection.
func (s *Service) rulesAhead(ctx context.Context, id int64, a Act) (Rules, error) {
	if s.rules == nil {
		return nil, nil
	}
	r, found, err := s.store.ItemRecord(ctx, id, nil)
	if err != nil {
		return nil, fmt.Errorf("review: read an item: %w", err)
	}
	if !found {
		return nil, ErrNotFound
	}
	return s.rulesOf(ctx, r, a.Code, a.To)
}

// applyRules replaces the findings made with the suggestions by what the rules
// say of the codes as they stand. Warnings speak of all codes that are not
// rejected or replaced, as they would be reported if all were accepted; what
// stands in the way of finishing, of those that would be in the review.
func applyRules(rules Rules, r coding.ItemRecord, list []Code) {
	if rules == nil || len(list) == 0 {
		return
	}
	in := coding.ListCheck{
		Setting: r.Head.Setting, Style: styleOf(r), Date: r.Head.ServiceDate,
		Lists: [][]coding.ListedCode{listed(list, inPlay(list)), listed(list, inReview(list))},
	}
	for _, n := range r.Notes {
		note := n.Note
		if n.Set != nil {
			note.Setting = n.Set.Setting
		}
		in.Notes = append(in.Notes, note)
		in.Patient = in.Patient.Or(note.Patient)
		if in.Payer == "" {
			in.Payer = note.Payer
		}
	}
	found := rules(in)
	for i := range list {
		list[i].Warnings, list[i].stops, list[i].checked = []coding.Finding{}, nil, true
		if list[i].State == Undecided || list[i].Listed() {
			list[i].Warnings = append(list[i].Warnings, about(found[0], list[i].Code)...)
			sortFindings(list[i].Warnings)
		}
		if list[i].Listed() {
			list[i].stops = about(found[1], list[i].Code)
		}
	}
	needPOA(list, r.Head.Setting)
}

func about(findings []coding.Finding, code string) []coding.Finding {
	var out []coding.Finding
	for _, f := range findings {
		if slices.Contains(f.Codes, code) {
			out = append(out, f)
		}
	}
	return out
}

// inPlay gives the codes that are undecided or in the review, in the order that
// they would have there if all were accepted.
func inPlay(list []Code) []int {
	all := slices.Clone(list)
	for i := range all {
		all[i].Final = 0
		if all[i].State == Undecided {
			all[i].State = Accepted
		}
	}
	number(all, "")
	return inReview(all)
}

// inReview gives the codes of the review in its order.
func inReview(list []Code) []int {
	var out []int
	for i := range list {
		if list[i].Listed() {
			out = append(out, i)
		}
	}
	slices.SortFunc(out, func(a, b int) int { return list[a].Final - list[b].Final })
	return out
}

func listed(list []Code, which []int) []coding.ListedCode {
	out := make([]coding.ListedCode, len(which))
	for k, i := range which {
		out[k] = coding.ListedCode{CodeKey: list[i].CodeKey, Evidence: list[i].Evidence}
	}
	return out
}

// styleOf is mentions where all notes were coded so.
func styleOf(r coding.ItemRecord) coding.Style {
	style := coding.Billing
	for _, n := range r.Notes {
		if n.Set == nil {
			continue
		}
		if n.Set.CodingStyle != coding.Mentions {
			return coding.Billing
		}
		style = coding.Mentions
	}
	return style
}
