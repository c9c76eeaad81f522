package rank

import (
	"slices"
	"strings"
	"testing"

	"chartcode/internal/coding"
	"chartcode/internal/learned"
	"chartcode/pipeline/segment"
)

// anyTable is a code table that has every code.
type anyTable struct{}

func (anyTable) Lookup(code string) (coding.Code, bool) {
	return coding.Code{System: coding.ICD10CM, Code: code, Title: "Title of " + code, Billable: true}, true
}
func (anyTable) Billable(string) bool { return true }

func purposesOf(t *testing.T, n coding.Note, found ...coding.Candidate) []string {
	t.Helper()
	doc := segment.Segment(n)
	in := WithPurposes(Input{Note: n, Doc: doc, Style: coding.Billing, Candidates: found, Table: anyTable{}})
	var out []string
	for i, c := range in.Candidates {
		if i > 0 && c.RetrievalScore > in.Candidates[i-1].RetrievalScore {
			t.Errorf("%s: the candidates are not in order", n.Text)
		}
		if purposeOf(&c) == 0 {
			continue
		}
		out = append(out, c.Code)
		m := c.Matches[0]
		if m.Kind != termPurpose || m.Span.Start < 0 || m.Span.End > len(doc.Text) || m.Span.Len() < 2 || m.Assertion != coding.Present {
			t.Errorf("%s: match %+v", c.Code, m)
		}
	}
	slices.Sort(out)
	return out
}

