package intake

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzParse compares with encoding/json: what Parse accepts is JSON and holds
// the same texts; what it refuses has a reason; what encoding/json cannot read
// is never accepted.
func FuzzParse(f *testing.F) {
	for _, s := range []string{whole, `{"note_id":"a","text":"b"}`, `{"note_id":"a","text":"\ud83d\ude00\u0000"}`, `{"a":[1,{"b":null}],"text":"x","note_id":"\n"}`,
		"\xef\xbb\xbf{}", `{"note_id":"a","text":"b","priority":1e0,"patient":{"birth_date":"2000-01-01"}}`, "\x00", `{"text":"` + "\xff"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		note, err := Parse(body, "")
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Code == "" || e.Message == "" {
				t.Fatalf("an error without reason: %v", err)
			}
			return
		}
		plain := bytes.TrimPrefix(body, bom)
		if !json.Valid(plain) {
			t.Fatal("accepted what is not JSON")
		}
		// encoding/json folds names, so exact ones are looked up in a map.
		var m map[string]json.RawMessage
		if err := json.Unmarshal(plain, &m); err != nil {
			t.Fatal(err)
		}
		for name, got := range map[string]string{"note_id": note.NoteID, "text": note.Text, "payer": note.Payer} {
			var want *string
			if raw, ok := m[name]; ok {
				if err := json.Unmarshal(raw, &want); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
			}
			if want == nil && got != "" || want != nil && *want != got {
				t.Fatalf("%s differs from what encoding/json reads", name)
			}
			if !utf8.ValidString(got) || strings.ContainsRune(got, 0) {
				t.Fatalf("%s holds what it must not", name)
			}
		}
		if note.Priority < 1 || note.Priority > 9 || !ValidSource(note.Source) {
			t.Fatal("a default is missing")
		}
	})
}

// FuzzSkip: a value of an unknown field is accepted exactly when it is JSON.
func FuzzSkip(f *testing.F) {
	for _, s := range []string{`1`, `-0.0e+1`, `"a\u0000"`, `[]`, `[1,]`, `{"a":{}}`, `tru`, `{"a":1,"a":2}`, "\"\x01\"", `[[[[]]]] `} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, value string) {
		body := `{"note_id":"a","text":"b","x":` + value + `}`
		if !utf8.ValidString(value) || strings.Count(value, "[")+strings.Count(value, "{") > maxDepth {
			return
		}
		// A value such as 1,"text":"c" is JSON too but is not one value.
		if json.Valid([]byte(body)) != json.Valid([]byte(value)) {
			return
		}
		if _, err := Parse([]byte(body), ""); (err == nil) != json.Valid([]byte(body)) {
			t.Fatalf("encoding/json says %v, Parse says %v", json.Valid([]byte(body)), err)
		}
	})
}

func FuzzReadLines(f *testing.F) {
	f.Add([]byte("a\r\n\n \nb"))
	f.Add([]byte("\xef\xbb\xbf{}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var want []string
		for _, l := range strings.Split(strings.TrimPrefix(string(data), string(bom)), "\n") {
			if l = strings.TrimSuffix(l, "\r"); strings.Trim(l, " \t\r") != "" {
				want = append(want, l)
			}
		}
		var got []string
		for line, err := range ReadLines(bytes.NewReader(data)) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, string(line.Body))
		}
		if len(got) != len(want) {
			t.Fatalf("%d lines, want %d", len(got), len(want))
		}
		for i := range got {
			if got[i] != want[i] {
				t.Fatalf("line %d differs", i)
			}
		}
	})
}
