package samples_test

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"chartcode/internal/coding"
	"chartcode/samples"
)

// parse reads every line strictly: a field that a note does not have (codes
// among them) is an error, and so is anything after the object.
func parse(t *testing.T) []coding.Note {
	t.Helper()
	b := samples.Notes()
	if !bytes.HasSuffix(b, []byte("\n")) {
		t.Fatal("the last line does not end in a newline")
	}
	var notes []coding.Note
	for i, line := range bytes.Split(bytes.TrimSuffix(b, []byte("\n")), []byte("\n")) {
		if !utf8.Valid(line) {
			t.Fatalf("line %d is not UTF-8", i+1)
		}
		d := json.NewDecoder(bytes.NewReader(line))
		d.DisallowUnknownFields()
		var n coding.Note
		if err := d.Decode(&n); err != nil {
			t.Fatalf("line %d: %v", i+1, err)
		}
		if _, err := d.Token(); err != io.EOF {
			t.Fatalf("line %d: something follows the note", i+1)
		}
		notes = append(notes, n)
	}
	return notes
}

func TestNotesAreWholeAndDistinct(t *testing.T) {
	notes := parse(t)
	if len(notes) < 20 {
		t.Fatalf("%d notes, want at least 20", len(notes))
	}
	source := regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	ids := map[string]bool{}
	for _, n := range notes {
		if n.NoteID == "" || utf8.RuneCountInString(n.NoteID) > coding.MaxNoteIDChars || ids[n.NoteID] {
			t.Errorf("note_id %q is empty, too long or used twice", n.NoteID)
		}
		ids[n.NoteID] = true
		if !n.Setting.Valid() {
			t.Errorf("%s: setting %q", n.NoteID, n.Setting)
		}
		if n.Source != "" && !source.MatchString(n.Source) {
			t.Errorf("%s: source %q", n.NoteID, n.Source)
		}
		if n.Priority < coding.PriorityMin || n.Priority > coding.PriorityMax {
			t.Errorf("%s: priority %d", n.NoteID, n.Priority)
		}
		if n.Patient.ID == "" || n.Patient.BirthDate.IsZero() || (n.Patient.Sex != "female" && n.Patient.Sex != "male") {
			t.Errorf("%s: patient without id, birth date or sex", n.NoteID)
		}
		for what, v := range map[string]string{
			"author.id": n.Author.ID, "author.name": n.Author.Name, "attending.id": n.Attending.ID,
			"attending.name": n.Attending.Name, "payer": n.Payer, "specialty": n.Specialty, "note_type": n.NoteType,
		} {
			if v == "" {
				t.Errorf("%s: no %s", n.NoteID, what)
			}
		}
		if size := len(n.Text); size < 300 || size > 4500 {
			t.Errorf("%s: text of %d bytes, want 300 to 4,500", n.NoteID, size)
		}
		if strings.ContainsRune(n.Text, 0) || strings.TrimSpace(n.Text) != n.Text || !strings.Contains(n.Text, "\n") {
			t.Errorf("%s: text with U+0000, with blank ends or without line breaks", n.NoteID)
		}
	}
}

func TestDates(t *testing.T) {
	first, last := coding.NewDate(2026, 1, 5), coding.NewDate(2026, 9, 20) // all within fiscal year 2026
	for _, n := range parse(t) {
		if n.ServiceDate.Before(first) || last.Before(n.ServiceDate) {
			t.Errorf("%s: service date %s is not within %s and %s", n.NoteID, n.ServiceDate, first, last)
		}
		if n.Setting.InpatientRules() == n.AdmitDate.IsZero() {
			t.Errorf("%s: an inpatient note has an admission date, no other has", n.NoteID)
		}
		if n.ServiceDate.Before(n.AdmitDate) {
			t.Errorf("%s: admitted after the discharge", n.NoteID)
		}
	}
}

func TestAgesMatchBirthDates(t *testing.T) {
	stated := regexp.MustCompile(`\b(\d{1,3})-year-old\b`)
	found := 0
	for _, n := range parse(t) {
		age, ok := coding.AgeAt(n.Patient.BirthDate, n.ServiceDate)
		if !ok {
			t.Errorf("%s: born after the service", n.NoteID)
		}
		for _, m := range stated.FindAllStringSubmatch(n.Text, -1) {
			found++
			if says, err := strconv.Atoi(m[1]); err != nil || says != age {
				t.Errorf("%s: the text says %s-year-old, the birth date %d", n.NoteID, m[1], age)
			}
		}
	}
	if found < 20 {
		t.Errorf("only %d notes state an age: the check has too little to work on", found)
	}
}

func TestOneEncounterOfThreeNotes(t *testing.T) {
	byEncounter := map[string][]coding.Note{}
	patientOf := map[string]coding.Patient{}
	for _, n := range parse(t) {
		if n.EncounterID != "" {
			key := n.Source + "/" + n.EncounterID
			byEncounter[key] = append(byEncounter[key], n)
		}
		if p, seen := patientOf[n.Patient.ID]; seen && p != n.Patient {
			t.Errorf("%s: patient %s differs between notes", n.NoteID, n.Patient.ID)
		}
		patientOf[n.Patient.ID] = n.Patient
	}
	threes := 0
	for key, notes := range byEncounter {
		switch len(notes) {
		case 1:
		case 3:
			threes++
			types := map[string]bool{}
			for _, n := range notes {
				types[n.NoteType] = true
				if n.Patient != notes[0].Patient {
					t.Errorf("encounter %s has two patients", key)
				}
			}
			if len(types) != 3 {
				t.Errorf("encounter %s: want three kinds of note, got %d", key, len(types))
			}
		default:
			t.Errorf("encounter %s has %d notes, want 1 or 3", key, len(notes))
		}
	}
	if threes != 1 {
		t.Errorf("%d encounters of three notes, want exactly 1", threes)
	}
}

