package rank

import (
	"strings"

	"chartcode/internal/coding"
)

// familyCode reports whether a code is one of family history (Z80-Z84).
func familyCode(code string) bool {
	c := coding.Category(code)
	return c >= "Z80" && c <= "Z84"
}

// historyCode reports whether a code is one of personal history or of a state
// that an earlier event left (Z85-Z99).
func historyCode(code string) bool {
	c := coding.Category(code)
	return c >= "Z85" && c <= "Z99"
}

// confirmedOnly are the conditions that are only coded when confirmed, also
// for inpatients: HIV, Zika, COVID-19 and identified influenza (guideline
// II.H with I.C.1 and I.C.10, paraphrased).
func confirmedOnly(code string) bool {
	switch coding.Category(code) {
	case "B20", "U07", "J09", "J10":
		return true
	}
	return strings.HasPrefix(code, "A92.5")
}

// lastingRanges are categories whose conditions go on: "history of" and a list
// of past conditions name them as still there.
var lastingRanges = [][2]string{
	{"B18", "B20"}, {"D50", "D89"}, {"E00", "E46"}, {"E55", "E89"}, {"F01", "F99"}, {"G10", "G47"}, {"G50", "G99"}, {"H16", "H95"},
	{"I05", "I20"}, {"I25", "I25"}, {"I27", "I28"}, {"I34", "I52"}, {"I65", "I73"}, {"I78", "I89"}, {"J30", "J33"}, {"J40", "J47"}, {"J60", "J99"},
	{"K20", "K22"}, {"K44", "K44"}, {"K50", "K51"}, {"K57", "K59"}, {"K70", "K77"}, {"K86", "K90"}, {"L20", "L30"}, {"L40", "L45"}, {"L70", "L95"},
	{"M05", "M25"}, {"M30", "M99"}, {"N02", "N08"}, {"N18", "N19"}, {"N25", "N29"}, {"N31", "N32"}, {"N40", "N42"}, {"N80", "N81"}, {"Q00", "Q99"},
}

func lasting(code string) bool {
	c := coding.Category(code)
	for _, r := range lastingRanges {
		if r[0] <= c && c <= r[1] {
			return true
		}
	}
	return false
}

// signLike reports whether a code names a sign or symptom rather than its
// cause: chapter R, and the pains that stand in the chapters of their organs.
func signLike(code string) bool {
	if code[0] == 'R' {
		return true
	}
	for _, p := range []string{"M25.5", "M54.2", "M54.5", "M54.6", "M54.9", "M79.1", "M79.6", "M62.81", "H57.1", "N50.8", "N64.4", "G89.1", "G89.2"} {
		if strings.HasPrefix(code, p) {
			return true
		}
	}
	return false
}

// encounterCode are the codes that are the reason for a visit by themselves:
// examinations, screening, vaccination, follow-up, pregnancy (Z00-Z13, Z23,
// Z34, Z36, Z39).
func encounterCode(code string) bool {
	c := coding.Category(code)
	return (c >= "Z00" && c <= "Z13") || c == "Z23" || c == "Z34" || c == "Z36" || c == "Z39"
}

// genericWords are parts of many names of conditions, and of many sentences
// that name none.
var genericWords = wordSet(`old well syndrome disease diseases disorder disorders condition dependence stress repeat repeated state states
	change changes abnormal abnormality chronic acute problem problems status positive negative exposure failure deficiency obstruction
	mass masses lesion lesions tumor tumors growth nodule cancer cancers pain aid aids add skin heart lung kidney liver hip knee shoulder
	hand foot back neck head eye ear nose throat chest abdomen bladder bowel brain bone joint muscle nerve node nodes blood urine plug
	plugging lump swelling fluid pad prepped cavity drug drugs alcohol care need treatment therapy test examination follow-up
	deferred disordered irritation loss low high weight temperature rate pressure trauma devastation difficulty weakness fit`)

func wordSet(words string) map[string]bool {
	out := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		out[w] = true
	}
	return out
}

// generic reports whether the words are one generic word.
func generic(words string) bool {
	return genericWords[strings.ToLower(strings.Trim(words, " .,;:-"))]
}

// prevented reports whether what follows a name says that it was given
// against, or tested for, not had: "COVID-19 vaccine", "hepatitis C screening".
func prevented(after string) bool {
	f := strings.Fields(after[:min(len(after), 60)])
	if len(f) == 0 || (after[0] != ' ' && after[0] != '-') {
		return false
	}
	for _, w := range f[:min(len(f), 2)] {
		switch strings.ToLower(strings.Trim(w, ".,;:()-19")) {
		case "vaccine", "vaccines", "vaccination", "vaccinations", "immunization", "booster", "shot", "prophylaxis", "screening", "screen", "precautions":
			return true
		}
		if strings.ContainsAny(w, ".,;:") {
			return false
		}
	}
	return false
}
