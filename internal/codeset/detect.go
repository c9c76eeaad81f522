package codeset

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"chartcode/internal/coding"
)

// headSize is how much of a member is looked at to tell what it is.
const headSize = 8 << 10

var (
	xmlRoot     = regexp.MustCompile(`<ICD10CM\.(tabular|index)\b`)
	xmlVersion  = regexp.MustCompile(`<version>\s*([0-9]{4})\s*</version>`)
	hcpcsRecord = regexp.MustCompile(`^(?:[A-Z][0-9]{4}| {3}[0-9A-Z]{2})[0-9]{5}[3478]`)
	orderName   = regexp.MustCompile(`(?i)^icd10(?:cm|pcs)[-_]order[-_]20\d\d\.txt$`)
	orderRow    = regexp.MustCompile(`^\d{5} ([0-9A-Z]{3,7}) {0,4} ([01]) `)
	poaHeader   = regexp.MustCompile(`(?i)^Order(\d\d)\tPOAexemptCode\t`)
	yearInName  = regexp.MustCompile(`(?:^|[^0-9])(20\d\d)(?:[^0-9]|$)`)
	monthInName = regexp.MustCompile(`(?:^|[^0-9])(20\d\d)[-_ ]?(0[1-9]|1[0-2])(?:[^0-9]|$)`)
	hccInName   = regexp.MustCompile(`(?i)(v\d+)[-_ ](20\d\d)`)
	mceInName   = regexp.MustCompile(`(?i)(v\d+(?:\.\d+)?)[-_ ](20\d\d)`)
	systemNames = map[string]coding.System{"icd10cm": coding.ICD10CM, "icd10pcs": coding.ICD10PCS, "hcpcs": coding.HCPCS, "cpt": coding.CPT}
)

// detect tells from the first bytes of a member, and from its name where they
// do not say, what it holds. ok is false for what is no code-set file. An error
// is only returned for one whose release cannot be told.
func detect(base string, head []byte, o ReadOptions) (rel coding.Release, ok bool, err error) {
	rel = kindOf(base, bytes.TrimPrefix(head, []byte("\ufeff")))
	if rel.Kind == "" {
		return coding.Release{}, false, nil
	}
	if o.System != "" {
		rel.System = o.System
		if rel.Kind == KindHCPCS || rel.Kind == KindTable {
			rel.Kind = KindTable
			if o.System == coding.HCPCS {
				rel.Kind = KindHCPCS
			}
		}
	}
	if o.Version != "" {
		rel.Version = o.Version
	}
	switch {
	case rel.System == "":
		return rel, true, &Error{File: base, Reason: "neither its content nor its name says which code system it is of; give --system"}
	case !rel.System.Valid():
		return rel, true, &Error{File: base, Reason: "the code system is none of ICD-10-CM, ICD-10-PCS, HCPCS, CPT"}
	case rel.Version == "":
		return rel, true, &Error{File: base, Reason: "neither its content nor its name says which version it is; give --version"}
	case !versionShape.MatchString(rel.Version):
		return rel, true, &Error{File: base, Reason: "a version is written with letters, digits, points and hyphens, as 2026 or 2024-07"}
	}
	rel.EffectiveFrom = o.EffectiveFrom
	if rel.EffectiveFrom.IsZero() {
		from, known := startOf(rel)
		if !known {
			return rel, true, &Error{File: base, Reason: "from its version it cannot be told from which day it holds; give --effective-from"}
		}
		rel.EffectiveFrom = from
	}
	rel.ID = idOf(rel)
	rel.Details = map[string]any{}
	return rel, true, nil
}

