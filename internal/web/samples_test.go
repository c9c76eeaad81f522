package web_test

import (
	"bytes"
	"regexp"
	"strings"

	"chartcode/internal/codeset/starter"
	"chartcode/internal/coding"
	"chartcode/pipeline/intake"
	"chartcode/samples"
)

// sampleCodes are suggestions for the sample notes that pages are looked at
// with; the other samples get what suggestNames finds. They only need to look
// like what the pipeline makes: what it really makes is tested elsewhere.
var sampleCodes = map[string][]sug{
	"N-1001": {
		{code: "E11.22", title: "Type 2 diabetes mellitus with diabetic chronic kidney disease", confidence: 0.96,
			words: []string{"Type 2 diabetes with diabetic chronic kidney disease, stage 3b"}, rationale: "Assessed with its complication; stage coded apart."},
		{code: "N18.32", title: "Chronic kidney disease, stage 3b", confidence: 0.95,
			words: []string{"chronic kidney disease, stage 3b", "eGFR 38", "CKD"}, rationale: "Stage named in the assessment and borne out by eGFR."},
		{code: "E11.65", title: "Type 2 diabetes mellitus with hyperglycemia", confidence: 0.93,
			words: []string{"T2DM with hyperglycemia", "HbA1c 9.1%"}, rationale: "Named in the assessment."},
		{code: "E11.42", title: "Type 2 diabetes mellitus with diabetic polyneuropathy", confidence: 0.9,
			words: []string{"Diabetic polyneuropathy, both feet", "Burning and numbness in both feet", "Monofilament absent at 6 of 10 sites R", "Vibration reduced at both great toes"}, rationale: "Named in the assessment; the examination agrees."},
		{code: "I12.9", title: "Hypertensive chronic kidney disease with stage 1 through stage 4 chronic kidney disease, or unspecified chronic kidney disease", confidence: 0.82,
			words: []string{"Hypertension, above goal"}, rationale: "Hypertension with CKD is coded as hypertensive kidney disease.",
			warnings: []coding.Finding{{Rule: "use_additional", Severity: coding.SeverityWarning, Codes: []string{"N18.32"}, Message: "Code the stage of the chronic kidney disease in addition.", Source: "Tabular list 2026, I12"}}},
		{code: "E78.2", title: "Mixed hyperlipidemia", confidence: 0.88, words: []string{"Mixed hyperlipidemia"}},
		{code: "Z79.4", title: "Long term (current) use of insulin", confidence: 0.78, words: []string{"on long-term insulin", "insulin glargine 42 units nightly"}},
		{code: "E66.812", title: "Obesity, class 2", confidence: 0.71, words: []string{"Class 2 obesity, BMI 37"}},
		{code: "Z68.37", title: "Body mass index [BMI] 37.0-37.9, adult", confidence: 0.58, words: []string{"BMI 37.0"}},
		{code: "R80.9", title: "Proteinuria, unspecified", confidence: 0.21, words: []string{"macroalbuminuria"},
			warnings: []coding.Finding{{Rule: "integral", Severity: coding.SeverityInformation, Codes: []string{"E11.22"}, Message: "A sign of a condition that is coded is not coded as well.", Source: "Official Guidelines FY 2026, I.B.5, paraphrased"}}},
	},
	"N-1002": {
		{code: "J96.01", title: "Acute respiratory failure with hypoxia", confidence: 0.91, words: []string{"Acute hypoxic respiratory failure"}},
		{code: "I50.23", title: "Acute on chronic systolic (congestive) heart failure", confidence: 0.74, words: []string{"Acute decompensated heart failure", "known HFrEF"}},
		{code: "I48.21", title: "Permanent atrial fibrillation", confidence: 0.86, words: []string{"permanent a-fib on apixaban"}},
		{code: "N18.4", title: "Chronic kidney disease, stage 4 (severe)", confidence: 0.84, words: []string{"CKD stage 4"}},
	},
	"N-1003": {
		{code: "I13.0", title: "Hypertensive heart and chronic kidney disease with heart failure and stage 1 through stage 4 chronic kidney disease, or unspecified chronic kidney disease", confidence: 0.89, words: []string{"Hypertensive heart and chronic kidney disease, CKD stage 4"}},
		{code: "I50.23", title: "Acute on chronic systolic (congestive) heart failure", confidence: 0.94, words: []string{"Acute on chronic systolic (HFrEF) heart failure"}},
		{code: "I42.0", title: "Dilated cardiomyopathy", confidence: 0.87, words: []string{"Nonischemic dilated cardiomyopathy"}},
		{code: "I48.21", title: "Permanent atrial fibrillation", confidence: 0.93, words: []string{"Permanent atrial fibrillation"}},
		{code: "Z79.01", title: "Long term (current) use of anticoagulants", confidence: 0.85, words: []string{"long-term anticoagulation with apixaban"}},
		{code: "Z95.810", title: "Presence of automatic (implantable) cardiac defibrillator", confidence: 0.83, words: []string{"ICD in situ"}},
		{code: "E87.1", title: "Hypo-osmolality and hyponatremia", confidence: 0.8, words: []string{"Dilutional hyponatremia"}},
	},
	"N-1004": {
		{code: "I13.0", title: "Hypertensive heart and chronic kidney disease with heart failure and stage 1 through stage 4 chronic kidney disease, or unspecified chronic kidney disease", confidence: 0.95, words: []string{"hypertensive heart and chronic kidney disease"}, rationale: "Principal diagnosis of the discharge summary."},
		{code: "I50.23", title: "Acute on chronic systolic (congestive) heart failure", confidence: 0.96, words: []string{"Acute on chronic systolic heart failure"}},
		{code: "J96.01", title: "Acute respiratory failure with hypoxia", confidence: 0.92, words: []string{"Acute hypoxic respiratory failure, resolved"}},
		{code: "G47.33", title: "Obstructive sleep apnea (adult) (pediatric)", confidence: 0.66, words: []string{"Probable obstructive sleep apnea", "pattern consistent with obstructive sleep apnea"}, rationale: "Uncertain at discharge: coded as if it existed for an inpatient stay."},
		{code: "E87.6", title: "Hypokalemia", confidence: 0.79, words: []string{"Hypokalemia during diuresis"}},
	},
}

