package embedding

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"testing"
)

func local(t testing.TB) *Local {
	t.Helper()
	l, err := NewLocal()
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func cosine(t testing.TB, l *Local, a, b string) float64 {
	t.Helper()
	v, err := l.Embed(context.Background(), []string{a, b})
	if err != nil {
		t.Fatal(err)
	}
	s := 0.0
	for i := range v[0] {
		s += float64(v[0][i]) * float64(v[1][i])
	}
	return s
}

func TestWordsOfTheSameMeaningLieClose(t *testing.T) {
	l := local(t)
	for _, c := range []struct{ a, near, far string }{
		{"kidney stone", "calculus of kidney", "heart failure"},
		{"renal calculus", "kidney stones", "stone bruise of foot"},
		{"orchiepididymitis", "epididymo-orchitis", "conjunctivitis"},
		{"tumor of the left kidney", "malignant neoplasm of left kidney", "fracture of left radius"},
		{"pulmonary infection", "lung infection", "urinary tract infection"},
	} {
		if near, far := cosine(t, l, c.a, c.near), cosine(t, l, c.a, c.far); near < far+0.2 {
			t.Errorf("%q lies at %.2f to %q and at %.2f to %q", c.a, near, c.near, far, c.far)
		}
	}
}

func TestUnknownWordsAreReadByTheirLetters(t *testing.T) {
	l := local(t)
	if near, far := cosine(t, l, "hepatocelular carcinnoma", "hepatocellular carcinoma"), cosine(t, l, "hepatocelular carcinnoma", "basal cell carcinoma of skin"); near < far+0.1 {
		t.Errorf("a misspelt text lies at %.2f to what it means and at %.2f to another", near, far)
	}
}

func TestVectorsAreUnitOrZero(t *testing.T) {
	l := local(t)
	vecs, err := l.Embed(context.Background(), []string{"heart failure", "the of and", "", "§§§", "Ménière's disease, bilateral"})
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range vecs {
		if len(v) != l.Dims() {
			t.Fatalf("vector %d has %d numbers, want %d", i, len(v), l.Dims())
		}
		n := 0.0
		for _, x := range v {
			n += float64(x) * float64(x)
		}
		want := 1.0
		if i == 1 || i == 2 || i == 3 {
			want = 0
		}
		if math.Abs(n-want) > 1e-5 {
			t.Errorf("vector %d has length² %.6f, want %v", i, n, want)
		}
	}
}

// The bits of a vector are part of what is stored: another machine, or another
// edition of the program under the same model name, must give the same.
func TestVectorsAreTheSameEverywhere(t *testing.T) {
	l := local(t)
	v, err := l.Embed(context.Background(), []string{"Type 2 diabetes mellitus with diabetic chronic kidney disease", "zzyzx fever"})
	if err != nil {
		t.Fatal(err)
	}
	h := sha256.New()
	for _, x := range append(v[0], v[1]...) {
		if err := binary.Write(h, binary.LittleEndian, math.Float32bits(x)); err != nil {
			t.Fatal(err)
		}
	}
	if got := hex.EncodeToString(h.Sum(nil))[:16]; got != vectorSum[l.Name()] {
		t.Errorf("model %s gives vectors with the sum %s, want %s: new vectors need a new model name", l.Name(), got, vectorSum[l.Name()])
	}
}

func TestModelFileRoundTrip(t *testing.T) {
	l := local(t)
	b := l.Bytes()
	if !bytes.Equal(b, localFile) {
		t.Error("writing the model gives another file than was read")
	}
	if len(b) > 6<<20 {
		t.Errorf("the model file has %d bytes, more than 6 MiB", len(b))
	}
}

func TestDamagedModelFileIsRefused(t *testing.T) {
	for name, b := range map[string][]byte{
		"empty":       nil,
		"other magic": []byte("something else"),
		"cut off":     localFile[:len(localFile)/2],
		"too long":    append(bytes.Clone(localFile), 0),
	} {
		if _, err := ReadLocal(b); !errors.Is(err, ErrModel) {
			t.Errorf("%s: got %v, want ErrModel", name, err)
		}
	}
}

func FuzzReadLocal(f *testing.F) {
	small := &Local{name: "x@1", dims: 2}
	small.add(&small.words, "a", []float64{1, 0}, 1)
	small.add(&small.grams, "<a>", []float64{0, 1}, 1)
	f.Add(small.Bytes())
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := ReadLocal(b)
		if err != nil {
			return
		}
		if _, err := l.Embed(context.Background(), []string{"a b"}); err != nil {
			t.Error(err)
		}
		if !bytes.Equal(l.Bytes(), b) {
			t.Error("a file that was accepted is not written back as it was")
		}
	})
}

// twoTongues has the same things named by two sets of words that never meet in
// one text: only groups tell that they belong together.
func twoTongues() []Group {
	var out []Group
	for i := range 20 {
		for j := range 20 {
			out = append(out, Group{Texts: []string{fmt.Sprintf("organa%c trouble%c", 'a'+i, 'a'+j), fmt.Sprintf("bodyb%c illness%c", 'a'+i, 'a'+j)}})
		}
	}
	return out
}

func TestTrainingBringsGroupsTogether(t *testing.T) {
	l, err := Train(context.Background(), TrainConfig{Groups: twoTongues(), Name: "t@1", Dims: 32, Epochs: 4, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	same, other := cosine(t, l, "organac", "bodybc"), cosine(t, l, "organac", "bodybk")
	if same < other+0.3 {
		t.Errorf("words of one group lie at %.2f, of different ones at %.2f", same, other)
	}
	again, err := Train(context.Background(), TrainConfig{Groups: twoTongues(), Name: "t@1", Dims: 32, Epochs: 4, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	if cosine(t, again, "organac", "bodybc") != same {
		t.Error("training again with the same seed gave another model")
	}
	if _, err := Train(context.Background(), TrainConfig{Groups: twoTongues()[:5]}); !errors.Is(err, ErrTrain) {
		t.Errorf("five groups gave %v, want ErrTrain", err)
	}
}

func BenchmarkEmbed(b *testing.B) {
	l := local(b)
	texts := []string{"Type 2 diabetes mellitus with diabetic chronic kidney disease", "Fracture, traumatic, radius, lower end, torus", "poisoning by aspirin, accidental", "Pain in left shoulder"}
	for b.Loop() {
		if _, err := l.Embed(context.Background(), texts); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(texts))*float64(b.N)/b.Elapsed().Seconds(), "texts/s")
}