var versionShape = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z.-]{0,31}$`)

// kindOf gives kind, system and version as far as they can be told; no kind if
// the member is no code-set file.
func kindOf(base string, head []byte) coding.Release {
	first, _, _ := bytes.Cut(head, []byte("\n"))
	line := strings.TrimRight(string(first), "\r ")
	switch {
	case xmlRoot.Match(head):
		return xmlKind(string(head))
	case orderRow.MatchString(line), orderName.MatchString(base): // a broken first line is told as such
		return coding.Release{Kind: KindOrder, System: orderSystem(head), Version: match(yearInName, base)}
	case hcpcsRecord.MatchString(line):
		return coding.Release{Kind: KindHCPCS, System: coding.HCPCS, Version: quarterOf(base)}
	case poaHeader.MatchString(line):
		return coding.Release{Kind: KindPOA, System: coding.ICD10CM, Version: "20" + match(poaHeader, line)}
	}
	r := csv.NewReader(bytes.NewReader(head))
	r.FieldsPerRecord = -1
	header, err := r.Read()
	if err != nil {
		return coding.Release{}
	}
	col := columnsOf(header)
	switch {
	case !col.has("code"):
		return coding.Release{}
	case col.hasPrefix("hcc_v") || col.has("hcc"):
		return coding.Release{Kind: KindHCC, System: coding.ICD10CM, Version: joined(hccInName, base)}
	case col.has("edit_group") && col.has("edit"):
		return coding.Release{Kind: KindMCE, System: coding.ICD10CM, Version: joined(mceInName, base)}
	case col.title() < 0:
		return coding.Release{}
	}
	rel := coding.Release{Kind: KindTable, Version: versionOf(base)}
	plain := strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(base))
	for name, system := range systemNames {
		if strings.HasPrefix(plain, name) {
			rel.System = system
		}
	}
	if rel.System == "" {
		if row, err := r.Read(); err == nil && len(row) > col["code"] && hcpcsShape.MatchString(row[col["code"]]) {
			rel.System = coding.HCPCS
		}
	}
	if rel.System == coding.HCPCS {
		rel.Kind = KindHCPCS
	}
	return rel
}

func xmlKind(head string) coding.Release {
	rel := coding.Release{System: coding.ICD10CM, Version: match(xmlVersion, head)}
	upper := strings.ToUpper(head)
	switch {
	case match(xmlRoot, head) == "tabular":
		rel.Kind = KindTabular
	case strings.Contains(upper, `<HEAD COL="1">NEOPLASM`):
		rel.Kind = KindNeoplasm
	case strings.Contains(upper, `<HEAD COL="1">SUBSTANCE`):
		rel.Kind = KindDrug
	case strings.Contains(upper, "EXTERNAL CAUSE"):
		rel.Kind = KindEIndex
	default:
		rel.Kind = KindIndex
	}
	return rel
}

// orderSystem tells the two code systems with order files apart: only ICD-10-PCS
// has codes that begin with a digit or headers of three characters and then
// codes of seven without a dot's place; ICD-10-CM begins with a letter.
func orderSystem(head []byte) coding.System {
	for line := range bytes.Lines(head) {
		if m := orderRow.FindSubmatch(line); m != nil && m[1][0] >= '0' && m[1][0] <= '9' {
			return coding.ICD10PCS
		}
	}
	return coding.ICD10CM
}

func match(re *regexp.Regexp, s string) string {
	if m := re.FindStringSubmatch(s); m != nil {
		return m[1]
	}
	return ""
}

// joined gives two groups with a hyphen, in lower case: v28-2026.
func joined(re *regexp.Regexp, s string) string {
	if m := re.FindStringSubmatch(s); m != nil {
		return strings.ToLower(m[1]) + "-" + m[2]
	}
	return ""
}

var quarterName = regexp.MustCompile(`(?i)HCPC(20\d\d)_(JAN|APR|JUL|OCT)`)

// quarterOf reads 2024-07 out of HCPC2024_JUL_ANWEB.txt.
func quarterOf(base string) string {
	m := quarterName.FindStringSubmatch(base)
	if m == nil {
		return versionOf(base)
	}
	return m[1] + map[string]string{"JAN": "-01", "APR": "-04", "JUL": "-07", "OCT": "-10"}[strings.ToUpper(m[2])]
}

// versionOf reads 2024-07, or 2026, out of a name.
func versionOf(base string) string {
	if m := monthInName.FindStringSubmatch(base); m != nil {
		return m[1] + "-" + m[2]
	}
	return match(yearInName, base)
}

var versionParts = regexp.MustCompile(`^(?:(v[0-9.]+)-)?(\d{4})(?:-(\d\d))?$`)

// startOf gives the first day of a release. ICD-10 releases are named for the
// fiscal year, which begins on 1 October before; the Medicare Code Editor
// follows it, with .1 for its edition of 1 April. An HCC version names the
// payment year, for services of the year before. A version with a month begins
// with it, CPT with the year.
func startOf(r coding.Release) (coding.Date, bool) {
	m := versionParts.FindStringSubmatch(r.Version)
	if m == nil {
		return coding.Date{}, false
	}
	year, err := strconv.Atoi(m[2])
	if err != nil || year < 1990 || year > 2200 {
		return coding.Date{}, false
	}
	if m[3] != "" {
		month, err := strconv.Atoi(m[3])
		if err != nil || month < 1 || month > 12 {
			return coding.Date{}, false
		}
		return coding.NewDate(year, time.Month(month), 1), true
	}
	switch {
	case r.Kind == KindHCC:
		return coding.NewDate(year-1, time.January, 1), true
	case r.Kind == KindMCE && strings.HasSuffix(m[1], ".1"):
		return coding.NewDate(year, time.April, 1), true
	case r.System == coding.ICD10CM || r.System == coding.ICD10PCS:
		return coding.NewDate(year-1, time.October, 1), true
	}
	return coding.NewDate(year, time.January, 1), true
}

// idOf names a release: icd10cm-2026, icd10cm-index-2025, hcpcs-2024-07,
// cms-hcc-v28-2026, mce-v41.1-2024, poa-exempt-2026.
func idOf(r coding.Release) string {
	switch r.Kind {
	case KindHCC:
		return "cms-hcc-" + r.Version
	case KindMCE:
		return "mce-" + r.Version
	case KindPOA:
		return "poa-exempt-" + r.Version
	}
	system := strings.ToLower(strings.ReplaceAll(string(r.System), "-", ""))
	switch r.Kind {
	case KindOrder, KindHCPCS, KindTable:
		return system + "-" + r.Version
	}
	return fmt.Sprintf("%s-%s-%s", system, r.Kind, r.Version)
}

// columns are the places of the columns of a CSV file by folded name.
type columns map[string]int

func columnsOf(header []string) columns {
	c := columns{}
	for i, name := range header {
		name = strings.ToLower(strings.Join(strings.Fields(strings.TrimPrefix(name, "\ufeff")), "_"))
		if _, twice := c[name]; !twice {
			c[name] = i
		}
	}
	return c
}

func (c columns) has(name string) bool { _, ok := c[name]; return ok }

func (c columns) hasPrefix(prefix string) bool { return c.withPrefix(prefix) >= 0 }

func (c columns) withPrefix(prefix string) int {
	best := -1
	for name, i := range c {
		if strings.HasPrefix(name, prefix) && (best < 0 || i < best) {
			best = i
		}
	}
	return best
}

// of gives the place of the first of the names that is there, or -1.
func (c columns) of(names ...string) int {
	for _, n := range names {
		if i, ok := c[n]; ok {
			return i
		}
	}
	return -1
}

func (c columns) title() int {
	return c.of("long_description", "long_title", "title", "description", "long", "name")
}

func (c columns) short() int {
	return c.of("short_description", "short_title", "short")
}
