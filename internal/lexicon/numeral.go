package lexicon

// graders are the words after which a Roman numeral or a number word grades.
var graders = set("type types stage stages grade grades class degree level factor phase category nerve nerves bipolar chiari tier group " +
	"collagen gleason fitzpatrick obesity killip nyha gustilo salter trimester para gravida")

// cardinals are number words; they count as numbers only after a grader, as
// "one" and "two" mean little elsewhere.
var cardinals = map[string]string{
	"one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9", "ten": "10",
}

var romans = map[string]string{
	"I": "1", "II": "2", "III": "3", "IV": "4", "V": "5", "VI": "6", "VII": "7", "VIII": "8", "IX": "9", "X": "10", "XI": "11", "XII": "12", "XIII": "13",
}

// romanValue gives the number that an upper-case Roman numeral up to XIII
// names, with a trailing substage letter (IIIb gives 3b).
func romanValue(raw string) (string, bool) {
	if len(raw) == 0 || len(raw) > 5 {
		return "", false
	}
	switch raw[0] {
	case 'I', 'V', 'X':
	default:
		return "", false
	}
	if v, ok := romans[raw]; ok {
		return v, true
	}
	if last := raw[len(raw)-1] | 0x20; last >= 'a' && last <= 'c' {
		if v, ok := romans[raw[:len(raw)-1]]; ok {
			return v + string(rune(last)), true
		}
	}
	return "", false
}

// unambiguousRoman are numerals that are numbers wherever they stand; I, V, X,
// IV (intravenous) and the like need a grader before them.
func unambiguousRoman(raw string) bool {
	switch raw {
	case "II", "III", "VI", "VII", "VIII", "IX", "XI", "XII", "XIII", "IIA", "IIB", "IIIA", "IIIB", "IIIC", "IIa", "IIb", "IIIa", "IIIb", "IIIc":
		return true
	}
	return false
}
