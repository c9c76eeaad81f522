package rank

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"chartcode/internal/coding"
)

// spanOf is the n-th place (from 0) of words in text.
func spanOf(t testing.TB, text, words string, n int) coding.Span {
	t.Helper()
	at := 0
	for ; ; n-- {
		i := strings.Index(text[at:], words)
		if i < 0 {
			t.Fatalf("%q is not in the text", words)
		}
		if n == 0 {
			return coding.Span{Start: at + i, End: at + i + len(words)}
		}
		at += i + 1
	}
}

// chart is a small note, read by hand.
func chart(t testing.TB) *coding.Document {
	t.Helper()
	text := "HPI: Denies chest pain. Mother had breast cancer.  \r\n" +
		"ASSESSMENT:\nType 2 diabetes mellitus – with  chronic\nkidney disease, stage 3. \u201cBrittle\u201d asthma. Never smoked. Chest pain on exertion today.\n" +
		"PLAN: If fever returns, call. Screening for colon cancer due. COPD… mild; naïve to steroids."
	doc := &coding.Document{Text: text, Setting: coding.Outpatient}
	scope := func(words string, a coding.Assertion) {
		doc.Scopes = append(doc.Scopes, coding.Scope{Span: spanOf(t, text, words, 0), Assertion: a})
	}
	scope("Denies chest pain", coding.Negated)
	scope("Mother had breast cancer", coding.Family)
	scope("Never smoked", coding.Negated)
	scope("If fever returns", coding.Hypothetical)
	scope("Screening for colon cancer", coding.Hypothetical)
	starts := []string{"HPI:", "ASSESSMENT:", "PLAN:"}
	kinds := []coding.SectionKind{coding.SectionHPI, coding.SectionAssessment, coding.SectionPlan}
	for i, h := range starts {
		head := spanOf(t, text, h, 0)
		end := len(text)
		if i+1 < len(starts) {
			end = strings.Index(text, starts[i+1])
		}
		doc.Sections = append(doc.Sections, coding.Section{Span: coding.Span{Start: head.Start, End: end}, Heading: head, Kind: kinds[i]})
	}
	for _, s := range []string{"Denies chest pain.", "Mother had breast cancer.", "Type 2 diabetes mellitus – with  chronic\nkidney disease, stage 3.",
		"\u201cBrittle\u201d asthma.", "Never smoked.", "Chest pain on exertion today.", "If fever returns, call.", "Screening for colon cancer due.", "COPD… mild; naïve to steroids."} {
		doc.Sentences = append(doc.Sentences, coding.Sentence{Span: spanOf(t, text, s, 0)})
	}
	return doc
}

