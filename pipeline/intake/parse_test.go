package intake

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"chartcode/internal/coding"
)

const whole = `{"note_id":"D-1001","source":"north","encounter_id":"E77","patient":{"id":"P9","sex":"female","birth_date":"1958-04-02"},
 "author":{"id":"A1","name":"Ann Ø"},"attending":{"id":"A2","name":"B"},"payer":"medicare","setting":"outpatient","specialty":"Cardiology",
 "note_type":"progress note","service_date":"2026-03-14","admit_date":null,"due_at":"2026-03-15T10:00:00+02:00","priority":7,
 "codes":[{"system":"ICD-10-CM","code":"N39.0","evidence":[[1,2]]}],"text":"Line \"one\"\r\nT\u00e4glich \ud83d\ude00 \/ ok"}`

func TestParseKeepsEveryField(t *testing.T) {
	got, err := Parse([]byte(whole), "north")
	if err != nil {
		t.Fatal(err)
	}
	want := coding.Note{
		NoteID: "D-1001", Source: "north", EncounterID: "E77",
		Patient: coding.Patient{ID: "P9", Sex: "female", BirthDate: coding.NewDate(1958, 4, 2)},
		Author:  coding.Person{ID: "A1", Name: "Ann Ø"}, Attending: coding.Person{ID: "A2", Name: "B"},
		Payer: "medicare", Setting: coding.Outpatient, Specialty: "Cardiology", NoteType: "progress note",
		ServiceDate: coding.NewDate(2026, 3, 14), DueAt: time.Date(2026, 3, 15, 8, 0, 0, 0, time.UTC), Priority: 7,
		Text: "Line \"one\"\r\nTäglich 😀 / ok",
	}
	got.DueAt = got.DueAt.UTC()
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b coding.Date) bool { return a.String() == b.String() })); diff != "" {
		t.Error(diff)
	}
}

