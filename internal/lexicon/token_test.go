package lexicon

import (
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestTokenizeNorms(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"non-small-cell lung cancer", "nonsmall - cell lung cancer"},
		{"X-ray, x ray and xrays", "xray , xray and xray"},
		{"follow-up; follow up; followup", "followup ; followup ; followup"},
		{"post-op post op postop", "postop postop postop"},
		{"non-toxic nontoxic non toxic", "nontox nontox nontox"},
		{"p.o. b.i.d. q.d.", "po bid qd"},
		{"given b.i.d.Then home", "given bid then home"},
		{"s/p CABG, h/o MI, n/v/d w/o fever w/ cough", "s/p cabg , h/o mi , n/v/d w/o fever w/ cough"},
		{"type II diabetes", "type 2 diabet"},
		{"type 2 diabetic", "type 2 diabet"},
		{"type two diabetes", "type 2 diabet"},
		{"type-II", "type - 2"},
		{"stage IIIb", "stag 3b"},
		{"stage 3b", "stag 3b"},
		{"grade IV, IV fluids", "grad 4 , iv fluid"},
		{"cranial nerves II-XII; I am", "cranium nerv 2 - 12 ; i am"},
		{"1,200 mL of 2.50 mg .5 cm", "1200 ml of 2.50 mg 0.5 cm"},
		{"HR103 BP121/57mmHg CA-125 CA125", "hr 103 bp 121 / 57 mmhg ca - 125 ca 125"},
		{"B-12, B12, L5, T2DM, HbA1c", "b12 , b12 , l5 , t2dm , hba1c"},
		{"Crohn's and Crohn’s", "crohn and crohn"},
		{"patients' patient's", "patient ' patient"},
		{"exercise exercised", "exercis exercis"},
		{"naïve Guillain-Barré β-blocker", "naiv guillain - barr beta - blocker"},
		{"3rd degree third degree", "3rd degre 3rd degre"},
		{"metastases metastatic metastasis", "metastas metastas metastas"},
		{"diagnoses diagnosis", "diagnos diagnos"},
		{"biopsies biopsy biopsied", "biops biops biops"},
		{"don't doesn't", "dont doesnt"},
		{"40mg 5'9\"", "40 mg 5 ' 9 \""},
		{"2.,3", "2 . , 3"},
		{"10 mL,1.  Next", "10 ml , 1 . next"},
		{"bilateral bilaterally", "bilateral bilateral"},
		{"stenotic stenosis stenoses", "stenos stenos stenos"},
		{"hypertensive hypertension", "hypertens hypertens"},
		{"emboli embolism embolus", "embol embol embol"},
		{"vertebrae vertebral", "vertebra vertebra"},
		{"neuropathy neuropathic neuropathies", "neuropath neuropath neuropath"},
		{"malaria malar", "malaria malar"},
		{"cystic cyst cysts", "cystic cyst cyst"},
		{"positive position", "positive position"},
		{"mass massive", "mass massive"},
	} {
		got := make([]string, 0, 16)
		for _, tok := range Tokenize(c.text) {
			got = append(got, tok.Norm)
		}
		if d := cmp.Diff(c.want, strings.Join(got, " ")); d != "" {
			t.Errorf("%q: %s", c.text, d)
		}
	}
}

func TestTokenSpans(t *testing.T) {
	text := "Crohn’s disease, s/p CABG x2; T 38.5 °C\nfollow-up"
	want := []string{"Crohn’s", "disease", ",", "s/p", "CABG", "x2", ";", "T", "38.5", "°", "C", "follow-up"}
	var got []string
	for _, tok := range Tokenize(text) {
		got = append(got, text[tok.Start:tok.End])
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// A word that two lines of the table claim would be stemmed by whichever
// comes last.
func TestStemTableHasNoWordTwice(t *testing.T) {
	seen := map[string]string{}
	for _, l := range lines(stemsText) {
		norm, words, ok := strings.Cut(l, ":")
		if !ok {
			t.Fatalf("line without colon: %q", l)
		}
		for w := range strings.FieldsSeq(words) {
			if first, twice := seen[w]; twice {
				t.Errorf("%q stands under %q and %q", w, first, norm)
			}
			seen[w] = norm
		}
	}
}

func TestStopWords(t *testing.T) {
	for _, w := range Norms("the patient has because which of") {
		if !IsStop(w) {
			t.Errorf("%q should be a stop word", w)
		}
	}
	for _, w := range Norms("left right bilateral with without due other unspecified chronic pain diabetes") {
		if IsStop(w) {
			t.Errorf("%q should be no stop word", w)
		}
	}
}

func FuzzTokenize(f *testing.F) {
	for _, s := range []string{"", "a", "s/", "w/", "q.d", "x-", "non-", "’s", "B-1", ".5", "1,2", "\xff\xfe", "é́", "I.V.", "µg", "ab12", "\u00ad"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		end := 0
		for _, tok := range Tokenize(s) {
			if tok.Start < end || tok.End <= tok.Start || tok.End > len(s) {
				t.Fatalf("span [%d,%d) after %d in %q", tok.Start, tok.End, end, s)
			}
			if utf8.ValidString(s) && !utf8.ValidString(s[tok.Start:tok.End]) {
				t.Fatalf("span splits a rune: %q in %q", s[tok.Start:tok.End], s)
			}
			if tok.Norm == "" || tok.Lower == "" {
				t.Fatalf("empty norm for %q in %q", s[tok.Start:tok.End], s)
			}
			end = tok.End
		}
	})
}

var benchText = strings.Repeat("The patient is a 63-year-old white male who was admitted with CHF and lymphoedema. "+
	"He denies any chest pain, shortness of breath or haemoptysis; on Lasix 40 mg p.o. b.i.d.  ", 18) // 3.1 KB

func BenchmarkTokenize(b *testing.B) {
	b.SetBytes(int64(len(benchText)))
	b.ReportAllocs()
	var toks []Token
	for b.Loop() {
		toks = AppendTokens(toks[:0], benchText)
	}
}

func TestBritishSpellings(t *testing.T) {
	raw, err := os.ReadFile("testdata/british.txt")
	if err != nil {
		t.Fatal(err)
	}
	cases := lines(string(raw))
	if len(cases) < 8 {
		t.Fatalf("%d cases", len(cases))
	}
	for _, l := range cases {
		text, want, _ := strings.Cut(l, " = ")
		if got := strings.Join(Norms(text), " "); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
