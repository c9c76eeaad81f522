package retrieve

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"chartcode/internal/coding"
	"chartcode/internal/learned"
	"chartcode/internal/lexicon"
)

// smallTable is a code table of a few codes; a header is a code that others
// begin with.
type smallTable map[string]string

func (t smallTable) Lookup(c string) (coding.Code, bool) {
	title, ok := t[c]
	return coding.Code{System: coding.ICD10CM, Code: c, Title: title, Billable: ok && t.Billable(c)}, ok
}

func (t smallTable) Billable(c string) bool {
	if _, ok := t[c]; !ok {
		return false
	}
	for d := range t {
		if d != c && strings.HasPrefix(d, c) {
			return false
		}
	}
	return true
}

func (t smallTable) BillableUnder(c string) []string {
	var out []string
	for d := range t {
		if strings.HasPrefix(d, c) && t.Billable(d) {
			out = append(out, d)
		}
	}
	slices.Sort(out)
	return out
}

// tableOf is used by pointer, as a table's identity is its address.
func tableOf() *smallTable {
	return &smallTable{
		"E11": "Type 2 diabetes mellitus", "E11.9": "Type 2 diabetes mellitus without complications",
		"E11.22": "Type 2 diabetes mellitus with diabetic chronic kidney disease",
		"I10":    "Essential (primary) hypertension", "J18.9": "Pneumonia, unspecified organism",
		"R50.9": "Fever, unspecified", "R05.9": "Cough, unspecified", "K74.60": "Unspecified cirrhosis of liver",
		"S52.5":    "Fracture of lower end of radius",
		"S52.501A": "Unspecified fracture of the lower end of right radius, initial encounter for closed fracture",
		"S52.501D": "Unspecified fracture of the lower end of right radius, subsequent encounter for closed fracture with routine healing",
		"S52.502A": "Unspecified fracture of the lower end of left radius, initial encounter for closed fracture",
		"S52.509A": "Unspecified fracture of the lower end of unspecified radius, initial encounter for closed fracture",
		"B20":      "Human immunodeficiency virus [HIV] disease", "L98.3": "Eosinophilic cellulitis [Wells]",
		"Z80.3":   "Family history of malignant neoplasm of breast",
		"M25.512": "Pain in left shoulder", "M25.511": "Pain in right shoulder",
	}
}

func termsOf(t *smallTable) []coding.Term {
	var out []coding.Term
	for c, title := range *t {
		out = append(out, coding.Term{Text: title, Kind: coding.TermTitle, System: coding.ICD10CM, Code: c})
	}
	slices.SortFunc(out, func(a, b coding.Term) int { return strings.Compare(a.Code, b.Code) })
	for _, x := range [][2]string{
		{"Diabetes, type 2", "E11.9"}, {"Diabetes, type 2, with, chronic kidney disease", "E11.22"}, {"Hypertension", "I10"}, {"Pneumonia", "J18.9"},
		{"Fever", "R50.9"}, {"Cough", "R05.9"}, {"Cirrhosis, liver", "K74.60"}, {"Fracture, traumatic, radius, lower end", "S52.5"},
		{"History, family, malignant neoplasm, breast", "Z80.3"}, {"Pain, shoulder, left", "M25.512"},
		{"AIDS", "B20"}, {"Wells' disease", "L98.3"},
	} {
		out = append(out, coding.Term{Text: x[0], Kind: coding.TermIndex, System: coding.ICD10CM, Code: x[1]})
	}
	for i := range out {
		out[i].TextID = int64(i + 1)
	}
	return out
}

// docOf has one sentence a line; a line that begins with an assertion and a
// bar is in such a scope.
func docOf(text string) *coding.Document {
	d := &coding.Document{Text: text, Setting: coding.Outpatient}
	at := 0
	for _, line := range strings.SplitAfter(text, "\n") {
		s := coding.Span{Start: at, End: at + len(line)}
		at = s.End
		if s.Len() == 0 {
			continue
		}
		d.Sentences = append(d.Sentences, coding.Sentence{Span: s})
		d.Clauses = append(d.Clauses, s)
		if a, _, ok := strings.Cut(line, "|"); ok {
			d.Scopes = append(d.Scopes, coding.Scope{Span: s, Assertion: coding.Assertion(a)})
		}
	}
	d.Sections = []coding.Section{{Span: coding.Span{End: len(text)}}}
	for _, t := range lexicon.Tokenize(text) {
		switch t.Lower {
		case "left", "right", "bilateral":
			d.Facts = append(d.Facts, coding.Fact{Span: coding.Span{Start: t.Start, End: t.End}, Kind: coding.FactLaterality, Word: t.Lower})
		}
	}
	return d
}

