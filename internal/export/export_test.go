package export_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"chartcode/internal/coding"
	"chartcode/internal/export"
)

var update = flag.Bool("update", false, "write the golden files anew")

var day = time.Date(2026, 3, 16, 9, 30, 0, 0, time.UTC)

// stay is a finished inpatient encounter of two notes, with a procedure.
func stay() coding.ItemRecord {
	key := func(code string) coding.CodeKey { return coding.CodeKey{System: coding.ICD10CM, Code: code} }
	text := "Pneumonia. =Fever, \"high\". Type 2 diabetes."
	words := func(s string) []coding.Evidence {
		at := strings.Index(text, s)
		return []coding.Evidence{{NoteID: "N-1", Span: coding.Span{Start: at, End: at + len(s)}, Text: s}}
	}
	model := "some-model"
	r := coding.ItemRecord{
		Head: coding.ItemHead{ID: 7, State: coding.ItemFinished, Source: "north", EncounterID: "E7", Setting: coding.Inpatient, UpdatedAt: day},
		Notes: []coding.ItemNote{
			{Note: coding.Note{NoteID: "N-1", Source: "north", Text: text, Patient: coding.Patient{ID: "P9", Sex: "female", BirthDate: coding.NewDate(1958, 4, 2)},
				AdmitDate: coding.NewDate(2026, 3, 10), ServiceDate: coding.NewDate(2026, 3, 14)},
				Set: &coding.SuggestionSet{Ranker: "local@3", Suggestions: []coding.Suggestion{
					{System: coding.ICD10CM, Code: "J18.9", Display: "Pneumonia, unspecified organism", Rank: 1, Role: coding.RolePrincipal, Confidence: 0.9, Evidence: words("Pneumonia")},
					{System: coding.ICD10CM, Code: "R50.9", Display: "Fever, unspecified", Rank: 2, Role: coding.RoleSecondary, Confidence: 0.4, Evidence: words("=Fever, \"high\"")},
				}}},
			{Note: coding.Note{NoteID: "N-2", Source: "north", Text: "Bronchoscopy.", ServiceDate: coding.NewDate(2026, 3, 12)},
				Set: &coding.SuggestionSet{Ranker: "llm@1", Model: &model}},
		},
	}
	add := func(d coding.Decision) {
		d.Seq, d.Coder, d.At = len(r.Decisions)+1, "casey", day.Add(time.Duration(len(r.Decisions))*time.Minute)
		r.Decisions = append(r.Decisions, d)
	}
	units, remark := 2, "seen twice"
	pointers := []coding.CodeKey{key("J18.9")}
	modifiers := []string{"25", "LT"}
	add(coding.Decision{Kind: coding.Accept, DecisionDetail: coding.DecisionDetail{System: coding.ICD10CM, Code: "J18.9", Display: "Pneumonia, unspecified organism", POA: coding.POAYes, Evidence: words("Pneumonia")}})
	add(coding.Decision{Kind: coding.Accept, DecisionDetail: coding.DecisionDetail{System: coding.ICD10CM, Code: "R50.9", Display: "Fever, unspecified", Role: coding.RoleAdmitting, Evidence: words("=Fever, \"high\"")}})
	add(coding.Decision{Kind: coding.Add, DecisionDetail: coding.DecisionDetail{System: coding.ICD10CM, Code: "E11.9", Display: "Type 2 diabetes mellitus without complications", Origin: coding.OriginAdded, POA: coding.POANo, Evidence: words("Type 2 diabetes")}})
	add(coding.Decision{Kind: coding.Add, DecisionDetail: coding.DecisionDetail{System: coding.ICD10PCS, Code: "0BJ08ZZ", Display: "Inspection of Tracheobronchial Tree, Endo", Origin: coding.OriginAdded}})
	add(coding.Decision{Kind: coding.Add, DecisionDetail: coding.DecisionDetail{System: coding.HCPCS, Code: "J0696", Display: "Injection, ceftriaxone sodium, per 250 mg", Origin: coding.OriginAdded}})
	add(coding.Decision{Kind: coding.Detail, DecisionDetail: coding.DecisionDetail{System: coding.HCPCS, Code: "J0696", Units: &units, Modifiers: &modifiers, Pointers: &pointers}})
	add(coding.Decision{Kind: coding.Remark, DecisionDetail: coding.DecisionDetail{Remark: &remark}})
	add(coding.Decision{Kind: coding.Finish, DecisionDetail: coding.DecisionDetail{Disposition: coding.DispositionCompleted, ReviewID: "00000000-0000-4000-8000-000000000007"}})
	return r
}