func TestParseDefaults(t *testing.T) {
	for _, body := range []string{
		`{"note_id":"a","text":"b"}`,
		"\xef\xbb\xbf \n{\"note_id\":\"a\",\"text\":\"b\"}\r\n",
		`{"note_id":"a","text":"b","source":null,"priority":null,"patient":null,"author":{},"setting":"","service_date":"","due_at":null}`,
		`{"note_id":"a","text":"b","Source":"X","NOTE_ID":"z","unknown":{"note_id":[1,-0.5e+3,true,{"deep":"\ud800 \u0000"}]}}`,
		`{"note_id":"a","text":"b","unknown":1,"unknown":2,"priority":5.0}`,
		`{"\u006eote_id":"a","te\u0078t":"b"}`,
	} {
		note, err := Parse([]byte(body), "default")
		if err != nil {
			t.Errorf("%q: %v", body, err)
			continue
		}
		want := coding.Note{NoteID: "a", Source: "default", Priority: 5, Text: "b"}
		if !cmp.Equal(want, note, cmp.Comparer(func(a, b coding.Date) bool { return a == b })) {
			t.Errorf("%q: got %+v", body, note)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	with := func(field string) string { return `{"note_id":"a","text":"b",` + field + `}` }
	cases := []struct{ name, body, subject, reason string }{
		{"empty", "", "", InvalidJSON},
		{"words", "hello", "", InvalidJSON},
		{"array", `[{"note_id":"a","text":"b"}]`, "", InvalidJSON},
		{"null", `null`, "", InvalidJSON},
		{"string", `"note"`, "", InvalidJSON},
		{"cut off", `{"note_id":"a","text":"b`, "", InvalidJSON},
		{"cut off after member", `{"note_id":"a","text":"b"`, "", InvalidJSON},
		{"trailing comma", `{"note_id":"a","text":"b",}`, "", InvalidJSON},
		{"no colon", `{"note_id" "a"}`, "", InvalidJSON},
		{"bare name", `{note_id:"a"}`, "", InvalidJSON},
		{"leading zero", with(`"x":01`), "", InvalidJSON},
		{"bare minus", with(`"x":-`), "", InvalidJSON},
		{"dot without digits", with(`"x":1.`), "", InvalidJSON},
		{"exponent without digits", with(`"x":1e`), "", InvalidJSON},
		{"bad escape", with(`"x":"\q"`), "", InvalidJSON},
		{"bad hex", with(`"x":"\u12g4"`), "", InvalidJSON},
		{"cut escape", `{"x":"\u12`, "", InvalidJSON},
		{"raw newline in string", "{\"note_id\":\"a\nb\"}", "", InvalidJSON},
		{"word", with(`"x":nul`), "", InvalidJSON},
		{"trailing data", `{"note_id":"a","text":"b"} {"note_id":"c"}`, "", InvalidJSON},
		{"trailing brace", `{"note_id":"a","text":"b"}}`, "", InvalidJSON},
		{"duplicate text", with(`"text":"c"`), "", InvalidJSON},
		{"duplicate by escape", with(`"t\u0065xt":"c"`), "", InvalidJSON},
		{"duplicate inside", with(`"patient":{"sex":"f","sex":"m"}`), "", InvalidJSON},
		{"deep", with(`"x":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000)), "", InvalidJSON},
		{"broken where a type is wrong", with(`"setting":[1,`), "", InvalidJSON},

		{"latin-1", "{\"note_id\":\"a\",\"text\":\"caf\xe9\"}", "", InvalidUTF8},
		{"invalid in unknown field", with("\"x\":\"\xff\""), "", InvalidUTF8},
		{"encoded surrogate", "{\"note_id\":\"a\",\"text\":\"\xed\xa0\x80\"}", "", InvalidUTF8},
		{"overlong", "{\"note_id\":\"a\",\"text\":\"\xc0\x80\"}", "", InvalidUTF8},
		{"binary", "\x89PNG\r\n\x1a\n\x00\x00\xff\xfe", "", InvalidUTF8},

		{"lone high", with(`"payer":"x\ud83d"`), "", LoneSurrogate},
		{"lone high then text", `{"note_id":"a","text":"\ud83dz"}`, "", LoneSurrogate},
		{"lone high then escape", `{"note_id":"a","text":"\ud83d\n"}`, "", LoneSurrogate},
		{"two highs", `{"note_id":"a","text":"\ud83d\ud83d\ude00"}`, "", LoneSurrogate},
		{"lone low", `{"note_id":"a","text":"\ude00"}`, "", LoneSurrogate},
		{"swapped", `{"note_id":"a","text":"\ude00\ud83d"}`, "", LoneSurrogate},
		{"in note_id", `{"note_id":"\uDEAD","text":"b"}`, "", LoneSurrogate},

		{"escaped NUL in text", `{"note_id":"a","text":"b\u0000"}`, "", NULCharacter},
		{"raw NUL in text", "{\"note_id\":\"a\",\"text\":\"b\x00\"}", "", NULCharacter},
		{"NUL in name", with(`"author":{"name":"x\u0000"}`), "", NULCharacter},

		{"no note_id", `{"text":"b"}`, "", MissingNoteID},
		{"null note_id", `{"note_id":null,"text":"b"}`, "", MissingNoteID},
		{"empty note_id", `{"note_id":"","text":"b"}`, "", MissingNoteID},
		{"numeric note_id", `{"note_id":7,"text":"b"}`, "", InvalidNoteID},
		{"129 characters", `{"note_id":"` + strings.Repeat("é", 129) + `","text":"b"}`, "", InvalidNoteID},
		{"tab in note_id", `{"note_id":"a\tb","text":"b"}`, "", InvalidNoteID},
		{"C1 control in note_id", `{"note_id":"a\u0085b","text":"b"}`, "", InvalidNoteID},
		{"DEL in note_id", "{\"note_id\":\"a\x7fb\",\"text\":\"b\"}", "", InvalidNoteID},

		{"no text", `{"note_id":"a"}`, "", EmptyText},
		{"null text", `{"note_id":"a","text":null}`, "", EmptyText},
		{"empty text", `{"note_id":"a","text":""}`, "", EmptyText},
		{"text of another type", `{"note_id":"a","text":["b"]}`, "", InvalidField},
		{"text over 1 MiB", `{"note_id":"a","text":"` + strings.Repeat("x", 1<<20+1) + `"}`, "", TextTooLong},
		{"bytes count, not characters", `{"note_id":"a","text":"` + strings.Repeat("é", 1<<19) + `x"}`, "", TextTooLong},
		{"body over 8 MiB", `{"note_id":"a","text":"b"}` + strings.Repeat(" ", MaxBodyBytes), "", BodyTooLarge},

		{"service_date", with(`"service_date":"2026-02-30"`), "", InvalidDate},
		{"service_date with time", with(`"service_date":"2026-02-03T00:00:00Z"`), "", InvalidDate},
		{"service_date number", with(`"service_date":20260203`), "", InvalidDate},
		{"admit_date", with(`"admit_date":"yesterday"`), "", InvalidDate},
		{"year one", with(`"admit_date":"0001-01-01"`), "", InvalidDate},
		{"birth_date", with(`"patient":{"birth_date":"1958-13-02"}`), "", InvalidDate},
		{"due_at without zone", with(`"due_at":"2026-03-14T10:00:00"`), "", InvalidDate},
		{"due_at a date", with(`"due_at":"2026-03-14"`), "", InvalidDate},

		{"empty source", with(`"source":""`), "", InvalidSource},
		{"dotted source", with(`"source":"a.b"`), "", InvalidSource},
		{"long source", with(`"source":"` + strings.Repeat("a", 65) + `"`), "", InvalidSource},
		{"numeric source", with(`"source":3`), "", InvalidSource},
		{"accented source", with(`"source":"nörd"`), "", InvalidSource},
		{"other source than the subject", with(`"source":"south"`), "north", SourceMismatch},
		{"no source under a subject of another", `{"note_id":"a","text":"b"}`, "north", SourceMismatch},

		{"setting", with(`"setting":"clinic"`), "", InvalidSetting},
		{"setting in capitals", with(`"setting":"Inpatient"`), "", InvalidSetting},
		{"setting type", with(`"setting":true`), "", InvalidSetting},
		{"priority 0", with(`"priority":0`), "", InvalidPriority},
		{"priority 10", with(`"priority":10`), "", InvalidPriority},
		{"priority -1", with(`"priority":-1`), "", InvalidPriority},
		{"priority 4.5", with(`"priority":4.5`), "", InvalidPriority},
		{"priority 1e400", with(`"priority":1e400`), "", InvalidPriority},
		{"priority string", with(`"priority":"5"`), "", InvalidPriority},

		{"patient type", with(`"patient":"P9"`), "", InvalidField},
		{"patient id type", with(`"patient":{"id":9}`), "", InvalidField},
		{"author type", with(`"author":["A"]`), "", InvalidField},
		{"encounter_id type", with(`"encounter_id":77`), "", InvalidField},
		{"payer length", with(`"payer":"` + strings.Repeat("p", 513) + `"`), "", InvalidField},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			note, err := Parse([]byte(c.body), c.subject)
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("got %v, want the reason %s", err, c.reason)
			}
			if e.Reason() != c.reason {
				t.Errorf("reason %s (%s), want %s", e.Reason(), e.Message, c.reason)
			}
			if !cmp.Equal(note, coding.Note{}, cmp.Comparer(func(a, b coding.Date) bool { return a == b })) {
				t.Error("a refused body gave a note")
			}
		})
	}
}

func TestParseAtTheLimits(t *testing.T) {
	text := strings.Repeat("x", coding.MaxTextBytes)
	id := strings.Repeat("é", coding.MaxNoteIDChars)
	escaped := strings.Repeat(`\u0078`, coding.MaxTextBytes)
	for name, body := range map[string]string{
		"plain":   fmt.Sprintf(`{"note_id":%q,"text":%q}`, id, text),
		"escaped": fmt.Sprintf(`{"note_id":%q,"text":"%s"}`, id, escaped),
	} {
		note, err := Parse([]byte(body), "")
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if note.Text != text || note.NoteID != id {
			t.Errorf("%s: the text or note_id changed", name)
		}
	}
}

// A refusal may be logged: it must not repeat anything of the body.
func TestErrorsHoldNothingOfTheBody(t *testing.T) {
	const marker = "Zebrafink"
	for _, field := range []string{`"source":"Zebrafink."`, `"setting":"Zebrafink"`, `"priority":"Zebrafink"`, `"service_date":"Zebrafink"`,
		`"due_at":"Zebrafink"`, `"patient":"Zebrafink"`, `"author":{"id":["Zebrafink"]}`, `"payer":{"Zebrafink":1}`, `"x":Zebrafink`,
		`"Zebrafink":1,"text":"Zebrafink"`, `"payer":"Zebrafink\ud800"`, `"payer":"Zebrafink\u0000"`} {
		_, err := Parse([]byte(`{"note_id":"`+marker+`","text":"`+marker+`",`+field+`}`), "")
		if err == nil {
			t.Errorf("%s was accepted", field)
		} else if strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), marker) {
			t.Errorf("%s: the error repeats a value: %v", field, err)
		}
	}
}

// What the program writes as a note, it reads as the same note.
func TestParseReadsMarshalledNotes(t *testing.T) {
	want, err := Parse([]byte(whole), "north")
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Parse(body, "north")
	if err != nil {
		t.Fatal(err)
	}
	if got.SHA256() != want.SHA256() || got.Text != want.Text {
		t.Errorf("got %+v", got)
	}
}

func BenchmarkParse(b *testing.B) {
	for _, size := range []int{3 << 10, 1 << 20} {
		text := strings.Repeat("Patient denies chest pain.\n", size/27)
		body, err := json.Marshal(map[string]any{"note_id": "a", "text": text})
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("%dKiB", size>>10), func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				if _, err := Parse(body, ""); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
