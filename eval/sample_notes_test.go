package eval

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"chartcode/internal/codeset"
	"chartcode/internal/coding"
	"chartcode/internal/testdata"
	"chartcode/pipeline/intake"
	"chartcode/pipeline/validate"
)

// The sample gold notes, datasets/sample-notes.jsonl: what its companion
// sample-notes.md promises of them. Nothing here runs the pipeline on them.
const sampleNotesPath = "datasets/sample-notes.jsonl"

// sampleNote is a line of the file, with every field that it may have.
type sampleNote struct {
	coding.Note
	Codes []sampleCode `json:"codes"` // in the order of a claim
	First []string     `json:"first"` // each is right as first-listed or principal
}

type sampleCode struct {
	System   coding.System     `json:"system"`
	Code     string            `json:"code"`
	Tier     string            `json:"tier"`
	Evidence []coding.Evidence `json:"evidence"`
}

func (n sampleNote) required() []string {
	var out []string
	for _, c := range n.Codes {
		if c.Tier == TierRequired {
			out = append(out, c.Code)
		}
	}
	return out
}

// readSampleNotes reads strictly: each line as intake takes a note, and no field
// that nobody reads.
func readSampleNotes(t *testing.T) []sampleNote {
	t.Helper()
	b, err := os.ReadFile(sampleNotesPath)
	if err != nil {
		t.Fatal(err)
	}
	var out []sampleNote
	for i, line := range bytes.Split(bytes.TrimSuffix(b, []byte("\n")), []byte("\n")) {
		if _, err := intake.Parse(line, "sample"); err != nil {
			t.Fatalf("line %d: %v", i+1, err)
		}
		d := json.NewDecoder(bytes.NewReader(line))
		d.DisallowUnknownFields()
		var n sampleNote
		if err := d.Decode(&n); err != nil {
			t.Fatalf("line %d: %v", i+1, err)
		}
		out = append(out, n)
	}
	return out
}

func TestSampleNotesAreWhole(t *testing.T) {
	t.Parallel()
	notes := readSampleNotes(t)
	data, err := ReadDataset(sampleNotesPath)
	if err != nil || len(data.Notes) != len(notes) {
		t.Fatalf("read as a dataset: %v", err)
	}
	ids := map[string]bool{}
	from, to := coding.NewDate(2025, 10, 1), coding.NewDate(2026, 9, 30) // fiscal year 2026
	for _, n := range notes {
		if ids[n.NoteID] {
			t.Errorf("%s is there twice", n.NoteID)
		}
		ids[n.NoteID] = true
		if n.Patient.Sex != "female" && n.Patient.Sex != "male" || n.Specialty == "" || n.NoteType == "" || n.Setting == "" {
			t.Errorf("%s: sex, specialty, note_type or setting is missing", n.NoteID)
		}
		if n.ServiceDate.Before(from) || to.Before(n.ServiceDate) {
			t.Errorf("%s: the date of service %s is not in fiscal year 2026", n.NoteID, n.ServiceDate)
		}
		if n.Setting.InpatientRules() == n.AdmitDate.IsZero() || n.ServiceDate.Before(n.AdmitDate) {
			t.Errorf("%s: a stay has an admission date, not after its discharge; nothing else has one", n.NoteID)
		}
		if _, ok := coding.AgeAt(n.Patient.BirthDate, n.ServiceDate); !ok {
			t.Errorf("%s: born after the service", n.NoteID)
		}
	}
}

// The first age that a note states in years is its patient's; a newborn's note
// states its mother's.
func TestSampleNotesStateTheRightAge(t *testing.T) {
	t.Parallel()
	stated := regexp.MustCompile(`\b(\d{1,2})[ -]?(?:y/o|y\.o\.|yo|yr old|year old|year-old)\b`)
	found := 0
	for _, n := range readSampleNotes(t) {
		age, _ := coding.AgeAt(n.Patient.BirthDate, n.ServiceDate)
		m := stated.FindStringSubmatch(n.Text)
		if m == nil || age == 0 {
			continue
		}
		found++
		if m[1] != strconv.Itoa(age) {
			t.Errorf("%s: the text says %q, the birth date %d", n.NoteID, m[0], age)
		}
	}
	if found < 25 {
		t.Errorf("only %d notes state an age: the check has too little to work on", found)
	}
}

func TestSampleNotesEvidence(t *testing.T) {
	t.Parallel()
	for _, n := range readSampleNotes(t) {
		seen := map[string]bool{}
		for _, c := range n.Codes {
			if c.System != coding.ICD10CM || c.Tier != TierRequired && c.Tier != TierAcceptable || seen[c.Code] {
				t.Errorf("%s: %s has another system or tier, or is there twice", n.NoteID, c.Code)
			}
			seen[c.Code] = true
			if len(c.Evidence) == 0 {
				t.Errorf("%s: %s has no evidence", n.NoteID, c.Code)
			}
			for _, e := range c.Evidence {
				if e.Start < 0 || e.End <= e.Start || e.End > len(n.Text) || n.Text[e.Start:e.End] != e.Text {
					t.Errorf("%s: the evidence of %s at %d-%d is not what stands there", n.NoteID, c.Code, e.Start, e.End)
				}
			}
		}
		required := n.required()
		if (len(n.First) == 0) != (len(required) == 0) {
			t.Errorf("%s: a note with required codes, and no other, has first-listed ones", n.NoteID)
		}
		for _, f := range n.First {
			if !seen[f] {
				t.Errorf("%s: %s is first-listed but not among its codes", n.NoteID, f)
			}
		}
		if len(n.First) > 0 && !slices.Contains(n.First, n.Codes[0].Code) {
			t.Errorf("%s: its codes begin with %s, which is not right as first-listed", n.NoteID, n.Codes[0].Code)
		}
	}
}