func retriever(t testing.TB, change func(*Config)) *Retriever {
	t.Helper()
	c := Config{Terms: termsOf(tableOf())}
	if change != nil {
		change(&c)
	}
	r, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func candidates(t testing.TB, r *Retriever, text string, o Options) []coding.Candidate {
	t.Helper()
	c, err := r.Retrieve(context.Background(), docOf(text), tableOf(), o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func find(c []coding.Candidate, code string) *coding.Candidate {
	for i := range c {
		if c[i].Code == code {
			return &c[i]
		}
	}
	return nil
}

func TestFirstCandidate(t *testing.T) {
	r := retriever(t, nil)
	for _, c := range []struct{ text, code, evidence string }{
		{"She has type 2 diabetes.\n", "E11.9", "type 2 diabetes"},
		{"Known type II diabetes with chronic kidney disease.\n", "E11.22", "type II diabetes with chronic kidney disease"},
		{"Chronic kidney disease in type 2 diabetes is stable.\n", "E11.22", "Chronic kidney disease in type 2 diabetes"},
		{"HTN, on lisinopril.\n", "I10", "HTN"},
		{"The chest film shows pneumonia.\n", "J18.9", "pneumonia"},
		{"Hepatic cirrhosis was known.\n", "K74.60", "Hepatic cirrhosis"},
		{"Pain in the left shoulder since May.\n", "M25.512", "Pain in the left shoulder"},
		{"Fracture of the lower end of the left radius after a fall.\n", "S52.502A", "Fracture of the lower end of the left radius"},
		{"Follow-up of the fracture of the lower end of the right radius, routine healing.\n", "S52.501D", ""},
	} {
		got := candidates(t, r, c.text, Options{})
		if len(got) == 0 || got[0].Code != c.code {
			t.Errorf("%q: first is %v, want %s", c.text, Codes(got), c.code)
			continue
		}
		m := got[0].Matches[0]
		if ev := c.text[m.Span.Start:m.Span.End]; c.evidence != "" && ev != c.evidence {
			t.Errorf("%q: evidence is %q, want %q", c.text, ev, c.evidence)
		}
	}
}

func Codes(c []coding.Candidate) []string {
	var out []string
	for i := range c {
		out = append(out, c[i].Code)
	}
	return out
}

func TestCapitalsTellNamesFromWords(t *testing.T) {
	r := retriever(t, nil)
	for _, c := range []struct {
		text, code string
		want       bool
	}{
		{"He wears hearing aids.\n", "B20", false},
		{"He was found to have AIDS.\n", "B20", true},
		{"HIV disease under treatment.\n", "B20", true},
		{"She is doing well.\n", "L98.3", false},
		{"The biopsy showed Wells' disease.\n", "L98.3", true},
		{"The biopsy showed wells disease.\n", "L98.3", true},
	} {
		if got := find(candidates(t, r, c.text, Options{}), c.code) != nil; got != c.want {
			t.Errorf("%q: %s found is %v", c.text, c.code, got)
		}
	}
}

func TestCandidatesKeepTheContract(t *testing.T) {
	r := retriever(t, nil)
	table := tableOf()
	got := candidates(t, r, "Type 2 diabetes, hypertension, fever and cough; fracture of the lower end of radius.\nNo pneumonia.\n", Options{})
	seen := map[string]bool{}
	for i, c := range got {
		if c.Rank != i+1 || seen[c.Code] || !table.Billable(c.Code) || c.Display == "" || c.System != coding.ICD10CM {
			t.Errorf("candidate %d is %+v", i, c)
		}
		if i > 0 && c.RetrievalScore > got[i-1].RetrievalScore {
			t.Errorf("candidate %d scores more than the one before", i)
		}
		if len(c.Matches) == 0 {
			t.Errorf("%s has nothing to stand on", c.Code)
		}
		seen[c.Code] = true
	}
	for _, code := range []string{"E11.9", "I10", "R50.9", "R05.9", "S52.509A", "J18.9"} {
		if !seen[code] {
			t.Errorf("%s is missing in %v", code, Codes(got))
		}
	}
	if n := len(candidates(t, r, "Type 2 diabetes, hypertension, fever.\n", Options{Limit: 2})); n != 2 {
		t.Errorf("%d candidates with a limit of 2", n)
	}
}

func TestAssertionTravelsWithTheMatch(t *testing.T) {
	r := retriever(t, nil)
	for _, a := range []coding.Assertion{coding.Negated, coding.Family, coding.Hypothetical, coding.Possible, coding.Historical} {
		got := candidates(t, r, "Seen for fever.\n"+string(a)+"| pneumonia\n", Options{})
		if c := find(got, "J18.9"); c == nil || c.Matches[0].Assertion != a {
			t.Errorf("%s: %+v", a, c)
		}
		if c := find(got, "R50.9"); c == nil || c.Matches[0].Assertion != coding.Present {
			t.Errorf("%s reached the sentence before it", a)
		}
	}
	got := candidates(t, r, "negated| pneumonia\nLater pneumonia was proved.\n", Options{})
	if c := find(got, "J18.9"); c == nil || c.Matches[0].Assertion != coding.Present || len(c.Matches) != 2 {
		t.Errorf("the place that states the code does not come first: %+v", c)
	}
}

func TestNothingToFind(t *testing.T) {
	r := retriever(t, nil)
	for _, text := range []string{"", "\n", "The weather was fine.\n", "... --- ...\n"} {
		if got := candidates(t, r, text, Options{}); len(got) != 0 {
			t.Errorf("%q led to %v", text, Codes(got))
		}
	}
}

func TestSameNoteSameAnswer(t *testing.T) {
	r := retriever(t, nil)
	text := strings.Repeat("Type 2 diabetes with hypertension. Fever, cough; fracture of radius, lower end.\n", 20)
	want := candidates(t, r, text, Options{})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if got := candidates(t, r, text, Options{}); !reflect.DeepEqual(got, want) {
				t.Error("the answer changed between runs")
			}
		})
	}
	wg.Wait()
	// The order in which terms are loaded must not matter either.
	other := retriever(t, func(c *Config) { slices.Reverse(c.Terms) })
	if got := candidates(t, other, text, Options{}); !slices.Equal(Codes(got), Codes(want)) {
		t.Errorf("terms in another order gave %v, want %v", Codes(got), Codes(want))
	}
}

