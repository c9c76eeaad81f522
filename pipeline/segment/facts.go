package segment

import (
	"sort"
	"strconv"

	"chartcode/internal/coding"
	"chartcode/internal/lexicon"
)

// measure is a measurement that a name and a number close behind it make.
type measure struct {
	kind     coding.FactKind
	low, top float64 // plausible values, in the note's unit
	gap      int     // tokens allowed between name and number
}

// measures by the lower-case words of the name, joined by spaces.
var measures = map[string]measure{
	"bmi": {coding.FactBMI, 8, 120, 8}, "body mass index": {coding.FactBMI, 8, 120, 8},
	"a1c": {coding.FactHbA1c, 3, 22, 8}, "hba1c": {coding.FactHbA1c, 3, 22, 8}, "hgba1c": {coding.FactHbA1c, 3, 22, 8}, "hga1c": {coding.FactHbA1c, 3, 22, 8},
	"glycated hemoglobin": {coding.FactHbA1c, 3, 22, 6}, "glycosylated hemoglobin": {coding.FactHbA1c, 3, 22, 6},
	"egfr": {coding.FactEGFR, 1, 200, 6}, "gfr": {coding.FactEGFR, 1, 200, 6}, "glomerular filtration rate": {coding.FactEGFR, 1, 200, 6},
	"glucose": {coding.FactGlucose, 20, 1500, 4}, "blood sugar": {coding.FactGlucose, 20, 1500, 4}, "fsbs": {coding.FactGlucose, 20, 1500, 3},
	"ejection fraction": {coding.FactEF, 5, 90, 8}, "ef": {coding.FactEF, 5, 90, 6}, "lvef": {coding.FactEF, 5, 90, 6},
	"spo2": {coding.FactSpO2, 40, 100, 5}, "sao2": {coding.FactSpO2, 40, 100, 5}, "oxygen saturation": {coding.FactSpO2, 40, 100, 5},
	"saturation": {coding.FactSpO2, 40, 100, 4}, "o2 sat": {coding.FactSpO2, 40, 100, 5}, "pulse oximetry": {coding.FactSpO2, 40, 100, 5}, "pulse ox": {coding.FactSpO2, 40, 100, 5},
	"heart rate": {coding.FactHeartRate, 20, 320, 5}, "pulse": {coding.FactHeartRate, 20, 320, 4}, "hr": {coding.FactHeartRate, 20, 320, 3},
	"temperature": {coding.FactTemperature, 30, 110, 5}, "temp": {coding.FactTemperature, 30, 110, 4},
	"weight": {coding.FactWeight, 0.3, 5000, 5}, "wt": {coding.FactWeight, 0.3, 5000, 4}, "weighs": {coding.FactWeight, 0.3, 5000, 3}, "weighing": {coding.FactWeight, 0.3, 5000, 3},
	"height": {coding.FactHeight, 3, 260, 5}, "ht": {coding.FactHeight, 3, 260, 4},
}

// measureFirst are the first words of the names of measurements.
var measureFirst = set("bmi body a1c hba1c hgba1c hga1c glycated glycosylated egfr gfr glomerular glucose blood fsbs ejection ef lvef spo2 sao2 oxygen " +
	"saturation o2 pulse heart hr temperature temp weight wt weighs weighing height ht bp pressures")

// findFacts finds measurements and qualifying words.
func (r *reader) findFacts() {
	for i := range r.toks {
		t := &r.toks[i]
		switch t.Kind {
		case lexicon.Number:
			r.numberFact(i)
		case lexicon.Word:
			r.namedFact(i)
			r.wordFact(i)
		}
	}
	sort.SliceStable(r.doc.Facts, func(a, b int) bool { return r.doc.Facts[a].Start < r.doc.Facts[b].Start })
}

func (r *reader) addFact(from, to int, f coding.Fact) {
	f.Span = coding.Span{Start: r.toks[from].Start, End: r.toks[to-1].End}
	r.doc.Facts = append(r.doc.Facts, f)
}

// lower is the lower-case word of token i, empty outside the text.
func (r *reader) lower(i int) string {
	if i < 0 || i >= len(r.toks) {
		return ""
	}
	return r.toks[i].Lower
}

func (r *reader) number(i int) (float64, bool) {
	if i < 0 || i >= len(r.toks) || r.toks[i].Kind != lexicon.Number {
		return 0, false
	}
	v, err := strconv.ParseFloat(r.toks[i].Lower, 64)
	return v, err == nil
}