// The figures that sample-notes.md gives hold, and so do the bounds that make
// the notes worth measuring on.
func TestSampleNotesVariety(t *testing.T) {
	t.Parallel()
	notes := readSampleNotes(t)
	count := map[string]int{}
	specialties, youngest, oldest := map[string]bool{}, 200, 0
	for _, n := range notes {
		kind := string(n.Setting)
		if strings.HasSuffix(n.NoteType, " report") || n.NoteType == "procedure note" {
			kind = "report"
		} else if n.Setting == coding.Professional {
			kind = "outpatient"
		}
		count[kind]++
		count[n.Patient.Sex]++
		if words := len(strings.Fields(n.Text)); words >= 200 && words <= 900 {
			count["of 200 to 900 words"]++
		}
		if len(n.required()) == 0 {
			count["nothing to code"]++
		}
		specialties[n.Specialty] = true
		age, _ := coding.AgeAt(n.Patient.BirthDate, n.ServiceDate)
		youngest, oldest = min(youngest, age), max(oldest, age)
	}
	for what, atLeast := range map[string]int{"outpatient": 28, "emergency": 12, "inpatient": 16, "report": 8,
		"female": 25, "male": 25, "of 200 to 900 words": len(notes)/2 + 1, "nothing to code": 2} {
		if count[what] < atLeast {
			t.Errorf("%d notes %s, want at least %d", count[what], what, atLeast)
		}
	}
	if len(notes) < 64 || len(specialties) < 20 || youngest > 0 || oldest < 90 {
		t.Errorf("%d notes of %d specialties, ages %d to %d", len(notes), len(specialties), youngest, oldest)
	}
	said, err := os.ReadFile("datasets/sample-notes.md")
	if err != nil {
		t.Fatal(err)
	}
	for what, n := range map[string]int{"notes": len(notes), "outpatient visits": count["outpatient"], "emergency": count["emergency"],
		"inpatient": count["inpatient"], "reports": count["report"], "specialties": len(specialties)} {
		if line := fmt.Sprintf("| %s | %d |", what, n); !strings.Contains(string(said), line) {
			t.Errorf("sample-notes.md lacks the line %q", line)
		}
	}
}

// titleGlue are words of titles that say nothing of the condition.
var titleGlue = strings.Fields("a an and by due elsewhere classified encounter for in initial nos not of on or other " +
	"sequela specified subsequent the to unspecified with without")

// contentWords are the words of a text without plural s; bracketed ones are
// left out of a title, so that "Hyperglycemia, unspecified" and "Essential
// (primary) hypertension" are as easily found in a note as they can be.
func contentWords(text string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9')
	}) {
		if len(w) > 3 && strings.HasSuffix(w, "s") && !strings.HasSuffix(w, "ss") {
			w = w[:len(w)-1]
		}
		out[w] = true
	}
	return out
}

var brackets = regexp.MustCompile(`\([^)]*\)|\[[^]]*\]`)

// Each code is billable on its date of service; no more than half of the
// required ones are written with all words of their title; and the required
// codes of a note, with each of its first-listed ones in front, have no error
// from the validator, nor two codes where one is made for both.
func TestSampleNotesCodes(t *testing.T) {
	t.Parallel()
	var paths []string
	for _, f := range []string{"icd10cm-2026.zip", "icd10cm-2021.zip", "mce-v41.1-2024.csv"} {
		paths = append(paths, testdata.Path(t, "codesets/"+f))
	}
	contents, err := codeset.ReadFiles(paths, codeset.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var table *codeset.Table
	var cfg validate.Config
	for _, c := range contents {
		switch {
		case c.Release.ID == "icd10cm-2026":
			table = codeset.NewTable(c.Release, c.Codes)
		case c.Release.Kind == codeset.KindTabular:
			cfg.Tabular = c.Release
			cfg.Lines = append(cfg.Lines, c.Lines...)
		case c.Release.Kind == codeset.KindMCE:
			cfg.MCE = c.Release
			cfg.Lines = append(cfg.Lines, c.Lines...)
		}
	}
	validator, err := validate.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	titled, total := 0, 0
	for _, n := range readSampleNotes(t) {
		text := contentWords(n.Text)
		for _, c := range n.Codes {
			row, ok := table.Lookup(c.Code)
			if !ok || !row.Billable {
				t.Errorf("%s: %s is not billable", n.NoteID, c.Code)
				continue
			}
			if c.Tier != TierRequired {
				continue
			}
			total++
			all := true
			for w := range contentWords(brackets.ReplaceAllString(row.Title, "")) {
				all = all && (text[w] || slices.Contains(titleGlue, w))
			}
			if all {
				titled++
			}
		}
		for _, first := range n.First {
			in := validate.CheckInput{Table: table, Setting: n.Setting, Patient: n.Patient, Date: n.ServiceDate,
				Codes: []validate.Coded{{System: coding.ICD10CM, Code: first}}}
			for _, code := range n.required() {
				if code != first {
					in.Codes = append(in.Codes, validate.Coded{System: coding.ICD10CM, Code: code})
				}
			}
			for _, f := range validator.Check(in) {
				// Two codes for which there is one are a mistake here, not a question.
				if f.Severity == coding.SeverityError || f.Rule == validate.RuleCombination {
					t.Errorf("%s: %s: %s", n.NoteID, f.Rule, f.Message)
				}
			}
		}
	}
	t.Logf("%d of %d required codes are written with all words of their title", titled, total)
	if total < 200 || 2*titled > total {
		t.Errorf("%d of %d required codes are written with all words of their title", titled, total)
	}
}