// TestPurposes has notes that say why the patient came, and notes with the same
// words that do not.
func TestPurposes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, want string }{
		// examinations
		{"CHIEF COMPLAINT: Annual physical.\n\nHPI: A 52-year-old man who feels well.", "Z00.00"},
		{"SUBJECTIVE: This is a 47-year-old woman who presents for her yearly exam.", "Z00.00"},
		{"ASSESSMENT:\n1. Health maintenance exam.\n\nHPI: The patient is a 60-year-old male.", "Z00.00"},
		{"HPI: This 40-year-old man had his annual physical last month. He has a cough.", ""},
		{"PLAN: He will schedule his annual physical.\n\nHPI: A 40-year-old man with a rash.", ""},
		{"HPI: A 66-year-old woman with gout.\n\nPLAN: She is due for her annual physical.", ""},
		{"CHIEF COMPLAINT: Well-child check.\n\nHPI: This is a 4-year-old boy.", "Z00.129"},
		{"SUBJECTIVE: The patient presents with Mom for a two week well-child check.", "Z00.111"},
		{"CHIEF COMPLAINT: Newborn follow-up visit.\n\nHPI: This is a 4-day-old infant, breastfeeding well.", "Z00.110"},
		{"HPI: This 9-year-old has been seen yearly for well child exams. Today he has ear pain.", ""},
		{"CHIEF COMPLAINT: Sports physical.\n\nHPI: This is a 15-year-old runner.", "Z02.5"},
		{"CHIEF COMPLAINT: DOT physical.\n\nHPI: The patient is a 50-year-old driver.", "Z02.4"},
		{"CHIEF COMPLAINT: Pre-employment physical.\n\nHPI: The patient is a 30-year-old man.", "Z02.1"},
		{"CHIEF COMPLAINT: Kindergarten physical.\n\nHPI: This is a 5-year-old.", "Z02.0"},
		{"HPI: This 34-year-old presents for her annual GYN exam and Pap.", "Z01.419"},
		{"ASSESSMENT:\n1. Well-woman exam.\n2. Allergies.", "Z01.419"},
		{"HPI: The patient is a 30-year-old woman with a lump. Her last Pap smear was normal.", ""},
		{"CHIEF COMPLAINT: Pap smear.", "Z12.4"},
		{"CHIEF COMPLAINT: Abnormal Pap smear.", ""},
		{"CHIEF COMPLAINT: Preoperative evaluation.\n\nHPI: He will have a hernia repaired.", "Z01.818"},
		{"CHIEF COMPLAINT: Cardiac clearance.\n\nHPI: Hip surgery is planned.", "Z01.810"},
		{"INDICATION: In the preoperative evaluation the patient was found to have a murmur.", ""},
		// screening
		{"PREOPERATIVE DIAGNOSIS: Screening colonoscopy.\n\nPOSTOPERATIVE DIAGNOSIS: Sigmoid polyp.\n\nPROCEDURE: Colonoscopy with polypectomy.", "Z12.11"},
		{"INDICATIONS: Colorectal cancer screening.\n\nPROCEDURE: Colonoscopy.", "Z12.11"},
		{"INDICATIONS: Rectal bleeding.\n\nPROCEDURE: Colonoscopy.", ""},
		{"ASSESSMENT: Hypertension.\n\nPLAN: He is due for a screening colonoscopy.", ""},
		{"ASSESSMENT: Hypertension.\n\nPLAN: He declines screening colonoscopy.", ""},
		{"HPI: She had a screening mammogram in March.", ""},
		{"EXAM: Bilateral screening mammogram.\n\nFINDINGS: No mass.", "Z12.31"},
		{"EXAM: Diagnostic mammogram.\n\nHISTORY: Palpable lump.", ""},
		{"ASSESSMENT: Osteoporosis.\n\nPLAN: Order a screening mammogram.", ""},
		{"CHIEF COMPLAINT: Skin cancer screening.", "Z12.83"},
		{"CHIEF COMPLAINT: PPD placement.", "Z11.1"},
		// treatment of neoplasms
		{"CHIEF COMPLAINT: The patient is here for chemotherapy.\n\nDIAGNOSIS: Lymphoma.", "Z51.11"},
		{"HPI: This 60-year-old with breast cancer presents for cycle 3 of Taxol.", "Z51.11"},
		{"HPI: This 60-year-old with breast cancer finished chemotherapy in 2010 and presents with a cough.", ""},
		{"CHIEF COMPLAINT: Nausea after chemotherapy for lung cancer.", ""},
		{"HPI: The patient with melanoma is here for nivolumab infusion.", "Z51.12"},
		{"HPI: The patient with rheumatoid arthritis is here for rituximab.", ""},
		{"HPI: The patient with prostate cancer presents for radiation therapy.", "Z51.0"},
		{"HPI: The patient has a history of prostate cancer after radiation therapy. He has a cough.", ""},
		// aftercare
		{"PREOPERATIVE DIAGNOSIS: Retained hardware, left ankle.\n\nPROCEDURE: Removal of hardware.", "Z47.2"},
		{"PREOPERATIVE DIAGNOSIS: Painful hardware, left ankle.\n\nPROCEDURE: Hardware removal.", ""},
		{"DISCHARGE DIAGNOSES:\n1. Status post right total knee replacement.\n\nHOSPITAL COURSE: She was admitted for rehabilitation.", "Z47.1 Z96.651"},
		{"PAST SURGICAL HISTORY: Status post left total hip replacement.\n\nASSESSMENT: Cough.", ""},
		{"CHIEF COMPLAINT: Suture removal.", "Z48.02"},
		{"ASSESSMENT: Actinic keratosis, biopsy done.\n\nPLAN: Return next week for suture removal.", ""},
		{"PROCEDURE: Delayed primary closure of the abdomen.", "Z48.1"},
		{"CHIEF COMPLAINT: Postoperative visit after appendectomy.\n\nEXAM: The incisions are clean.", "Z48.815"},
		{"PROCEDURE: Tracheostomy tube change.", "Z43.0"},
		{"PROCEDURE: Tracheostomy.\n\nPREOPERATIVE DIAGNOSIS: Respiratory failure.", ""},
		{"PROCEDURE: Loop ileostomy closure.", "Z43.2"},
		{"PROCEDURE: Removal of Port-A-Cath.", "Z45.2"},
		{"PROCEDURE: The polyp was removed through the suction port.", ""},
		{"PREOPERATIVE DIAGNOSIS: Pacemaker generator at end of life.\n\nPROCEDURE: Pacemaker generator replacement.", "Z45.010"},
		{"CHIEF COMPLAINT: Lap band adjustment.", "Z46.51"},
		// reproduction
		{"PREOPERATIVE DIAGNOSIS: Desires permanent sterilization.", "Z30.2"},
		{"HPI: He is status post vasectomy and has groin pain.", ""},
		{"CHIEF COMPLAINT: IUD removal.", "Z30.432"},
		{"PROCEDURE: Removal of intrauterine clots.", ""},
		{"ASSESSMENT:\n1. Contraceptive surveillance.", "Z30.41"},
		{"CHIEF COMPLAINT: Initial prenatal visit.\n\nHPI: A 24-year-old G1 P0 at 9 weeks gestation.", "Z34.01"},
		{"CHIEF COMPLAINT: Routine prenatal visit.\n\nHPI: A 30-year-old gravida 3 at 30 weeks gestation.", "Z34.83"},
		{"CHIEF COMPLAINT: Routine prenatal visit.\n\nASSESSMENT: Preeclampsia.", ""},
		{"CHIEF COMPLAINT: Six week postpartum check.", "Z39.2"},
		{"PROCEDURE: Cesarean section.\n\nFINDINGS: A viable female infant.", "Z37.0"},
		{"HPI: This is a 3-day-old infant born to a 30-year-old mother and kept in the NICU.", "Z38.00"},
		{"HPI: This is a 3-day-old infant born to a 30-year-old mother. Transferred from an outside hospital NICU.", ""},
		{"PREOPERATIVE DIAGNOSIS: Possible ectopic pregnancy.\n\nPOSTOPERATIVE DIAGNOSIS: No evidence of ectopic pregnancy.", "Z03.79"},
		{"PREOPERATIVE DIAGNOSIS: Ectopic pregnancy.\n\nPOSTOPERATIVE DIAGNOSIS: Ruptured ectopic pregnancy.", ""},
		// other
		{"CHIEF COMPLAINT: Exposure to COVID-19.", "Z20.822"},
		{"ASSESSMENT: No exposure to tuberculosis.", ""},
		{"HPI: She comes in for a dietary consultation for weight reduction.", "Z71.3"},
		{"CHIEF COMPLAINT: Medication refill.", "Z76.0"},
		{"CHIEF COMPLAINT: Travel consultation.", "Z71.84"},
		{"ASSESSMENT:\n1. Hepatitis B vaccine given today.", "Z23"},
		{"ASSESSMENT:\n1. COPD.\n\nPLAN: Recommended pneumococcal vaccine at the next visit.", ""},
		{"PROCEDURE: Elective circumcision of a newborn.", "Z41.2"},
		{"PREOPERATIVE DIAGNOSIS: Phimosis.\n\nPROCEDURE: Circumcision.", ""},
		{"PREOPERATIVE DIAGNOSIS: Request for cosmetic surgery.", "Z41.1"},
		{"CHIEF COMPLAINT: Cough.\n\nFAMILY HISTORY: The mother came for chemotherapy for breast cancer.", ""},
	} {
		if got := strings.Join(purposesOf(t, coding.Note{Text: c.text}), " "); got != c.want {
			t.Errorf("%q: got %q, want %q", c.text, got, c.want)
		}
	}
}

