package rank

import (
	"cmp"
	"math"
	"slices"

	"chartcode/internal/coding"
	"chartcode/internal/gbdt"
	"chartcode/internal/learned"
)

// scale says how a feature's value is shown to people.
type scale byte

const (
	asIs     scale = iota
	asCount        // the feature is the logarithm of one more than the number
	asChance       // the feature is log odds
)

// reading is a feature in words.
type reading struct {
	text  string
	scale scale
}

// readings gives the words for the features of both styles. A value of 1 says
// that the words hold.
var readings = map[string]reading{
	// of both styles
	"retrieval":          {"how likely retrieval finds the code", asChance},
	"rank":               {"likelier candidates before it", asCount},
	"ahead":              {"how far it is behind the note's likeliest candidate", asIs},
	"lexical":            {"share of a term's words that the note has", asIs},
	"dense":              {"likeness of meaning between words of the note and a term", asIs},
	"matches":            {"places of the note that name it", asIs},
	"learned":            {"share of coded notes with the same phrase that were given the code", asIs},
	"title_or_inclusion": {"the words are those of the tabular list itself", asIs},
	"words":              {"words of the term that fits best", asIs},
	"possible":           {"the note calls it possible, not certain", asIs},
	"historical":         {"the note tells of it as history", asIs},
	"first":              {"where the best place stands, from the note's start to its end", asIs},
	"overlap":            {"chance of a likelier code on the same words", asChance},
	"overlap_count":      {"likelier codes on the same words", asIs},
	"inside":             {"a likelier code stands on these words and more", asIs},
	"around":             {"a likelier code stands on some of these words", asIs},
	"category":           {"chance of the likeliest other code of its category", asChance},
	"category_count":     {"likelier codes of its category", asIs},
	"subcategory":        {"chance of the likeliest other code of its subcategory", asChance},
	"sentence_count":     {"likelier codes in the same sentence", asIs},
	"vague_beside_exact": {"it is unspecified, and its category has a likelier exact code", asIs},
	"vague":              {"its title says unspecified or other", asIs},
	"sign":               {"it is a sign or symptom", asIs},
	"status":             {"it is a factor or status (chapter Z)", asIs},
	"expected":           {"how much the whole note seems to have to code", asIs},
	"length":             {"bytes of the note", asCount},

	// of billing
	"points":           {"points by the rules of billing", asIs},
	"place_points":     {"points of the best place by the rules of billing", asIs},
	"best_section":     {"points of the best place's section", asIs},
	"in_assessment":    {"named in the assessment", asIs},
	"in_final":         {"named in the final, discharge or postoperative diagnosis", asIs},
	"in_before":        {"named in the admission or preoperative diagnosis", asIs},
	"in_indication":    {"named in the indication", asIs},
	"in_complaint":     {"named in the chief complaint", asIs},
	"in_hpi":           {"named in the present illness or hospital course", asIs},
	"in_history":       {"named in the past history", asIs},
	"in_plan":          {"named in the plan", asIs},
	"in_findings":      {"named in examination or results", asIs},
	"in_systems":       {"named in the review of systems", asIs},
	"in_procedure":     {"named in the procedure", asIs},
	"in_medications":   {"named in medications, allergies or instructions", asIs},
	"in_untitled":      {"named where no heading says what the text is", asIs},
	"sections":         {"kinds of sections that name it", asIs},
	"item":             {"the words make up an item of a list of problems", asIs},
	"item_number":      {"sentences before it in its section", asCount},
	"lasting":          {"the condition goes on once it is there", asIs},
	"encounter":        {"it is a reason for a visit by itself", asIs},
	"history_code":     {"it is a code of personal history or of what an event left", asIs},
	"family_code":      {"it is a code of family history", asIs},
	"external":         {"it is a cause or place of an injury", asIs},
	"denied_elsewhere": {"another place of the note denies it", asIs},
	"uncertain":        {"the best place calls it uncertain", asIs},
	"generic":          {"the words are one word that many names have", asIs},
	"loose":            {"words of the note between those of the term", asIs},
	"share":            {"share of the best place's term that the note has", asIs},
	"below_header":     {"the term leads to a header, and the code was chosen below it", asIs},
	"inpatient":        {"the rules for inpatients hold", asIs},
	"emergency":        {"it is a note of an emergency department", asIs},
	"has_assessment":   {"the note has an assessment", asIs},
	"has_final":        {"the note has final, discharge or postoperative diagnoses", asIs},
	"has_procedure":    {"the note tells of a procedure", asIs},
	"billed":           {"coded notes that were given the code", asCount},
	"billed_category":  {"codes of its category that coded notes were given", asCount},
	"billed_found":     {"share of coded notes with its words that were given it", asIs},
	"billed_found_of":  {"coded notes with its words", asCount},
	"within_longer":    {"the words lie within a longer name that fits", asIs},
	"longer_score":     {"chance of the code of the longer name around the words", asChance},
	"span":             {"bytes of the best place", asCount},
	"at":               {"where the place that decided stands, from the note's start to its end", asIs},
	"purpose":          {"how far the note says that it is what the encounter is for", asIs},
	"density":          {"share of the words at the best place that are the term's", asIs},
	"resolution":       {"how well the note tells it from the other codes that the term leads to", asIs},
	"under":            {"codes that the term leads to", asCount},
	"sum":              {"strength of all places together", asIs},
	"places":           {"different places with its words", asCount},
	"terms":            {"different terms of it that fit", asCount},
	"stated":           {"share of its places that state it of the patient", asIs},
	"beaten":           {"strength of the best other code on the same words against its own", asIs},
	"beaten_longer":    {"words of the best other name there against its own", asIs},
	"ties":             {"codes that fit the same words as well", asCount},
	"title_share":      {"share of its title's words that the note has anywhere", asIs},
	"title_weight":     {"how much its title says", asIs},
	"common":           {"it has an everyday name", asIs},
	"side":             {"the side of its title is the note's (-1: another side)", asIs},
	"cover":            {"share of the noun phrase's words that are the term's", asIs},
	"chapter":          {"share of the note's likeliest codes that are of its chapter", asIs},

	// of the likeliest place, in the style of mentions
	"place_words":         {"words of a term were found at the likeliest place", asIs},
	"place_share":         {"share of the term's words at the likeliest place", asIs},
	"place_whole":         {"nearly all of the term's words are at the likeliest place", asIs},
	"place_weight":        {"how much the words at the likeliest place say", asIs},
	"place_gap":           {"other words between those at the likeliest place", asIs},
	"place_site":          {"the likeliest place only names a part of the body", asIs},
	"place_everyday":      {"the likeliest place has an everyday name of it", asIs},
	"place_tabular":       {"the likeliest place has the words of the tabular list itself", asIs},
	"place_resolved":      {"how well the note tells it from the other codes of the term at the likeliest place", asIs},
	"place_phrase":        {"share of coded notes with a phrase of the likeliest place that were given the code", asIs},
	"place_unnamed":       {"no term has the words of the likeliest place", asIs},
	"place_vector":        {"likeness of meaning between the likeliest place and a term", asIs},
	"place_part":          {"the likeliest place is part of the name of a condition of another chapter", asIs},
	"place_kin":           {"the likeliest place is part of the name of another condition", asIs},
	"place_broken":        {"a comma or bracket stands within the likeliest place", asIs},
	"place_possible":      {"the likeliest place calls it possible", asIs},
	"place_taught":        {"the word at the likeliest place nearly always had the code in coded notes", asIs},
	"place_test":          {"the likeliest place only names what a laboratory measures", asIs},
	"place_kind":          {"the likeliest place lacks the letter or number of its kind", asIs},
	"place_named":         {"the likeliest place is part of the name of a test, drug, diet or place", asIs},
	"place_side":          {"its title names another side than the likeliest place", asIs},
	"place_organ":         {"another organ is named at the likeliest place", asIs},
	"place_tissue":        {"the likeliest place says what tissue showed", asIs},
	"place_status":        {"it is a factor or status (chapter Z) with a place in the note", asIs},
	"place_length":        {"how long the likeliest place is", asIs},
	"place_before":        {"how much the words before the likeliest place say", asIs},
	"place_exact":         {"how far the words at the likeliest place are the term's own, not others of the same meaning", asIs},
	"place_denied_after":  {"a later word of the likeliest place's sentence may deny it", asIs},
	"place_numbers":       {"share of the likeliest place's sentence that is numbers", asIs},
	"place_title_here":    {"share of its title's words in the likeliest place's sentence", asIs},
	"place_title_missing": {"how much the title's word says that the likeliest place's sentence lacks", asIs},
	"place_kin_better":    {"strength of another code of its category at the likeliest place against its own", asIs},
	"place_other_longer":  {"how much more another name around the likeliest place says", asIs},
	"place_at":            {"where the likeliest place stands, from the note's start to its end", asIs},
	"place_excluded":      {"the likeliest place's sentence states what its title excludes", asIs},
	"place_support":       {"how likely the likeliest place supports it by its words", asChance},
	"place_count":         {"places of the note that may support it", asIs},
	"place_next":          {"how likely the second place supports it by its words", asChance},
}

