package eval

import (
	"context"
	"slices"
	"strings"
	"testing"

	"chartcode/internal/coding"
)

type audited struct {
	cases []coding.AuditCase
	asked [][]int64 // cases whose notes were asked for
}

func (a *audited) AuditCases(_ context.Context, sample int64, login string) ([]coding.AuditCase, error) {
	return slices.DeleteFunc(slices.Clone(a.cases), func(c coding.AuditCase) bool { return sample != 0 && c.Sample != sample || login != "" }), nil
}

func (a *audited) CaseNotes(_ context.Context, ids []int64) (map[int64][]coding.ItemNote, error) {
	a.asked = append(a.asked, ids)
	out := map[int64][]coding.ItemNote{}
	for _, c := range a.cases {
		if slices.Contains(ids, c.ID) {
			out[c.ID] = c.Notes
		}
	}
	return out, nil
}

// Gold of audits are the judged cases' notes as they were drawn, with what was judged.
func TestFromAudits(t *testing.T) {
	t.Parallel()
	note := func(id, patient, text string) coding.ItemNote {
		return coding.ItemNote{Note: coding.Note{NoteID: id, Source: "north", Patient: coding.Patient{ID: patient}, Text: text}}
	}
	given := func(system coding.System, code string, acceptable bool, noteID, text string) coding.GivenCode {
		g := coding.GivenCode{CodeKey: coding.CodeKey{System: system, Code: code}, Acceptable: acceptable}
		if noteID != "" {
			g.Evidence = []coding.Evidence{{NoteID: noteID, Span: coding.Span{End: len(text)}, Text: text}}
		}
		return g
	}
	a := &audited{cases: []coding.AuditCase{
		{ID: 1, Sample: 1, Item: 11, Coder: "ann", Setting: coding.Outpatient, Notes: []coding.ItemNote{note("n1", "P1", "Gout. Cough."), note("n2", "P1", "Cough.")},
			Given:     []coding.GivenCode{given(coding.ICD10CM, "R50.9", false, "", "")},
			Judgement: &coding.Judgement{Codes: []coding.GivenCode{given(coding.ICD10CM, "M10.9", false, "n1", "Gout"), given(coding.HCPCS, "J1100", false, "", ""), given(coding.ICD10CM, "R05.9", true, "n2", "Cough")}}},
		{ID: 2, Sample: 1, Item: 12, Coder: "ben", Notes: []coding.ItemNote{note("n3", "P1", "Fever.")}, Judgement: &coding.Judgement{}},
		{ID: 3, Sample: 1, Item: 13, Coder: "ben", Notes: []coding.ItemNote{note("n4", "P2", "Asthma.")}},
		{ID: 4, Sample: 2, Item: 14, Coder: "ann", Notes: []coding.ItemNote{note("n5", "P3", "Asthma.")}, Judgement: &coding.Judgement{Codes: []coding.GivenCode{given(coding.ICD10CM, "J45.909", false, "", "")}}},
		// Reopened, finished anew and judged again: what was judged last is the note's gold.
		{ID: 5, Sample: 3, Item: 14, FinishSeq: 6, Coder: "ann", Notes: []coding.ItemNote{note("n5", "P3", "Asthma.")}, Judgement: &coding.Judgement{Codes: []coding.GivenCode{given(coding.ICD10CM, "J45.20", false, "", "")}}},
	}}
	d, counts, err := FromAudits(t.Context(), a, 1)
	if err != nil || counts != (AuditCounts{Cases: 3, Judged: 2, Coders: 2, Notes: 3, Codes: 1, Acceptable: 1}) {
		t.Fatalf("counts %+v, %v", counts, err)
	}
	if len(a.asked) != 1 || !slices.Equal(a.asked[0], []int64{1, 2}) {
		t.Errorf("asked for the notes of %v", a.asked)
	}
	n1, n2, n3 := d.Notes[0], d.Notes[1], d.Notes[2]
	if !slices.Equal(n1.First, []string{"M10.9"}) || len(n1.Codes) != 2 || n1.Codes[0].Code != "M10.9" || n1.Codes[0].Tier == TierAcceptable || n1.Codes[1].Tier != TierAcceptable || n1.Setting != coding.Outpatient {
		t.Errorf("the first note %+v", n1)
	}
	// On the encounter's bill, but of the other note.
	if n2.First != nil || n2.Codes[0].Code != "M10.9" || n2.Codes[0].Tier != TierAcceptable {
		t.Errorf("the second note %+v", n2)
	}
	if n3.NoteID != "n3" || len(n3.Codes) != 0 || n3.Group != n1.Group {
		t.Errorf("a note without codes %+v, its patient's others are of group %s", n3, n1.Group)
	}
	if text := counts.SelectionText(); !strings.Contains(text, "2 of 3 cases are judged: 3 notes") {
		t.Errorf("the text says %q", text)
	}
	if d, _, err := FromAudits(t.Context(), a, 0); err != nil || len(d.Notes) != 4 || d.Notes[3].Codes[0].Code != "J45.20" {
		t.Errorf("of all samples %+v, %v", d.Notes, err)
	}
}
