package coding

// System is a code system, written as the public contract writes it.
type System string

// The code systems.
const (
	ICD10CM  System = "ICD-10-CM"
	ICD10PCS System = "ICD-10-PCS"
	HCPCS    System = "HCPCS"
	CPT      System = "CPT"
)

var systems = []System{ICD10CM, ICD10PCS, HCPCS, CPT}

// Systems gives the code systems in the order in which they are shown.
func Systems() []System { return append([]System(nil), systems...) }

// Valid reports whether s is a known system.
func (s System) Valid() bool {
	for _, v := range systems {
		if s == v {
			return true
		}
	}
	return false
}

// Release is one edition of one file kind of a code system, with the dates of
// service for which it holds: EffectiveFrom <= date <= EffectiveTo, the latter
// open when zero.
type Release struct {
	ID            string         `json:"id"` // icd10cm-2026, icd10cm-tabular-2021, ...
	System        System         `json:"system"`
	Kind          string         `json:"kind"` // order, tabular, index, eindex, neoplasm, drug, hcc, mce, poa, table, starter
	Version       string         `json:"version"`
	EffectiveFrom Date           `json:"effective_from"`
	EffectiveTo   Date           `json:"effective_to"`
	Rows          int            `json:"rows"`
	Billable      int            `json:"billable"`
	Details       map[string]any `json:"details"`
	SHA256        string         `json:"-"` // hex, of the file's content; known of releases in the database
}

// Holds reports whether the release holds on the day d.
func (r Release) Holds(d Date) bool {
	return !d.Before(r.EffectiveFrom) && (r.EffectiveTo.IsZero() || !r.EffectiveTo.Before(d))
}

// Code is one row of a code table in one release. ICD-10-CM codes carry the
// dot from the fourth character on (E11.22); the other systems have none.
type Code struct {
	System   System `json:"system"`
	Code     string `json:"code"`
	Title    string `json:"display"`
	Short    string `json:"-"`
	Billable bool   `json:"billable"`
	Parent   string `json:"parent,omitempty"` // longest existing proper prefix; empty at the top
}

// TermKind says where a term comes from.
type TermKind string

// The kinds of terms.
const (
	TermTitle     TermKind = "title"     // a code's title
	TermInclusion TermKind = "inclusion" // an inclusion term of the tabular list
	TermIndex     TermKind = "index"     // a path of the Alphabetic Index
	TermExternal  TermKind = "external"  // a path of the index to external causes
	TermNeoplasm  TermKind = "neoplasm"  // a cell of the neoplasm table
	TermDrug      TermKind = "drug"      // a cell of the drug table
	TermEveryday  TermKind = "everyday"  // a name clinicians use (starter set)
	TermLearned   TermKind = "learned"   // a phrase learned from decisions
)

// Term is a text that leads to a code. Code may be a header: it then leads to
// its billable descendants. TextID identifies the text (identical texts share
// one id and so one vector); it is 0 until the store has given it.
type Term struct {
	TextID  int64
	Text    string
	Kind    TermKind
	System  System
	Code    string
	Release string // id of the release whose file it comes from
	// WordsOnly: it is looked up by its words and has no vector, because the term
	// of its stem stands for it (a title with the words of the 7th character).
	WordsOnly bool
}

// DotCode puts the dot of ICD-10-CM into a code written without it; a code
// that has one, or is short, stays as it is.
func DotCode(code string) string {
	if len(code) <= 3 || code[3] == '.' {
		return code
	}
	return code[:3] + "." + code[3:]
}

// UndotCode takes the dot out.
func UndotCode(code string) string {
	if len(code) > 3 && code[3] == '.' {
		return code[:3] + code[4:]
	}
	return code
}

// Category is the first three characters of an ICD-10-CM code.
func Category(code string) string {
	if len(code) > 3 {
		return code[:3]
	}
	return code
}