// namedFact reads a measurement whose name begins at token i.
func (r *reader) namedFact(i int) {
	w := r.lower(i)
	if !measureFirst[w] {
		return
	}
	m, n := measure{}, 0
	for k, name := 1, w; k <= 3; k++ {
		if f, ok := measures[name]; ok {
			m, n = f, k
		}
		name += " " + r.lower(i+k)
	}
	if n == 0 {
		if w == "bp" || w == "blood" && r.lower(i+1) == "pressure" || w == "pressures" {
			r.bloodPressure(i)
		}
		return
	}
	for j := i + n; j < len(r.toks) && j <= i+n+m.gap; j++ {
		w := r.lower(j)
		if w == ";" || w == "." && j+1 < len(r.toks) && r.toks[j+1].Start > r.toks[j].End || verbs[w] && w != "is" && w != "was" && w != "has" || w == "goal" || w == "target" {
			return
		}
		v, ok := r.number(j)
		if !ok {
			continue
		}
		if v < m.low || v > m.top {
			return
		}
		if f, end := r.inUnit(m.kind, v, j); f.Kind != "" && i >= r.factEnd {
			r.addFact(i, end, f)
			r.factEnd = end // "oxygen saturation 97%" is not also a saturation
		}
		return
	}
}

// inUnit turns the number at token j into the unit of the kind; end is the
// token after number and unit. The fact has no kind when the unit does not fit.
func (r *reader) inUnit(kind coding.FactKind, v float64, j int) (f coding.Fact, end int) {
	f = coding.Fact{Kind: kind, Value: v}
	end = j + 1
	unit := r.lower(j + 1)
	switch kind {
	case coding.FactWeight:
		switch r.norm(j + 1) {
		case "kg":
			end++
		case "lb":
			f.Value = v * 0.45359237
			end++
		case "g":
			f.Value = v / 1000
			end++
		default:
			return coding.Fact{}, end
		}
	case coding.FactHeight:
		switch {
		case r.norm(j+1) == "cm":
			end++
		case unit == "inches" || unit == "in" || unit == "\"" || unit == "inch":
			f.Value = v * 2.54
			end++
		case unit == "feet" || unit == "ft" || unit == "foot" || unit == "'" || unit == "’":
			f.Value = v * 30.48
			end++
			k := end
			if r.lower(k) == "," || r.lower(k) == "and" {
				k++
			}
			if inches, ok := r.number(k); ok && inches < 12 {
				f.Value += inches * 2.54
				end = k + 1
				if u := r.lower(end); u == "inches" || u == "in" || u == "\"" || u == "inch" {
					end++
				}
			}
		case unit == "m" || unit == "meters":
			f.Value = v * 100
			end++
		default:
			return coding.Fact{}, end
		}
	case coding.FactTemperature:
		if v > 50 {
			f.Value = (v - 32) / 1.8
		}
	case coding.FactHeartRate:
		if unit == "/" || unit == "-" && r.lower(j-1) == "-" { // a blood pressure, a range of something else
			return coding.Fact{}, end
		}
	case coding.FactHbA1c, coding.FactSpO2, coding.FactEF:
		if unit == "%" || unit == "percent" {
			end++
		}
	}
	return f, end
}

func (r *reader) norm(i int) string {
	if i < 0 || i >= len(r.toks) {
		return ""
	}
	return r.toks[i].Norm
}

// bloodPressure reads "BP 148/88", "blood pressure of 126 over 80".
func (r *reader) bloodPressure(i int) {
	for j := i + 1; j < len(r.toks) && j <= i+9; j++ {
		s, ok := r.number(j)
		if !ok {
			if r.lower(j) == ";" {
				return
			}
			continue
		}
		d, ok := r.number(j + 2)
		if !ok || r.lower(j+1) != "/" && r.lower(j+1) != "over" || s < 50 || s > 300 || d < 20 || d > 200 || d >= s {
			return
		}
		end := j + 3
		if r.lower(end) == "mmhg" {
			end++
		} else if r.lower(end) == "mm" && r.lower(end+1) == "hg" {
			end += 2
		}
		r.addFact(i, end, coding.Fact{Kind: coding.FactBloodPressure, Value: s, Second: d})
		return
	}
}

var ageUnits = map[string]string{
	"year": "year", "years": "year", "yr": "year", "yrs": "year", "yo": "year", "y/o": "year", "month": "month", "months": "month",
	"week": "week", "weeks": "week", "day": "day", "days": "day",
}

