package rank

import (
	"slices"
	"strings"
	"testing"

	"chartcode/internal/codeset"
	"chartcode/internal/coding"
)

// titles is a code table of a few codes.
type titles map[string]string

func (t titles) Lookup(code string) (coding.Code, bool) {
	s, ok := t[code]
	return coding.Code{System: coding.ICD10CM, Code: code, Title: s, Billable: ok}, ok
}

func (t titles) Billable(code string) bool { _, ok := t[code]; return ok }

var someTitles = titles{
	"I11.0": "Hypertensive heart disease with heart failure", "I11.9": "Hypertensive heart disease without heart failure",
	"I12.0": "Hypertensive chronic kidney disease with stage 5", "I12.9": "Hypertensive chronic kidney disease",
	"I13.0": "Hypertensive heart and chronic kidney disease with heart failure", "I13.2": "Hypertensive heart and chronic kidney disease, stage 5",
	"I13.10": "Hypertensive heart and chronic kidney disease without heart failure", "I50.9": "Heart failure, unspecified", "N18.6": "End stage renal disease",
	"Z99.2": "Dependence on renal dialysis", "E11.22": "Type 2 diabetes mellitus with diabetic chronic kidney disease",
	"E10.22": "Type 1 diabetes mellitus with diabetic chronic kidney disease", "E11.40": "Type 2 diabetes mellitus with diabetic neuropathy",
	"E11.42": "Type 2 diabetes mellitus with diabetic polyneuropathy", "E11.43": "Type 2 diabetes mellitus with diabetic autonomic neuropathy",
	"E11.51": "Type 2 diabetes mellitus with diabetic peripheral angiopathy", "E11.621": "Type 2 diabetes mellitus with foot ulcer",
	"E11.65": "Type 2 diabetes mellitus with hyperglycemia", "E11.649": "Type 2 diabetes mellitus with hypoglycemia", "E11.36": "Type 2 diabetes mellitus with diabetic cataract",
	"Z79.84": "Long term (current) use of oral hypoglycemic drugs", "D63.1": "Anemia in chronic kidney disease", "I08.0": "Rheumatic disorders of both mitral and aortic valves",
	"I08.1": "Mitral and tricuspid", "I08.2": "Aortic and tricuspid", "I08.3": "Combined rheumatic disorders of three valves",
	"I25.119": "Atherosclerotic heart disease with angina", "I50.33": "Acute on chronic diastolic (congestive) heart failure", "I50.42": "Chronic combined heart failure",
	"M47.22": "Spondylosis with radiculopathy, cervical", "K57.30": "Diverticulosis of large intestine", "J44.0": "COPD with lower respiratory infection", "J44.1": "COPD with exacerbation", "J45.901": "Asthma with exacerbation", "K80.00": "Gallstones with acute cholecystitis",
	"K80.12": "Gallstones with acute and chronic cholecystitis", "N40.1": "Enlarged prostate with symptoms", "M51.16": "Disc disorder with radiculopathy, lumbar",
	"Z68.41": "Body mass index [BMI] 40.0-44.9, adult", "Z68.32": "Body mass index [BMI] 32.0-32.9, adult", "E66.813": "Obesity, class 3",
	"D57.00": "Hb-SS disease with crisis", "E11.319": "Type 2 diabetes mellitus with unspecified diabetic retinopathy", "G40.919": "Epilepsy, unspecified, intractable",
	"I25.110": "Atherosclerotic heart disease with unstable angina", "K22.11": "Ulcer of esophagus with bleeding", "K25.4": "Gastric ulcer with hemorrhage",
	"K35.32": "Acute appendicitis with perforation", "M32.14": "Glomerular disease in lupus", "M47.12": "Spondylosis with myelopathy, cervical", "M47.26": "Spondylosis with radiculopathy, lumbar",
	"M51.27": "Disc displacement, lumbosacral", "S22.42XA": "Multiple fractures of ribs, left side, initial encounter",
	"C18":   "Malignant neoplasm of colon",
	"A41.9": "Sepsis, unspecified organism", "M17.0": "Bilateral primary osteoarthritis of knee", "M17.12": "Unilateral primary osteoarthritis, left knee", "M17.9": "Osteoarthritis of knee",
	"M50.20": "Other cervical disc displacement, unspecified cervical region", "M50.222": "Cervical disc displacement at C5-C6", "M50.223": "Cervical disc displacement at C6-C7",
	"E11.9": "Type 2 diabetes mellitus without complications", "S93.491A": "Sprain of other ligament of right ankle, initial encounter",
	"Z37.0": "Single live birth", "Z3A.38": "38 weeks gestation of pregnancy", "O99.013": "Anemia complicating pregnancy, third trimester", "I1A.0": "Resistant hypertension",
}

