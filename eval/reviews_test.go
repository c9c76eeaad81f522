package eval

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"

	"chartcode/internal/coding"
)

// written is a store of items.
type written struct {
	items []coding.ItemRecord
	users []coding.User
	cases []coding.AuditCase
}

func (w written) AuditCases(context.Context, int64, string) ([]coding.AuditCase, error) {
	return w.cases, nil
}

func (w written) Users(context.Context) ([]coding.User, error) { return w.users, nil }

func (w written) FinishedItems(context.Context) iter.Seq2[coding.ItemRecord, error] {
	return func(yield func(coding.ItemRecord, error) bool) {
		for _, r := range w.items {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func evidence(note, text, words string) coding.Evidence {
	at := strings.Index(text, words)
	return coding.Evidence{NoteID: note, Span: coding.Span{Start: at, End: at + len(words)}, Text: words}
}

// itemOf makes an item of notes; of each the words before a comma are
// suggested as the code that the map names.
func itemOf(id int64, patient string, texts map[string]string, codes map[string]string) coding.ItemRecord {
	r := coding.ItemRecord{Head: coding.ItemHead{ID: id, State: coding.ItemFinished, Setting: coding.Outpatient, Content: 1}}
	for _, note := range slices.Sorted(maps.Keys(texts)) {
		text := texts[note]
		set := &coding.SuggestionSet{Setting: coding.Outpatient, CodingStyle: coding.Billing, Ranker: "local@1"}
		for words := range strings.SplitSeq(text, ", ") {
			if code := codes[words]; code != "" {
				set.Suggestions = append(set.Suggestions, coding.Suggestion{System: coding.ICD10CM, Code: code, Rank: len(set.Suggestions) + 1, Role: coding.RoleSecondary,
					Confidence: 0.5, Evidence: []coding.Evidence{evidence("", text, words)}})
			}
		}
		r.Notes = append(r.Notes, coding.ItemNote{Note: coding.Note{NoteID: note, Source: "north", Patient: coding.Patient{ID: patient}, Text: text}, Set: set})
	}
	return r
}

func (w *written) decide(i int, coder string, kind coding.DecisionKind, d coding.DecisionDetail) {
	r := &w.items[i]
	d.System = coding.ICD10CM
	r.Decisions = append(r.Decisions, coding.Decision{Seq: len(r.Decisions) + 1, Kind: kind, Coder: coder, Content: 1, DecisionDetail: d})
}

func asText(n GoldNote) string {
	var out []string
	for _, c := range n.Codes {
		s := c.Code
		if c.Tier == TierAcceptable {
			s = "(" + s + ")"
		}
		out = append(out, fmt.Sprintf("%s %s %d", s, c.Origin, c.Weight))
	}
	for _, c := range n.Rejected {
		out = append(out, fmt.Sprintf("-%s %d", c.Code, c.Weight))
	}
	return strings.Join(out, "; ") + fmt.Sprintf(" first %v weight %d", n.First, n.Weight)
}

// How a code came in, who decided and which notes it belongs to.
func TestFromReviews(t *testing.T) {
	t.Parallel()
	names := map[string]string{"gout": "M10.9", "asthma": "J45.909", "cough": "R05.9", "fever": "R50.9"}
	w := &written{users: []coding.User{{Login: "ann", Role: coding.RoleCoder}, {Login: "bea", Role: coding.RoleAuditor}}}
	w.items = []coding.ItemRecord{
		itemOf(1, "P1", map[string]string{"a": "gout, cough", "b": "gout, asthma, fever"}, names),
		itemOf(2, "P2", map[string]string{"c": "cough, fever"}, names),
		itemOf(3, "P1", map[string]string{"d": "gout"}, names),
		itemOf(4, "P3", map[string]string{"e": "gout"}, names),
		itemOf(5, "", map[string]string{"f": "asthma"}, names),
	}
	// Item 1: gout stands in both notes, asthma in b alone; the coder takes fever
	// for another code, by b's words, and adds one without evidence.
	w.decide(0, "ann", coding.Accept, coding.DecisionDetail{Code: "J45.909"})
	w.decide(0, "ann", coding.Accept, coding.DecisionDetail{Code: "M10.9"})
	w.decide(0, "bea", coding.Reject, coding.DecisionDetail{Code: "R05.9"})
	w.decide(0, "ann", coding.Modify, coding.DecisionDetail{Code: "R50.9", To: &coding.CodeKey{System: coding.ICD10CM, Code: "R50.81"},
		Evidence: []coding.Evidence{evidence("b", "gout, asthma, fever", "fever")}})
	w.decide(0, "ann", coding.Add, coding.DecisionDetail{Code: "Z79.4", Origin: coding.OriginAdded})
	w.decide(0, "ann", coding.Finish, coding.DecisionDetail{Disposition: coding.DispositionCompleted})
	// Item 2: an auditor finishes what a coder began, and leaves fever undecided.
	w.decide(1, "ann", coding.Reject, coding.DecisionDetail{Code: "R05.9"})
	w.decide(1, "ann", coding.Finish, coding.DecisionDetail{Disposition: coding.DispositionCompleted})
	w.decide(1, "bea", coding.Reopen, coding.DecisionDetail{})
	w.decide(1, "bea", coding.Accept, coding.DecisionDetail{Code: "R05.9"})
	w.decide(1, "bea", coding.Finish, coding.DecisionDetail{Disposition: coding.DispositionCompleted})
	w.decide(2, "ann", coding.Accept, coding.DecisionDetail{Code: "M10.9"})
	w.decide(2, "ann", coding.Finish, coding.DecisionDetail{Disposition: coding.DispositionCompleted})
	// Item 4 is sent back, item 5 was suggested for in another style.
	w.decide(3, "ann", coding.Finish, coding.DecisionDetail{Disposition: coding.DispositionReturned})
	w.items[4].Notes[0].Set.CodingStyle = coding.Mentions
	w.decide(4, "ann", coding.Finish, coding.DecisionDetail{Disposition: coding.DispositionCompleted})

	d, counts, err := FromReviews(t.Context(), w, coding.Billing)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"a": "M10.9 accepted 1; (J45.909) accepted 1; (R50.81) modified 2; Z79.4 added 2; -R05.9 6 first [M10.9] weight 0",
		"b": "M10.9 accepted 1; J45.909 accepted 1; R50.81 modified 2; Z79.4 added 2; -R50.9 2 first [M10.9] weight 0",
		"c": "R05.9 accepted 3 first [R05.9] weight 3",
		"d": "M10.9 accepted 1 first [M10.9] weight 0",
	}
	if len(d.Notes) != len(want) {
		t.Fatalf("%d notes", len(d.Notes))
	}
	groups := map[string]string{}
	for _, n := range d.Notes {
		if got := asText(n); got != want[n.NoteID] {
			t.Errorf("note %s:\n %s\nwant\n %s", n.NoteID, got, want[n.NoteID])
		}
		groups[n.NoteID] = n.Article()
	}
	if groups["a"] != groups["b"] || groups["a"] != groups["d"] || groups["a"] == groups["c"] {
		t.Errorf("the groups are %v: notes of one patient or item must be together, others apart", groups)
	}
	if counts.Items != 3 || counts.Notes != 4 || counts.ByAuditors != 1 || counts.Returned != 1 || counts.OtherStyle != 1 ||
		counts.Rejected != 2 || counts.Undecided != 1 || counts.Codes[coding.OriginAccepted] != 4 || counts.Codes[coding.OriginModified] != 1 {
		t.Errorf("counted %+v", counts)
	}
	text := counts.SelectionText()
	for _, part := range []string{"3 items with 4 notes", "auditors: 1 (33%)", "local@1 (4 notes)", "Coders saw"} {
		if !strings.Contains(text, part) {
			t.Errorf("the report does not say %q:\n%s", part, text)
		}
	}
	w1 := d.Notes[0].TrainingWeight("R05.9")
	w2 := d.Notes[0].TrainingWeight("I10")
	if w1 != DecidedWeight*AuditorWeight || w2 != 1 {
		t.Errorf("an auditor's rejection counts %v, what nobody saw %v", w1, w2)
	}
}

// What an auditor judged stands in place of what the coder gave, as long as the
// review stands that was judged.
func TestJudgementsComeBeforeCoders(t *testing.T) {
	t.Parallel()
	names := map[string]string{"gout": "M10.9", "asthma": "J45.909", "cough": "R05.9", "fever": "R50.9"}
	w := &written{users: []coding.User{{Login: "ann", Role: coding.RoleCoder}}}
	for i := range 3 {
		w.items = append(w.items, itemOf(int64(i+1), fmt.Sprint("P", i), map[string]string{fmt.Sprint("n", i): "gout, cough, fever, asthma"}, names))
		w.decide(i, "ann", coding.Accept, coding.DecisionDetail{Code: "R05.9"})
		w.decide(i, "ann", coding.Reject, coding.DecisionDetail{Code: "M10.9"})
		w.decide(i, "ann", coding.Accept, coding.DecisionDetail{Code: "J45.909"})
		w.decide(i, "ann", coding.Finish, coding.DecisionDetail{Disposition: coding.DispositionCompleted})
	}
	w.items[0].Notes[0].Set.Suggestions[0].Signals = &coding.Signals{LLM: 0.9} // gout
	given := func(code string, acceptable bool, e ...coding.Evidence) coding.GivenCode {
		return coding.GivenCode{CodeKey: coding.CodeKey{System: coding.ICD10CM, Code: code}, Acceptable: acceptable, Evidence: e}
	}
	moved := coding.Evidence{NoteID: "n0", Span: coding.Span{Start: 0, End: 4}, Text: "else"}
	j := &coding.Judgement{Codes: []coding.GivenCode{given("M10.9", false, evidence("n0", "gout, cough, fever, asthma", "gout")), given("I10", false, moved), given("J45.909", true)}}
	w.cases = []coding.AuditCase{{Item: 1, FinishSeq: 4, Judgement: j}, {Item: 2, FinishSeq: 2, Judgement: j}, {Item: 3, FinishSeq: 4}} // item 2 was finished anew, 3 waits
	d, counts, err := FromReviews(t.Context(), w, coding.Billing)
	if err != nil || len(d.Notes) != 3 {
		t.Fatalf("%d notes, %v", len(d.Notes), err)
	}
	const coders = "J45.909 accepted 1; R05.9 accepted 1; -M10.9 2 first [R05.9] weight 0"
	sorted := func(n GoldNote) GoldNote {
		slices.SortFunc(n.Codes, func(a, b GoldCode) int { return strings.Compare(a.Code, b.Code) })
		return n
	}
	for i, want := range []string{"M10.9 added 6; I10 added 6; (J45.909) accepted 6; -R05.9 6; -R50.9 6 first [M10.9] weight 3", coders, coders} {
		n := d.Notes[i]
		if i > 0 {
			n = sorted(n)
		}
		if got := asText(n); got != want {
			t.Errorf("note %s:\n %s\nwant\n %s", n.NoteID, got, want)
		}
	}
	if c := d.Notes[0].Codes; len(c[0].Evidence) != 1 || len(c[1].Evidence) != 0 {
		t.Errorf("evidence %+v", c)
	}
	if counts.Judged != 1 || !strings.Contains(counts.SelectionText(), "judged by auditors: 1 (33%)") || !strings.Contains(counts.SelectionText(), "chartcode audit sample") {
		t.Errorf("counted %+v:\n%s", counts, counts.SelectionText())
	}
	if len(counts.LLM) != 1 || !counts.LLM[0].Accepted {
		t.Errorf("the LLM's answer was right: %+v", counts.LLM)
	}
	d.AuditorsFirst()
	if d.Notes[0].NoteID != "n0" {
		t.Errorf("the judged note does not come first: %s", d.Notes[0].NoteID)
	}
}

func TestGivenNotesOfTheSamePatientsAreLeftOut(t *testing.T) {
	t.Parallel()
	site := &Dataset{Notes: []GoldNote{{Note: coding.Note{NoteID: "1", Text: "one", Patient: coding.Patient{ID: "P1"}}}, {Note: coding.Note{NoteID: "2", Text: "two"}}}}
	given := &Dataset{Notes: []GoldNote{
		{Note: coding.Note{NoteID: "x", Text: "two"}}, {Note: coding.Note{NoteID: "y", Text: "other", Patient: coding.Patient{ID: "P1"}}}, {Note: coding.Note{NoteID: "z", Text: "third"}},
	}}
	if n := given.Remove(site); n != 2 || len(given.Notes) != 1 || given.Notes[0].NoteID != "z" {
		t.Errorf("%d removed, %d left", n, len(given.Notes))
	}
}

// The interval of a paired difference holds what would come out with other
// patients, and that of no difference holds nothing.
func TestGainInterval(t *testing.T) {
	t.Parallel()
	var was, is []Result
	for i := range 100 {
		n := &GoldNote{Note: coding.Note{NoteID: fmt.Sprint("n", i)}, Codes: []GoldCode{{Code: "A"}}}
		w := Result{Note: n, Shown: []Shown{{Code: "B"}}}
		s := Result{Note: n, Shown: []Shown{{Code: "A"}}}
		if i%2 == 0 {
			w.Shown = s.Shown // half are right before, all after
		}
		was, is = append(was, w), append(is, s)
	}
	low, high := gainInterval(was, is)
	// A gain of 0.5 whose standard error is sqrt(0.25/100).
	if low < 0.38 || low > 0.43 || high < 0.57 || high > 0.62 {
		t.Errorf("the interval is %.3f to %.3f", low, high)
	}
	if low, high := gainInterval(was, was); low != 0 || high != 0 {
		t.Errorf("without a difference it is %.3f to %.3f", low, high)
	}
}
