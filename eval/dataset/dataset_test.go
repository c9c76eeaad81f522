package dataset

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"chartcode/internal/coding"
)

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// fewCodes knows three codes, one of them a header.
type fewCodes struct{}

func (fewCodes) Known(code string, _ coding.Date) (there, billable bool) {
	switch code {
	case "I10", "R05.9":
		return true, true
	case "E11":
		return true, false
	}
	return false, false
}

const goodLine = `{"note_id":"a","text":"High blood pressure.","codes":[{"system":"ICD-10-CM","code":"I10","evidence":[{"start":5,"end":19,"text":"blood pressure"}]}],"first":["I10"]}`

func TestCheck(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, lines string
		kinds       []string
	}{
		{"good", goodLine, nil},
		{"unknown code", `{"note_id":"a","text":"x","codes":[{"system":"ICD-10-CM","code":"I99.99"}]}`, []string{"unknown_code"}},
		{"header", `{"note_id":"a","text":"x","codes":[{"system":"ICD-10-CM","code":"E11"}]}`, []string{"unknown_code"}},
		{"header that the file calls so", `{"note_id":"a","text":"x","codes":[{"system":"ICD-10-CM","code":"E11","in_fy2026":"header"}]}`, nil},
		{"another system", `{"note_id":"a","text":"x","codes":[{"system":"HCPCS","code":"G0008"}]}`, []string{"unknown_code"}},
		{"evidence outside", `{"note_id":"a","text":"x","codes":[{"system":"ICD-10-CM","code":"I10","evidence":[{"start":0,"end":9}]}]}`, []string{"evidence"}},
		{"other words", `{"note_id":"a","text":"cough","codes":[{"system":"ICD-10-CM","code":"I10","evidence":[{"start":0,"end":5,"text":"fever"}]}]}`, []string{"evidence"}},
		{"same id", goodLine + "\n" + strings.Replace(goodLine, "High", "Very high", 1), []string{"duplicate_id", "evidence"}},
		{"same text", goodLine + "\n" + strings.Replace(goodLine, `"a"`, `"b"`, 1), []string{"duplicate_text"}},
		{"same code", `{"note_id":"a","text":"x","codes":[{"system":"ICD-10-CM","code":"I10"},{"system":"ICD-10-CM","code":"I10"}]}`, []string{"duplicate_code"}},
		{"tier", `{"note_id":"a","text":"x","codes":[{"system":"ICD-10-CM","code":"I10","tier":"maybe"}]}`, []string{"tier"}},
		{"first", `{"note_id":"a","text":"x","codes":[{"system":"ICD-10-CM","code":"I10"}],"first":["R05.9"]}`, []string{"first"}},
		{"one patient in two splits", `{"note_id":"a","text":"x","patient":{"id":"p"},"split":"train","codes":[]}` + "\n" +
			`{"note_id":"b","text":"y","patient":{"id":"p"},"split":"test","codes":[]}` + "\n" +
			`{"note_id":"c","text":"z","patient":{"id":"p"},"split":"test","source":"other","codes":[]}`, []string{"split_patient"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, problems, err := Check(write(t, "d.jsonl", test.lines+"\n"), fewCodes{})
			if err != nil {
				t.Fatal(err)
			}
			var kinds []string
			for _, p := range problems {
				kinds = append(kinds, p.Kind)
				if strings.Contains(p.String(), "fever") || strings.Contains(p.String(), "cough") {
					t.Errorf("%s shows what the note says", p)
				}
			}
			if !slices.Equal(kinds, test.kinds) {
				t.Errorf("found %v, want %v", kinds, test.kinds)
			}
		})
	}
	if _, _, err := Check(write(t, "d.jsonl", "{}\n"), nil); !errors.Is(err, ErrDataset) {
		t.Errorf("a line that is no note: %v", err)
	}
}

func TestFromCSV(t *testing.T) {
	t.Parallel()
	table := "\ufeffNote_ID,text,codes,acceptable,first,patient_id,service_date,other\n" +
		"n1,\"Cough, and\nhigh \"\"pressure\"\"\",r059; I10,Z79.4,i10,p1,2026-03-14,x\n"
	lines, err := FromCSV(strings.NewReader(table))
	if err != nil {
		t.Fatal(err)
	}
	d, err := Read(write(t, "d.jsonl", string(lines)))
	if err != nil {
		t.Fatal(err)
	}
	n := d.Notes[0]
	if n.NoteID != "n1" || n.Text != "Cough, and\nhigh \"pressure\"" || n.Patient.ID != "p1" || n.ServiceDate.String() != "2026-03-14" || n.First[0] != "I10" {
		t.Errorf("read %+v", n)
	}
	required, acceptable := n.Gold()
	if !required["R05.9"] || !required["I10"] || len(required) != 2 || !acceptable["Z79.4"] {
		t.Errorf("codes %v, %v", required, acceptable)
	}
	if _, err := FromCSV(strings.NewReader("a,b\n1,2\n")); !errors.Is(err, ErrCSV) {
		t.Errorf("a table without the columns: %v", err)
	}
	if _, err := FromCSV(strings.NewReader("note_id,text,codes\nn1,\"secret")); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("open quotes: %v", err)
	}
}