// TestVariety keeps what the demo promises to show.
func TestVariety(t *testing.T) {
	notes := parse(t)
	inpatient := func(n coding.Note) bool { return n.Setting.InpatientRules() }
	other := func(n coding.Note) bool { return !n.Setting.InpatientRules() }
	text := func(pattern string, of func(coding.Note) bool) func(coding.Note) bool {
		re := regexp.MustCompile(pattern)
		return func(n coding.Note) bool { return of(n) && re.MatchString(n.Text) }
	}
	setting := func(s coding.Setting) func(coding.Note) bool {
		return func(n coding.Note) bool { return n.Setting == s }
	}
	priority := func(low, high int) func(coding.Note) bool {
		return func(n coding.Note) bool { return n.Priority >= low && n.Priority <= high }
	}
	source := func(s string) func(coding.Note) bool { return func(n coding.Note) bool { return n.Source == s } }
	uncertain := `(?i)\b(probable|likely|suspected|consistent with|suspicious for|concerning for|rule out|r/o)\b`
	every := func(coding.Note) bool { return true }
	for _, c := range []struct {
		what      string
		has       func(coding.Note) bool
		low, high int
	}{
		{"inpatient", setting(coding.Inpatient), 3, 30},
		{"outpatient", setting(coding.Outpatient), 3, 30},
		{"professional", setting(coding.Professional), 3, 30},
		{"emergency", setting(coding.Emergency), 3, 30},
		{"urgent", priority(coding.PriorityUrgent, 9), 2, 2},
		{"low priority", priority(1, 4), 2, 2},
		{"source north", source("north"), 5, 30},
		{"source south", source("south"), 5, 30},
		{"no source", source(""), 1, 1},
		{"uncertain, inpatient rules", text(uncertain, inpatient), 3, 30},
		{"uncertain, outpatient rules", text(uncertain, other), 3, 30},
		{"list of negations", text(`(?i)\b(no|denies)\b [^.\n]+, [^.\n]+ or `, every), 5, 30},
		{"family history", text(`(?im)^(family|fh|fhx)\b`, every), 10, 30},
		{"history of", text(`(?i)\bhistory of\b`, every), 5, 30},
		{"both sides", text(`(?i)\bbilateral|both (ears|feet|hands|eyes)`, every), 3, 30},
		{"left and right", func(n coding.Note) bool {
			low := strings.ToLower(n.Text)
			return strings.Contains(low, "left") && strings.Contains(low, "right")
		}, 5, 30},
		{"heading in capitals with a colon", text(`(?m)^[A-Z][A-Z ]{4,}:`, every), 5, 30},
		{"heading in capitals without a colon", text(`(?m)^[A-Z][A-Z ]{4,}\r?$`, every), 5, 30},
		{"lines wrapped within sentences", text(`(?m)[a-z]\n[a-z]+ [a-z]+ [a-z]+ `, every), 2, 30},
		{"line ends of Windows", text(`\r\n`, every), 1, 1},
		{"body mass index", text(`BMI \d`, every), 3, 30},
		{"HbA1c", text(`HbA1c \d`, every), 2, 30},
		{"eGFR", text(`eGFR \d`, every), 2, 30},
		{"weeks of pregnancy", text(`\b[23]\dw\dd\b`, every), 3, 30},
	} {
		got := 0
		for _, n := range notes {
			if c.has(n) {
				got++
			}
		}
		if got < c.low || got > c.high {
			t.Errorf("%s: %d notes, want %d to %d", c.what, got, c.low, c.high)
		}
	}
}

// TestReadmeListsTheNotes keeps the table for people in step with the file.
func TestReadmeListsTheNotes(t *testing.T) {
	b, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile(`(?m)^\| ([A-Z]-\d+) \| (\w+) \| \S.* \|$`)
	listed := map[string]string{}
	for _, m := range row.FindAllStringSubmatch(string(b), -1) {
		if _, twice := listed[m[1]]; twice {
			t.Errorf("README.md lists %s twice", m[1])
		}
		listed[m[1]] = m[2]
	}
	notes := parse(t)
	for _, n := range notes {
		if listed[n.NoteID] != string(n.Setting) {
			t.Errorf("README.md gives %s the setting %q, the note %q", n.NoteID, listed[n.NoteID], n.Setting)
		}
	}
	if len(listed) != len(notes) {
		t.Errorf("README.md lists %d notes, there are %d", len(listed), len(notes))
	}
}

func TestNotesGivesACopy(t *testing.T) {
	samples.Notes()[0] = 'x'
	if samples.Notes()[0] != '{' {
		t.Fatal("a caller can change the embedded notes")
	}
}
