package segment

import (
	"fmt"
	"sort"
	"testing"
	"unicode/utf8"

	"chartcode/internal/coding"
	"chartcode/internal/lexicon"
)

// violation gives the first promise of Segment that a document breaks, empty
// when it keeps all.
func violation(doc *coding.Document) string {
	t := doc.Text
	bad := func(s coding.Span) bool {
		return s.Start < 0 || s.End < s.Start || s.End > len(t) || s.Start < len(t) && !utf8.RuneStart(t[s.Start]) || s.End < len(t) && !utf8.RuneStart(t[s.End])
	}
	valid := utf8.ValidString(t)
	end := 0
	for i, s := range doc.Sections {
		switch {
		case s.Start != end:
			return fmt.Sprintf("section %d begins at %d, not at %d", i, s.Start, end)
		case valid && (bad(s.Span) || bad(s.Heading)):
			return fmt.Sprintf("section %d has a bad span", i)
		case s.Heading.Len() > 0 && !s.Span.Contains(s.Heading):
			return fmt.Sprintf("heading %d lies outside its section", i)
		}
		end = s.End
	}
	if end != len(t) {
		return fmt.Sprintf("sections end at %d of %d", end, len(t))
	}
	end = 0
	for i, s := range doc.Sentences {
		switch {
		case s.Start < end || s.Len() == 0:
			return fmt.Sprintf("sentence %d is empty or out of order", i)
		case valid && bad(s.Span):
			return fmt.Sprintf("sentence %d has a bad span", i)
		case s.Section < 0 || s.Section >= len(doc.Sections) || !doc.Sections[s.Section].Contains(s.Span):
			return fmt.Sprintf("sentence %d lies outside its section", i)
		}
		end = s.End
	}
	end = 0
	for i, c := range doc.Clauses {
		if c.Start < end || c.Len() == 0 || valid && bad(c) {
			return fmt.Sprintf("clause %d is empty or out of order", i)
		}
		if k := doc.SentenceAt(c.Start); k < 0 || !doc.Sentences[k].Contains(c) {
			return fmt.Sprintf("clause %d lies outside a sentence", i)
		}
		end = c.End
	}
	for i, s := range doc.Scopes {
		if s.Len() == 0 || valid && (bad(s.Span) || bad(s.Cue)) || i > 0 && s.Start < doc.Scopes[i-1].Start {
			return fmt.Sprintf("scope %d is empty, out of order or has a bad span", i)
		}
		switch s.Assertion {
		case coding.Negated, coding.Possible, coding.Historical, coding.Family, coding.Hypothetical:
		default:
			return fmt.Sprintf("scope %d has assertion %q", i, s.Assertion)
		}
	}
	for i, f := range doc.Facts {
		if f.Len() == 0 || valid && bad(f.Span) || i > 0 && f.Start < doc.Facts[i-1].Start || f.Kind == "" {
			return fmt.Sprintf("fact %d is empty, out of order or has a bad span", i)
		}
	}
	// Every word is in a heading, in a sentence, or marks a list item.
	k := 0
	for _, tok := range lexicon.Tokenize(t) {
		if tok.Kind != lexicon.Word {
			continue
		}
		for k < len(doc.Sentences) && doc.Sentences[k].End <= tok.Start {
			k++
		}
		if k < len(doc.Sentences) && doc.Sentences[k].Start < tok.End {
			continue
		}
		covered := tok.End-tok.Start <= 3 // a. b) ii
		if i := sort.Search(len(doc.Sections), func(i int) bool { return doc.Sections[i].End > tok.Start }); i < len(doc.Sections) {
			// The words between a heading and its colon, as in "DIAGNOSIS (ES):".
			h := doc.Sections[i].Heading
			covered = covered || h.Len() > 0 && h.Start <= tok.Start && tok.Start < h.End+70
		}
		if !covered {
			return fmt.Sprintf("the word at [%d,%d) is in no sentence", tok.Start, tok.End)
		}
	}
	return ""
}

func TestPromisesOnNotes(t *testing.T) {
	for id, n := range readNotes(t) {
		if v := violation(Segment(n)); v != "" {
			t.Errorf("%s: %s", id, v)
		}
	}
}

