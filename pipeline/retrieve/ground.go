package retrieve

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"

	"chartcode/internal/coding"
	"chartcode/internal/gbdt"
	"chartcode/internal/lexicon"
)

// Grounds are the places that a coder could underline for a code. Not all that
// leads retrieval to a code is one: the bare name of an organ counts for its
// diseases, a phrase of coded notes for whatever was coded beside it. How likely a
// place is to support the code is told by a small model over values that a person
// can read; groundWeights says where it comes from.

// groundsKept is how many grounds travel on with a candidate, likeliest first.
const groundsKept = 6

// The values by which a place is judged.
const (
	gWords    = iota // words of a term were found, not a vector or a phrase alone
	gShare           // of the term's words, by rarity
	gWhole           // nearly all of them
	gWeight          // of the words found, by rarity, tenths, at most 2
	gGap             // other words between the first and the last, quarters, at most 2
	gSite            // nothing but the name of a part of the body was found
	gEveryday        // the term is an everyday name
	gTabular         // the term is a title or an inclusion term
	gResolved        // how well the note supports this code among those the term leads to
	gPhrase          // best share of coded notes with a phrase on the place that have the code
	gUnnamed         // a phrase or a vector alone
	gVector          // likeness of meaning
	gPart            // part of the whole name of a condition of another chapter
	gKin             // part of the whole name of a condition of another category, and the code's title has a word that the sentence has not
	gBroken          // a comma or bracket stands within
	gPossible        // the note calls it possible
	gTaught          // a word alone that in coded notes nearly always had the code: a name for it
	gTest            // nothing but what a laboratory measures was found: the words give no result
	gKind            // the letter or number that tells kinds apart is missing: hepatitis B for "HCV"
	gNamed           // a test, scale or diet is named by the words: "sweat test"
	gSide            // the code's title names another side than the note
	gOrgan           // a word beside them names an organ of another chapter
	gTissue          // what is seen under the microscope: "foci of necrosis"
	gStatus          // the code is of the chapter of factors (Z)
	gLength          // bytes, twentieths, at most 3

	// The values from here on have no weight in Support: the models of the style of
	// mentions use them, and only for it they are filled.
	gBefore       // rarity of the words of the noun phrase before those found, tenths, at most 2
	gExact        // weight of the words found over that of the same words without synonyms and expansions
	gDeniedAfter  // a later word of the sentence may deny it: negative, normal, absent
	gNumbers      // share of the sentence that is numbers
	gTitleHere    // share of the title's words that the sentence has, by rarity
	gTitleMissing // rarity of the rarest word of the title that the sentence has not, tenths
	gKinBetter    // best score of the words of another code of the category here over the own score, at most 3
	gOtherLonger  // by how much the words of another category's name around these are rarer, fifths, at most 2
	gAt           // where in the note, 0..1
	gExcluded     // the sentence states what the title excludes by "without" or "except", or the noun phrase is acute where the title is chronic
	groundCount
)

// groundNames fails to compile where the values and their names are not as many.
var groundNames [groundCount]string = coding.GroundNames

// groundBias and groundWeights give the log odds that a place supports its code.
// They come from logistic regressions on 1,704 places of 953 suggestions, made for
// notes by models that had not seen them and judged by reading; site, part, kin and
// organ, whose values changed between two fits, are set between what both gave. The
// list is eval/datasets/evidence-places.jsonl, with 200 later suggestions at its end;
// `chartcode eval evidence` measures the weights on it (area under the curve 0.84)
// and fits them again.
const groundBias = -1.97

var groundWeights = [groundCount]float64{
	gWords: 0.30, gShare: 1.55, gWhole: 0.96, gWeight: 0.75, gGap: -1.08, gSite: -1.20, gEveryday: 0.49, gTabular: 0.17,
	gResolved: -0.68, gPhrase: 1.52, gUnnamed: -0.30, gVector: 1.90, gPart: -0.41, gKin: -1.10, gBroken: -0.54, gPossible: -0.30,
	gTaught: taughtWeight, gTest: testWeight, gKind: kindWeight,
	gNamed: namedWeight, gSide: otherSideWeight, gOrgan: -1.00, gTissue: tissueWeight, gStatus: 0.78, gLength: 0.61,
}

