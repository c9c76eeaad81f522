package lexicon

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// normOf is the norm of a lower-case word.
func normOf(lower string) string {
	if !hasLetter(lower) {
		return lower
	}
	w := lower
	if i := strings.IndexByte(w, '\''); i >= 0 { // doesn't, o'clock
		w = strings.ReplaceAll(w, "'", "")
	}
	if v, ok := units[w]; ok {
		return v
	}
	return Stem(American(w))
}

func hasLetter(s string) bool {
	for i := 0; i < len(s); i++ {
		if isASCIILetter(s[i]) || s[i] >= utf8.RuneSelf {
			return true
		}
	}
	return false
}

// lowerASCII lowers ASCII letters; a text already in lower case is returned
// as it is, without allocation.
func lowerASCII(s string) string {
	for i := 0; i < len(s); i++ {
		if s[i] >= 'A' && s[i] <= 'Z' {
			b := []byte(s)
			for ; i < len(b); i++ {
				if b[i] >= 'A' && b[i] <= 'Z' {
					b[i] |= 0x20
				}
			}
			return string(b)
		}
	}
	return s
}

// foldLower lowers s and folds diacritics, ligatures, Greek letters and
// typographic apostrophes to ASCII where there is an equivalent.
func foldLower(s string) string {
	ascii := true
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			ascii = false
			break
		}
	}
	if ascii {
		return lowerASCII(s)
	}
	var b strings.Builder
	b.Grow(len(s) + 4)
	for _, r := range norm.NFKD.String(s) {
		if unicode.IsMark(r) || r == '\u00ad' {
			continue
		}
		r = unicode.ToLower(r)
		if v, ok := foldings[r]; ok {
			b.WriteString(v)
			continue
		}
		b.WriteRune(r)
	}
	if b.Len() == 0 {
		return s
	}
	return b.String()
}

var foldings = map[rune]string{
	'\u2019': "'", '\u2018': "'", '\u02bc': "'",
	'æ': "ae", 'œ': "oe", 'ß': "ss", 'ø': "o", 'ł': "l", 'đ': "d", 'ð': "d", 'þ': "th", 'ı': "i",
	'α': "alpha", 'β': "beta", 'γ': "gamma", 'δ': "delta", 'ε': "epsilon", 'κ': "kappa",
	'λ': "lambda", 'μ': "micro", 'ω': "omega", 'ς': "sigma", 'σ': "sigma", 'θ': "theta",
}

// stripPossessive removes 's and a final apostrophe.
func stripPossessive(lower string) string {
	if strings.HasSuffix(lower, "'s") {
		return lower[:len(lower)-2]
	}
	return strings.TrimSuffix(lower, "'")
}

// American gives the American spelling of a lower-case word; words that have
// none of their own are returned as they are.
func American(w string) string {
	if len(w) < 4 {
		return w
	}
	for i := range spellings {
		if !strings.Contains(w, spellings[i].trigger) {
			continue
		}
		for _, s := range spellings[i].pairs {
			if at := strings.Index(w, s[0]); at >= 0 {
				w = w[:at] + s[1] + w[at+len(s[0]):]
			}
		}
	}
	if v, ok := wholeWords[w]; ok {
		return v
	}
	for _, e := range zEndings {
		if len(w) > len(e[0])+3 && strings.HasSuffix(w, e[0]) {
			if keepsS[w] {
				return w
			}
			return w[:len(w)-len(e[0])] + e[1]
		}
	}
	return w
}

var zEndings = [...][2]string{
	{"ise", "ize"}, {"ised", "ized"}, {"ises", "izes"}, {"ising", "izing"}, {"isation", "ization"}, {"isations", "izations"},
	{"yse", "yze"}, {"ysed", "yzed"}, {"ysing", "yzing"},
}

