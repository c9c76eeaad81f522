package eval

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"chartcode/internal/coding"
	"chartcode/internal/learned"
)

// The weights that rows were made with are found again.
func TestLogisticFindsTheWeights(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var all []foundPlace
	for i := range 20000 {
		x := []float64{rng.Float64(), float64(rng.IntN(2)), rng.NormFloat64()}
		p := 1 / (1 + math.Exp(-(-1 + 2*x[0] + 1.5*x[1] - 0.5*x[2])))
		all = append(all, foundPlace{note: i, x: x, right: rng.Float64() < p})
	}
	bias, w := logistic(all)
	for i, want := range []float64{2, 1.5, -0.5} {
		if math.Abs(w[i]-want) > 0.15 {
			t.Errorf("weight %d is %.2f, want %.2f", i, w[i], want)
		}
	}
	if math.Abs(bias+1) > 0.15 {
		t.Errorf("the bias is %.2f", bias)
	}
}

// Of the six pairs of a right and a wrong place four are in order, and one is even.
func TestAreaUnderTheCurveByHand(t *testing.T) {
	all := []foundPlace{{support: 0.9, right: true}, {support: 0.5, right: true}, {support: 0.3, right: true}, {support: 0.5}, {support: 0.2}}
	if got := auc(all, func(f foundPlace) float64 { return f.support }); math.Abs(got-4.5/6) > 1e-12 {
		t.Errorf("%g, want %g", got, 4.5/6)
	}
	c := cuts(likeliest([]foundPlace{{code: "A00", support: 0.9, right: true}, {code: "A00", support: 0.4}, {code: "B00", support: 0.65}, {note: 1, code: "A00", support: 0.2, right: true}}))
	if c[0] != (Cut{0, 3, 2}) || c[1] != (Cut{0.5, 2, 1}) || c[3] != (Cut{0.7, 1, 1}) {
		t.Errorf("%+v", c)
	}
}

// judgedPlanted judges places of all notes: words that a term has support its code,
// those that only other notes taught do not.
func judgedPlanted(t *testing.T, d *Data) []Places {
	t.Helper()
	var out []Places
	add := func(note, code string, supports bool, spans ...coding.Span) {
		p := Places{NoteID: note, Code: code}
		for _, s := range spans {
			p.Places = append(p.Places, struct {
				coding.Span
				Supports bool `json:"supports"`
			}{s, supports})
		}
		out = append(out, p)
	}
	for i := range d.Notes {
		n := &d.Notes[i]
		list, err := d.Retriever.Judge(t.Context(), d.Docs[i], d.Table, d.options(quickFit()))
		if err != nil {
			t.Fatal(err)
		}
		for code, places := range list {
			for _, j := range places {
				add(n.NoteID, code, true, j.Span)
			}
		}
		from := strings.Index(n.Text, "shows ")
		for code := range d.gold[i] {
			if code >= "B" {
				add(n.NoteID, code, false, coding.Span{Start: from, End: from + strings.Index(n.Text[from:], " now")})
			}
		}
	}
	return out
}

// What people said of places teaches what is shown: codes whose places they refused
// are shown less, and the others are not.
func TestJudgedPlacesTeachWhatIsShown(t *testing.T) {
	shown := func(judge bool) (named, taught int) {
		d := planted(t, false)
		if judge {
			d.Judge(judgedPlanted(t, d))
		}
		rep, err := Accuracy(t.Context(), Config{Data: d, Fit: quickFit()})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rep.Results {
			for _, s := range r.Shown {
				if s.Code < "B" {
					named++
				} else {
					taught++
				}
			}
		}
		return named, taught
	}
	named, taught := shown(false)
	namedJudged, taughtJudged := shown(true)
	if namedJudged*2 < named || taughtJudged*2 > taught {
		t.Errorf("supported codes are shown %d times and %d times before, refused ones %d times and %d times before", namedJudged, named, taughtJudged, taught)
	}
}

// A stretch of the note is judged by what was said of it, of a supporting part of
// it, or of what it is part of.
func TestJudgementOfAStretch(t *testing.T) {
	var p Places
	if err := json.Unmarshal([]byte(`{"places":[{"start":10,"end":20,"supports":true},{"start":30,"end":40,"supports":false},{"start":36,"end":44,"supports":true}]}`), &p); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		from, to     int
		supports, ok bool
	}{{10, 20, true, true}, {5, 25, true, true}, {12, 15, true, true}, {30, 40, false, true}, {30, 34, false, true}, {37, 39, false, false}, {50, 60, false, false}} {
		supports, ok := p.judgement(coding.Span{Start: c.from, End: c.to})
		if ok != c.ok || ok && supports != c.supports {
			t.Errorf("%d to %d: %v, %v", c.from, c.to, supports, ok)
		}
	}
}

// Judged places are found again in the notes; those that are stated no more, or
// whose code is not found, are left out.
func TestEvidenceOfJudgedPlaces(t *testing.T) {
	d := planted(t, false)
	var judged []Places
	for i := range 40 {
		n := &d.Notes[i]
		list, err := d.Retriever.Judge(t.Context(), d.Docs[i], d.Table, d.options(quickFit()))
		if err != nil {
			t.Fatal(err)
		}
		for code, places := range list {
			p := Places{NoteID: n.NoteID, Code: code}
			for _, j := range places {
				p.Places = append(p.Places, struct {
					coding.Span
					Supports bool `json:"supports"`
				}{j.Span, code < "A05"})
			}
			judged = append(judged, p)
		}
		judged = append(judged, Places{NoteID: n.NoteID, Code: "Z99.9", Places: judged[len(judged)-1].Places})
	}
	rep, err := d.Evidence(t.Context(), &learned.Models{Version: 1}, judged)
	if err != nil {
		t.Fatal(err)
	}
	if rep.Found == 0 || rep.Found >= rep.Judged || rep.Right == 0 || rep.Right == rep.Found || len(rep.Fitted) != len(rep.Values) || len(rep.Now) != len(rep.Values) {
		t.Errorf("%+v", rep)
	}
	if _, err := d.Evidence(t.Context(), &learned.Models{Version: 1}, nil); err == nil {
		t.Error("nothing judged is no error")
	}
}