// What is rarer still among the places judged has weights set by hand: no coder
// underlines it.
const (
	testWeight      = -3.0
	kindWeight      = -2.0
	namedWeight     = -2.0
	otherSideWeight = -2.0
	tissueWeight    = -2.0
)

// Words that alone nearly always brought the code are too rare among the places
// judged to fit a weight to (two, both right), so it is set by hand: enough for
// the code to stand on.
const (
	taughtShare  = 0.85
	taughtWeight = 2.0
)

// spot is what is known of one stretch of the note for one code.
type spot struct {
	span       coding.Span
	way        *way // best that stands on it; nil: a phrase or vector alone
	share, res float32
	everyday   bool
	tabular    bool
	sim        float32
	phrase     float32 // best share of a phrase that overlaps it
	taught     bool    // the phrase is one word, and the place
	assert     coding.Assertion
}

// grounds gives the places that state the code of the patient, likeliest first.
func (r *Retriever) grounds(v *view, f *finding, row *Row) []coding.Ground {
	places := r.judgedPlaces(v, f, row)
	out := make([]coding.Ground, min(len(places), groundsKept))
	for i := range out {
		out[i] = places[i].Ground
		if !f.mentions { // no other style's models look at them
			continue
		}
		out[i].Values = make([]float32, groundCount)
		for k, x := range places[i].X {
			out[i].Values[k] = float32(x)
		}
	}
	return out
}

func (r *Retriever) judgedPlaces(v *view, f *finding, row *Row) []Judged {
	places := r.places(f, row)
	out := make([]Judged, 0, len(places))
	for i := range places {
		x := r.judged(v, f, row, &places[i])
		odds := groundBias
		for k, val := range x {
			odds += groundWeights[k] * val
		}
		out = append(out, Judged{coding.Ground{Span: places[i].span, Assertion: places[i].assert, Support: gbdt.Logistic(odds)}, x[:]})
	}
	slices.SortStableFunc(out, func(a, b Judged) int {
		return cmp.Or(cmp.Compare(b.Support, a.Support), cmp.Compare(a.Span.Start, b.Span.Start))
	})
	return out
}

// Judged is a place of the note with the values by which it is judged.
type Judged struct {
	coding.Ground
	X []float64 // by GroundValues
}

// GroundValues names the values of Judged.X, in their order.
func GroundValues() []string { return append([]string(nil), groundNames[:]...) }

// GroundWeights gives the weights of the values, in their order.
func GroundWeights() []float64 { return append([]float64(nil), groundWeights[:]...) }

// Judge gives all stated places of a note's codes, by code: what the weights are
// fitted to.
func (r *Retriever) Judge(ctx context.Context, doc *coding.Document, t Table, o Options) (map[string][]Judged, error) {
	rows, f, v, err := r.rows(ctx, doc, t, o)
	if err != nil {
		return nil, err
	}
	out := make(map[string][]Judged, len(rows))
	for i := range rows {
		out[rows[i].Code] = r.judgedPlaces(v, f, &rows[i])
	}
	return out, nil
}

// places gathers the stated places of the code's ways.
func (r *Retriever) places(f *finding, row *Row) []spot {
	var out []spot
	at := func(s coding.Span) *spot {
		for i := range out {
			if out[i].span == s {
				return &out[i]
			}
		}
		out = append(out, spot{span: s})
		return &out[len(out)-1]
	}
	for i := range row.ways {
		w := &row.ways[i]
		if w.term < 0 {
			continue
		}
		if w.hit < 0 {
			d := f.dense[w.term]
			a := f.rd.doc.AssertionOf(d.span)
			if stated(a) {
				p := at(d.span)
				p.sim, p.assert = max(p.sim, d.sim), a
			}
			continue
		}
		h := &f.hits[w.hit]
		if h.neg {
			continue
		}
		p := at(f.rd.span(h.from, h.to))
		p.assert = h.assert
		if p.way == nil { // ways come best first
			p.way = w
		}
		p.share, p.res = max(p.share, h.share), max(p.res, w.res)
		switch r.index.terms[w.term].kind {
		case coding.TermEveryday:
			p.everyday = true
		case coding.TermTitle, coding.TermInclusion:
			p.tabular = true
		}
	}
	if l, ok := f.links[row.code]; ok {
		if a := f.rd.doc.AssertionOf(l.span); stated(a) {
			p := at(l.span)
			p.assert, p.taught = a, !strings.ContainsAny(f.rd.doc.Text[l.span.Start:l.span.End], " \n,;")
		}
		for i := range out {
			if out[i].span.Overlaps(l.span) {
				out[i].phrase = l.best
			}
		}
	}
	return out
}