// TestCombine: what was chosen, and what is reported of it. Notes and
// conditions are invented; an item is code=words, of which "~" was not chosen.
func TestCombine(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text, items, want string
		facts                   []coding.Fact
	}{
		{name: "hypertension with heart failure (I.C.9.a.1)", text: "Hypertension. Heart failure.", items: "I50.9=Heart failure;I10=Hypertension", want: "I11.0 I50.9"},
		{name: "unrelated", text: "Hypertension. Heart failure, not due to hypertension.", items: "I10=Hypertension;I50.9=Heart failure", want: "I10 I50.9"},
		{name: "another cause", text: "Hypertension. Heart failure due to amyloidosis.", items: "I10=Hypertension;I50.9=Heart failure", want: "I10 I50.9"},
		{name: "heart disease", text: "Hypertension. Myocarditis long ago, now heart disease.", items: "I10=Hypertension;I51.9=heart disease", want: "I11.9"},
		{name: "kidney (I.C.9.a.2)", text: "Hypertension. Kidney disease stage 3.", items: "I10=Hypertension;N18.30=Kidney disease stage 3", want: "I12.9 N18.30"},
		{name: "end stage", text: "Hypertension. End-stage kidney disease on hemodialysis.", items: "I10=Hypertension;N18.6=End-stage kidney disease", want: "I12.0 N18.6 Z99.2"},
		{name: "both (I.C.9.a.3)", text: "Hypertension. Heart failure. Kidney disease.", items: "I10=Hypertension;I50.9=Heart failure;N18.9=Kidney disease", want: "I13.0 I50.9 N18.9"},
		{name: "both, end stage", text: "Hypertension. Heart failure. ESRD.", items: "I10=Hypertension;I50.9=Heart failure;N18.6=ESRD", want: "I13.2 I50.9 N18.6"},
		{name: "once", text: "Hypertension with CHF.", items: "I11.0=Hypertension with CHF;I10=Hypertension", want: "I11.0 I50.9"},
		{name: "resistant", text: "Resistant hypertension.", items: "I10=hypertension", want: "I10 I1A.0"},
		{name: "resistant to a drug", text: "Hypertension. MRSA resistant to oxacillin.", items: "I10=Hypertension", want: "I10"},
		{name: "stage and end stage (I.C.14.a.1)", text: "Kidney disease, now end-stage renal disease.", items: "N18.9=Kidney disease;~N18.6=end-stage renal disease", want: "N18.6"},
		{name: "dialysis is end stage", text: "Kidney disease. Hemodialysis thrice weekly.", items: "N18.9=Kidney disease;Z99.2=Hemodialysis", want: "N18.6 Z99.2"},
		{name: "stage is reported", text: "Hypertensive kidney disease. Stage 4 kidney disease.", items: "I12.9=Hypertensive kidney disease;~N18.4=Stage 4 kidney disease", want: "I12.9 N18.4"},

		{name: "diabetes with kidney (I.A.15)", text: "Diabetes. CKD stage 3.", items: "E11.9=Diabetes;N18.30=CKD stage 3", want: "E11.22 N18.30"},
		{name: "type 1", text: "Type 1 diabetes. CKD stage 3.", items: "E10.9=Type 1 diabetes;N18.30=CKD stage 3", want: "E10.22 N18.30"},
		{name: "one type", text: "Type 1 diabetes, diabetes since childhood.", items: "E10.9=Type 1 diabetes;E11.9=diabetes", want: "E10.9"},
		{name: "two complications", text: "Diabetes. CKD stage 3. Gastroparesis.", items: "E11.9=Diabetes;N18.30=CKD stage 3;K31.84=Gastroparesis", want: "E11.22 E11.43 N18.30 K31.84"},
		{name: "not diabetic", text: "Diabetes. Neuropathy, not diabetic.", items: "E11.9=Diabetes;G62.9=Neuropathy", want: "E11.9 G62.9"},
		{name: "neuropathy", text: "Diabetes. Neuropathy.", items: "E11.9=Diabetes;G62.9=Neuropathy", want: "E11.40"},
		{name: "polyneuropathy", text: "Diabetes. Peripheral neuropathy.", items: "E11.9=Diabetes;G62.9=Peripheral neuropathy", want: "E11.42"},
		{name: "angiopathy", text: "Diabetes. PVD.", items: "E11.9=Diabetes;I73.9=PVD", want: "E11.51"},
		{name: "cataract", text: "Diabetes. Cataract.", items: "E11.9=Diabetes;H26.9=Cataract", want: "E11.36"},
		{name: "old age's cataract", text: "Diabetes. Nuclear cataract of age.", items: "E11.9=Diabetes;H25.10=Nuclear cataract of age", want: "E11.9 H25.10"},
		{name: "foot ulcer", text: "Diabetes. Ulcer of the right foot.", items: "E11.9=Diabetes;L97.519=Ulcer of the right foot", want: "E11.621 L97.519"},
		{name: "high sugar", text: "Diabetes. Hyperglycemia.", items: "E11.9=Diabetes;R73.9=Hyperglycemia", want: "E11.65"},
		{name: "low sugar", text: "Diabetes. Hypoglycemia.", items: "E11.9=Diabetes;E16.2=Hypoglycemia", want: "E11.649"},
		{name: "poorly controlled", text: "Poorly controlled diabetes.", items: "E11.9=diabetes", want: "E11.65"},
		{name: "another is poorly controlled", text: "Diabetes. Poorly controlled asthma.", items: "E11.9=Diabetes", want: "E11.9"},
		{name: "lipids are not assumed", text: "Diabetes. Hyperlipidemia.", items: "E11.9=Diabetes;E78.5=Hyperlipidemia", want: "E11.9 E78.5"},
		{name: "oral drugs", text: "Diabetes. Takes metformin.", items: "E11.9=Diabetes", want: "E11.9 Z79.84"},
		{name: "drug of type 1", text: "Type 1 diabetes. Takes metformin.", items: "E10.9=Type 1 diabetes", want: "E10.9"},
		{name: "anemia", text: "Anemia. CKD.", items: "D64.9=Anemia;N18.9=CKD", want: "D63.1 N18.9"},

		{name: "valves", text: "Mitral regurgitation. Aortic stenosis.", items: "I34.0=Mitral regurgitation;I35.0=Aortic stenosis", want: "I08.0"},
		{name: "degenerative valves", text: "Degenerative mitral regurgitation. Aortic stenosis.", items: "I34.0=mitral regurgitation;I35.0=Aortic stenosis", want: "I34.0 I35.0"},
		{name: "three valves", text: "Mitral, aortic, tricuspid disease.", items: "I34.0=Mitral;I35.1=aortic;I07.1=tricuspid", want: "I08.3"},
		{name: "angina (I.C.9.b)", text: "CAD. Angina.", items: "I25.10=CAD;I20.9=Angina", want: "I25.119"},
		{name: "acute on chronic", text: "Acute on chronic diastolic failure.", items: "I50.30=diastolic failure", want: "I50.33"},
		{name: "systolic and diastolic", text: "Chronic systolic and chronic diastolic failure.", items: "I50.22=systolic;I50.32=diastolic", want: "I50.42"},
		{name: "COPD with pneumonia", text: "COPD. Pneumonia.", items: "J44.9=COPD;J18.9=Pneumonia", want: "J44.0 J18.9"},
		{name: "exacerbation", text: "COPD in exacerbation.", items: "J44.9=COPD", want: "J44.1"},
		{name: "asthma in exacerbation", text: "Asthma exacerbation.", items: "J45.909=Asthma", want: "J45.901"},
		{name: "gallstones", text: "Gallstones. Acute cholecystitis.", items: "K80.20=Gallstones;K81.0=Acute cholecystitis", want: "K80.00"},
		{name: "acute and chronic", text: "Gallstones. Acute and chronic cholecystitis.", items: "K80.20=Gallstones;K81.0=cholecystitis", want: "K80.12"},
		{name: "prostate", text: "BPH. Nocturia.", items: "N40.0=BPH;R35.1=Nocturia", want: "N40.1 R35.1"},
		{name: "a type that is named", text: "Diabetes, type 1 since childhood.", items: "E11.9=Diabetes;~E10.9=Diabetes, type 1", want: "E10.9"},
		{name: "polyneuropathy that is named", text: "Diabetes. Polyneuropathy.", items: "E11.9=Diabetes;~G62.9=Polyneuropathy", want: "E11.42"},
		{name: "high sugar that is named", text: "Diabetes. Hyperglycemia.", items: "E11.9=Diabetes;~R73.9=Hyperglycemia", want: "E11.65"},
		{name: "spondylosis", text: "Cervical spondylosis. Cervical radiculopathy.", items: "M47.812=Cervical spondylosis;~M54.12=Cervical radiculopathy", want: "M47.22"},
		{name: "diverticulosis", text: "Diverticulosis of the sigmoid colon.", items: "K57.90=Diverticulosis", want: "K57.30"},
		{name: "disc", text: "Lumbar disc degeneration. Lumbar radiculopathy.", items: "M51.360=Lumbar disc degeneration;M54.16=Lumbar radiculopathy", want: "M51.16"},

		{
			name: "body mass (I.B.14)", text: "Age 50. Obesity. BMI 41.2.", items: "E66.9=Obesity", want: "E66.9 Z68.41",
			facts: []coding.Fact{{Kind: coding.FactAge, Value: 50, Span: coding.Span{Start: 0, End: 6}}, {Kind: coding.FactBMI, Value: 41.2, Span: coding.Span{Start: 17, End: 25}}},
		},
		{
			name: "body mass of a child", text: "Age 10. Obesity. BMI 32.2.", items: "E66.9=Obesity", want: "E66.9",
			facts: []coding.Fact{{Kind: coding.FactAge, Value: 10, Span: coding.Span{Start: 0, End: 6}}, {Kind: coding.FactBMI, Value: 32.2, Span: coding.Span{Start: 17, End: 25}}},
		},
		{name: "obesity class", text: "Class III obesity.", items: "E66.9=obesity", want: "E66.813"},
		{name: "organism (I.B.7)", text: "Urinary infection with E. coli.", items: "N39.0=Urinary infection;~B96.20=E. coli", want: "N39.0 B96.20"},
		{
			name: "weeks and trimester", text: "IUP at 38w2d, preeclampsia. Anemia.", items: "O14.93=preeclampsia;D64.9=Anemia", want: "O14.93 Z3A.38 O99.013 D64.9",
			facts: []coding.Fact{{Kind: coding.FactGestation, Value: 38 + 2.0/7, Span: coding.Span{Start: 7, End: 12}}},
		},
		{name: "delivery (I.C.15.n.1)", text: "Term delivery. Postpartum hemorrhage.", items: "O80=Term delivery;O72.1=Postpartum hemorrhage", want: "Z37.0 O72.1"},

		{name: "sign (I.B.5)", text: "COPD. Wheezing.", items: "J44.9=COPD;R06.2=Wheezing", want: "J44.9"},
		{name: "sign alone", text: "Wheezing.", items: "R06.2=Wheezing", want: "R06.2"},
		{name: "pain of the knee", text: "Arthritis right. Pain right.", items: "M17.11=Arthritis right;M25.561=Pain right", want: "M17.11"},
		{name: "pain of the other knee", text: "Arthritis right. Pain left.", items: "M17.11=Arthritis right;M25.562=Pain left", want: "M17.11 M25.562"},
		{name: "history beside disease (I.C.2.m)", text: "Breast cancer. Past breast cancer.", items: "C50.912=Breast cancer;Z85.3=Past breast cancer", want: "C50.912"},
		{name: "needs dialysis", text: "Chronic kidney disease. He is on maintenance hemodialysis.", items: "N18.9=Chronic kidney disease", want: "N18.6"},
		{name: "refuses dialysis", text: "Chronic kidney disease. Talked of dialysis.", items: "N18.9=Chronic kidney disease", want: "N18.9"},
		{name: "diabetic neuropathy", text: "Diabetes. Burning feet from diabetic neuropathy.", items: "E11.9=Diabetes", want: "E11.40"},
		{name: "diabetic polyneuropathy", text: "Diabetes. Diabetic peripheral neuropathy.", items: "E11.40=Diabetes", want: "E11.42"},
		{name: "diabetic retinopathy", text: "Diabetes. Laser for diabetic retinopathy.", items: "E11.9=Diabetes", want: "E11.319"},
		{name: "angina at rest", text: "CAD. He has rest angina.", items: "I25.10=CAD", want: "I25.110"},
		{name: "infection and exacerbation", text: "Acute COPD exacerbation. Pneumonia.", items: "J44.9=COPD;J18.9=Pneumonia", want: "J44.0 J44.1 J18.9"},
		{name: "ulcer of the esophagus", text: "Ulcer of the esophagus. GI bleeding.", items: "K22.10=Ulcer of the esophagus;K92.2=GI bleeding", want: "K22.11"},
		{name: "gastric ulcer", text: "Gastric ulcer. Melena.", items: "K25.9=Gastric ulcer;~K92.1=Melena", want: "K25.4"},
		{name: "ulcer with another bleeding", text: "Gastric ulcer. Melena due to hemophilia.", items: "K25.9=Gastric ulcer;~K92.1=Melena", want: "K25.9"},
		{name: "obstructing prostate", text: "BPH. Bladder outlet obstruction.", items: "N40.0=BPH", want: "N40.1"},
		{name: "silent prostate", text: "BPH. Takes no drug for it.", items: "N40.0=BPH", want: "N40.0"},
		{name: "spondylosis and cord", text: "Cervical spondylosis. Myelopathy of both hands.", items: "M47.812=Cervical spondylosis", want: "M47.12"},
		{name: "spondylosis and root", text: "Lumbar spondylosis. Left radicular pain.", items: "M47.816=Lumbar spondylosis;M54.16=Left radicular pain", want: "M47.26"},
		{name: "segment below L5", text: "Herniated disc L5-S1.", items: "M51.26=Herniated disc", want: "M51.27"},
		{name: "segment below L4", text: "Herniated disc L4-L5. L5-S1 is normal.", items: "M51.26=Herniated disc", want: "M51.26"},
		{name: "sickle cells", text: "Sickle cell anemia. Now in pain crisis.", items: "D57.1=Sickle cell anemia", want: "D57.00"},
		{name: "refractory", text: "Epilepsy. Refractory seizures.", items: "G40.909=Epilepsy", want: "G40.919"},
		{name: "lupus", text: "Lupus. Biopsy shows lupus nephritis.", items: "M32.9=Lupus", want: "M32.14"},
		{name: "appendix", text: "Appendicitis. A perforated appendix was removed.", items: "K35.80=Appendicitis", want: "K35.32"},
		{name: "ribs", text: "Fractured ribs on the left.", items: "S22.32XA=Fractured ribs", want: "S22.42XA"},
		{name: "severe sepsis (I.C.1.d.1.b)", text: "Severe sepsis with septic shock.", items: "R65.21=septic shock", want: "A41.9 R65.21"},
		{name: "severe sepsis whose organism is known", text: "Severe sepsis by E. coli.", items: "A41.51=sepsis by E. coli;R65.20=Severe sepsis", want: "A41.51 R65.20"},
		{name: "fibrillation", text: "Atrial fibrillation with fast ventricular response.", items: "I49.01=fibrillation with fast ventricular;~I48.91=Atrial fibrillation", want: "I48.91"},
		{name: "ventricular fibrillation", text: "Atrial fibrillation. Ventricular fibrillation.", items: "I49.01=Ventricular fibrillation;~I48.91=Atrial fibrillation", want: "I49.01"},
		{name: "knee", text: "Degenerative arthritis of the left knee.", items: "M19.90=Degenerative arthritis", want: "M17.12"},
		{name: "both knees", text: "Arthritis of both knees.", items: "M19.90=Arthritis", want: "M17.0"},
		{name: "no joint", text: "Arthritis. Walks with a stiff knee.", items: "M19.90=Arthritis", want: "M19.90"},
		{name: "either knee", text: "Gonarthrosis of both knees.", items: "M17.9=Gonarthrosis", want: "M17.0"},
		{name: "bilateral of something else", text: "Gonarthrosis with bilateral edema of the legs.", items: "M17.9=Gonarthrosis", want: "M17.9"},
		{name: "disc of the neck", text: "Disc herniation at C6-7.", items: "M50.20=Disc herniation", want: "M50.223"},
		{name: "two discs, the upper one", text: "Disc herniation, C5/C6 and C6/C7.", items: "M50.20=Disc herniation", want: "M50.222"},
		{name: "another segment", text: "Disc herniation of the neck. C5-C6 is normal.", items: "M50.20=Disc herniation", want: "M50.20"},
		{name: "sugar in control", text: "Type 2 diabetes, in good control.", items: "E11.65=Type 2 diabetes", want: "E11.9"},
		{name: "sugar out of control", text: "Type 2 diabetes, uncontrolled.", items: "E11.65=Type 2 diabetes", want: "E11.65"},
		{name: "lateral ligament", text: "Ankle sprain with a torn talofibular ligament.", items: "S93.401A=Ankle sprain", want: "S93.491A"},
		{name: "calcaneofibular ligament", text: "Ankle sprain with a torn calcaneofibular ligament.", items: "S93.401A=Ankle sprain", want: "S93.401A"},
		{name: "roots, not a disc", text: "Disc herniation with pain of the roots C6 and C7.", items: "M50.20=Disc herniation", want: "M50.20"},
		{name: "sugar high in other words", text: "Type 2 diabetes, elevated blood glucose.", items: "E11.65=Type 2 diabetes", want: "E11.65"},
		{name: "medial ligament", text: "Ankle sprain with a torn deltoid ligament.", items: "S93.401A=Ankle sprain", want: "S93.401A"},
		{name: "not in the table", text: "Diabetes. Charcot foot.", items: "E11.9=Diabetes;M14.671=Charcot foot", want: "E11.9 M14.671"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			in, chosen := itemsOf(c.text, c.items)
			in.Doc.Facts = c.facts
			before := len(in.Candidates)
			least := 100.0
			for _, j := range chosen {
				least = min(least, j.Odds)
			}
			got, out := combine(in, chosen)
			var codes []string
			for _, j := range out {
				k := &got.Candidates[j.Candidate]
				codes = append(codes, k.Code)
				if j.Candidate < before {
					continue
				}
				if k.Display == "" || j.Odds < least || j.match != &k.Matches[0] {
					t.Errorf("%s: %+v", k.Code, j)
				}
				if r := rationaleOf(k, j.match); !strings.HasSuffix(r, ").") {
					t.Errorf("%s: rationale %q", k.Code, r)
				}
				for _, e := range billedEvidence(in.Doc, k, j.match) {
					if e.Text == "" || in.Doc.Text[e.Start:e.End] != e.Text {
						t.Errorf("%s: evidence %+v", k.Code, e)
					}
				}
			}
			if s := strings.Join(codes, " "); s != c.want {
				t.Errorf("reported %s, want %s", s, c.want)
			}
			if len(in.Candidates) != before {
				t.Error("the caller's candidates were changed")
			}
			again, out2 := combine(in, chosen)
			if len(again.Candidates) != len(got.Candidates) || len(out2) != len(out) {
				t.Error("the same input gave another output")
			}
		})
	}
}

