package rank

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"chartcode/internal/coding"
	"chartcode/internal/learned"
)

// answered is a chain over a small note with one statement and two candidates.
func answered(t testing.TB) (*chain, *batch) {
	t.Helper()
	doc := chart(t)
	c := &chain{cfg: &LLMConfig{PerItem: 10, ByWords: 10, PartBytes: 1000, ListBytes: 1000}, parts: parts(doc, 1000),
		in: Input{Doc: doc, Style: coding.Mentions}, finder: newQuoteFinder(doc)}
	c.index()
	s := &statement{description: "asthma", kind: "condition", assertion: coding.Present, evidence: []coding.Span{spanOf(t, doc.Text, "asthma", 0)}}
	for _, code := range []string{"J45.909", "J44.9"} {
		s.found = append(s.found, coding.Found{Candidate: coding.Candidate{System: coding.ICD10CM, Code: code, Display: "Asthma or COPD"}})
	}
	c.statements = []*statement{s}
	c.offer()
	return c, c.batches[0]
}

// Whatever a model answers, what is kept was offered, stands on words of the
// note, and has a confidence between 0 and 1.
func FuzzChosen(f *testing.F) {
	f.Add(`{"items":[{"item":1,"codes":[{"number":1,"confidence":0.9,"quotes":["asthma"],"rationale":"x"}]}],"first":1}`)
	f.Add(`{"items":[{"item":9,"codes":[{"number":2,"confidence":-7,"quotes":[""],"rationale":""},null,3]},"x",null],"first":"2"}`)
	f.Add(`{"items":[],"first":1e999}`)
	f.Fuzz(func(t *testing.T, answer string) {
		c, b := answered(t)
		p, err := c.readChosen(b, json.RawMessage(answer))
		if err != nil {
			return
		}
		for _, s := range c.finish(p) {
			if s.Code != "J45.909" && s.Code != "J44.9" || math.IsNaN(s.Confidence) || s.Confidence <= 0 || s.Confidence >= 1 || len(s.Evidence) == 0 || strings.ContainsAny(s.Rationale, "\n\r") {
				t.Fatalf("%+v", s)
			}
			for _, e := range s.Evidence {
				if c.in.Doc.Text[e.Start:e.End] != e.Text {
					t.Fatalf("%+v", e)
				}
			}
		}
	})
}

// Statements of any answer stand within the note, and what goes into the next
// prompt is one line without marks of the list.
func FuzzExtracted(f *testing.F) {
	f.Add(`{"items":[{"description":"asthma","quote":"asthma","section":2,"kind":"condition","assertion":"present"}]}`)
	f.Add(`{"items":[{"description":"a|b\n1 | A00 | x","quote":"Chest  pain … today","section":-1e9,"kind":"","assertion":"negated"},7]}`)
	f.Fuzz(func(t *testing.T, answer string) {
		c, _ := answered(t)
		list, err := c.readExtracted(0, json.RawMessage(answer))
		if err != nil {
			return
		}
		for _, s := range list {
			if strings.ContainsAny(s.description, "\n|\"") || len([]rune(s.description)) > longestDescription {
				t.Fatalf("%q", s.description)
			}
			for _, e := range s.evidence {
				if e.Start < 0 || e.End > len(c.in.Doc.Text) || e.Start >= e.End {
					t.Fatalf("%v", e)
				}
			}
		}
	})
}

func TestQuotesThatLeadNowhere(t *testing.T) {
	text := "Takes insulin glargine. Can't sleep. Heart sounds normal. BMI 37. Dementia without behavioral disturbance. No pneumonia, cough for weeks. Afib on Eliquis."
	doc := &coding.Document{Text: text, Setting: coding.Outpatient}
	for _, s := range strings.SplitAfter(text, ". ") {
		doc.Sentences = append(doc.Sentences, coding.Sentence{Span: spanOf(t, text, strings.TrimSpace(s), 0)})
	}
	doc.Scopes = []coding.Scope{
		{Span: spanOf(t, text, "without behavioral disturbance", 0), Assertion: coding.Negated, Cue: spanOf(t, text, "without", 0)},
		{Span: spanOf(t, text, "pneumonia", 0), Assertion: coding.Negated, Cue: spanOf(t, text, "No", 0)},
	}
	doc.Facts = []coding.Fact{{Span: spanOf(t, text, "BMI 37", 0), Kind: coding.FactBMI, Value: 37}}
	for _, c := range []struct {
		code, title, quote string
		backed             bool
	}{
		{"Z79.4", "Long term (current) use of insulin", "Takes insulin glargine", true},
		{"Z79.01", "Long term (current) use of anticoagulants", "Afib on Eliquis", true},
		{"I48.91", "Unspecified atrial fibrillation", "Afib", true},
		{"Z68.37", "Body mass index [BMI] 37.0-37.9, adult", "BMI 37", true},
		{"E66.9", "Obesity, unspecified", "BMI 37", true},
		{"F03.90", "Unspecified dementia, unspecified severity, without behavioral disturbance", "Dementia without behavioral disturbance", true},
		{"R05.9", "Cough, unspecified", "No pneumonia, cough for weeks", true},
		{"J18.9", "Pneumonia, unspecified organism", "No pneumonia, cough for weeks", false},
		{"C34.90", "Malignant neoplasm of unspecified part of unspecified bronchus or lung", "Takes insulin glargine", false},
		{"I50.9", "Heart failure, unspecified", "Heart sounds normal", false},
		{"A41.9", "Sepsis, unspecified organism", "Can't sleep", false},
	} {
		in := &chain{in: Input{Doc: doc}}
		k := &coding.Candidate{Code: c.code, Display: c.title}
		if got := in.backs(&statement{}, k, spanOf(t, text, c.quote, 0)); got != c.backed {
			t.Errorf("%s by %q: %v", c.code, c.quote, got)
		}
	}
}

func TestTablesOfImpliedWords(t *testing.T) {
	rows, err := readImplied(impliedTable)
	if err != nil || len(rows) < 40 {
		t.Fatal(len(rows), err)
	}
	for _, bad := range []string{"words,codes\n,I10\n", "words,codes\nx,\n", "words,codes\nx\n"} {
		if _, err := readImplied([]byte(bad)); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

// The prior says what its comment says, and more of anything is never less.
func TestPriorOfTheLLM(t *testing.T) {
	near := func(got, want float64) bool { return math.Abs(got-want) < 0.03 }
	if both, alone := learned.PriorLLM.Probability(0.9, 0.6, true), learned.PriorLLM.Probability(0.9, 0, false); !near(both, 0.87) || !near(alone, 0.6) {
		t.Errorf("%.3f %.3f", both, alone)
	}
	last := 0.0
	for _, stated := range []float64{0.01, 0.3, 0.5, 0.7, 0.9, 0.99} {
		p := learned.PriorLLM.Probability(stated, 0.3, false)
		if p <= last || p <= 0 || p >= 1 {
			t.Errorf("%.2f gives %.3f after %.3f", stated, p, last)
		}
		last = p
	}
	if p := (learned.LLM{Stated: 1}).Probability(0, 1, true); p <= 0 || p >= 1 {
		t.Errorf("%v", p)
	}
}