var yearsPer = map[string]float64{"year": 1, "month": 1.0 / 12, "week": 7 / 365.25, "day": 1 / 365.25}

// numberFact reads what a number begins: an age, weeks of gestation, pack
// years.
func (r *reader) numberFact(i int) {
	v, ok := r.number(i)
	if !ok {
		return
	}
	j := i + 1
	for r.lower(j) == "-" {
		j++
	}
	w := r.lower(j)
	if w == "pack" || w == "pk" {
		k := j + 1
		for r.lower(k) == "-" {
			k++
		}
		if u := r.lower(k); u == "year" || u == "years" || u == "yr" || u == "yrs" {
			r.addFact(i, k+1, coding.Fact{Kind: coding.FactPackYears, Value: v})
		}
		return
	}
	if unit, ok := ageUnits[w]; ok && v < 120 {
		k := j + 1
		for r.lower(k) == "-" {
			k++
		}
		if w == "yo" || w == "y/o" || r.lower(k) == "old" {
			end := j + 1
			if r.lower(k) == "old" {
				end = k + 1
			}
			r.addFact(i, end, coding.Fact{Kind: coding.FactAge, Value: v * yearsPer[unit], Unit: unit})
			return
		}
	}
	r.gestation(i, v)
}

var gestational = set("gestation gestational pregnant pregnancy iup ega gw intrauterine gravid ga estimated")

