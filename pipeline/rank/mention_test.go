package rank

import (
	"slices"
	"strings"
	"testing"

	"chartcode/internal/coding"
	"chartcode/internal/gbdt"
	"chartcode/internal/learned"
)

// stump is a model that gives the odds low or high by one value.
func stump(t *testing.T, feature string, from float32, low, high float64) *gbdt.Model {
	t.Helper()
	at := slices.Index(mentionNames, feature)
	if at < 0 {
		t.Fatalf("%s is no value of a mention", feature)
	}
	return &gbdt.Model{Features: MentionFeatures(), Trees: []gbdt.Tree{{
		Feature: []int{at}, Threshold: []float32{from}, Left: []int{^0}, Right: []int{^1}, Value: []float64{low, high}, Mean: []float64{(low + high) / 2},
	}}}
}

// twoPlaces is a note with one code and two places for it: the words alone are
// likelier at the first.
func twoPlaces() *note {
	n := newNote(coding.Outpatient).section(coding.SectionUnknown, "Cardiac consolidation was normal. Lobar consolidation.").
		found("J18.1", "Lobar pneumonia, unspecified organism", "Cardiac consolidation", 0.9, coding.Present)
	at := slices.Index(coding.GroundNames[:], "denied_after")
	values := make([]float32, len(coding.GroundNames))
	values[at] = 1
	g := n.cands[0].Grounds
	g[0].Values = values
	n.cands[0].Grounds = append(g, coding.Ground{Span: coding.Span{Start: 34, End: 53}, Assertion: coding.Present, Support: 0.8, Values: make([]float32, len(values))})
	return n
}

func mentionsOf(t *testing.T, n *note, m learned.StyleModels) []coding.Suggestion {
	t.Helper()
	l, err := NewLocal(LocalConfig{Models: &learned.Models{Version: 1, Styles: map[coding.Style]*learned.StyleModels{coding.Mentions: &m}}})
	if err != nil {
		t.Fatal(err)
	}
	out, err := l.Rank(t.Context(), Input{Doc: &n.doc, Style: coding.Mentions, Candidates: n.cands})
	if err != nil {
		t.Fatal(err)
	}
	return out.Suggestions
}

// The place that the model of evidence finds likelier comes first, and one that it
// finds unlikely is not shown.
func TestTheModelOfEvidenceOrdersPlaces(t *testing.T) {
	n := twoPlaces()
	for _, c := range []struct {
		denied float64 // log odds of a place that a later word may deny
		want   []int
	}{{-3, []int{34}}, {1, []int{34, 0}}, {4, []int{0, 34}}} {
		got := mentionsOf(t, n, learned.StyleModels{Evidence: stump(t, "place_denied_after", 0.5, 3, c.denied)})
		if len(got) != 1 {
			t.Fatalf("%d suggestions", len(got))
		}
		var at []int
		for _, e := range got[0].Evidence {
			at = append(at, e.Start)
		}
		if !slices.Equal(at, c.want) {
			t.Errorf("odds %g of the first: places at %v, want %v", c.denied, at, c.want)
		}
	}
}

// Neither the chance to be right nor the support has a limit of its own: more of
// one makes up for less of the other.
func TestSupportIsWeighedAgainstBeingRight(t *testing.T) {
	for _, c := range []struct {
		right, support float64
		shown          bool
	}{{0.35, 0.95, true}, {0.35, 0.7, false}, {0.8, 0.7, true}, {0.5, 0.4, false}, {0.1, 0.99, false}} {
		n := twoPlaces()
		n.cands[0].RetrievalScore = c.right
		odds := logOdds(c.support)
		got := mentionsOf(t, n, learned.StyleModels{Evidence: stump(t, "place_at", 2, odds, odds), Threshold: 0.2})
		if (len(got) == 1) != c.shown {
			t.Errorf("right in %g, supported in %g: %d suggestions, want shown %v", c.right, c.support, len(got), c.shown)
		}
		if len(got) == 1 && (got[0].Confidence < c.right-1e-6 || got[0].Confidence > c.right+1e-6) {
			t.Errorf("the confidence is %g, want the chance to be right, %g", got[0].Confidence, c.right)
		}
	}
}