func TestPurposeOfAChildByItsBirthDate(t *testing.T) {
	t.Parallel()
	n := coding.Note{Text: "CHIEF COMPLAINT: Annual physical.", ServiceDate: coding.NewDate(2026, 3, 1)}
	for _, c := range []struct {
		born coding.Date
		want string
	}{
		{coding.NewDate(1980, 1, 1), "Z00.00"}, {coding.NewDate(2008, 2, 28), "Z00.00"}, {coding.NewDate(2008, 3, 2), "Z00.129"},
		{coding.NewDate(2026, 2, 1), "Z00.111"}, {coding.NewDate(2026, 2, 22), "Z00.110"}, {coding.NewDate(2026, 1, 31), "Z00.129"},
	} {
		n.Patient.BirthDate = c.born
		if got := strings.Join(purposesOf(t, n), " "); got != c.want {
			t.Errorf("born %s: got %q, want %q", c.born, got, c.want)
		}
	}
}

func TestFindingsOfAnExamination(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ words, code, want string }{
		{"Otitis media", "H66.90", "Z00.01"},                       // found at it
		{"Hypertension, stable", "I10", "Z00.00"},                  // goes on
		{"Hypertension, uncontrolled", "I10", "Z00.01"},            // is worse
		{"Long-term use of aspirin", "Z79.82", "Z00.00"},           // no finding
		{"Annual physical, no otitis media", "H66.90", "Z00.00"},   // denied
		{"History of otitis media as a child", "H66.90", "Z00.00"}, // past
	} {
		text := "CHIEF COMPLAINT: Annual physical.\n\nHPI: A 40-year-old man.\n\nASSESSMENT:\n1. " + c.words + "."
		n := coding.Note{Text: text}
		doc := segment.Segment(n)
		at := strings.LastIndex(text, c.words)
		if i := strings.Index(text, "otitis"); i >= 0 {
			at = i
		}
		s := coding.Span{Start: at, End: len(text) - 1}
		found := coding.Candidate{System: coding.ICD10CM, Code: c.code, RetrievalScore: 0.9, Rank: 1, Matches: []coding.Match{{
			Span: s, Term: c.words, Kind: coding.TermTitle, TermCode: c.code, Lexical: 1, Assertion: doc.AssertionOf(s), Section: doc.SectionAt(at),
		}}}
		if got := strings.Join(purposesOf(t, n, found), " "); got != c.want {
			t.Errorf("%s: got %q, want %q", c.words, got, c.want)
		}
	}
}