func TestQuotesAreFound(t *testing.T) {
	doc := chart(t)
	for name, c := range map[string]struct {
		code, quote string
		match       string // words that retrieval found, stated as present
		want        []string
		counts      LLMCounts
	}{
		"letter by letter":                    {code: "J45.909", quote: "asthma", want: []string{"asthma"}, counts: LLMCounts{QuotesExact: 1}},
		"white space and case":                {code: "E11.22", quote: "CHRONIC kidney disease,  stage 3", want: []string{"chronic\nkidney disease, stage 3"}, counts: LLMCounts{QuotesTolerant: 1}},
		"dash":                                {code: "E11.22", quote: "diabetes mellitus - with chronic", want: []string{"diabetes mellitus – with  chronic"}, counts: LLMCounts{QuotesTolerant: 1}},
		"quotation marks":                     {code: "J45.909", quote: `"brittle" asthma.`, want: []string{"Brittle\u201d asthma"}, counts: LLMCounts{QuotesTolerant: 1}},
		"quoted quote":                        {code: "J45.909", quote: `"asthma"`, want: []string{"asthma"}, counts: LLMCounts{QuotesTolerant: 1}},
		"ellipsis of the note":                {code: "J44.9", quote: "COPD... mild", want: []string{"COPD… mild"}, counts: LLMCounts{QuotesTolerant: 1}},
		"words left out":                      {code: "E11.22", quote: "Type 2 diabetes mellitus ... kidney disease", want: []string{"Type 2 diabetes mellitus", "kidney disease"}, counts: LLMCounts{QuotesTolerant: 1}},
		"letters with marks":                  {code: "Z92.241", quote: "NAÏVE", want: []string{"naïve"}, counts: LLMCounts{QuotesTolerant: 1}},
		"the place that is not denied":        {code: "R07.9", quote: "chest pain", want: []string{"Chest pain"}, counts: LLMCounts{QuotesTolerant: 1}},
		"family for family":                   {code: "Z80.3", quote: "Mother had breast cancer", want: []string{"Mother had breast cancer"}, counts: LLMCounts{QuotesExact: 1}},
		"denied for a status":                 {code: "Z78.9", quote: "Never smoked", want: []string{"Never smoked"}, counts: LLMCounts{QuotesExact: 1}},
		"feared for a screening":              {code: "Z12.11", quote: "Screening for colon cancer", want: []string{"Screening for colon cancer"}, counts: LLMCounts{QuotesExact: 1}},
		"order of words":                      {code: "E11.22", quote: "chronic kidney disease with type 2 diabetes mellitus", want: []string{"Type 2 diabetes mellitus – with  chronic\nkidney disease"}, counts: LLMCounts{QuotesReformatted: 1}},
		"few words, changed":                  {code: "J45.909", quote: "asthma, brittle type", match: "asthma", counts: LLMCounts{QuotesMissing: 1}},
		"some letters differ":                 {code: "E11.22", quote: "Type 2 diabetis melitus with chronic", want: []string{"Type 2 diabetes mellitus – with  chronic"}, counts: LLMCounts{QuotesNear: 1}},
		"retrieval knows better than a scope": {code: "R50.9", quote: "fever", match: "fever", want: []string{"fever"}, counts: LLMCounts{QuotesExact: 1}},

		"denied":                  {code: "R07.9", quote: "Denies chest pain", counts: LLMCounts{QuotesUnsupported: 1}},
		"of the family":           {code: "C50.919", quote: "breast cancer", counts: LLMCounts{QuotesUnsupported: 1}},
		"feared":                  {code: "R50.9", quote: "If fever returns", counts: LLMCounts{QuotesUnsupported: 1}},
		"a heading":               {code: "E11.22", quote: "ASSESSMENT", counts: LLMCounts{QuotesUnsupported: 1}},
		"invented":                {code: "I50.9", quote: "congestive heart failure", counts: LLMCounts{QuotesMissing: 1}},
		"invented beside a match": {code: "J45.909", quote: "severe asthma with daily attacks at night", match: "asthma", counts: LLMCounts{QuotesMissing: 1}},
		"part of a word":          {code: "E11.22", quote: "abetes mell", counts: LLMCounts{QuotesMissing: 1}},
		"one letter":              {code: "E11.22", quote: "c", counts: LLMCounts{QuotesMissing: 1}},
		"nothing":                 {code: "E11.22", quote: " \"...\" ", counts: LLMCounts{QuotesMissing: 1}},
		"another stage":           {code: "E11.22", quote: "with chronic kidney disease, stage 4", counts: LLMCounts{QuotesMissing: 1}},
		"another side":            {code: "E11.22", quote: "left chronic kidney disease, stage 3", counts: LLMCounts{QuotesMissing: 1}},
		"too long":                {code: "E11.22", quote: doc.Text + strings.Repeat(" x", 300), counts: LLMCounts{QuotesMissing: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			cand := coding.Candidate{Code: c.code}
			if c.match != "" {
				cand.Matches = []coding.Match{{Span: spanOf(t, doc.Text, c.match, 0), Assertion: coding.Present}}
			}
			var counts LLMCounts
			ev := newQuoteFinder(doc).evidence(&cand, []string{c.quote}, &counts)
			var got []string
			for _, e := range ev {
				if doc.Text[e.Start:e.End] != e.Text {
					t.Errorf("span %v does not hold %q", e.Span, e.Text)
				}
				got = append(got, e.Text)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			if counts != c.counts {
				t.Errorf("counts %+v, want %+v", counts, c.counts)
			}
		})
	}
}

func TestEvidenceIsBoundedAndDoesNotOverlap(t *testing.T) {
	doc := chart(t)
	var counts LLMCounts
	ev := newQuoteFinder(doc).evidence(&coding.Candidate{Code: "E11.22"},
		[]string{"diabetes", "Type 2 diabetes", "kidney disease", "kidney", "stage 3", "asthma"}, &counts)
	if len(ev) != evidenceKept {
		t.Errorf("%d places", len(ev))
	}
	for i := range ev {
		for k := range i {
			if ev[i].Overlaps(ev[k].Span) {
				t.Errorf("%q overlaps %q", ev[i].Text, ev[k].Text)
			}
		}
	}
}

// Whatever a model quotes, evidence is a piece of the text at rune boundaries,
// and a piece of the text quoted as it is is found.
func FuzzQuote(f *testing.F) {
	f.Add("İstanbul – “MI”… \u00ad\u200bx\r\n\tok", "mi", 3, 9)
	f.Add("type 2 diabetes ... nephropathy", "type 2 ... nephropathy", 0, 6)
	f.Fuzz(func(t *testing.T, text, quote string, from, to int) {
		if !utf8.ValidString(text) {
			return
		}
		doc := &coding.Document{Text: text}
		var counts LLMCounts
		for _, e := range newQuoteFinder(doc).evidence(&coding.Candidate{Code: "E11.9"}, []string{quote}, &counts) {
			if e.Start < 0 || e.End > len(text) || e.Start >= e.End || text[e.Start:e.End] != e.Text || !utf8.ValidString(e.Text) {
				t.Fatalf("%v of %q", e.Span, text)
			}
		}
		if from < 0 || to > len(text) || from >= to || !utf8.RuneStart(text[from]) || to < len(text) && !utf8.RuneStart(text[to]) {
			return
		}
		piece := text[from:to]
		if q, _, _ := fold(piece); lettersAndDigits(piece) != len([]rune(piece)) || lettersAndDigits(q) < shortestQuote || len(q) > longestQuote || !wholeWords(text, from, to) {
			return
		}
		if spans, _ := newQuoteFinder(doc).find(piece, func(coding.Span) bool { return true }); len(spans) != 1 {
			t.Fatalf("%q of %q was not found", piece, text)
		}
	})
}
