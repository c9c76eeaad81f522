package retrieve

import (
	"cmp"
	"fmt"
	"slices"
	"testing"

	"chartcode/internal/coding"
)

// groundTerms lead to codes by words that are not always what a coder would
// underline; enough other terms stand beside them for words to be rare.
func groundTerms() (*smallTable, []coding.Term) {
	table := &smallTable{}
	var terms []coding.Term
	add := func(code, title string, kind coding.TermKind, names ...string) {
		(*table)[code] = title
		for i, text := range append([]string{title}, names...) {
			k := kind
			if i == 0 {
				k = coding.TermTitle
			}
			terms = append(terms, coding.Term{Text: text, Kind: k, System: coding.ICD10CM, Code: code})
		}
	}
	add("R61", "Generalized hyperhidrosis", coding.TermIndex, "Sweat, sweating")
	add("K76.9", "Liver disease, unspecified", coding.TermIndex, "Disease, liver")
	add("C22.9", "Malignant neoplasm of liver", coding.TermNeoplasm)
	add("R63.0", "Anorexia", coding.TermEveryday, "no appetite")
	add("B19.10", "Unspecified viral hepatitis B", coding.TermIndex, "Hepatitis, viral, type B")
	add("E78.6", "Lipoprotein deficiency", coding.TermEveryday, "low HDL")
	add("M25.511", "Pain in right shoulder", coding.TermIndex)
	add("M25.512", "Pain in left shoulder", coding.TermIndex)
	add("G70.00", "Myasthenia gravis", coding.TermIndex)
	add("M62.81", "Muscle weakness", coding.TermIndex, "Myasthenia")
	add("B99.9", "Unspecified infectious disease", coding.TermIndex, "Disease, infectious")
	add("I10", "Essential (primary) hypertension", coding.TermIndex, "Hypertension")
	add("I27.20", "Pulmonary hypertension, unspecified", coding.TermIndex, "Hypertension, pulmonary")
	for i, title := range []string{"Abscess of kidney", "Infarction of kidney", "Kidney failure", "Small kidney", "Cyst of kidney"} {
		add(fmt.Sprintf("N%d.9", 20+i), title, coding.TermIndex)
	}
	add("C64.9", "Malignant neoplasm of kidney", coding.TermNeoplasm)
	add("I47.20", "Ventricular tachycardia, unspecified", coding.TermIndex, "Tachycardia, ventricular")
	add("I71.40", "Abdominal aortic aneurysm, without rupture, unspecified", coding.TermIndex, "Aneurysm, aorta, abdominal")
	add("E66.9", "Obesity, unspecified", coding.TermEveryday, "high body mass index")
	add("I96", "Gangrene, not elsewhere classified", coding.TermIndex, "Necrosis")
	add("I95.9", "Hypotension, unspecified", coding.TermEveryday, "hypotensive")
	add("B02.9", "Zoster without complications", coding.TermIndex, "Zoster")
	add("J32.9", "Chronic sinusitis, unspecified", coding.TermIndex, "Sinusitis")
	add("L90.5", "Scar conditions and fibrosis of skin", coding.TermIndex, "Scar")
	for i := range 400 {
		add(fmt.Sprintf("A%02d.%d", i/10, i%10), fmt.Sprintf("Zorb%dalgia", i), coding.TermIndex)
	}
	return table, terms
}

// rowOf gives the row of a code that a text leads to.
func rowOf(t *testing.T, r *Retriever, table Table, text, code string) (*Row, *finding, *view) {
	t.Helper()
	rows, f, v, err := r.rows(t.Context(), docOf(text), table, Options{Style: coding.Mentions})
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(rows, func(row Row) bool { return row.Code == code })
	if i < 0 {
		t.Fatalf("%q does not lead to %s", text, code)
	}
	return &rows[i], f, v
}

