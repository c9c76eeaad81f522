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