// itemsOf makes a note of one sentence a full stop, with what was chosen of it.
func itemsOf(text, items string) (Input, []Billed) {
	doc := &coding.Document{Text: text, Sections: []coding.Section{{Span: coding.Span{End: len(text)}, Kind: coding.SectionAssessment}}}
	for at := 0; at < len(text); {
		n := strings.Index(text[at:], ". ") + 2
		if n < 2 {
			n = len(text) - at
		}
		doc.Sentences = append(doc.Sentences, coding.Sentence{Span: coding.Span{Start: at, End: at + n}})
		at += n
	}
	in := Input{Doc: doc, Style: coding.Billing, Table: someTitles}
	var chosen []Billed
	for i, item := range strings.Split(items, ";") {
		code, words, _ := strings.Cut(item, "=")
		code, unchosen := strings.CutPrefix(code, "~")
		at := strings.Index(text, words)
		in.Candidates = append(in.Candidates, coding.Candidate{
			System: coding.ICD10CM, Code: code, Display: words, Rank: i + 1,
			Matches: []coding.Match{{
				Span: coding.Span{Start: at, End: at + len(words)}, Term: words, TermCode: code, Kind: coding.TermTitle, Lexical: 1,
				Assertion: coding.Present, Section: coding.SectionAssessment,
			}},
		})
		if !unchosen {
			chosen = append(chosen, Billed{Candidate: i, Odds: 2 - float64(i)/10})
		}
	}
	for k := range chosen {
		chosen[k].match = &in.Candidates[chosen[k].Candidate].Matches[0]
	}
	return in, chosen
}

