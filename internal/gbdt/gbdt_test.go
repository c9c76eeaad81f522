package gbdt

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"testing"
)

// xorRows asks for the exclusive or of two features beside one of noise: no
// single split answers it, two levels do.
func xorRows(n int, seed uint64) Data {
	rng := rand.New(rand.NewPCG(seed, 1))
	d := Data{Features: []string{"a", "b", "noise"}}
	for range n {
		a, b := rng.Float32(), rng.Float32()
		y := float32(0)
		if (a > 0.5) != (b > 0.3) {
			y = 1
		}
		d.X = append(d.X, a, b, rng.Float32())
		d.Y = append(d.Y, y)
	}
	return d
}

func trained(t *testing.T, d Data, p Params) *Model {
	t.Helper()
	m, err := Train(context.Background(), d, p)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestLearnsWhatNoSingleSplitCanSay(t *testing.T) {
	m := trained(t, xorRows(4000, 1), Params{Trees: 60, Leaves: 6})
	test := xorRows(2000, 2)
	wrong := 0
	for i := range test.Rows() {
		if (m.Score(test.Row(i)) > 0) != (test.Y[i] > 0.5) {
			wrong++
		}
	}
	if wrong > 60 {
		t.Errorf("%d of 2000 unseen rows wrong, want at most 60", wrong)
	}
	if g := m.Gain(); g["noise"] > g["a"]/5 || g["noise"] > g["b"]/5 {
		t.Errorf("the noise feature carries too much: %v", g)
	}
}

func TestProbabilitiesMeetFrequencies(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	draw := func(n int) Data {
		d := Data{Features: []string{"p"}}
		for range n {
			p := rng.Float32()
			y := float32(0)
			if rng.Float32() < p {
				y = 1
			}
			d.X, d.Y = append(d.X, p), append(d.Y, y)
		}
		return d
	}
	m := trained(t, draw(20000), Params{Trees: 80, Leaves: 8})
	for _, p := range []float32{0.1, 0.3, 0.5, 0.7, 0.9} {
		if got := m.Probability([]float32{p}); math.Abs(got-float64(p)) > 0.06 {
			t.Errorf("probability at %.1f is %.3f", p, got)
		}
	}
}

func TestSameRowsSameModelOnAnyNumberOfProcessors(t *testing.T) {
	d := xorRows(3000, 3)
	p := Params{Trees: 20, Columns: 0.7, Sample: 0.8, Seed: 9}
	one, _ := trained(t, d, p).MarshalBinary()
	before := runtime.GOMAXPROCS(1)
	two, _ := trained(t, d, p).MarshalBinary()
	runtime.GOMAXPROCS(before)
	if string(one) != string(two) {
		t.Error("the model depends on the number of processors")
	}
}

func TestExplanationAddsUpToTheScore(t *testing.T) {
	d := xorRows(2000, 4)
	m := trained(t, d, Params{Trees: 30})
	for i := range 50 {
		out := make([]float64, 3)
		sum := m.Explain(d.Row(i), out)
		for _, v := range out {
			sum += v
		}
		if math.Abs(sum-m.Score(d.Row(i))) > 1e-9 {
			t.Fatalf("row %d: parts add up to %v, score is %v", i, sum, m.Score(d.Row(i)))
		}
	}
}

func TestScoresOfManyRowsAreThoseOfEach(t *testing.T) {
	d := xorRows(500, 7)
	m := trained(t, d, Params{Trees: 30})
	m.Trees = append(m.Trees, Tree{Value: []float64{0.1}})
	rows := make([][]float32, d.Rows())
	for i := range rows {
		rows[i] = d.Row(i)
	}
	for i, s := range m.Scores(rows) {
		if s != m.Score(rows[i]) {
			t.Fatalf("row %d: %v among many, %v alone", i, s, m.Score(rows[i]))
		}
	}
}

func TestWeightsCount(t *testing.T) {
	d := Data{Features: []string{"x"}, X: []float32{0, 0, 1, 1}, Y: []float32{0, 1, 0, 1}, Weight: []float32{3, 1, 1, 3}}
	m := trained(t, d, Params{Trees: 200, MinRows: 1, L2: 0.01})
	if p := m.Probability([]float32{1}); math.Abs(p-0.75) > 0.02 {
		t.Errorf("probability of the weighted rows is %.3f, want 0.75", p)
	}
}

func TestModelFileRoundTrip(t *testing.T) {
	d := xorRows(2000, 6)
	m := trained(t, d, Params{Trees: 10})
	b, err := m.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	var back Model
	if err := back.UnmarshalBinary(b); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(&back, m) {
		t.Error("another model is read back")
	}
	for i := range 100 {
		if back.Score(d.Row(i)) != m.Score(d.Row(i)) {
			t.Fatalf("row %d scores differently after reading back", i)
		}
	}
	for n := range b {
		if err := new(Model).UnmarshalBinary(b[:n]); !errors.Is(err, ErrModel) {
			t.Fatalf("the first %d of %d bytes: got %v, want ErrModel", n, len(b), err)
		}
	}
	if err := new(Model).UnmarshalBinary(append(b, 0)); !errors.Is(err, ErrModel) {
		t.Errorf("a byte too many: got %v, want ErrModel", err)
	}
}

// Models that sites learned with a version before are JSON.
func TestModelOfBefore(t *testing.T) {
	var m Model
	if err := json.Unmarshal([]byte(`{"format":"gbdt/1","features":["a","b"],"base":-0.5,"trees":[
		{"f":[1],"t":[2.5],"l":[-1],"r":[-2],"v":[0.25,-0.125],"m":[0.1]},{"f":[],"t":[],"l":[],"r":[],"v":[1],"m":[]}]}`), &m); err != nil {
		t.Fatal(err)
	}
	if low, high := m.Score([]float32{9, 2.5}), m.Score([]float32{0, 3}); low != 0.75 || high != 0.375 {
		t.Errorf("scores %v and %v, want 0.75 and 0.375", low, high)
	}
}

// Whatever a file holds, it is refused or is a model that scores and is written as it was read.
func FuzzModelFile(f *testing.F) {
	for _, m := range []Model{
		{Features: []string{"a"}},
		{Features: []string{"a", "b"}, Base: 1, Trees: []Tree{
			{Feature: []int{1, 0}, Threshold: []float32{2.5, -1}, Left: []int{1, -1}, Right: []int{-2, -3}, Value: []float64{0.25, -0.125, 3}, Mean: []float64{0.1, 0}},
			{Value: []float64{1}},
		}},
	} {
		b, _ := m.MarshalBinary()
		f.Add(b)
		f.Add(append(b, 1))
	}
	f.Add([]byte("gbdt/2\n\xff\xff\xff\xff\x0f"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var m Model
		if err := m.UnmarshalBinary(b); err != nil {
			if !errors.Is(err, ErrModel) {
				t.Fatalf("got %v, want ErrModel", err)
			}
			return
		}
		m.Score(make([]float32, len(m.Features)))
		again, err := m.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		if len(again) > len(b) { // numbers may have been written longer than they need be
			t.Fatalf("%d bytes are written as %d", len(b), len(again))
		}
		var back Model
		if err := back.UnmarshalBinary(again); err != nil {
			t.Fatal(err)
		}
		if third, _ := back.MarshalBinary(); !bytes.Equal(third, again) {
			t.Fatal("written, read and written again it differs")
		}
	})
}

func TestDamagedModelIsRefused(t *testing.T) {
	for name, text := range map[string]string{
		"not json":      `{`,
		"other format":  `{"format":"x","features":["a"],"trees":[]}`,
		"no features":   `{"format":"gbdt/1","features":[],"trees":[]}`,
		"feature index": `{"format":"gbdt/1","features":["a"],"trees":[{"f":[1],"t":[0],"l":[-1],"r":[-2],"v":[0,0],"m":[0]}]}`,
		"circle":        `{"format":"gbdt/1","features":["a"],"trees":[{"f":[0],"t":[0],"l":[0],"r":[-2],"v":[0,0],"m":[0]}]}`,
		"leaf index":    `{"format":"gbdt/1","features":["a"],"trees":[{"f":[0],"t":[0],"l":[-1],"r":[-9],"v":[0,0],"m":[0]}]}`,
		"ragged":        `{"format":"gbdt/1","features":["a"],"trees":[{"f":[0],"t":[],"l":[-1],"r":[-2],"v":[0,0],"m":[0]}]}`,
		"missing leaf":  `{"format":"gbdt/1","features":["a"],"trees":[{"f":[],"t":[],"l":[],"r":[],"v":[],"m":[]}]}`,
	} {
		var m Model
		if err := m.UnmarshalJSON([]byte(text)); !errors.Is(err, ErrModel) {
			t.Errorf("%s: got %v, want ErrModel", name, err)
		}
	}
}

func TestRowsThatTeachNothingAreRefused(t *testing.T) {
	for name, d := range map[string]Data{
		"empty":      {Features: []string{"a"}},
		"one answer": {Features: []string{"a"}, X: []float32{1, 2}, Y: []float32{1, 1}},
		"ragged":     {Features: []string{"a", "b"}, X: []float32{1, 2, 3}, Y: []float32{1, 0}},
	} {
		if _, err := Train(context.Background(), d, Params{}); !errors.Is(err, ErrData) {
			t.Errorf("%s: got %v, want ErrData", name, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Train(ctx, xorRows(100, 1), Params{}); !errors.Is(err, context.Canceled) {
		t.Errorf("an ended context gave %v", err)
	}
}

func BenchmarkScore(b *testing.B) {
	d := xorRows(2000, 1)
	m, err := Train(context.Background(), d, Params{Trees: 200})
	if err != nil {
		b.Fatal(err)
	}
	i := 0
	for b.Loop() {
		m.Score(d.Row(i % 2000))
		i++
	}
}

// BenchmarkScores scores a note's worth of rows by a model of the size of those
// that are shipped.
func BenchmarkScores(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 1))
	d := Data{Features: make([]string, 48)}
	for range 4000 {
		for range d.Features {
			d.X = append(d.X, rng.Float32())
		}
		d.Y = append(d.Y, float32(rng.IntN(2)))
	}
	m, err := Train(context.Background(), d, Params{Trees: 300, Leaves: 31})
	if err != nil {
		b.Fatal(err)
	}
	rows := make([][]float32, 600)
	for i := range rows {
		rows[i] = d.Row(i)
	}
	b.Run("together", func(b *testing.B) {
		for b.Loop() {
			m.Scores(rows)
		}
	})
	b.Run("each", func(b *testing.B) {
		for b.Loop() {
			for _, x := range rows {
				m.Score(x)
			}
		}
	})
}

func TestSeveralAreTheMeanOfEach(t *testing.T) {
	d, p := xorRows(600, 5), Params{Trees: 20, Leaves: 4, Sample: 0.5, Seed: 7}
	several, err := TrainSeveral(context.Background(), d, p, 3)
	if err != nil {
		t.Fatal(err)
	}
	first := trained(t, d, p)
	p.Seed += seedStep
	second := trained(t, d, p)
	p.Seed += seedStep
	third := trained(t, d, p)
	differs := false
	for i := range d.Rows() {
		x := d.X[i*3 : i*3+3]
		want := (first.Score(x) + second.Score(x) + third.Score(x)) / 3
		if got := several.Score(x); math.Abs(got-want) > 1e-9 {
			t.Fatalf("row %d scores %g, want the mean %g", i, got, want)
		}
		differs = differs || first.Score(x) != second.Score(x)
	}
	if !differs {
		t.Error("other seeds gave the same model")
	}
	out := make([]float64, 3)
	if rest := several.Explain(d.X[:3], out); math.Abs(rest+out[0]+out[1]+out[2]-several.Score(d.X[:3])) > 1e-9 {
		t.Error("explanations of the mean do not add up")
	}
}