func FuzzFromCSV(f *testing.F) {
	f.Add("note_id,text,codes\nn1,Cough,R05.9\n")
	f.Add("note_id,text,codes\n\nn1\n")
	f.Fuzz(func(t *testing.T, table string) {
		lines, err := FromCSV(strings.NewReader(table))
		if err != nil || len(lines) == 0 {
			return
		}
		// What is not a note is found by its line; nothing panics.
		_, _, _ = Check(write(t, "d.jsonl", string(lines)), fewCodes{})
	})
}

func FuzzCheck(f *testing.F) {
	f.Add([]byte(goodLine))
	f.Add([]byte(`{"note_id":"a","text":"x","codes":[{"evidence":[{"start":-1,"end":99999999999}]}]}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		c := newChecker(fewCodes{})
		_ = c.note(1, line)
	})
}

func TestRegistry(t *testing.T) {
	t.Parallel()
	r := NewRegistry(filepath.Join(t.TempDir(), "datasets"))
	if all, err := r.List(); err != nil || len(all) != 0 {
		t.Fatalf("no datasets: %v, %v", all, err)
	}
	notes := []byte(goodLine + "\n")
	a, err := r.Add(notes, About{Name: "site", Licence: "internal"})
	if err != nil || a.Notes != 1 || a.Codes != 1 || a.SHA256 != Hash(notes) {
		t.Fatalf("added %+v, %v", a, err)
	}
	if _, err := r.Add(notes, About{Name: "site"}); err != nil {
		t.Errorf("the same notes again: %v", err)
	}
	other := []byte(strings.Replace(goodLine, "High", "Very high", 1))
	if _, err := r.Add(other, About{Name: "site"}); !errors.Is(err, ErrExists) {
		t.Errorf("other notes of the same name: %v", err)
	}
	if _, err := r.Add(notes, About{Name: "../x"}); !errors.Is(err, ErrName) {
		t.Errorf("a name with a path: %v", err)
	}
	path, found, err := r.Find("site")
	if err != nil || found.Licence != "internal" {
		t.Fatalf("found %+v, %v", found, err)
	}
	if err := os.WriteFile(path, other, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.Find("site"); err == nil || !strings.Contains(err.Error(), "hash") {
		t.Errorf("changed notes: %v", err)
	}
	if _, _, err := r.Find("none"); !errors.Is(err, ErrNone) {
		t.Errorf("a dataset that is not there: %v", err)
	}
	if _, found, err = r.Find(write(t, "f.jsonl", goodLine+"\n")); err != nil || found.Name != "f" || found.Notes != 1 {
		t.Errorf("a file: %+v, %v", found, err)
	}
	if all, err := r.List(); err != nil || len(all) != 1 {
		t.Errorf("list: %v, %v", all, err)
	}
}

func TestSample(t *testing.T) {
	t.Parallel()
	a, b, c := Sample(500, 100, 1), Sample(500, 100, 1), Sample(500, 100, 2)
	if len(a) != 100 || !slices.Equal(a, b) || slices.Equal(a, c) || !slices.IsSorted(a) {
		t.Error("a draw is not 100 places in order, the same for the same seed alone")
	}
	if got := Sample(3, 0, 1); !slices.Equal(got, []int{0, 1, 2}) {
		t.Errorf("all: %v", got)
	}
}

func TestAuditorsFirst(t *testing.T) {
	t.Parallel()
	d := Dataset{Notes: []Note{{Note: coding.Note{NoteID: "a"}}, {Note: coding.Note{NoteID: "b"}, Weight: 3}, {Note: coding.Note{NoteID: "c"}, Weight: 1}}}
	d.AuditorsFirst()
	if d.Notes[0].NoteID != "b" || d.Notes[1].NoteID != "a" || d.Notes[2].NoteID != "c" {
		t.Errorf("order %v %v %v", d.Notes[0].NoteID, d.Notes[1].NoteID, d.Notes[2].NoteID)
	}
}

func TestReadCodings(t *testing.T) {
	t.Parallel()
	list, err := ReadCodings(write(t, "c.jsonl", `{"note_id":"a","codes":[{"system":"ICD-10-CM","code":"I10"}]}`+"\n"+`{"note_id":"b","codes":[]}`+"\n"))
	if err != nil || len(list) != 2 || list[0].Codes[0].Code != "I10" {
		t.Errorf("read %+v, %v", list, err)
	}
	if _, err := ReadCodings(write(t, "c.jsonl", `{"note_id":"a","codes":[]}`+"\n"+`{"note_id":"a","codes":[]}`+"\n")); !errors.Is(err, ErrCodings) {
		t.Errorf("a note that is there twice: %v", err)
	}
}