// value is a feature's value as people are shown it.
func (r reading) value(x float32) float64 {
	v := float64(x)
	switch r.scale {
	case asCount:
		v = math.Expm1(v)
	case asChance:
		v = gbdt.Logistic(v)
	}
	return thousandths(v)
}

func thousandths(v float64) float64 { return math.Round(v*1000) / 1000 }

// reasonsKept is how many reasons are listed on each side.
const reasonsKept = 5

// Reasons that are no features.
const (
	reasonParts   = "it is put together from codes that are themselves suggested"
	reasonVaguer  = "it answers for a less exact code of its category that was likelier"
	reasonRules   = "points by the rules of billing"
	reasonOrder   = "how likely retrieval finds the code"
	leastReasoned = 0.0005 // an effect that is 0 when written
)

// effectsOf gives what each feature of a row does to the odds, in log odds; of
// a model that is nil the odds are retrieval's.
func effectsOf(m *gbdt.Model, x []float32, odds float64) []coding.Reason {
	if m == nil {
		return []coding.Reason{{Feature: reasonOrder, Value: thousandths(gbdt.Logistic(float64(x[fRetrieval]))), Effect: odds}}
	}
	parts := make([]float64, len(m.Features))
	m.Explain(x, parts)
	out := make([]coding.Reason, 0, len(parts))
	for i, e := range parts {
		name := m.Features[i]
		out = append(out, coding.Reason{Feature: readings[name].text, Value: readings[name].value(x[i]), Effect: e})
	}
	return out
}