// saveSamples stores the sample notes with suggestions.
func (s *site) saveSamples() {
	s.t.Helper()
	rows, err := starter.Read()
	if err != nil {
		s.t.Fatal(err)
	}
	for line, err := range intake.ReadLines(bytes.NewReader(samples.Notes())) {
		if err != nil {
			s.t.Fatal(err)
		}
		n, err := intake.Parse(line.Body, "")
		if err != nil {
			s.t.Fatal(err)
		}
		list, ok := sampleCodes[n.NoteID]
		if !ok {
			list = suggestNames(n.Text, rows)
		}
		set := s.set(n, list...)
		if n.NoteID == "N-1012" {
			reason := "timeout"
			set.Degraded, set.DegradedReason = true, &reason
			set.Notices = []coding.Notice{{Code: coding.NoticeSettingAssumed, Message: "The note does not name its setting; it was read as outpatient."}}
		}
		s.save(n, set)
	}
}

// suggestNames finds everyday names of codes in a text.
func suggestNames(text string, rows []starter.Row) []sug {
	var out []sug
	lower := strings.ToLower(text)
	for _, row := range rows {
		for _, name := range row.Names {
			if len(name) < 8 || !strings.Contains(lower, strings.ToLower(name)) {
				continue
			}
			words := regexp.MustCompile(`(?i)\b` + regexp.QuoteMeta(name) + `\b`).FindString(text)
			if words == "" || len(out) == 7 {
				continue
			}
			out = append(out, sug{code: row.Code, title: row.Title, words: []string{words}, confidence: 0.9 - 0.1*float64(len(out))})
			break
		}
	}
	return out
}