func TestPurposesAreAddedToWhatWasRetrieved(t *testing.T) {
	t.Parallel()
	n := coding.Note{Text: "CHIEF COMPLAINT: Suture removal."}
	doc := segment.Segment(n)
	place := coding.Match{Span: coding.Span{Start: 17, End: 23}, Kind: coding.TermTitle, Assertion: coding.Hypothetical}
	in := Input{Doc: doc, Table: anyTable{}, Candidates: []coding.Candidate{
		{Code: "L98.9", RetrievalScore: 0.9}, {Code: "R21", RetrievalScore: 0.5}, {Code: "Z48.02", RetrievalScore: 0.1, Matches: []coding.Match{place}},
	}}
	out := WithPurposes(in)
	if in.Candidates[2].Code != "Z48.02" || len(in.Candidates[2].Matches) != 1 || in.Candidates[2].RetrievalScore != 0.1 {
		t.Errorf("the input was changed: %+v", in.Candidates)
	}
	if len(out.Candidates) != 3 || out.Candidates[1].Code != "Z48.02" || len(out.Candidates[1].Matches) != 2 || out.Candidates[1].Matches[1].Assertion != coding.Hypothetical {
		t.Errorf("got %+v", out.Candidates)
	}
	again := WithPurposes(Input{Doc: doc}) // a table that has no codes
	if len(again.Candidates) != 0 {
		t.Errorf("a code that is in no table was added: %+v", again.Candidates)
	}
}

func TestWhatMayOnlyBeFirstIsFirst(t *testing.T) {
	t.Parallel()
	text := "CHIEF COMPLAINT: The patient is here for chemotherapy.\n\nASSESSMENT:\n1. Lymphoma."
	doc := segment.Segment(coding.Note{Text: text})
	at := strings.Index(text, "Lymphoma")
	n := &note{doc: *doc, cands: []coding.Candidate{{
		System: coding.ICD10CM, Code: "C85.90", Display: "Non-Hodgkin lymphoma, unspecified", Rank: 1, RetrievalScore: 0.95,
		Matches: []coding.Match{{Span: coding.Span{Start: at, End: at + 8}, Term: "Lymphoma", Kind: coding.TermIndex, TermCode: "C85.90", Lexical: 1, Assertion: coding.Present, Section: coding.SectionAssessment}},
	}}}
	l := &Local{models: oneThreshold()}
	out, err := l.Rank(t.Context(), Input{Doc: &n.doc, Style: coding.Billing, Candidates: n.cands, Table: anyTable{}})
	if err != nil || codes(out.Suggestions) != "Z51.11 C85.90" {
		t.Fatalf("got %s, %v", codes(out.Suggestions), err)
	}
	s := out.Suggestions[0]
	if s.Role != coding.RoleFirstListed || s.Evidence[0].Text != "chemotherapy" || !strings.Contains(s.Rationale, "I.C.2.e.2") {
		t.Errorf("got %+v", s)
	}
}

func TestPurposeTable(t *testing.T) {
	t.Parallel()
	p, err := readPurposes(purposeTable)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range p.rows {
		if !strings.HasPrefix(r.because, strings.ToUpper(r.because[:1])) || strings.Count(r.because, "(") == 0 {
			t.Errorf("%s: %q is no sentence with a source", r.code, r.because)
		}
		if strings.Contains(r.code, "{") && strings.Contains(r.code, "|") && len(r.findings) == 0 {
			t.Errorf("%s: no findings decide", r.code)
		}
	}
	const head = "code,places,cues,with,without,age,findings,trust,source,because\n"
	for _, bad := range []string{
		"", head + "Z23,nowhere,vaccine,,,,,high,s,A vaccine", head + "Z23,visit,.. vaccine,,,,,high,s,A vaccine", head + "Z23,visit,vaccine?,,,,,high,s,A vaccine",
		head + "Z23,visit,@missing,,,,,high,s,A vaccine", head + "Z23,visit,vaccine,,,5,,high,s,A vaccine", head + "Z23,visit,vaccine,,,,,sure,s,A vaccine",
		head + "Z23,visit,vaccine,,,,,high,,A vaccine", head + "Z23,visit,vaccine,,,,,high,s,A vaccine.", head + "Z23,visit,covid-19,,,,,high,s,A vaccine", head + "Z23,visit\n",
	} {
		if _, err := readPurposes([]byte(bad)); err == nil {
			t.Errorf("no error for %q", bad)
		}
	}
}

// oneThreshold are models without training: the rules of billing judge.
func oneThreshold() *learned.Models {
	return &learned.Models{Version: 3, Styles: map[coding.Style]*learned.StyleModels{coding.Billing: {}}}
}