func TestLongSentenceWithoutEnd(t *testing.T) {
	r := retriever(t, nil)
	text := strings.Repeat("fever cough diabetes hypertension radius fracture end left ", 3000) + "\n"
	if got := candidates(t, r, text, Options{}); find(got, "R50.9") == nil {
		t.Error("a sentence of 24,000 words led to nothing")
	}
}

// letters embeds a text by which letters it has: enough to tell that two
// texts are spelt alike.
type letters struct{ calls, texts int }

func (*letters) Name() string { return "letters@1" }

func (l *letters) Embed(_ context.Context, texts []string) ([][]float32, error) {
	l.calls++
	l.texts += len(texts)
	out := make([][]float32, len(texts))
	for i, t := range texts {
		v := make([]float32, 26)
		for _, r := range strings.ToLower(t) {
			if r >= 'a' && r <= 'z' {
				v[r-'a']++
			}
		}
		n := float32(0)
		for _, x := range v {
			n += x * x
		}
		for k := range v {
			v[k] /= sqrt(n) + 1e-9
		}
		out[i] = v
	}
	return out, nil
}

// scan searches by looking at every vector.
type scan struct {
	ids   []int64
	vecs  [][]float32
	calls int
	fail  error
}

func (s *scan) SearchVectors(_ context.Context, _ string, vecs [][]float32, k int) ([][]coding.VectorHit, error) {
	s.calls++
	if s.fail != nil {
		return nil, s.fail
	}
	out := make([][]coding.VectorHit, len(vecs))
	for i, v := range vecs {
		for j, w := range s.vecs {
			d := 0.0
			for x := range v {
				d += float64(v[x] * w[x])
			}
			out[i] = append(out[i], coding.VectorHit{TextID: s.ids[j], Similarity: d})
		}
		slices.SortFunc(out[i], func(a, b coding.VectorHit) int {
			if a.Similarity > b.Similarity {
				return -1
			}
			return 1
		})
		out[i] = out[i][:min(k, len(out[i]))]
	}
	return out, nil
}

func withVectors(t *testing.T) (*Retriever, *letters, *scan) {
	t.Helper()
	e, s := &letters{}, &scan{}
	for _, term := range termsOf(tableOf()) {
		v, _ := e.Embed(context.Background(), []string{term.Text})
		s.ids, s.vecs = append(s.ids, term.TextID), append(s.vecs, v[0])
	}
	e.calls, e.texts = 0, 0
	return retriever(t, func(c *Config) { c.Embedder, c.Searcher = e, s }), e, s
}

func TestVectorsFindWhatWordsDoNot(t *testing.T) {
	r, _, s := withVectors(t)
	text := "Pnuemonai was seen.\n"
	if got := candidates(t, r, text, Options{NoDense: true}); find(got, "J18.9") != nil {
		t.Fatal("the words alone find it; the test shows nothing")
	}
	got := candidates(t, r, text, Options{})
	c := find(got, "J18.9")
	if c == nil || c.Matches[0].Dense < 0.9 || text[c.Matches[0].Span.Start:c.Matches[0].Span.End] != "Pnuemonai" {
		t.Errorf("got %+v", c)
	}
	if s.calls != 1 {
		t.Errorf("%d round trips for a note, want 1", s.calls)
	}
}

