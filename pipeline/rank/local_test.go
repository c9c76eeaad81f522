package rank

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"

	"chartcode/internal/coding"
	"chartcode/internal/gbdt"
	"chartcode/internal/learned"
)

// note builds a document of sections and the candidates found in it.
type note struct {
	doc   coding.Document
	cands []coding.Candidate
}

func (n *note) section(kind coding.SectionKind, text string) *note {
	start := len(n.doc.Text)
	n.doc.Text += text + "\n"
	s := coding.Span{Start: start, End: len(n.doc.Text)}
	n.doc.Sections = append(n.doc.Sections, coding.Section{Span: s, Kind: kind})
	n.doc.Sentences = append(n.doc.Sentences, coding.Sentence{Span: s, Section: len(n.doc.Sections) - 1})
	return n
}

// found adds a candidate whose words stand in the note, last section first.
func (n *note) found(code, title, words string, score float64, a coding.Assertion) *note {
	at := strings.LastIndex(n.doc.Text, words)
	if at < 0 {
		panic("the words are not in the note: " + words)
	}
	m := coding.Match{
		Span: coding.Span{Start: at, End: at + len(words)}, Term: title, Kind: coding.TermTitle, TermCode: code, Lexical: 1,
		Assertion: a, Section: n.doc.SectionAt(at),
	}
	for i := range n.cands {
		if n.cands[i].Code == code {
			n.cands[i].Matches = append(n.cands[i].Matches, m)
			n.cands[i].Grounds = append(n.cands[i].Grounds, grounds(m)...)
			return n
		}
	}
	n.cands = append(n.cands, coding.Candidate{
		System: coding.ICD10CM, Code: code, Display: title, Rank: len(n.cands) + 1, RetrievalScore: score, Matches: []coding.Match{m}, Grounds: grounds(m),
	})
	return n
}

// grounds is the place of a match as retrieval gives it when nothing speaks
// against it: not where the words are denied.
func grounds(m coding.Match) []coding.Ground {
	if !stated(m.Assertion) {
		return nil
	}
	return []coding.Ground{{Span: m.Span, Assertion: m.Assertion, Support: 0.95}}
}

func newNote(s coding.Setting) *note { return &note{doc: coding.Document{Setting: s}} }

