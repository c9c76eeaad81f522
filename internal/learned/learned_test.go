package learned

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"chartcode/internal/coding"
	"chartcode/internal/gbdt"
)

// examples: in ten of forty notes "chest pain" stands and R07.9 is given in
// eight of them; R50.9 is given in every fourth note, whatever it says.
func examples() []Example {
	var out []Example
	for i := range 40 {
		e := Example{Phrases: []string{fmt.Sprint("only here ", i)}, Codes: []string{"Z00.00"}}
		if i < 10 {
			e.Phrases = append(e.Phrases, "chest pain")
			e.Found = append(e.Found, "R07.9")
			if i < 8 {
				e.Codes = append(e.Codes, "R07.9")
			}
		}
		if i%4 == 0 {
			e.Codes = append(e.Codes, "R50.9")
		}
		out = append(out, e)
	}
	return out
}

func TestPhraseSpeaksForItsCode(t *testing.T) {
	m := Learn(examples())
	links := m.Links(nil, []byte("chest pain"), nil)
	if len(links) != 1 || links[0].Code != "R07.9" || links[0].Notes != 8 {
		t.Fatalf("got %+v, want R07.9 alone: the other codes are no likelier with the phrase", links)
	}
	if s := links[0].Share; s < 0.65 || s > 0.8 {
		t.Errorf("share %.3f, want a little under 8 of 10", s)
	}
	if l := links[0].Lift; l < math.Log(3) {
		t.Errorf("lift %.2f, want more than threefold", l)
	}
	cats := m.CategoryLinks(nil, []byte("chest pain"), nil)
	if len(cats) != 1 || cats[0].Code != "R07" {
		t.Errorf("categories %+v", cats)
	}
}

func TestRarePhrasesAreNotKept(t *testing.T) {
	m := Learn(examples())
	for p := range m.Phrases {
		if strings.HasPrefix(p, "only here") {
			t.Fatalf("a phrase of one note was kept")
		}
	}
}

// Who counts more moves the counts; what is kept still has to stand in enough
// notes.
func TestWeightsDoNotReplaceNotes(t *testing.T) {
	ex := examples()
	for i := 10; i < 12; i++ {
		ex[i].Phrases, ex[i].Weight = append(ex[i].Phrases, "of two notes"), 9
	}
	ex[20].Weight = 3
	m := Learn(ex)
	if m.Notes != 40+2*8+2 || m.CodeNotes("R50.9", nil) != 10+2 {
		t.Errorf("%d notes, %d with R50.9", m.Notes, m.CodeNotes("R50.9", nil))
	}
	if _, ok := m.Phrases["of two notes"]; ok {
		t.Error("a phrase of two notes was kept because they count more")
	}
}

// A name that stands in the notes of one patient alone is not kept, in however
// many of them.
func TestPhrasesOfOnePatientAreNotKept(t *testing.T) {
	ex := examples()
	for i := range 6 {
		ex[2*i].Group, ex[2*i+1].Group = "patient 1", "patient 2"
		ex[2*i].Phrases = append(ex[2*i].Phrases, "ms jane roe")
		ex[2*i].Codes = append(ex[2*i].Codes, "H10.9")
	}
	if p, ok := Learn(ex).Phrases["ms jane roe"]; ok {
		t.Errorf("a phrase of six notes of one patient was kept: %+v", p)
	}
	for i := range 3 {
		ex[2*i].Group = fmt.Sprint("patient ", 3+i)
	}
	if _, ok := Learn(ex).Phrases["ms jane roe"]; !ok {
		t.Error("a phrase of four patients was not kept")
	}
}

// What a note itself taught must not be used to judge it: the counts without
// it are those that the other notes give.
func TestLeavingANoteOutEqualsLearningWithoutIt(t *testing.T) {
	ex := examples()
	ex[0].Weight = 3
	all, rest := Learn(ex), Learn(ex[1:])
	w := &Without{Codes: map[string]bool{}, Weight: 3}
	for _, c := range ex[0].Codes {
		w.Codes[c] = true
	}
	for _, code := range []string{"R07.9", "R50.9", "Z00.00"} {
		if a, b := all.CodeNotes(code, w), rest.CodeNotes(code, nil); a != b {
			t.Errorf("%s: %d without the note, %d learned without it", code, a, b)
		}
		if a, b := all.CategoryCodes(code, w), rest.CategoryCodes(code, nil); a != b {
			t.Errorf("category of %s: %d and %d", code, a, b)
		}
	}
	a, b := all.Links(nil, []byte("chest pain"), w), rest.Links(nil, []byte("chest pain"), nil)
	if len(a) != 1 || len(b) != 1 || a[0] != b[0] {
		t.Errorf("links %+v and %+v", a, b)
	}
	a, b = all.CategoryLinks(nil, []byte("chest pain"), w), rest.CategoryLinks(nil, []byte("chest pain"), nil)
	if len(a) != 1 || len(b) != 1 || a[0] != b[0] {
		t.Errorf("category links %+v and %+v", a, b)
	}
	sa, na := all.GivenWhenFound("R07.9", 0.2, w)
	sb, nb := rest.GivenWhenFound("R07.9", 0.2, nil)
	if sa != sb || na != nb {
		t.Errorf("given when found: %v of %d and %v of %d", sa, na, sb, nb)
	}
}