func FuzzSegment(f *testing.F) {
	for _, s := range []string{
		"", " ", "\n\n", ":", ",,", "PLAN:", "PLAN:,1. Rest.,2. Fluids", "No fever, chills or cough.", "• a\n- b\n1. c", "CC: x HPI: y",
		"His mother had", "family history of", "s/p", "(-) fever", "?TIA", "BP 1/2", "39-2/7 weeks", "\xff\xfe", "é\u0301 no \u2019s", "A. ", "1)", "a,B", "denies:\n-",
		"ASSESSMENT AND PLAN\n1. Gout.\n- Plan: rest\n2. x", "not not not", "history of history of", "vs vs vs", "in 2003", "risk of risk of", "its mother's",
		"[ ] a [x] b", "( )", "☐ a ☑", "[", "(x", "a - / b +", "+ a, - b", "- , -", "a (no), b (-)", "?", "a? No", "Any? ", "a\tno", "a | no |", "S -, a,O -, b", "A,: b", "#1 a",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if v := violation(Segment(coding.Note{Text: s})); v != "" {
			t.Fatalf("%q: %s", s, v)
		}
	})
}

func TestSegmentIsDeterministic(t *testing.T) {
	text := "PMH: HTN, no DM.\nHPI: possible TIA; mother had stroke. BMI 31.\nPLAN: call if fever"
	first := render(Segment(coding.Note{Text: text}), "facts.txtar")
	for range 20 {
		if got := render(Segment(coding.Note{Text: text}), "facts.txtar"); got != first {
			t.Fatalf("differs:\n%s\n%s", first, got)
		}
	}
}

func repeat(s string, n int) string {
	b := make([]byte, 0, n+len(s))
	for len(b) < n {
		b = append(b, s...)
	}
	return string(b[:n])
}

func TestSetting(t *testing.T) {
	for _, c := range []struct {
		name    string
		note    coding.Note
		want    coding.Setting
		assumed bool
	}{
		{"stated", coding.Note{Text: "DISCHARGE SUMMARY", Setting: coding.Professional}, coding.Professional, false},
		{"titled a discharge summary", coding.Note{Text: "DISCHARGE SUMMARY\n\nHOSPITAL COURSE: Well."}, coding.Inpatient, true},
		{"admission and discharge diagnosis", coding.Note{Text: "ADMITTING DIAGNOSIS: Sepsis.\nDISCHARGE DIAGNOSIS: Sepsis."}, coding.Inpatient, true},
		{"course and discharge", coding.Note{Text: "DISCHARGE DIAGNOSES:,1. MI.,HOSPITAL COURSE: ,He did well."}, coding.Inpatient, true},
		{"discharge alone", coding.Note{Text: "FINDINGS: Normal.\nDISCHARGE INSTRUCTIONS: Rest."}, coding.Outpatient, true},
		{"emergency note", coding.Note{Text: "EMERGENCY DEPARTMENT NOTE\nCC: fall"}, coding.Emergency, true},
		{"ED course", coding.Note{Text: "CC: Fall\nED COURSE: Fluids."}, coding.Emergency, true},
		{"emergency in prose", coding.Note{Text: "He was seen in the emergency department last week."}, coding.Outpatient, true},
		{"visit", coding.Note{Text: "CHIEF COMPLAINT: Cough"}, coding.Outpatient, true},
		{"unknown setting", coding.Note{Text: "Cough", Setting: "moon"}, coding.Outpatient, true},
		{"empty", coding.Note{}, coding.Outpatient, true},
	} {
		doc := Segment(c.note)
		if doc.Setting != c.want || doc.Assumed != c.assumed {
			t.Errorf("%s: %s, assumed %v; want %s, %v", c.name, doc.Setting, doc.Assumed, c.want, c.assumed)
		}
	}
}

// A year is past only before the date of service.
func TestYearsCountFromTheDateOfService(t *testing.T) {
	text := "MI in 2015."
	span := coding.Span{Start: 0, End: 2}
	for _, c := range []struct {
		date coding.Date
		want coding.Assertion
	}{{coding.NewDate(2026, 1, 5), coding.Historical}, {coding.NewDate(2015, 6, 1), coding.Present}, {coding.Date{}, coding.Historical}} {
		if got := Segment(coding.Note{Text: text, ServiceDate: c.date}).AssertionOf(span); got != c.want {
			t.Errorf("served %s: %s, want %s", c.date, got, c.want)
		}
	}
}

func BenchmarkSegment(b *testing.B) {
	notes := readNotes(b)
	list := make([]coding.Note, 0, len(notes))
	size := 0
	for _, n := range notes {
		list = append(list, n)
		size += len(n.Text)
	}
	b.SetBytes(int64(size / len(list)))
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		Segment(list[i%len(list)])
		i++
	}
}
