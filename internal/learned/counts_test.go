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
			if b := string(p.appendLine(nil)); `"`+b+`"` != c.text {
				t.Errorf("%s is written as %s", c.text, b)
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

func TestCountsFile(t *testing.T) {
	m := Learn(examples())
	back, err := readCountsFile(string(m.file()))
	if err != nil {
		t.Fatal(err)
	}
	back.Ready()
	if !reflect.DeepEqual(back, m) {
		t.Errorf("read back %+v\nwant %+v", back, m)
	}
	for _, bad := range []string{"notes\t5", "notes\tx\n", "notes\n", "\n", "code\tI10\n", "code\tI10\t\n", "found\tI10\t5\n", "found\tI10\t5\tx\n", "phrase\tchest pain\n", "phrase\tchest pain\tx\n", "word\tI10\t5\n"} {
		if m, err := readCountsFile(bad); err == nil {
			t.Errorf("%q was read as %+v", bad, m)
		}
	}
}

// What is read is written as something that reads the same.
func FuzzCountsFile(f *testing.F) {
	f.Add(string(Learn(examples()).file()))
	for _, s := range []string{"9 R69:5 I10:3 / R69:5", "9", "9 / A:1", "9 :1", " 9  A:1 ", "9 A:1//B:2", "0 \u00e9:1"} {
		f.Add("phrase\tchest pain\t" + s + "\n")
	}
	f.Add("notes\t007\ncode\t\t1\nfound\ta b\t2\t1\ncode\t\t2\n")
	f.Fuzz(func(t *testing.T, s string) {
		m, err := readCountsFile(s)
		if err != nil {
			return
		}
		again, err := readCountsFile(string(m.file()))
		if err != nil || !reflect.DeepEqual(m, again) {
			t.Fatalf("%q: %+v, then %+v, %v", s, m, again, err)
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
