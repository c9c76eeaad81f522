package lexicon

import (
	"slices"
	"strings"
	"testing"

	"chartcode/internal/coding"
)

// readings gives the expansions of the token written short in text, most
// likely first.
func readings(text, short string, section coding.SectionKind) []string {
	toks := Tokenize(text)
	var out []string
	for _, e := range Expand(text, toks, func(int) coding.SectionKind { return section }) {
		if text[toks[e.First].Start:toks[e.Last-1].End] == short {
			out = append(out, e.Text)
		}
	}
	return out
}

func TestExpandDecidesByContext(t *testing.T) {
	for _, c := range []struct {
		text, short string
		section     coding.SectionKind
		want        string // the first reading; empty for none
	}{
		{"He has HTN and CHF.", "HTN", "", "hypertension"},
		{"he has htn", "htn", "", "hypertension"},
		{"58yo with T2DM", "T2DM", "", "type 2 diabetes mellitus"},
		{"recurrent DVTs in the leg", "DVTs", "", "deep vein thrombosis"},
		{"MS with relapsing course, on interferon, followed by neurology", "MS", "", "multiple sclerosis"},
		{"Echocardiogram: severe MS of a rheumatic mitral valve", "MS", "", "mitral stenosis"},
		{"MS: alert and oriented, follows commands", "MS", coding.SectionExam, "mental status"},
		{"RA on methotrexate, seen by rheumatology for synovitis", "RA", "", "rheumatoid arthritis"},
		{"RA pressure 10, RV 40/8; left atrium dilated, catheter across the tricuspid valve, ventricle normal", "RA", coding.SectionResults, "right atrium"},
		{"PE: lungs clear, abdomen soft, vital signs stable", "PE", coding.SectionExam, "physical examination"},
		{"CT showed bilateral PE, heparin started for embolism", "PE", "", "pulmonary embolism"},
		{"spastic CP with developmental delay, wheelchair bound", "CP", "", "cerebral palsy"},
		{"CP and SOB, troponin negative, EKG normal", "CP", "", "chest pain"},
		{"stent to the proximal LAD, coronary artery stenosis", "LAD", "", "left anterior descending artery"},
		{"Neck: supple, no LAD, no cervical nodes", "LAD", coding.SectionExam, "lymphadenopathy"},
		{"visual acuity 20/40 OD, cataract of the lens", "OD", coding.SectionExam, "right eye"},
		{"brought in after OD on pills, suicide attempt by ingestion", "OD", "", "overdose"},
		{"PT for strengthening exercises and rehabilitation", "PT", coding.SectionPlan, "physical therapy"},
		{"INR 2.1, PT 18 on warfarin", "PT", coding.SectionResults, "prothrombin time"},
		{"ED evaluated him after he arrived by ambulance", "ED", "", "emergency department"},
		{"libido low, ED, sildenafil tried, testosterone normal", "ED", "", "erectile dysfunction"},
		{"polyneuropathy of the sensory type (QXSZ); QXSZ worse", "QXSZ", "", ""},
		{"central obesity syndrome (COS) was found. COS persists.", "COS", "", "central obesity syndrome"},
		{"PATIENT WAS GIVEN ALL OF THE MEDICINES", "ALL", "", ""},
		{"ALL in remission after leukemia chemotherapy, lymphoblastic", "ALL", "", "acute lymphoblastic leukemia"},
		{"an ice pack and a foam pad", "pad", "", ""},
		{"PsA with nail changes", "PsA", "", "psoriatic arthritis"},
		{"PSA 4.2", "PSA", "", "prostate specific antigen"},
		{"BLE edema", "BLE", "", "bilateral lower extremities"},
		{"2+ LE edema", "LE edema", "", "lower extremity edema"},
		{"he had a heart attack in 2010", "heart attack", "", "myocardial infarction"},
		{"films show a proximal humerus fracture", "proximal humerus", "", "upper end of humerus"},
		{"the distal radius is broken", "distal radius", "", "lower end of radius"},
		{"bruise of the upper leg", "upper leg", "", "thigh"},
		{"acute lumbar strain after lifting", "lumbar strain", "", "strain of muscle fascia and tendon of lower back"},
		{"MRI shows an ACL tear", "ACL tear", "", "sprain of anterior cruciate ligament"},
		{"tender over the anterior talofibular ligament", "anterior talofibular ligament", "", "other ligament of ankle"},
		{"fracture of L5 of the lumbar spine", "L5", "", "fifth lumbar vertebra"},
	} {
		got := readings(c.text, c.short, c.section)
		if c.want == "" && len(got) > 0 || c.want != "" && (len(got) == 0 || got[0] != c.want) {
			t.Errorf("%q: %s read as %q, want %q first", c.text, c.short, got, c.want)
		}
	}
}

