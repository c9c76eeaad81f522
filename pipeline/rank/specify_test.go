package rank

import (
	"slices"
	"testing"

	"chartcode/internal/coding"
)

func shownCodes(t *testing.T, n *note) []string {
	t.Helper()
	var out []string
	for _, s := range ranked(t, n, coding.Billing) {
		out = append(out, s.Code)
	}
	slices.Sort(out)
	return out
}

// sided says of the last candidate how its title's side agrees with the note.
func (n *note) sided(x float32) *note {
	n.cands[len(n.cands)-1].Support.Side = x
	return n
}

func TestBothSidesAreBilled(t *testing.T) {
	for _, c := range []struct {
		name string
		left float32
		want []string
	}{
		{"both stated", 1, []string{"N60.01", "N60.02"}},
		{"one stated", -1, []string{"N60.01"}},
	} {
		n := newNote(coding.Outpatient).section(coding.SectionAssessment, "Cysts in both breasts")
		n.found("N60.01", "Solitary cyst of right breast", "Cysts in both breasts", 0.9, coding.Present).sided(1)
		n.found("N60.02", "Solitary cyst of left breast", "Cysts in both breasts", 0.89, coding.Present).sided(c.left)
		if got := shownCodes(t, n); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

func TestACodeForBothSidesStandsAlone(t *testing.T) {
	n := newNote(coding.Outpatient).section(coding.SectionAssessment, "Otitis media of both ears")
	n.found("H66.93", "Otitis media, unspecified, bilateral", "Otitis media of both ears", 0.9, coding.Present).sided(1)
	n.found("H66.91", "Otitis media, unspecified, right ear", "Otitis media", 0.89, coding.Present).sided(1)
	n.found("H66.92", "Otitis media, unspecified, left ear", "Otitis media", 0.88, coding.Present).sided(1)
	if got := shownCodes(t, n); !slices.Equal(got, []string{"H66.93"}) {
		t.Errorf("got %v", got)
	}
}

func TestTwoSides(t *testing.T) {
	of := func(title string) *coding.Candidate {
		return &coding.Candidate{Display: title, Support: coding.Support{Side: 1}}
	}
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"Patellofemoral disorders, right knee", "Patellofemoral disorders, left knee", true},
		{"Contusion of left foot, initial encounter", "Contusion of right foot, initial encounter", true},
		{"Contusion of left foot, initial encounter", "Contusion of right foot, subsequent encounter", false},
		{"Pain in left knee", "Pain in left knee", false},
		{"Pain in left knee", "Pain in unspecified knee", false},
	} {
		if got := twoSides(Input{}, of(c.a), of(c.b)); got != c.want {
			t.Errorf("%q and %q: %v", c.a, c.b, got)
		}
	}
}

func TestTheExactCodeAnswersForTheVagueOne(t *testing.T) {
	build := func(exact coding.Assertion) *note {
		n := newNote(coding.Outpatient)
		n.section(coding.SectionHPI, "She comes for a melanoma of the back")
		n.section(coding.SectionAssessment, "Newly diagnosed melanoma")
		n.found("C43.9", "Melanoma, unspecified", "melanoma", 0.9, coding.Present)
		n.found("C43.59", "Melanoma, back", "melanoma of the back", 0.7, exact)
		return n
	}
	for _, c := range []struct {
		exact coding.Assertion
		want  string
	}{
		{coding.Present, "C43.59"},
		{coding.Negated, "C43.9"},
		{coding.Possible, "C43.9"},
	} {
		if got := shownCodes(t, build(c.exact)); !slices.Equal(got, []string{c.want}) {
			t.Errorf("%s: got %v, want %s", c.exact, got, c.want)
		}
	}
}