// explain makes of effects on the odds an explanation of the confidence.
func explain(effects []coding.Reason, odds float64, c learned.Calibration) *coding.Explanation {
	if c == (learned.Calibration{}) {
		c.Slope = 1
	}
	slices.SortStableFunc(effects, func(a, b coding.Reason) int {
		return cmp.Compare(math.Abs(b.Effect), math.Abs(a.Effect))
	})
	out := &coding.Explanation{For: []coding.Reason{}, Against: []coding.Reason{}, Score: thousandths(c.Slope*odds + c.Offset)}
	out.Other = out.Score
	for _, r := range effects {
		r.Effect = thousandths(c.Slope * r.Effect)
		list := &out.For
		if r.Effect < 0 {
			list = &out.Against
		}
		if math.Abs(r.Effect) >= leastReasoned && len(*list) < reasonsKept {
			*list = append(*list, r)
			out.Other -= r.Effect
		}
	}
	out.Other = thousandths(out.Other)
	return out
}

// explainBilled explains a code of a bill.
func explainBilled(in Input, j Billed, sel Selection) *coding.Explanation {
	switch {
	case j.X == nil: // a convention gave it
		return explain([]coding.Reason{{Feature: reasonParts, Value: 1, Effect: j.Odds}}, j.Odds, sel.Calibration)
	case sel.Rank == nil:
		found := logOdds(in.Candidates[j.Candidate].RetrievalScore)
		return explain([]coding.Reason{
			{Feature: reasonOrder, Value: thousandths(gbdt.Logistic(found)), Effect: found},
			{Feature: reasonRules, Value: thousandths(j.Odds - found), Effect: j.Odds - found},
		}, j.Odds, sel.Calibration)
	}
	effects := effectsOf(sel.Rank, j.X, j.Odds)
	if more := j.Odds - sel.Rank.Score(j.X); more != 0 {
		effects = append(effects, coding.Reason{Feature: reasonVaguer, Value: 1, Effect: more})
	}
	return explain(effects, j.Odds, sel.Calibration)
}