// A row has its values at the places of their names, those of the place that was
// asked for last.
func TestMentionRows(t *testing.T) {
	n := twoPlaces()
	n.cands[0].Support.Chapter = 0.25
	n.cands = append(n.cands, coding.Candidate{System: coding.ICD10CM, Code: "I10", Display: "Hypertension", Rank: 2, RetrievalScore: 0.1})
	rows := MentionRows(Input{Doc: &n.doc, Candidates: n.cands})
	second := PlaceRow(rows[0], &n.cands[0], 1)
	value := func(x []float32, name string) float32 {
		i := slices.Index(mentionNames, name)
		if i < 0 || len(x) != len(mentionNames) {
			t.Fatalf("no value %s among %d", name, len(x))
		}
		return x[i]
	}
	for _, c := range []struct {
		x    []float32
		name string
		want float32
	}{
		{rows[0], "chapter", 0.25}, {rows[0], "place_denied_after", 1}, {second, "place_denied_after", 0}, {second, "chapter", 0.25},
		{rows[0], "place_count", 2}, {rows[1], "place_count", 0}, {rows[1], "place_support", absent},
		{rows[0], "place_support", value(second, "place_next")}, {rows[0], "place_next", value(second, "place_support")},
	} {
		if got := value(c.x, c.name); got != c.want {
			t.Errorf("%s is %g, want %g", c.name, got, c.want)
		}
	}
	if i := slices.Index(mentionNames, "place_words"); i < 0 || slices.Contains(mentionNames[i+1:], "place_words") {
		t.Error("the names of values are not distinct")
	}
}

// A ranker that a site learned before there was a model of evidence judges by the
// values that it was trained on, and places by what retrieval says of them.
func TestRankersOfBeforeKeepWorking(t *testing.T) {
	before := &gbdt.Model{Features: Features(), Trees: []gbdt.Tree{{
		Feature: []int{0}, Threshold: []float32{-1e9}, Left: []int{^0}, Right: []int{^1}, Value: []float64{-5, 1}, Mean: []float64{-2},
	}}}
	n := twoPlaces()
	got := mentionsOf(t, n, learned.StyleModels{Rank: before, Threshold: 0.5})
	if want := gbdt.Logistic(1); len(got) != 1 || got[0].Confidence != want || len(got[0].Evidence) != 2 || got[0].Evidence[0].Start != 0 {
		t.Fatalf("%+v, want the code with %g and both places", got, want)
	}
	for k := range n.cands[0].Grounds {
		n.cands[0].Grounds[k].Support = groundedFrom - 0.1
	}
	if got := mentionsOf(t, n, learned.StyleModels{Rank: before, Threshold: 0.5}); len(got) != 0 {
		t.Errorf("a code whose places are doubtful is shown: %+v", got)
	}
	if fitsMentions(&learned.StyleModels{Rank: before, Evidence: stump(t, "place_at", 2, 0, 0)}) {
		t.Error("a ranker of before is taken beside a model of evidence, whose values it does not know")
	}
}

// A code of one side gives way to that of both where the note says so at each of its
// places.
func TestBothSidesAreNotOne(t *testing.T) {
	t.Parallel()
	const one, both = "Unilateral inguinal hernia, without obstruction or gangrene", "Bilateral inguinal hernia, without obstruction or gangrene"
	for _, c := range []struct {
		text string
		want []string
	}{
		{"Repair of a bilateral inguinal hernia.", []string{"K40.20"}},
		{"Inguinal hernia, bilateral.", []string{"K40.20"}},
		{"Bilateral cataract, and beside it an inguinal hernia.", []string{"K40.20", "K40.90"}},
	} {
		n := newNote(coding.Outpatient).section(coding.SectionUnknown, c.text)
		words := "inguinal hernia"
		if !strings.Contains(c.text, words) {
			words = "Inguinal hernia"
		}
		n.found("K40.20", both, words, 0.9, coding.Present).found("K40.90", one, words, 0.8, coding.Present)
		var got []string
		for _, s := range mentionsOf(t, n, learned.StyleModels{}) {
			got = append(got, s.Code)
		}
		slices.Sort(got)
		if !slices.Equal(got, c.want) {
			t.Errorf("%q: %v, want %v", c.text, got, c.want)
		}
	}
}