func ranked(t *testing.T, n *note, style coding.Style) []coding.Suggestion {
	t.Helper()
	l, err := NewLocal(LocalConfig{Models: &learned.Models{Version: 3, Styles: map[coding.Style]*learned.StyleModels{
		coding.Mentions: {Threshold: 0.3},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	out, err := l.Rank(context.Background(), Input{Doc: &n.doc, Style: style, Candidates: n.cands})
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range out.Suggestions {
		if s.Rank != i+1 || s.Confidence <= 0 || s.Confidence >= 1 || len(s.Evidence) == 0 || !strings.HasSuffix(s.Rationale, ".") {
			t.Errorf("suggestion %+v", s)
		}
		for _, e := range s.Evidence {
			if n.doc.Text[e.Start:e.End] != e.Text || e.Text == "" {
				t.Errorf("%s: evidence %q is not what stands at %v", s.Code, e.Text, e.Span)
			}
		}
	}
	again, err := l.Rank(context.Background(), Input{Doc: &n.doc, Style: style, Candidates: n.cands})
	if err != nil || !reflect.DeepEqual(out, again) {
		t.Error("the same input gave another output")
	}
	return out.Suggestions
}

func codes(s []coding.Suggestion) string {
	var out []string
	for _, x := range s {
		out = append(out, x.Code)
	}
	return strings.Join(out, " ")
}

func TestBilling(t *testing.T) {
	for _, c := range []struct {
		name string
		note *note
		want string
	}{
		{"the assessment is coded, first item first", newNote(coding.Outpatient).
			section(coding.SectionHPI, "Knee pain for a month.").
			section(coding.SectionAssessment, "1. Gout. 2. Hypertension.").
			found("I10", "Essential (primary) hypertension", "Hypertension", 0.8, coding.Present).
			found("M10.9", "Gout, unspecified", "Gout", 0.7, coding.Present), "M10.9 I10"},
		{"a sign gives way to its diagnosis", newNote(coding.Outpatient).
			section(coding.SectionHPI, "She has a cough.").
			section(coding.SectionAssessment, "Pneumonia.").
			found("J18.9", "Pneumonia, unspecified organism", "Pneumonia", 0.8, coding.Present).
			found("R05.9", "Cough, unspecified", "cough", 0.6, coding.Present), "J18.9"},
		{"a sign alone is coded", newNote(coding.Outpatient).
			section(coding.SectionAssessment, "Chest pain.").
			found("R07.9", "Chest pain, unspecified", "Chest pain", 0.7, coding.Present), "R07.9"},
		{"uncertain, outpatient: not coded", newNote(coding.Outpatient).
			section(coding.SectionAssessment, "Probable pneumonia.").
			found("J18.9", "Pneumonia, unspecified organism", "pneumonia", 0.8, coding.Possible), ""},
		{"uncertain, inpatient at discharge: coded", newNote(coding.Inpatient).
			section(coding.SectionDischargeDx, "Probable pneumonia.").
			found("J18.9", "Pneumonia, unspecified organism", "pneumonia", 0.8, coding.Possible), "J18.9"},
		{"uncertain influenza is not coded, inpatient either", newNote(coding.Inpatient).
			section(coding.SectionDischargeDx, "Probable influenza.").
			found("J10.1", "Influenza due to other identified influenza virus with other respiratory manifestations", "influenza", 0.8, coding.Possible), ""},
		{"denied: not coded", newNote(coding.Outpatient).
			section(coding.SectionAssessment, "No pneumonia.").
			found("J18.9", "Pneumonia, unspecified organism", "pneumonia", 0.9, coding.Negated), ""},
		{"of the family: its own code alone", newNote(coding.Outpatient).
			section(coding.SectionFamily, "Breast cancer in mother.").
			found("C50.919", "Malignant neoplasm of unspecified site of unspecified female breast", "Breast cancer", 0.9, coding.Family).
			found("Z80.3", "Family history of malignant neoplasm of breast", "Breast cancer in mother", 0.8, coding.Family), "Z80.3"},
		{"feared: not coded", newNote(coding.Outpatient).
			section(coding.SectionPlan, "Return if fever.").
			found("R50.9", "Fever, unspecified", "fever", 0.9, coding.Hypothetical), ""},
		{"history of what lasts is coded", newNote(coding.Outpatient).
			section(coding.SectionHPI, "History of hypertension.").
			found("I10", "Essential (primary) hypertension", "hypertension", 0.8, coding.Historical), "I10"},
		{"history of what has passed is not", newNote(coding.Outpatient).
			section(coding.SectionHPI, "History of appendicitis.").
			found("K37", "Unspecified appendicitis", "appendicitis", 0.8, coding.Historical), ""},
		{"one code for one condition", newNote(coding.Outpatient).
			section(coding.SectionAssessment, "Type 2 diabetes with chronic kidney disease.").
			found("E11.22", "Type 2 diabetes mellitus with diabetic chronic kidney disease", "Type 2 diabetes with chronic kidney disease", 0.8, coding.Present).
			found("E11.9", "Type 2 diabetes mellitus without complications", "Type 2 diabetes", 0.75, coding.Present), "E11.22"},
		{"both sides where the note names both", newNote(coding.Outpatient).
			section(coding.SectionAssessment, "Right ear wax. Hypertension.").
			found("H61.21", "Impacted cerumen, right ear", "Right ear wax", 0.8, coding.Present).
			found("I10", "Essential (primary) hypertension", "Hypertension", 0.9, coding.Present), "H61.21 I10"},
		{"an external cause is never first", newNote(coding.Emergency).
			section(coding.SectionAssessment, "Fall on stairs. Wrist sprain.").
			found("W10.9XXA", "Fall (on) (from) unspecified stairs and steps, initial encounter", "Fall on stairs", 0.9, coding.Present).
			found("S63.501A", "Unspecified sprain of right wrist, initial encounter", "Wrist sprain", 0.8, coding.Present), "S63.501A W10.9XXA"},
		{"nothing to code", newNote(coding.Outpatient).section(coding.SectionPlan, "Return in a year."), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := codes(ranked(t, c.note, coding.Billing)); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestMentionsShowWhatReachesTheThreshold(t *testing.T) {
	n := newNote(coding.Outpatient).section(coding.SectionUnknown, "Fever and cough with probable pneumonia. No asthma.").
		found("R50.9", "Fever, unspecified", "Fever", 0.9, coding.Present).
		found("J45.909", "Unspecified asthma, uncomplicated", "asthma", 0.8, coding.Negated).
		found("J18.9", "Pneumonia, unspecified organism", "pneumonia", 0.6, coding.Possible).
		found("R05.9", "Cough, unspecified", "cough", 0.2, coding.Present)
	got := ranked(t, n, coding.Mentions)
	if codes(got) != "R50.9 J18.9" {
		t.Fatalf("got %s, want the two that reach 0.3 and are not denied", codes(got))
	}
	if got[0].Role != coding.RoleFirstListed || got[1].Role != coding.RoleSecondary {
		t.Errorf("roles %s and %s", got[0].Role, got[1].Role)
	}
	if got[0].Confidence < 0.89 || got[0].Confidence > 0.91 {
		t.Errorf("without a model the confidence is the retrieval score; got %.3f", got[0].Confidence)
	}
}

func TestRationaleNamesTermPlaceAndAssertion(t *testing.T) {
	n := newNote(coding.Outpatient).section(coding.SectionAssessment, "Gout of left foot.").
		found("M10.9", "Gout, unspecified", "Gout", 0.9, coding.Present)
	got := ranked(t, n, coding.Billing)
	if len(got) != 1 || got[0].Rationale != "Matches the title 'Gout, unspecified' in Assessment; stated as present." {
		t.Errorf("got %+v", got)
	}
}

func TestRowsSayWhatTheirNamesSay(t *testing.T) {
	n := newNote(coding.Outpatient).section(coding.SectionUnknown, "Acute renal failure in old age.").
		found("N17.9", "Acute kidney failure, unspecified", "Acute renal failure", 0.9, coding.Present).
		found("N19", "Unspecified kidney failure", "renal failure", 0.5, coding.Present).
		found("R54", "Age-related physical debility", "old age", 0.4, coding.Historical)
	rows := Rows(Input{Doc: &n.doc, Candidates: n.cands})
	if len(rows) != 3 || len(rows[0]) != len(Features()) {
		t.Fatalf("%d rows of %d values", len(rows), len(rows[0]))
	}
	for _, c := range []struct {
		row, feature int
		want         float32
	}{
		{0, fInside, 0}, {1, fInside, 1}, {2, fInside, 0}, {1, fOverlapCount, 1}, {2, fOverlapCount, 0}, {2, fHistorical, 1}, {0, fHistorical, 0},
		{0, fAhead, 0}, {1, fVague, 1}, {2, fSign, 1}, {2, fSentenceCount, 2}, {2, fOverlap, absent},
	} {
		if got := rows[c.row][c.feature]; got != c.want {
			t.Errorf("row %d, %s: %v, want %v", c.row, featureNames[c.feature], got, c.want)
		}
	}
}

func TestModelsThatDoNotFit(t *testing.T) {
	if _, err := NewLocal(LocalConfig{}); !errors.Is(err, ErrModels) {
		t.Errorf("without models: %v", err)
	}
	m := &learned.Models{Version: 1, Styles: map[coding.Style]*learned.StyleModels{coding.Mentions: {Rank: &gbdt.Model{Features: []string{"x"}}}}}
	if _, err := NewLocal(LocalConfig{Models: m}); !errors.Is(err, ErrModels) {
		t.Errorf("models of other features: %v", err)
	}
	l, err := NewLocal(LocalConfig{Models: &learned.Models{Version: 12}})
	if err != nil || l.Name() != "local@12" {
		t.Errorf("%v, %v", l, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := l.Rank(ctx, Input{}); !errors.Is(err, context.Canceled) {
		t.Errorf("an ended context gave %v", err)
	}
}

// Only places that are likely to be right carry a code: a suggestion stands on
// one, and shows no other.
func TestEvidenceIsWhatSupportsTheCode(t *testing.T) {
	n := newNote(coding.Outpatient).section(coding.SectionUnknown, "The liver was looked at. Fatty liver. Liver function as before. Fever.").
		found("K76.0", "Fatty liver", "Fatty liver", 0.9, coding.Present).
		found("K76.9", "Liver disease", "liver", 0.9, coding.Present).
		found("R50.9", "Fever", "Fever", 0.9, coding.Present)
	n.cands[0].Grounds = append(n.cands[0].Grounds,
		coding.Ground{Span: coding.Span{Start: 4, End: 9}, Assertion: coding.Present, Support: shownFrom - 0.01})
	n.cands[1].Grounds[0].Support = groundedFrom - 0.01
	n.cands[2].Grounds[0].Support = groundedFrom
	got := ranked(t, n, coding.Mentions)
	if codes(got) != "K76.0 R50.9" {
		t.Fatalf("got %s, want no code that stands on the bare name of an organ", codes(got))
	}
	if ev := got[0].Evidence; len(ev) != 1 || ev[0].Text != "Fatty liver" {
		t.Errorf("evidence %+v, want what supports the code alone", ev)
	}
}