var dayWords = map[string]float64{"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6}

// gestation reads "37.5 weeks gestation", "38 and 2/7 weeks", "39w2d".
func (r *reader) gestation(i int, v float64) {
	if v < 3 || v > 45 || r.lower(i-1) == "/" {
		return
	}
	j := i + 1
	days := 0.0
	if w := r.lower(j); w == "and" || w == "+" || w == "-" || r.toks[i].Kind == lexicon.Number {
		k := j
		if w == "and" || w == "+" || w == "-" {
			k++
		}
		if d, ok := r.number(k); ok && d <= 6 && r.lower(k+1) == "/" && r.lower(k+2) == "7" {
			days, j = d, k+3
		}
	}
	for r.lower(j) == "-" {
		j++
	}
	if u := r.lower(j); u != "week" && u != "weeks" && u != "wks" && u != "wk" {
		return
	}
	end := j + 1
	k := end
	for r.lower(k) == "," || r.lower(k) == "and" {
		k++
	}
	if d, ok := r.number(k); ok && d <= 6 && (r.lower(k+1) == "days" || r.lower(k+1) == "day") {
		days, end = d, k+2
	} else if d, ok := dayWords[r.lower(k)]; ok && (r.lower(k+1) == "days" || r.lower(k+1) == "day") {
		days, end = d, k+2
	}
	for k := max(0, i-4); k < min(len(r.toks), end+4); k++ {
		if gestational[r.lower(k)] {
			r.addFact(i, end, coding.Fact{Kind: coding.FactGestation, Value: v + days/7})
			return
		}
	}
}

// qualifiers are words that qualify a condition, and their canonical word.
var qualifiers = map[string]struct {
	kind coding.FactKind
	word string
}{
	"left": {coding.FactLaterality, "left"}, "right": {coding.FactLaterality, "right"}, "bilateral": {coding.FactLaterality, "bilateral"},
	"bilaterally": {coding.FactLaterality, "bilateral"}, "left-sided": {coding.FactLaterality, "left"},
	"acute": {coding.FactAcuity, "acute"}, "acutely": {coding.FactAcuity, "acute"}, "subacute": {coding.FactAcuity, "subacute"},
	"chronic": {coding.FactAcuity, "chronic"}, "chronically": {coding.FactAcuity, "chronic"}, "longstanding": {coding.FactAcuity, "chronic"},
	"recurrent": {coding.FactAcuity, "recurrent"}, "recurring": {coding.FactAcuity, "recurrent"}, "recurrence": {coding.FactAcuity, "recurrent"},
	"sequela": {coding.FactEncounter, "sequela"}, "sequelae": {coding.FactEncounter, "sequela"},
	"followup": {coding.FactEncounter, "subsequent"}, "follow-up": {coding.FactEncounter, "subsequent"}, "follow up": {coding.FactEncounter, "subsequent"},
	"recheck": {coding.FactEncounter, "subsequent"}, "aftercare": {coding.FactEncounter, "subsequent"},
	"nonunion": {coding.FactHealing, "nonunion"}, "malunion": {coding.FactHealing, "malunion"},
}

// wordFact reads a qualifying word at token i.
func (r *reader) wordFact(i int) {
	w, next := r.lower(i), r.lower(i+1)
	q, ok := qualifiers[w]
	if !ok {
		q, ok = qualifiers[r.norm(i)]
	}
	end := i + 1
	switch {
	case w == "acute" && next == "on" && r.lower(i+2) == "chronic":
		q.word, end = "acute_on_chronic", i+3
	case w == "acute" && next == "-" && r.lower(i+2) == "on" && r.lower(i+3) == "-" && r.lower(i+4) == "chronic":
		q.word, end = "acute_on_chronic", i+5
	case w == "chronic" && (r.lower(i-1) == "on" && r.lower(i-2) == "acute" || r.lower(i-1) == "-" && r.lower(i-2) == "on"):
		return
	case w == "long" && (next == "standing" || next == "-" && r.lower(i+2) == "standing"):
		q.kind, q.word, ok, end = coding.FactAcuity, "chronic", true, i+2
		if next == "-" {
			end++
		}
	case w == "recurrent" && next == "laryngeal": // a nerve
		return
	case (w == "lt" || w == "rt") && !allCaps(r.raw(i)) && i+1 < len(r.toks) && r.toks[i+1].Kind == lexicon.Word && !units[r.lower(i-1)]:
		q.kind, q.word, ok = coding.FactLaterality, "left", true
		if w == "rt" {
			q.word = "right"
		}
	case (w == "l" || w == "r") && r.lower(i-1) == "(" && next == ")" && isUpper(r.raw(i)[0]):
		q.kind, q.word, ok = coding.FactLaterality, "left", true
		if w == "r" {
			q.word = "right"
		}
	case w == "right" && (next == "to" || r.lower(i-1) == "all" ||
		next == "now" || next == "away" || next == "after" || next == "before" || next == "handed" || next == "hand" && r.lower(i+2) == "dominant" || next == "-" && r.lower(i+2) == "handed"):
		return
	case w == "left" && (awayFrom[next] || next == "the" || next == "against" || next == "handed" || next == "his" || next == "her" || next == "without" || next == "with" || next == "in" && r.lower(i+2) == "place" ||
		next == "-" && r.lower(i+2) == "handed" || r.lower(i-1) == "was" || r.lower(i-1) == "were" || r.lower(i-1) == "he" || r.lower(i-1) == "she"):
		return
	case w == "both" && (bodyPart(next) || bodyPart(r.lower(i+2)) && r.lower(i+1) != "the"):
		q.kind, q.word, ok = coding.FactLaterality, "bilateral", true
	case (w == "initial" || w == "subsequent") && (next == "encounter" || next == "visit"):
		q.kind, q.word, ok, end = coding.FactEncounter, w, true, i+2
	case w == "late" && (next == "effect" || next == "effects"):
		q.kind, q.word, ok, end = coding.FactEncounter, "sequela", true, i+2
	case (w == "delayed" || w == "routine") && (next == "healing" || next == "union"):
		q.kind, q.word, ok, end = coding.FactHealing, w, true, i+2
	case (w == "open" || w == "closed" || w == "compound") && r.fractureNear(i):
		q.kind, q.word, ok = coding.FactOpenness, w, true
		if w == "compound" {
			q.word = "open"
		}
	}
	if ok {
		r.addFact(i, end, coding.Fact{Kind: q.kind, Word: q.word})
	}
}

// awayFrom are words before which "left" is a verb.
var awayFrom = set("hospital work home school early town ama")

// units before "rt" make it no side: "saw RT".
var units = set("by per saw")

var parts = set("eyes ears hands feet knees hips legs arms shoulders ankles wrists elbows lungs kidneys breasts sides thighs calves heels toes fingers " +
	"extremities ovaries tubes testes nostrils lids eyelids temples feet's lower upper")

func bodyPart(w string) bool { return parts[w] }

// fractureNear reports whether a fracture stands within four words after token
// i, and no operation makes "open" its own word (open reduction).
func (r *reader) fractureNear(i int) bool {
	if n := r.lower(i + 1); n == "reduction" || n == "treatment" || n == "repair" || n == "wound" {
		return false
	}
	for j := i + 1; j <= i+5; j++ {
		if r.norm(j) == "fractur" || r.lower(j) == "fx" {
			return true
		}
		if r.lower(j) == "." || r.lower(j) == ";" || r.norm(j) == "reduct" {
			return false
		}
	}
	return false
}