func (r *Retriever) judged(v *view, f *finding, row *Row, p *spot) (x [groundCount]float64) {
	set := func(k int, yes bool) {
		if yes {
			x[k] = 1
		}
	}
	text := f.rd.doc.Text[p.span.Start:p.span.End]
	x[gResolved] = 1
	if w := p.way; w != nil {
		h := &f.hits[w.hit]
		x[gWords], x[gShare], x[gWeight] = 1, float64(p.share), min(float64(h.weight), 20)/10
		set(gWhole, p.share >= FoundShare)
		x[gGap] = float64(min(max(h.to-h.from+1-h.count, 0), 8)) / 4
		set(gSite, r.onlyFound(f, h, r.index.site))
		set(gTest, r.onlyFound(f, h, r.index.test))
		set(gKind, r.kindMissing(f, h))
		set(gNamed, f.rd.namesOther(h))
		set(gSide, f.sideFits(&v.title[row.code], h) == -1)
		set(gEveryday, p.everyday)
		set(gTabular, p.tabular)
		x[gResolved] = float64(p.res)
		set(gOrgan, f.otherOrgan(r.index, row.Code, &v.title[row.code], h))
		chapter, category := f.partOfOther(r.index, row.Code, h)
		set(gPart, chapter)
		set(gTissue, f.microscopic(h))
		set(gKin, category && f.titleMissing(r.index, &v.title[row.code], h))
		set(gBroken, strings.ContainsAny(text, ",;:("))
	} else {
		x[gShare] = unnamedShare
		set(gUnnamed, true)
		set(gTaught, p.taught && p.phrase >= taughtShare)
		set(gTest, r.index.testNamed(text))
	}
	x[gPhrase], x[gVector] = float64(p.phrase), float64(p.sim)
	if x[gKin] == 1 || x[gOrgan] == 1 {
		x[gPhrase] = 0 // coded notes had the words without those beside them
	}
	set(gPossible, p.assert == coding.Possible)
	set(gStatus, row.Code[0] == 'Z')
	x[gLength] = min(float64(p.span.Len()), 60) / 20
	if f.mentions {
		r.surroundings(v, f, row, p, &x)
	}
	return x
}

// unnamedShare stands for the share of a place without a term's words.
const unnamedShare = 0.55

// onlyFound reports whether all that a hit found of its term are words of a set.
func (r *Retriever) onlyFound(f *finding, h *hit, set []bool) bool {
	any := false
	for _, b := range r.index.bag(h.bag) {
		if f.within(h, b) {
			if !set[b] {
				return false
			}
			any = true
		}
	}
	return any
}

// kindMissing reports whether a single letter or figure of the term was not found.
func (r *Retriever) kindMissing(f *finding, h *hit) bool {
	for _, b := range r.index.bag(h.bag) {
		if len(r.index.spell[b]) == 1 && !f.within(h, b) {
			return true
		}
	}
	return false
}

// within reports whether a word stands in the stretch of a hit.
func (f *finding) within(h *hit, id int32) bool {
	for _, w := range f.rd.sentence[h.sentence].words {
		if w.id == id && w.pos >= h.from && w.pos <= h.to {
			return true
		}
	}
	return false
}

// partOfOther reports whether the words of a hit are part of the name, found whole
// and together, of a condition of another chapter ("myasthenia" in "myasthenia
// gravis") or category ("hypertension" in "pulmonary hypertension").
func (f *finding) partOfOther(ix *index, code string, h *hit) (chapter, category bool) {
	for _, i := range f.wholes[h.sentence] {
		o := &f.hits[i]
		if o.from > h.from || o.to < h.to || o.count <= h.count {
			continue
		}
		otherChapter, otherCategory := true, true
		for _, rf := range ix.refsOf(o.bag) {
			c := ix.codes[rf.code]
			otherChapter = otherChapter && chapterLetter(c) != chapterLetter(code)
			otherCategory = otherCategory && coding.Category(c) != coding.Category(code)
		}
		chapter, category = chapter || otherChapter, category || otherCategory
	}
	return chapter, category
}

