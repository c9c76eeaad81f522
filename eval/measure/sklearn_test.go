package measure

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"chartcode/internal/coding"
)

// TestAgreesWithScikitLearn: testdata/make_table.py made the table and the
// figures. Its chapters are the four letters of its codes, which lie in as many
// chapters.
func TestAgreesWithScikitLearn(t *testing.T) {
	t.Parallel()
	f, err := os.Open("testdata/sklearn-table.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var cases []Case
	vocabulary := map[string]bool{}
	for _, r := range rows[1:] {
		c := Case{NoteID: r[0], Required: strings.Fields(r[1])}
		for _, s := range strings.Fields(r[2]) {
			code, p, _ := strings.Cut(s, "=")
			x, err := strconv.ParseFloat(p, 64)
			if err != nil {
				t.Fatal(err)
			}
			c.Shown = append(c.Shown, Shown{Code: code, Confidence: x})
			vocabulary[code] = true
		}
		for _, code := range c.Required {
			vocabulary[code] = true
		}
		cases = append(cases, c)
	}
	b, err := os.ReadFile("testdata/sklearn-figures.json")
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]any
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	s := Score(cases, Options{Samples: 20})
	compared := 0
	for name, v := range want {
		x, ok := v.(float64)
		if !ok {
			continue
		}
		compared++
		got, _ := s.Figure(name)
		if name == "kappa" {
			var a, b []string
			for i := range cases {
				for code := range vocabulary {
					a = append(a, fmt.Sprint(slices.Contains(cases[i].Required, code)))
					b = append(b, fmt.Sprint(slices.ContainsFunc(cases[i].Shown, func(s Shown) bool { return s.Code == code })))
				}
			}
			if got.Value, err = CohenKappa(a, b); err != nil {
				t.Fatal(err)
			}
		}
		if math.Abs(got.Value-x) > 1e-9 {
			t.Errorf("%s = %.9f, scikit-learn has %.9f", name, got.Value, x)
		}
	}
	if compared < 15 {
		t.Errorf("only %d figures were compared", compared)
	}
}

// TestAgreesWithAnotherImplementation works the figures of 10,000 random notes
// out again, set by set and suggestion by suggestion, in the most literal way.
func TestAgreesWithAnotherImplementation(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(9, 9))
	letters := "AEIJKZ"
	draw := func(n int) []string {
		var out []string
		for range n {
			if code := fmt.Sprintf("%c%02d.%d", letters[r.IntN(len(letters))], 10+r.IntN(6), r.IntN(4)); !slices.Contains(out, code) {
				out = append(out, code)
			}
		}
		return out
	}
	cases := make([]Case, 10_000)
	for i := range cases {
		c := Case{NoteID: fmt.Sprint(i), Required: draw(r.IntN(6)), Candidates: draw(12)}
		for _, code := range draw(3) {
			if !slices.Contains(c.Required, code) {
				c.Acceptable = append(c.Acceptable, code)
			}
		}
		for _, code := range append(slices.Clone(c.Required), draw(4)...) {
			if r.IntN(2) == 0 && !slices.ContainsFunc(c.Shown, func(s Shown) bool { return s.Code == code }) {
				c.Shown = append(c.Shown, Shown{Code: code, Confidence: r.Float64()})
			}
		}
		if len(c.Required) > 0 {
			c.First = c.Required[:1]
		}
		cases[i] = c
	}
	got := Score(cases, Options{Samples: 5})

	type pairOf struct {
		p     float64
		right bool
	}
	var right, acceptable, wrong, missed, allRight, firstRight, firstAsked, ap, apNotes, gold, in10 float64
	var hier [4]float64
	perCode := map[string]*[4]float64{}
	count := func(code string, k int) {
		if perCode[code] == nil {
			perCode[code] = &[4]float64{}
		}
		perCode[code][k]++
	}
	var confidences []pairOf
	for _, c := range cases {
		bad := false
		var list []string
		shownNodes, requiredNodes, allNodes := map[string]bool{}, map[string]bool{}, map[string]bool{}
		nodes := func(m map[string]bool, code string) {
			m[code[:1]] = true // each letter used lies in one chapter
			m[code[:3]] = true
			m[coding.UndotCode(code)] = true
		}
		for _, s := range c.Shown {
			list = append(list, s.Code)
			nodes(shownNodes, s.Code)
			ok := true
			switch {
			case slices.Contains(c.Required, s.Code):
				right++
				count(s.Code, 0)
			case slices.Contains(c.Acceptable, s.Code):
				acceptable++
				count(s.Code, 1)
			default:
				wrong++
				ok, bad = false, true
				count(s.Code, 2)
			}
			confidences = append(confidences, pairOf{s.Confidence, ok})
		}
		for _, code := range c.Required {
			nodes(requiredNodes, code)
			nodes(allNodes, code)
			gold++
			if !slices.Contains(list, code) {
				missed++
				bad = true
				count(code, 3)
			}
			if k := slices.Index(c.Candidates, code); k >= 0 && k < 10 {
				in10++
			}
		}
		for _, code := range c.Acceptable {
			nodes(allNodes, code)
		}
		for n := range shownNodes {
			hier[0]++
			if allNodes[n] {
				hier[1]++
			}
			if requiredNodes[n] {
				hier[2]++
			}
		}
		hier[3] += float64(len(requiredNodes))
		if !bad {
			allRight++
		}
		if len(c.Required) > 0 {
			firstAsked++
			if len(list) > 0 && list[0] == c.Required[0] {
				firstRight++
			}
			for _, code := range c.Candidates {
				if !slices.Contains(list, code) {
					list = append(list, code)
				}
			}
			apNotes++
			hits := 0.0
			for k, code := range list {
				if slices.Contains(c.Required, code) {
					hits++
					ap += hits / float64(k+1) / float64(len(c.Required))
				}
			}
		}
	}
	ece, brier := 0.0, 0.0
	for k := range 10 {
		var conf, hit float64
		for _, x := range confidences {
			if int(x.p*10) == k {
				conf += x.p
				if x.right {
					hit++
				}
			}
		}
		ece += math.Abs(conf-hit) / float64(len(confidences))
	}
	for _, x := range confidences {
		y := 0.0
		if x.right {
			y = 1
		}
		brier += (x.p - y) * (x.p - y) / float64(len(confidences))
	}
	var macro, codes float64
	for _, x := range perCode {
		if x[0]+x[2]+x[3] == 0 {
			continue
		}
		codes++
		if x[0]+x[1] > 0 && x[0] > 0 {
			p, r := (x[0]+x[1])/(x[0]+x[1]+x[2]), x[0]/(x[0]+x[3])
			macro += 2 * p * r / (p + r)
		}
	}
	p, rc := (right+acceptable)/(right+acceptable+wrong), right/(right+missed)
	hp, hr := hier[1]/hier[0], hier[2]/hier[3]
	for name, want := range map[string]float64{
		"micro_precision": p, "micro_recall": rc, "micro_f1": 2 * p * rc / (p + rc), "macro_f1": macro / codes,
		"hierarchical_f1": 2 * hp * hr / (hp + hr), "all_right": allRight / 10_000, "first_listed": firstRight / firstAsked,
		"map": ap / apNotes, "retrieval_recall_at_10": in10 / gold, "ece": ece, "brier": brier,
	} {
		if f, ok := got.Figure(name); !ok || math.Abs(f.Value-want) > 1e-9 {
			t.Errorf("%s = %.9f, the other implementation has %.9f", name, f.Value, want)
		}
	}
}