func TestKnownMentionsAreNotSearchedAgain(t *testing.T) {
	r, e, s := withVectors(t)
	text := "Pneumonai and fevre.\nSholder pain, cuogh.\n"
	first := candidates(t, r, text, Options{})
	calls, texts := s.calls, e.texts
	if again := candidates(t, r, text, Options{}); !reflect.DeepEqual(first, again) {
		t.Error("an answer kept is not the answer given")
	}
	if s.calls != calls || e.texts != texts {
		t.Error("mentions whose answer was known were searched again")
	}
}

func TestWhatWordsExplainIsNotSearched(t *testing.T) {
	r, _, s := withVectors(t)
	candidates(t, r, "Pneumonia. Type 2 diabetes, hypertension.\n", Options{})
	if s.calls != 0 {
		t.Error("mentions that terms explain whole were searched")
	}
	candidates(t, r, "Pneumonia. Type 2 diabetes, hypertension.\n", Options{NoLexical: true})
	if s.calls != 1 {
		t.Error("vectors alone did not search them")
	}
}

// A long note has more mentions than are searched; what its assessment names is
// among those that are, wherever it stands.
func TestTheLikeliestMentionsAreSearched(t *testing.T) {
	r, e, s := withVectors(t)
	var b strings.Builder
	for i := range 3 * mentionsKept {
		fmt.Fprintf(&b, "Qzx%d wvk%d seen.\n", i, i)
	}
	exam := b.Len()
	b.WriteString("Pnuemonai.\n")
	d := docOf(b.String())
	d.Sections = []coding.Section{
		{Span: coding.Span{End: exam}, Kind: coding.SectionExam},
		{Span: coding.Span{Start: exam, End: b.Len()}, Kind: coding.SectionAssessment},
	}
	got, err := r.Retrieve(context.Background(), d, tableOf(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if find(got, "J18.9") == nil {
		t.Errorf("got %v: the assessment's mention was not searched", Codes(got))
	}
	if s.calls != 1 || e.texts != mentionsKept {
		t.Errorf("%d mentions searched in %d round trips, want %d in one", e.texts, s.calls, mentionsKept)
	}
}

func TestSearchThatFailsIsAnError(t *testing.T) {
	r, _, s := withVectors(t)
	s.fail = errors.New("down")
	if _, err := r.Retrieve(context.Background(), docOf("Pneumonai.\n"), tableOf(), Options{}); !errors.Is(err, s.fail) {
		t.Errorf("got %v", err)
	}
}

func TestWhatNotesTaughtOrdersMentionsOnly(t *testing.T) {
	var ex []learned.Example
	for i := range 20 {
		e := learned.Example{Phrases: []string{"walk", fmt.Sprint("other", i)}, Codes: []string{"I10"}}
		if i%2 == 0 {
			e = learned.Example{Phrases: []string{"swim"}, Codes: []string{"R50.9"}}
		}
		ex = append(ex, e)
	}
	models := &learned.Models{Version: 1, Styles: map[coding.Style]*learned.StyleModels{coding.Mentions: {Memory: learned.Learn(ex)}}}
	r := retriever(t, func(c *Config) { c.Models = models })
	text := "She likes a walk.\n"
	got := candidates(t, r, text, Options{Style: coding.Mentions})
	if len(got) == 0 || got[0].Code != "I10" || got[0].Matches[0].Kind != coding.TermLearned || text[got[0].Matches[0].Span.Start:got[0].Matches[0].Span.End] != "walk" {
		t.Errorf("mentions: %+v", got)
	}
	if got := candidates(t, r, text, Options{Style: coding.Billing}); len(got) != 0 {
		t.Errorf("what was counted in mentions style reached billing: %v", Codes(got))
	}
	if got := candidates(t, r, "negated| a walk\n", Options{Style: coding.Mentions}); len(got) != 0 {
		t.Errorf("a denied phrase led to %v", Codes(got))
	}
}

func TestConfigThatMakesNoRetriever(t *testing.T) {
	e, s := &letters{}, &scan{}
	for name, c := range map[string]Config{
		"no terms":    {},
		"no searcher": {Terms: termsOf(tableOf()), Embedder: e},
		"no embedder": {Terms: termsOf(tableOf()), Searcher: s},
	} {
		if _, err := New(c); !errors.Is(err, ErrConfig) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func FuzzRetrieve(f *testing.F) {
	r := retriever(f, nil)
	f.Add("Type 2 diabetes with fever.\n")
	f.Add("negated| fever, cough")
	f.Add("\xff\xfe fièvre\x00")
	f.Fuzz(func(t *testing.T, text string) {
		d := docOf(text)
		got, err := r.Retrieve(context.Background(), d, tableOf(), Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range got {
			for _, m := range c.Matches {
				if m.Span.Start < 0 || m.Span.Start >= m.Span.End || m.Span.End > len(text) {
					t.Fatalf("span %v in a text of %d bytes", m.Span, len(text))
				}
			}
		}
	})
}
