package measure

import "chartcode/internal/coding"

// chapters are the chapters of ICD-10-CM: first and last category (tabular
// list, FY2026) and a short title.
var chapters = [...]string{
	"A00-B99 Infectious and parasitic",
	"C00-D49 Neoplasms",
	"D50-D89 Blood and immune",
	"E00-E89 Endocrine and metabolic",
	"F01-F99 Mental and behavioral",
	"G00-G99 Nervous system",
	"H00-H59 Eye",
	"H60-H95 Ear",
	"I00-I99 Circulatory",
	"J00-J99 Respiratory",
	"K00-K95 Digestive",
	"L00-L99 Skin",
	"M00-M99 Musculoskeletal",
	"N00-N99 Genitourinary",
	"O00-O9A Pregnancy and birth",
	"P00-P96 Perinatal",
	"Q00-Q99 Congenital",
	"R00-R99 Symptoms and signs",
	"S00-T88 Injury and poisoning",
	"U00-U85 Special purposes",
	"V00-Y99 External causes",
	"Z00-Z99 Factors and contact",
}

// Chapter names the chapter of an ICD-10-CM code, beginning with its range
// (I00-I99 Circulatory); "other" for what is in none.
func Chapter(code string) string {
	c := coding.Category(code)
	for _, name := range chapters {
		if len(c) == 3 && name[:3] <= c && c <= name[4:7] {
			return name
		}
	}
	return "other"
}

// ancestors gives a code's place in the hierarchy, itself included: chapter,
// category, and each longer beginning.
func ancestors(code string) []string {
	out := []string{Chapter(code)}
	bare := coding.UndotCode(code)
	for n := 3; n < len(bare); n++ {
		out = append(out, bare[:n])
	}
	return append(out, bare)
}