// spellings are the regular differences, grouped by letters that a word must
// have for any of the group to apply.
var spellings = []struct {
	trigger string
	pairs   [][2]string
}{
	{"ae", [][2]string{{"haem", "hem"}, {"aemi", "emi"}, {"paed", "ped"}, {"gynaec", "gynec"}, {"caec", "cec"}, {"faec", "fec"},
		{"anaes", "anes"}, {"aesthe", "esthe"}, {"aetiol", "etiol"}, {"caesar", "cesar"}, {"naev", "nev"}, {"praevi", "previ"},
		{"synaes", "synes"}, {"uraem", "urem"}, {"caesi", "cesi"}, {"aegypt", "egypt"}}},
	{"oe", [][2]string{{"oedem", "edem"}, {"oesoph", "esoph"}, {"oestr", "estr"}, {"rrhoe", "rrhe"}, {"pnoe", "pne"}, {"foet", "fet"},
		{"coeliac", "celiac"}, {"amoeb", "ameb"}, {"manoeuv", "maneuv"}, {"homoeo", "homeo"}, {"oenolog", "enolog"}}},
	{"our", [][2]string{{"tumour", "tumor"}, {"colour", "color"}, {"labour", "labor"}, {"behaviour", "behavior"}, {"odour", "odor"},
		{"humour", "humor"}, {"vapour", "vapor"}, {"rigour", "rigor"}, {"favour", "favor"}, {"neighbour", "neighbor"}}},
	{"tre", [][2]string{{"centre", "center"}, {"goitre", "goiter"}, {"litre", "liter"}}},
	{"bre", [][2]string{{"fibre", "fiber"}, {"calibre", "caliber"}}},
	{"leuc", [][2]string{{"leucoc", "leukoc"}, {"leucop", "leukop"}, {"leucem", "leukem"}, {"leucor", "leukor"}}},
	{"lph", [][2]string{{"sulph", "sulf"}}},
	{"chrym", [][2]string{{"lachrym", "lacrim"}}},
	{"crym", [][2]string{{"lacrym", "lacrim"}}},
	{"ell", [][2]string{{"counsell", "counsel"}, {"labell", "label"}, {"travell", "travel"}, {"modell", "model"}}},
	{"eurism", [][2]string{{"aneurism", "aneurysm"}}},
}

// wholeWords are differences that follow no rule.
var wholeWords = map[string]string{
	"grey": "gray", "greyish": "grayish", "mould": "mold", "mouldy": "moldy", "ageing": "aging", "programme": "program", "programmes": "programs",
	"judgement": "judgment", "practise": "practice", "licence": "license", "defence": "defense", "speciality": "specialty", "plough": "plow",
	"diametre": "diameter", "millimetre": "millimeter", "sceptic": "skeptic", "tyre": "tire", "aluminium": "aluminum",
}

// keepsS are words in -ise and -yse that Americans write so too, and words
// whose ending is no verb's.
var keepsS = set("exercise exercised exercising advise advised advising otherwise disguise disguised supervise supervised supervising " +
	"surprise surprised surprising compromise compromised compromising revise revised revising incise incised incising excise excised excising " +
	"precise concise likewise clockwise counterclockwise franchise televise arise arising promise promised promising raise raised raising " +
	"praise bruise bruised bruising cruise noise poise turquoise immunocompromise immunocompromised premise expertise comprise comprised " +
	"comprising enterprise demise despise devise devised improvise improvised tortoise circumcise circumcised merchandise chemise mayonnaise paralyse")

// units are the ways to write a unit; the norm is the short one.
var units = map[string]string{
	"milligram": "mg", "milligrams": "mg", "mgs": "mg", "mg": "mg", "microgram": "mcg", "micrograms": "mcg", "mcg": "mcg", "ug": "mcg",
	"microg": "mcg", "gram": "g", "grams": "g", "gm": "g", "gms": "g", "kilogram": "kg", "kilograms": "kg", "kgs": "kg", "kilos": "kg", "kg": "kg",
	"lb": "lb", "lbs": "lb", "pound": "lb", "pounds": "lb", "ounce": "oz", "ounces": "oz", "oz": "oz",
	"centimeter": "cm", "centimeters": "cm", "centimetre": "cm", "centimetres": "cm", "cms": "cm", "cm": "cm",
	"millimeter": "mm", "millimeters": "mm", "millimetre": "mm", "millimetres": "mm", "mm": "mm",
	"milliliter": "ml", "milliliters": "ml", "millilitre": "ml", "millilitres": "ml", "mls": "ml", "ml": "ml", "cc": "ml", "ccs": "ml",
	"liter": "l", "liters": "l", "litre": "l", "litres": "l", "percent": "%", "mmhg": "mmhg",
	"yr": "year", "yrs": "year", "wk": "week", "wks": "week", "mos": "month", "hrs": "hour",
}

func set(words string) map[string]bool {
	m := make(map[string]bool)
	for w := range strings.FieldsSeq(words) {
		m[w] = true
	}
	return m
}