// TestCombineDenied: words that deny a condition bring no code.
func TestCombineDenied(t *testing.T) {
	t.Parallel()
	in, chosen := itemsOf("End-stage kidney disease. Not on dialysis.", "N18.6=End-stage kidney disease")
	in.Doc.Scopes = []coding.Scope{{Span: coding.Span{Start: 26, End: 41}, Assertion: coding.Negated}}
	if _, out := combine(in, chosen); len(out) != 1 {
		t.Errorf("%d codes", len(out))
	}
}

// TestBillCombined: the combined code leads the bill where the conditions are
// the reason for the encounter.
func TestBillCombined(t *testing.T) {
	t.Parallel()
	in, chosen := itemsOf("Heart failure. Hypertension.", "I50.9=Heart failure;I10=Hypertension")
	out := Bill(in, chosen, Selection{Calibration: billingScale, Threshold: leastBilling})
	if len(out) != 2 || out[0].Code != "I11.0" || out[0].Rank != 1 || out[0].Role != coding.RoleFirstListed || out[1].Code != "I50.9" {
		t.Fatalf("%+v", out)
	}
	if out[0].Confidence > out[1].Confidence || len(out[0].Evidence) != 2 {
		t.Errorf("%+v", out[0])
	}
}

// TestConventions: every row of the table can be read, and none drops what it
// gives.
func TestConventions(t *testing.T) {
	t.Parallel()
	rows, err := readConventions(conventionTable)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	last := ""
	for _, r := range rows {
		if r.group != last && seen[r.group] {
			t.Errorf("the rows of %q do not stand together", r.group)
		}
		seen[r.group], last = true, r.group
		for _, ref := range slices.Concat(r.a, r.b) {
			if ref.From == "" || ref.From[0] < 'A' || ref.From[0] > 'Z' {
				t.Errorf("%s: %v is no code", r.group, ref)
			}
		}
	}
	for _, bad := range []string{
		"h\nx\n",
		"group,how,a,b,words,gives,drops,source,because\nx,sometimes,I10,,,I11.0,,s,Why.\n",
		"group,how,a,b,words,gives,drops,source,because\nx,after,,,,I11.0,,s,Why.\n",
		"group,how,a,b,words,gives,drops,source,because\nx,after,I10,,,,,s,Why.\n",
	} {
		if _, err := readConventions([]byte(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

func TestMeasuredCodes(t *testing.T) {
	t.Parallel()
	for v, want := range map[float64]string{17: "1", 19.9: "1", 20: "20", 39.9: "39", 40: "41", 49.9: "42", 55: "43", 60: "44", 75: "45"} {
		if got := bmiCode(v); got != want {
			t.Errorf("BMI %v: %s, want %s", v, got, want)
		}
	}
	for v, want := range map[float64]string{6: "01", 8: "08", 37 + 6.0/7: "37", 42: "42"} {
		if got := weeksCode(v); got != want {
			t.Errorf("%v weeks: %s, want %s", v, got, want)
		}
	}
	for v, want := range map[float64]string{13 + 6.0/7: "1", 14: "2", 27 + 6.0/7: "2", 28: "3"} {
		if got := trimester(v); got != want {
			t.Errorf("%v weeks: trimester %s, want %s", v, got, want)
		}
	}
}

// What a note names, it names by the words of the code itself: the title of a
// header, or a part of another code's name, is not enough.
func TestNamedIsByItsOwnWords(t *testing.T) {
	text := "Diabetes with CKD 3b."
	match := func(words, term string) []coding.Match {
		at := strings.Index(text, words)
		return []coding.Match{{Span: coding.Span{Start: at, End: at + len(words)}, Term: term, TermCode: term, Kind: coding.TermEveryday, Lexical: 1,
			Assertion: coding.Present, Section: coding.SectionAssessment}}
	}
	in := Input{Doc: &coding.Document{Text: text, Sections: []coding.Section{{Span: coding.Span{End: len(text)}, Kind: coding.SectionAssessment}}},
		Candidates: []coding.Candidate{
			{Code: "N18.6", Display: "End stage renal disease", Matches: match("CKD", "N18")},
			{Code: "N18.31", Display: "Chronic kidney disease, stage 3a", Matches: match("CKD 3", "N18.31")},
			{Code: "N18.32", Display: "Chronic kidney disease, stage 3b", Matches: match("CKD 3b", "N18.32")},
		}}
	if c, _ := named(in, []codeset.Ref{{From: "N18.1", To: "N18.6"}}); c == nil || c.Code != "N18.32" {
		t.Errorf("named %+v, want the stage that the words say whole", c)
	}
	in.Candidates = in.Candidates[:1]
	if c, _ := named(in, []codeset.Ref{{From: "N18.6"}}); c != nil {
		t.Errorf("named %s by the title of its header", c.Code)
	}
}

// The stage of a kidney disease follows the hypertension, however sure each is.
func TestStageFollowsHypertension(t *testing.T) {
	var in Input
	var list []Billed
	for i, code := range strings.Fields("N18.32 E11.22 N18.4 I12.9 J44.9") {
		in.Candidates = append(in.Candidates, coding.Candidate{Code: code})
		list = append(list, Billed{Candidate: i})
	}
	var got []string
	for _, j := range codeFirst(in, list) {
		got = append(got, in.Candidates[j.Candidate].Code)
	}
	if want := "E11.22 I12.9 N18.32 N18.4 J44.9"; strings.Join(got, " ") != want {
		t.Errorf("%v, want %s", got, want)
	}
}