func TestReadings(t *testing.T) {
	got := ""
	for _, r := range Readings("Ms") {
		got += r.Text + "; "
	}
	if !strings.HasPrefix(got, "multiple sclerosis; ") || !strings.Contains(got, "mitral stenosis") {
		t.Errorf("MS reads %s", got)
	}
	if got := Readings("nothing"); got != nil {
		t.Errorf("a word that is none reads %v", got)
	}
}

func TestExpandWeights(t *testing.T) {
	for _, text := range []string{"MS", "PE and MS", "OD OS OU", "CVD, HL, DI", "CA of the lung", benchText} {
		toks := Tokenize(text)
		sums := map[int]float64{}
		prev := -1
		for _, e := range Expand(text, toks, nil) {
			if e.Weight < leastWeight || e.Weight > 1 || e.First >= e.Last || e.Last > len(toks) || len(e.Norms) == 0 {
				t.Errorf("%q: odd expansion %+v", text, e)
			}
			if e.First < prev {
				t.Errorf("%q: not in order", text)
			}
			prev = e.First
			if !e.Phrase {
				sums[e.First] += e.Weight
			}
		}
		for at, s := range sums {
			if s > 1.0001 {
				t.Errorf("%q: readings of token %d sum to %v", text, at, s)
			}
		}
	}
}

func TestTables(t *testing.T) {
	seen := map[string]bool{}
	n := 0
	for _, rec := range readTable(abbreviationsCSV, 7) {
		n++
		key := rec[0] + "|" + rec[1]
		if seen[key] {
			t.Errorf("twice: %s", key)
		}
		seen[key] = true
		if w := weightOf(rec[2]); w <= 0 || w >= 1 {
			t.Errorf("%s: weight %v", key, w)
		}
		if !slices.Contains([]string{"any", "exact", "word"}, rec[3]) {
			t.Errorf("%s: case %q", key, rec[3])
		}
		if rec[6] != "usage" && rec[6] != "icd10cm" && !strings.HasPrefix(rec[6], "note:") {
			t.Errorf("%s: source %q", key, rec[6])
		}
	}
	if n < 600 {
		t.Errorf("%d abbreviations, want at least 600", n)
	}
	for _, rec := range readTable(phrasesCSV, 3) {
		if w := weightOf(rec[2]); w <= 0 || w >= 1 {
			t.Errorf("phrase %s: weight %v", rec[0], w)
		}
	}
}

func TestEquivalents(t *testing.T) {
	norm := func(s string) string { return Norms(s)[0] }
	for _, p := range [][2]string{{"kidney", "renal"}, {"hepatic", "liver"}, {"cardiac", "heart"}, {"pulmonary", "lungs"}, {"bleeding", "hemorrhage"}} {
		found := false
		for _, e := range Equivalents(norm(p[0])) {
			found = found || e.Norm == norm(p[1])
		}
		if !found {
			t.Errorf("%s is not equivalent to %s", p[0], p[1])
		}
	}
	for a, list := range equivalents() {
		for i, e := range list {
			if e.Norm == a || e.Weight <= 0 || e.Weight >= 1 || i > 0 && list[i-1].Weight < e.Weight {
				t.Errorf("%s: %+v", a, list)
			}
		}
	}
}

func FuzzExpand(f *testing.F) {
	f.Add("multiple sclerosis (MS) and MS")
	f.Add("(A)(AB) s/p C. diff")
	f.Fuzz(func(t *testing.T, s string) {
		toks := Tokenize(s)
		for _, e := range Expand(s, toks, nil) {
			if e.First < 0 || e.Last > len(toks) || e.First >= e.Last {
				t.Fatalf("%+v of %d tokens", e, len(toks))
			}
		}
	})
}

func BenchmarkExpand(b *testing.B) {
	toks := Tokenize(benchText)
	b.ReportAllocs()
	for b.Loop() {
		Expand(benchText, toks, nil)
	}
}