// titleMissing reports whether a telling word of the code's title is not in the
// sentence: "essential" where it only speaks of pulmonary hypertension.
func (f *finding) titleMissing(ix *index, t *title, h *hit) bool {
	for _, id := range t.words {
		if ix.weight[id] >= titleWeight && !slices.ContainsFunc(f.rd.sentence[h.sentence].words, func(w word) bool { return w.id == id }) {
			return true
		}
	}
	return false
}

// titleWeight is more than that of words such as disease and unspecified.
const titleWeight = 3.5

// findWholes lists the hits by sentence, and those that are the whole name of a
// condition, without other words between.
func (f *finding) findWholes() {
	f.wholes, f.bySentence = map[int32][]int32{}, map[int32][]int32{}
	for i := range f.hits {
		h := &f.hits[i]
		f.bySentence[h.sentence] = append(f.bySentence[h.sentence], int32(i))
		if h.count >= 2 && h.share >= wholeShare && int(h.to-h.from)+1 <= int(h.count)+1 {
			f.wholes[h.sentence] = append(f.wholes[h.sentence], int32(i))
		}
	}
}

const wholeShare = 0.93

// chapterLetter is the letter of the code, blood apart from neoplasms.
func chapterLetter(code string) string {
	if code[0] == 'D' && code < "D50" {
		return "C"
	}
	return code[:1]
}

// measured is what laboratories measure in most patients.
const measured = "hdl ldl vldl triglyceride triglycerides cholesterol glucose bilirubin creatinine urea hemoglobin haemoglobin hematocrit leukocytes leucocytes platelets " +
	"lymphocytes neutrophils eosinophils albumin protein proteins potassium sodium calcium chloride magnesium phosphorus phosphate iron ferritin transferrin folate " +
	"transaminases ldh ggt gpt got alt ast amylase lipase crp esr tsh psa urate fibrinogen"

// testNamed reports whether a text is the name of what a laboratory measures.
func (ix *index) testNamed(text string) bool {
	for _, n := range lexicon.Norms(text) {
		for _, key := range []string{n, properMark + n} {
			if w := ix.lookup(key); w >= 0 && ix.test[w] {
				return true
			}
		}
	}
	return false
}

// sites marks the words that name parts of the body: the sites of the neoplasm
// table, or of the titles of malignant neoplasms where there is no table.
func (ix *index) sites(terms []coding.Term) {
	ix.site, ix.test = make([]bool, len(ix.spell)), make([]bool, len(ix.spell))
	for _, n := range lexicon.Norms(measured) {
		for _, key := range []string{n, properMark + n} { // HDL is entered as a name
			if w := ix.lookup(key); w >= 0 {
				ix.test[w] = true
			}
		}
	}
	for _, t := range terms {
		site, ok := strings.CutPrefix(t.Text, "metastasis to ")
		if !ok || t.Kind != coding.TermNeoplasm {
			if site, ok = strings.CutPrefix(t.Text, "Malignant neoplasm of "); !ok {
				continue
			}
		}
		for _, n := range lexicon.Norms(site) {
			if w := ix.lookup(n); w >= 0 && !lexicon.IsStop(n) && !noSite()[n] {
				ix.site[w] = true
				for _, e := range lexicon.Equivalents(n) { // testicle, renal
					if w := ix.lookup(e.Norm); w >= 0 && e.Weight >= sameSite {
						ix.site[w] = true
					}
				}
			}
		}
	}
}

// sameSite is the least weight of another word for a site.
const sameSite = 0.9

// noSite are words of the names of sites that name no part of the body.
var noSite = sync.OnceValue(func() map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields("unspecified specified other nec nos overlapping type cell cells carcinoma lesion lesions basal squamous metastasis metastatic multiple primary secondary malignant neoplasm left right bilateral site sites disseminated upper lower anterior posterior") {
		for _, n := range lexicon.Norms(w) {
			out[n] = true
		}
	}
	return out
})
