package learned

import (
	"encoding/json"
	"reflect"
	"testing"
)

func TestPhraseLine(t *testing.T) {
	full := Phrase{9, []CodeCount{{"R69", 5}, {"I10", 3}}, []CodeCount{{"R69", 5}, {"N28", 4}}}
	for _, c := range []struct {
		text string
		want Phrase
	}{
		{`"9 R69:5 I10:3 / R69:5 N28:4"`, full},
		{`"9 R69:5"`, Phrase{Notes: 9, Codes: full.Codes[:1]}},
		{`"9 / N28:4"`, Phrase{Notes: 9, Categories: full.Categories[1:]}},
		{`"9"`, Phrase{Notes: 9}},
		{`{"n":9,"c":[{"c":"R69","n":5},{"c":"I10","n":3}],"k":[{"c":"R69","n":5},{"c":"N28","n":4}]}`, full}, // as files had it before
	} {
		var p Phrase
		if err := json.Unmarshal([]byte(c.text), &p); err != nil || !reflect.DeepEqual(p, c.want) {
			t.Errorf("%s: %+v, %v", c.text, p, err)
			continue
		}
		if c.text[0] == '"' {
			if b, err := json.Marshal(p); err != nil || string(b) != c.text {
				t.Errorf("%s is written as %s, %v", c.text, b, err)
			}
		}
	}
	for _, bad := range []string{`""`, `"x"`, `9`, `[]`, `"9 R69"`, `"9 R69:"`, `"9 :5"`, `"9 R69:5x"`, `"9 R69:-5"`, `"9 R69:5 / N28"`, `"9 R69:12345678901"`, `"9 R69 :5"`, `{"n":"9"}`} {
		var p Phrase
		if err := json.Unmarshal([]byte(bad), &p); err == nil {
			t.Errorf("%s was read as %+v", bad, p)
		}
	}
}

// What is read is written as something that reads the same.
func FuzzPhraseLine(f *testing.F) {
	for _, s := range []string{"9 R69:5 I10:3 / R69:5", "9", "9 / A:1", "9 :1", " 9  A:1 ", "9 A:1//B:2", "0 \u00e9:1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		b, err := json.Marshal(s)
		if err != nil {
			t.Skip()
		}
		var p, again Phrase
		if json.Unmarshal(b, &p) != nil {
			return
		}
		b, err = json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(b, &again); err != nil || !reflect.DeepEqual(p, again) {
			t.Fatalf("%q: %+v, then %+v, %v", s, p, again, err)
		}
	})
}

func BenchmarkRead(b *testing.B) {
	for b.Loop() {
		if _, err := Read(modelsFile); err != nil {
			b.Fatal(err)
		}
	}
}