// What a coder would underline is likelier to support the code than other words
// that lead to it.
func TestGroundsPreferWhatACoderUnderlines(t *testing.T) {
	table, terms := groundTerms()
	r, err := New(Config{Terms: terms})
	if err != nil {
		t.Fatal(err)
	}
	best := func(text, code string) (x [groundCount]float64, support float64) {
		t.Helper()
		row, f, v := rowOf(t, r, table, text, code)
		list := r.grounds(v, f, row)
		if len(list) == 0 {
			return x, 0
		}
		if !slices.IsSortedFunc(list, func(a, b coding.Ground) int { return cmp.Compare(b.Support, a.Support) }) {
			t.Errorf("%q: grounds are not in order: %+v", text, list)
		}
		spots := r.places(f, row)
		k := slices.IndexFunc(spots, func(s spot) bool { return s.span == list[0].Span })
		return r.judged(v, f, row, &spots[k]), list[0].Support
	}
	for _, c := range []struct {
		what, code, good, bad string
		value                 int // that tells the bad place from the good one
	}{
		{"the name of a test", "R61", "He complains of sweating.", "A sweat test was done.", gNamed},
		{"the name of a place", "B99.9", "An infectious disease is present.", "Seen in the infectious disease department.", gNamed},
		{"an organ by itself", "K76.9", "There is liver disease.", "The liver was seen.", gSite},
		{"another kind", "B19.10", "Viral hepatitis type B is known.", "Viral hepatitis type C is known.", gKind},
		{"a laboratory value", "E78.6", "Low HDL is treated.", "HDL was measured.", gTest},
		{"the other side", "M25.511", "Pain in the right shoulder.", "Pain in the left shoulder.", gSide},
		{"part of another name", "M62.81", "Myasthenia is noted.", "Myasthenia gravis is noted.", gPart},
		{"a kind with a code of its own", "I10", "Hypertension is treated.", "Pulmonary hypertension is treated.", gKin},
		{"another organ", "L90.5", "A scar is seen.", "A kidney scar is seen.", gOrgan},
		{"what is seen in tissue", "I96", "There is necrosis.", "Histological examination showed necrosis.", gTissue},
		{"what a drug does", "I95.9", "She is hypotensive.", "Hypotensive treatment was left.", gNamed},
		{"a virus that was looked for", "B02.9", "Zoster is treated.", "Serology by EIA: zoster virus, old.", gNamed},
		{"a value that is set", "I47.20", "VT was seen.", "A VT 420 ml was set.", gNamed},
		{"a term that denies", "R63.0", "negated|She has no appetite.", "Her appetite is good.", -1},
	} {
		t.Run(c.what, func(t *testing.T) {
			x, good := best(c.good, c.code)
			y, bad := best(c.bad, c.code)
			if good < bad+0.2 {
				t.Errorf("%q supports %s by %.2f, %q by %.2f", c.good, c.code, good, c.bad, bad)
			}
			if k := c.value; k >= 0 && (x[k] != 0 || y[k] != 1 || groundWeights[k] >= 0) {
				t.Errorf("value %d is %g for %q and %g for %q, of weight %g", k, x[k], c.good, y[k], c.bad, groundWeights[k])
			}
		})
	}
}

// A size and an index that a code is about are no test beside it.
func TestSizesAndIndexesAreGrounds(t *testing.T) {
	table, terms := groundTerms()
	r, err := New(Config{Terms: terms})
	if err != nil {
		t.Fatal(err)
	}
	for text, code := range map[string]string{"AAA 5 cm is known.": "I71.40", "A high BMI was found.": "E66.9"} {
		row, f, v := rowOf(t, r, table, text, code)
		spots := r.places(f, row)
		for k := range spots {
			if x := r.judged(v, f, row, &spots[k]); x[gNamed] != 0 {
				t.Errorf("%q: %+v is taken for the name of a test", text, spots[k].span)
			}
		}
		if len(spots) == 0 {
			t.Errorf("%q has no place", text)
		}
	}
}

// The words that deny a condition are no ground for it.
func TestGroundsAreStated(t *testing.T) {
	c := find(candidates(t, retriever(t, nil), "negated|no pneumonia here\npneumonia in March\n", Options{}), "J18.9")
	if c == nil || len(c.Grounds) != 1 || c.Grounds[0].Start < 25 || c.Grounds[0].Assertion != coding.Present {
		t.Errorf("%+v, want the place that states it", c)
	}
}

// What stands around a place speaks for or against it.
func TestWhatStandsAroundAPlace(t *testing.T) {
	table, terms := groundTerms()
	r, err := New(Config{Terms: terms})
	if err != nil {
		t.Fatal(err)
	}
	values := func(text, code string) (x [groundCount]float64) {
		t.Helper()
		row, f, v := rowOf(t, r, table, text, code)
		spots := r.places(f, row)
		if len(spots) == 0 {
			t.Fatalf("%q has no place", text)
		}
		return r.judged(v, f, row, &spots[0])
	}
	for _, c := range []struct {
		what, code, more, less string
		value                  int
	}{
		{"a word that denies", "I10", "Hypertension in both arms was absent.", "Hypertension in both arms was treated.", gDeniedAfter},
		{"numbers", "I10", "Hypertension 160 90 80.", "Hypertension is old.", gNumbers},
		{"words before", "I10", "Pulmonary hypertension.", "Hypertension.", gBefore},
		{"the title's words", "I10", "Essential hypertension.", "Hypertension.", gTitleHere},
		{"the title's words that are missing", "I10", "Hypertension.", "Primary essential hypertension.", gTitleMissing},
		{"a longer name", "I10", "Pulmonary hypertension.", "Hypertension.", gOtherLonger},
		{"later in the note", "I10", "She was seen by us. Hypertension.", "Hypertension.", gAt},
		{"what the title excludes", "B02.9", "Zoster with complications.", "Zoster is treated.", gExcluded},
		{"acute, where the title is chronic", "J32.9", "Acute sinusitis.", "Acute pain, sinusitis.", gExcluded},
		{"the other kind's words", "N20.9", "Kidney failure.", "Kidney abscess.", gTitleMissing},
		{"the term's own word", "N20.9", "Abscess of the kidney.", "Renal abscess.", gExact},
	} {
		if more, less := values(c.more, c.code)[c.value], values(c.less, c.code)[c.value]; more <= less {
			t.Errorf("%s: %s is %g in %q and %g in %q", c.what, groundNames[c.value], more, c.more, less, c.less)
		}
	}
}
