package rank

import (
	"strings"
	"testing"

	"chartcode/internal/coding"
)

// TestSequenced: the codes in the order of the model, each with the section that
// states it, and which the guidelines put first. All is invented.
func TestSequenced(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, items, want string }{
		{"a sign before a diagnosis of the assessment (IV.D)", "R42=hpi;H81.11=assessment", "H81.11"},
		{"the sign is assessed before it", "R42=assessment;H81.11=assessment", "R42"},
		{"and after it", "R42=2assessment;H81.11=assessment", "H81.11"},
		{"a diagnosis that is not listed", "R42=hpi;H81.11=past_medical_history", "R42"},
		{"history is no diagnosis of the visit", "R42=hpi;Z87.440=assessment", "R42"},
		{"before the operation and after (IV.N)", "K61.1=preoperative_diagnosis;K61.0=postoperative_diagnosis", "K61.0"},
		{"both after", "K61.1=postoperative_diagnosis;K61.0=2postoperative_diagnosis", "K61.1"},
		{"what the encounter is for stays", "Z47.2=procedure;M84.40XA=postoperative_diagnosis", "Z47.2"},
		{"a poisoning before what it did (I.C.19.e.5.b)", "F33.9=assessment;T43.221A=hpi", "T43.221A"},
		{"before a listed diagnosis that is no sign", "R40.20=hpi;J96.01=assessment;T40.2X1A=hpi", "T40.2X1A"},
		{"of a drug that is not named", "F33.9=assessment;T43.92XA=hpi", "T43.92XA"},
		{"a toxic effect", "R11.2=hpi;T51.0X1A=hpi", "T51.0X1A"},
		{"what is left of one goes after it (I.B.10)", "G93.1=assessment;T43.221S=hpi", "G93.1"},
		{"of a pregnancy first what its chapter has (I.C.15.a.1)", "O9A.211=assessment;T43.221A=hpi", "O9A.211"},
		{"nor what an operation found", "O03.4=preoperative_diagnosis;N84.0=postoperative_diagnosis", "O03.4"},
		{"a poisoning that was", "F33.9=assessment;T43.221A=hpi?", "F33.9"},
		{"discharged with it", "I21.4=discharge_diagnosis;N84.0=postoperative_diagnosis", "I21.4"},
		{"an adverse effect after it", "K29.00=assessment;T39.395A=hpi", "K29.00"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			in, chosen := sectioned(c.items)
			out := sequenced(in, chosen)
			if got := in.Candidates[out[0].Candidate].Code; got != c.want || len(out) != len(chosen) {
				t.Errorf("got %s of %d codes, want %s", got, len(out), c.want)
			}
		})
	}
}

// TestFavorListed: what the list begins with gets the advantage, and nothing else.
func TestFavorListed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		items string
		want  int
		by    float64
	}{
		{"I10=2assessment;R51.9=assessment", 1, assessedFirst},
		{"I10=assessment;Z79.4=assessment", 0, assessedFirst},
		{"R10.2=postoperative_diagnosis;N84.0=2postoperative_diagnosis", 1, postopFirst},
	} {
		in, chosen := sectioned(c.items)
		score := make([]float64, len(chosen))
		favorListed(in, chosen, score)
		for i, s := range score {
			if want := map[bool]float64{true: c.by}[i == c.want]; s != want {
				t.Errorf("%s: code %d has %v, want %v", c.items, i, s, want)
			}
		}
	}
}

// sectioned makes chosen codes of items code=section; a 2 before the section stands
// for a later place, a question mark after it for what is past.
func sectioned(items string) (Input, []Billed) {
	in := Input{Doc: &coding.Document{Text: strings.Repeat("x", 100)}}
	var chosen []Billed
	for i, item := range strings.Split(items, ";") {
		code, section, _ := strings.Cut(item, "=")
		section, later := strings.CutPrefix(section, "2")
		section, past := strings.CutSuffix(section, "?")
		at := 10 + i
		if later {
			at = 50
		}
		in.Candidates = append(in.Candidates, coding.Candidate{Code: code, Matches: []coding.Match{{
			Span: coding.Span{Start: at, End: at + 1}, Lexical: 1, Assertion: coding.Present, Section: coding.SectionKind(section),
		}}})
		if past {
			in.Candidates[i].Matches[0].Assertion = coding.Historical
		}
		chosen = append(chosen, Billed{Candidate: i, Odds: 1 - float64(i)/10})
	}
	for i := range chosen {
		chosen[i].match = &in.Candidates[i].Matches[0]
	}
	return in, chosen
}