// draft is an item that nobody has finished: one code accepted, one undecided.
func draft() coding.ItemRecord {
	r := stay()
	r.Head.ID, r.Head.State, r.Head.EncounterID, r.Head.Setting = 8, coding.ItemClaimed, "", coding.Emergency
	r.Notes = r.Notes[:1]
	r.Notes[0].Note.Patient = coding.Patient{Sex: "M"}
	r.Decisions = r.Decisions[:1]
	return r
}

// returned is an item that could not be coded.
func returned() coding.ItemRecord {
	r := draft()
	r.Head.ID, r.Head.EncounterID = 9, "E9"
	r.Decisions = append(r.Decisions, coding.Decision{Seq: 2, Kind: coding.Finish, Coder: "robin", At: day, DecisionDetail: coding.DecisionDetail{
		Disposition: coding.DispositionReturned, Reason: "the note is empty", ReviewID: "00000000-0000-4000-8000-000000000009"}})
	return r
}

func entries(records ...coding.ItemRecord) iter.Seq2[export.Entry, error] {
	return func(yield func(export.Entry, error) bool) {
		for _, r := range records {
			if !yield(export.Of(r), nil) {
				return
			}
		}
	}
}

func write(t *testing.T, format export.Format, records ...coding.ItemRecord) []byte {
	t.Helper()
	var b bytes.Buffer
	n, err := export.Write(&b, format, entries(records...))
	if err != nil || n != len(records) {
		t.Fatalf("%d written, %v", n, err)
	}
	return b.Bytes()
}

func TestGolden(t *testing.T) {
	t.Parallel()
	for _, format := range []export.Format{export.CSV, export.JSON, export.FHIR} {
		for name, records := range map[string][]coding.ItemRecord{"all": {stay(), draft(), returned()}, "none": nil} {
			got := write(t, format, records...)
			file := filepath.Join("testdata", name+"."+string(format))
			if *update {
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s differs from what is written:\n%s", file, got)
			}
		}
	}
}

func TestCSVIsSafeInSpreadsheets(t *testing.T) {
	t.Parallel()
	rows, err := csv.NewReader(bytes.NewReader(write(t, export.CSV, stay(), returned()))).ReadAll()
	if err != nil || len(rows) != 1+5+1 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	evidence := slices.Index(rows[0], "evidence")
	for _, row := range rows[1:] {
		for i, cell := range row {
			if cell != "" && strings.ContainsRune("=+-@", rune(cell[0])) {
				t.Errorf("%s would be calculated: %q", rows[0][i], cell)
			}
		}
	}
	if got := rows[2][evidence]; got != `'=Fever, "high"` {
		t.Errorf("the evidence is %q", got)
	}
}

// The JSON is the message on REVIEWS.
func TestJSONIsTheReview(t *testing.T) {
	t.Parallel()
	var got []coding.Review
	if err := json.Unmarshal(write(t, export.JSON, stay()), &got); err != nil || len(got) != 1 {
		t.Fatal(len(got), err)
	}
	c := got[0].Codes
	if got[0].ReviewID != "00000000-0000-4000-8000-000000000007" || got[0].Coder != "casey" || len(c) != 5 || len(got[0].Decisions) != 8 {
		t.Fatalf("the review is %+v", got[0])
	}
	if c[0].Code != "J18.9" || c[0].Role != coding.RolePrincipal || *c[0].POA != "Y" || c[1].POA != nil || c[4].Units != 2 || !slices.Equal(c[4].Pointers, []int{1}) {
		t.Errorf("the codes are %+v", c)
	}
}

func TestErrorsEndTheExport(t *testing.T) {
	t.Parallel()
	if _, err := export.Write(&bytes.Buffer{}, "xml", entries()); !errors.Is(err, export.ErrFormat) {
		t.Errorf("an unknown format: %v", err)
	}
	broken := errors.New("broken")
	failing := func(yield func(export.Entry, error) bool) {
		_ = yield(export.Of(stay()), nil) && yield(export.Entry{}, broken)
	}
	for _, format := range []export.Format{export.CSV, export.JSON, export.FHIR} {
		if n, err := export.Write(&bytes.Buffer{}, format, failing); n != 1 || !errors.Is(err, broken) {
			t.Errorf("%s: %d, %v", format, n, err)
		}
		if _, err := export.Write(full{}, format, entries(slices.Repeat([]coding.ItemRecord{stay()}, 50)...)); err == nil {
			t.Errorf("%s: a full disk was not noticed", format)
		}
	}
}

// full is a disk without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }
