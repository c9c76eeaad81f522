package measure

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func near(t *testing.T, what string, got float64, err error, want float64) {
	t.Helper()
	if err != nil || math.Abs(got-want) > 1e-9 {
		t.Errorf("%s = %.6f (%v), want %.6f", what, got, err, want)
	}
}

func TestCohenKappa(t *testing.T) {
	t.Parallel()
	// Twenty yes by both, 5 and 10 by one, 15 by none: observed 0.7, expected 0.5.
	var a, b []string
	for _, x := range []struct {
		a, b string
		n    int
	}{{"y", "y", 20}, {"y", "n", 5}, {"n", "y", 10}, {"n", "n", 15}} {
		a, b = append(a, slices.Repeat([]string{x.a}, x.n)...), append(b, slices.Repeat([]string{x.b}, x.n)...)
	}
	k, err := CohenKappa(a, b)
	near(t, "kappa", k, err, 0.4)
	k, err = kappa2(20, 5, 10, 15)
	near(t, "kappa of the table", k, err, 0.4)
	if _, err := CohenKappa([]string{"y"}, []string{"y"}); err == nil {
		t.Error("kappa of one label is given")
	}
}

// The example of Krippendorff (2011), section C: four observers, twelve units,
// missing data; alpha nominal is 0.743.
func TestKrippendorff(t *testing.T) {
	t.Parallel()
	rows := []string{
		"1 2 3 3 2 1 4 1 2 . . .",
		"1 2 3 3 2 2 4 1 2 5 . 3",
		". 3 3 3 2 3 4 2 2 5 1 .",
		"1 2 3 3 2 4 4 1 2 5 1 .",
	}
	units := make([][]string, 12)
	for _, r := range rows {
		for i, v := range strings.Fields(r) {
			units[i] = append(units[i], strings.Trim(v, "."))
		}
	}
	a, err := Krippendorff(units)
	if err != nil || math.Abs(a-0.743421) > 1e-6 {
		t.Errorf("alpha %.6f (%v), want 0.743421", a, err)
	}
	// Two coders, four units: a a, a b, b b, b b. Observed disagreement 2 of 8;
	// expected (3*5+5*3)/7 = 30/7; alpha = 1 - 2/(30/7) = 8/15.
	a, err = Krippendorff([][]string{{"a", "a"}, {"a", "b"}, {"b", "b"}, {"b", "b"}, {"a", ""}})
	near(t, "alpha", a, err, 8.0/15)
	if _, err := Krippendorff([][]string{{"a", ""}}); err == nil {
		t.Error("alpha of single judgements is given")
	}
}

func TestAgree(t *testing.T) {
	t.Parallel()
	a := []Coding{{NoteID: "1", First: "I10", Codes: []string{"I10", "E11.9"}}, {NoteID: "2", First: "J18.9", Codes: []string{"J18.9"}}, {NoteID: "3"}}
	b := []Coding{{NoteID: "1", First: "I10", Codes: []string{"I10"}}, {NoteID: "2", First: "J15.9", Codes: []string{"J15.9"}}, {NoteID: "4", First: "R05.9", Codes: []string{"R05.9"}}}
	got, err := Agree([]string{"a", "b"}, map[string][]Coding{"a": a, "b": b}, Options{Samples: 100})
	if err != nil || got.Notes != 2 || len(got.Pairs) != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	p := got.Pairs[0]
	// Two notes, vocabulary of 4: both 1, only A 2, only B 1, neither 4. Observed 5/8; pA 3/8, pB 2/8.
	chance := 3.0/8*2/8 + 5.0/8*6/8
	near(t, "kappa", p.Kappa.Value, nil, (5.0/8-chance)/(1-chance))
	near(t, "agreed", p.Agreed.Value, nil, 2.0/5)
	near(t, "identical", p.Identical.Value, nil, 0)
	// First-listed: I10 I10, J18.9 J15.9: observed 1/2, expected 1/4.
	near(t, "kappa of the first-listed", p.KappaFirst.Value, nil, (0.5-0.25)/0.75)
	// Alpha over I10 (given, given), E11.9 (given, not), J18.9 (given, not), J15.9 (not, given):
	// observed 6 of 8 ordered pairs; expected (5*3+3*5)/7.
	near(t, "alpha of codes", got.AlphaCodes.Value, nil, 1-6/(30.0/7))
	if _, err := Agree([]string{"a"}, map[string][]Coding{"a": a}, Options{Samples: 10}); err == nil {
		t.Error("agreement of one coder is given")
	}
}

// A sample in which things stand several times has the figures of a list in which
// they are repeated.
func TestAgreementOfWeightedThings(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	things := make([][][]string, 30)
	a, b := make([]string, len(things)), make([]string, len(things))
	w := make([]float64, len(things))
	for i := range things {
		for range 1 + r.IntN(3) {
			unit := make([]string, 4)
			for k := range unit {
				unit[k] = []string{"", "x", "y", "z"}[r.IntN(4)]
			}
			things[i] = append(things[i], unit)
		}
		a[i], b[i] = []string{"I10", "E11.9", "nothing"}[r.IntN(3)], []string{"I10", "E11.9", "R05.9"}[r.IntN(3)]
	}
	draw(w, 1, 2)
	var units [][]string
	var x, y []string
	for i := range things {
		for range int(w[i]) {
			units = append(units, things[i]...)
			x, y = append(x, a[i]), append(y, b[i])
		}
	}
	want, err := Krippendorff(units)
	if err != nil {
		t.Fatal(err)
	}
	got, err := newJudgements(things).alpha(w)
	near(t, "alpha", got, err, want)
	if want, err = CohenKappa(x, y); err != nil {
		t.Fatal(err)
	}
	got, err = newLabels(a, b).kappa(w)
	near(t, "kappa", got, err, want)
}