func TestCalibrationMeetsFrequencies(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var odds []float64
	var right []bool
	for range 20000 {
		o := rng.NormFloat64() * 3
		odds = append(odds, o)
		right = append(right, rng.Float64() < gbdt.Logistic(0.5*o-1)) // the model is twice too sure, and hopeful
	}
	c := Calibrate(odds, right)
	if math.Abs(c.Slope-0.5) > 0.05 || math.Abs(c.Offset+1) > 0.08 {
		t.Errorf("got %+v, want slope 0.5 and offset -1", c)
	}
	if p := (Calibration{}).Probability(0); p != 0.5 {
		t.Errorf("no calibration changes a probability: %v", p)
	}
}

func TestFileRoundTrip(t *testing.T) {
	tree := func(value float64) *gbdt.Model {
		return &gbdt.Model{Features: []string{"score"}, Trees: []gbdt.Tree{{Value: []float64{value}}}}
	}
	m := &Models{Version: 7, Record: Record{Notes: 40}, LLM: &LLM{Stated: 2}, Styles: map[coding.Style]*StyleModels{
		coding.Mentions: {Memory: Learn(examples()), Evidence: tree(1), Threshold: 0.3, Calibration: Calibration{1.1, -0.2}},
		coding.Billing:  {Practice: Learn(examples()[:20]), Order: tree(2), Rank: tree(3), First: tree(4), Lead: tree(5)},
	}}
	b, err := m.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	again, _ := m.Bytes()
	if string(b) != string(again) {
		t.Error("writing twice gives two files")
	}
	back, err := Read(b)
	if err != nil {
		t.Fatal(err)
	}
	s := back.Style(coding.Mentions)
	if back.Version != 7 || s.Threshold != 0.3 || s.Memory.CategoryCodes("R07.9", nil) != 8 || len(s.Memory.Links(nil, []byte("chest pain"), nil)) != 1 {
		t.Errorf("read back %+v", s)
	}
	if third, err := back.Bytes(); err != nil || string(third) != string(b) {
		t.Errorf("read and written again it differs, %v", err)
	}
	if s.Evidence.Score([]float32{0}) != 1 || s.Order != nil || back.Style(coding.Billing).Memory != nil || back.Style(coding.Billing).Lead.Score([]float32{0}) != 5 {
		t.Errorf("parts changed places: %+v and %+v", s, back.Style(coding.Billing))
	}
	changed := []byte(strings.Replace(string(b), "chest pain", "chest pang", 1))
	if string(changed) == string(b) {
		t.Fatal("the phrase is not in the file")
	}
	for name, bad := range map[string][]byte{"empty": nil, "text": []byte("{}"), "cut off": b[:len(b)/2], "changed": changed} {
		if _, err := Read(bad); !errors.Is(err, ErrModels) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// Models that sites learned with a version before are gzipped JSON.
func TestFileOfBefore(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(`{"version":1003,"record":{"notes":40},"styles":{"mentions":{
		"order":{"format":"gbdt/1","features":["score"],"base":0.5,"trees":[{"f":[0],"t":[1.5],"l":[-1],"r":[-2],"v":[0.25,-0.125],"m":[0.1]}]},
		"memory":{"notes":40,"codes":{"R07.9":8},"phrases":{"chest pain":"10 R07.9:8 / R07:8"},"found":{"R07.9":{"n":10,"g":8}}},
		"calibration":{"slope":1.1,"offset":-0.2},"threshold":0.3}}}`))
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	m, err := Read(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	s := m.Style(coding.Mentions)
	if m.Version != 1003 || s.Threshold != 0.3 || s.Order.Score([]float32{2}) != 0.375 || s.Memory.CategoryCodes("R07.9", nil) != 8 || s.Memory.Found["R07.9"].Given != 8 || len(s.Memory.Links(nil, []byte("chest pain"), nil)) != 1 {
		t.Errorf("read %+v", s)
	}
	now, err := m.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	again, err := Read(now)
	if err != nil || !reflect.DeepEqual(again, m) {
		t.Errorf("written as today it reads as %+v, %v", again, err)
	}
}

func TestShippedModels(t *testing.T) {
	m, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	if m.Styles[coding.Mentions] == nil || m.Styles[coding.Billing] == nil {
		t.Fatal("a style is missing")
	}
	// Frequencies of one style must not reach the other.
	if m.Styles[coding.Billing].Memory != nil {
		t.Error("billing has counts that were learned in mentions style")
	}
	mem := m.Styles[coding.Mentions].Memory
	if mem == nil || mem.Notes < 100 {
		t.Fatal("nothing was learned for mentions")
	}
	for p, l := range mem.Phrases {
		if n := len(strings.Fields(p)); n > MaxPhrase || l.Notes < MinNotes {
			t.Errorf("a phrase of %d words and %d notes is kept", n, l.Notes)
		}
	}
	if m.Record.SHA256 == "" || m.Record.Command == "" || m.Record.Figures["micro_f1"] == 0 {
		t.Errorf("the record does not say how the models were made: %+v", m.Record)
	}
}
