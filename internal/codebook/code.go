package codebook

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"chartcode/internal/codeset"
	"chartcode/internal/coding"
)

// Entry is one code with all that is known of it.
type Entry struct {
	coding.Code
	// Release is the one that the entry is of: that of the date, or, where this
	// does not have the code, the latest that has it; Valid is false then.
	Release coding.Release  `json:"release"`
	Asked   string          `json:"asked"` // version of the release of the date
	Valid   bool            `json:"valid"`
	Notices []coding.Notice `json:"notices"`

	Place    []Level       `json:"place"` // from the chapter down to the code's parent
	Notes    []Note        `json:"notes"` // the code's own first, then those from above, the nearest first
	Seventh  []Seventh     `json:"seventh"`
	Children []coding.Code `json:"children"`
	Siblings []coding.Code `json:"siblings"` // itself included
	Terms    []Leading     `json:"terms"`    // index entries and names that lead to it, or to a header above, the nearest first

	HCC       []string `json:"hcc"`
	Edits     []Edit   `json:"mce_edits"`
	POAExempt bool     `json:"poa_exempt"`

	Releases []InRelease `json:"releases"` // the newest first
	Changes  []Change    `json:"changes"`  // the newest first
	Files    Files       `json:"files"`
}

// Level is a step of the hierarchy. Billable is false above codes.
type Level struct {
	Level    string `json:"level"` // chapter, section or code
	Code     string `json:"code"`  // of a chapter or section its range
	Title    string `json:"display"`
	Billable bool   `json:"billable"`
}

// Note is a note of the tabular list that holds for the code.
type Note struct {
	Kind      string        `json:"kind"` // an element of the tabular list: inclusionTerm, includes, excludes1 ...
	Text      string        `json:"text"`
	At        string        `json:"at"`    // where it stands
	Level     string        `json:"level"` // chapter, section or code
	Inherited bool          `json:"inherited"`
	Refs      []codeset.Ref `json:"-"` // the codes that it names
}

// Leading is a text that leads to a code: At is the code or a header above it.
type Leading struct {
	Text string          `json:"text"`
	Kind coding.TermKind `json:"kind"`
	At   string          `json:"at"`
}

// InRelease is what a release says of the code.
type InRelease struct {
	ID       string      `json:"id"`
	Version  string      `json:"version"`
	From     coding.Date `json:"effective_from"`
	To       coding.Date `json:"effective_to"`
	Valid    bool        `json:"valid"`
	Billable bool        `json:"billable"`
	Title    string      `json:"display,omitempty"`
}

// Change is a difference between two releases that follow each other among
// those that are loaded.
type Change struct {
	Kind   string      `json:"kind"` // added, deleted, retitled, made_header or made_billable
	From   string      `json:"from"` // versions
	To     string      `json:"to"`
	On     coding.Date `json:"on"`               // first day of To
	Before string      `json:"before,omitempty"` // titles, where they differ
	After  string      `json:"after,omitempty"`
}

// Files are the versions of the files that notes and Medicare data are of; empty
// where none is loaded.
type Files struct {
	Tabular string `json:"tabular"`
	HCC     string `json:"hcc"`
	MCE     string `json:"mce"`
	POA     string `json:"poa"`
}

// Levels of an Entry that codeset does not name.
const LevelCode = "code"

// The kinds of a Change.
const (
	Added        = "added"
	Deleted      = "deleted"
	Retitled     = "retitled"
	MadeHeader   = "made_header"
	MadeBillable = "made_billable"
)

// NotFoundError says that no release has a code, and what is near.
type NotFoundError struct {
	System  coding.System
	Code    string // as it was asked for
	Version string
	Near    []coding.Code
}

func (e *NotFoundError) Error() string {
	text := fmt.Sprintf("%s is no code of %s %s", e.Code, e.System, e.Version)
	for i, c := range e.Near {
		switch i {
		case 0:
			text += "; near it "
		default:
			text += ", "
		}
		text += fmt.Sprintf("%s (%s)", c.Code, c.Title)
	}
	return text
}

// maxNear is how many codes are named beside one that is not there.
const maxNear = 5

// maxCodeLength is more than codes of any system have.
const maxCodeLength = 16

// Spelled gives a code as its system writes it: in capitals, with the dot where
// it belongs.
func Spelled(system coding.System, code string) string {
	code = strings.ToUpper(strings.TrimSpace(code))
	if system == coding.ICD10CM {
		return coding.DotCode(strings.ReplaceAll(code, ".", ""))
	}
	return code
}

// Code gives a code of a system as of a day; no system means ICD-10-CM, no day
// the newest release. The error is a *NotFoundError when no release has it, and
// ErrNotLoaded when the system has no table.
func (b *Book) Code(ctx context.Context, system coding.System, code string, date coding.Date) (Entry, error) {
	system = cmp.Or(system, coding.ICD10CM)
	e, rel, notices, err := b.pick(ctx, system, date)
	if err != nil {
		return Entry{}, err
	}
	code = Spelled(system, code)
	if len(code) > maxCodeLength {
		code = code[:maxCodeLength]
	}
	code = strings.ToValidUTF8(code, "?")
	in := map[string]coding.Code{}
	if !strings.ContainsRune(code, 0) { // which the database does not take
		if in, err = b.cfg.Source.CodeInReleases(ctx, system, code); err != nil {
			return Entry{}, err
		}
	}
	out := Entry{Release: rel, Asked: rel.Version, Notices: notices}
	history := e.history(system)
	if _, out.Valid = in[rel.ID]; !out.Valid {
		i := slices.IndexFunc(history, func(r coding.Release) bool { _, ok := in[r.ID]; return ok })
		if i < 0 {
			table, err := e.table(ctx, b.cfg.Source, rel)
			if err != nil {
				return Entry{}, err
			}
			return Entry{}, &NotFoundError{system, code, rel.Version, near(table, code)}
		}
		out.Release = history[i]
	}
	table, err := e.table(ctx, b.cfg.Source, out.Release)
	if err != nil {
		return Entry{}, err
	}
	out.Code, _ = table.Lookup(code)
	out.Children = table.Children(code)
	out.Siblings = siblings(table, code)
	for up, ok := table.Parent(code); ok; up, ok = table.Parent(up.Code) {
		out.Place = append([]Level{{LevelCode, up.Code, up.Title, up.Billable}}, out.Place...)
	}
	r := &rules{}
	if system == coding.ICD10CM {
		if r, err = e.rulesOf(ctx, b.cfg.Source); err != nil {
			return Entry{}, err
		}
	}
	if err := out.describe(ctx, b.cfg.Source, table, r); err != nil {
		return Entry{}, err
	}
	out.Releases, out.Changes = changes(history, in)
	out.filled()
	return out, nil
}

// describe fills what terms and rule lines say.
func (out *Entry) describe(ctx context.Context, source Source, table *codeset.Table, r *rules) error {
	code := out.Code.Code
	headings := r.headings(code)
	line := []string{code} // the code and those above it, upwards
	for i := len(out.Place) - 1; i >= 0; i-- {
		line = append(line, out.Place[i].Code)
	}
	if out.Code.Parent == "" && len(headings) > 0 {
		out.Siblings = categories(table, headings[len(headings)-1].code)
	}
	var above []Level
	for _, h := range headings {
		above = append(above, Level{Level: h.level, Code: h.code, Title: h.title})
	}
	out.Place = append(above, out.Place...)

	terms, err := source.TermsOfCodes(ctx, out.System, line)
	if err != nil {
		return err
	}
	if out.System == coding.ICD10CM && !slices.ContainsFunc(terms, func(t coding.Term) bool { return t.Kind == coding.TermEveryday }) {
		starter, err := codeset.Starter()
		if err != nil {
			return err
		}
		for _, t := range starter.Terms {
			if t.Code == code && t.Kind == coding.TermEveryday {
				terms = append(terms, t)
			}
		}
	}
	for _, at := range line {
		for _, t := range terms {
			if t.Code == at && t.Kind == coding.TermInclusion {
				out.Notes = append(out.Notes, Note{Kind: "inclusionTerm", Text: t.Text, At: at, Level: LevelCode, Inherited: at != code})
			}
		}
		out.note(r.at[at], at, LevelCode, at != code)
		if out.Seventh == nil {
			out.Seventh = sevenths(r.at[at])
		}
	}
	for i := len(headings) - 1; i >= 0; i-- {
		out.note(headings[i].lines, headings[i].code, headings[i].level, true)
	}
	for _, t := range terms {
		if slices.Contains(termOrder, t.Kind) {
			out.Terms = append(out.Terms, Leading{t.Text, t.Kind, t.Code})
		}
	}
	slices.SortStableFunc(out.Terms, func(a, b Leading) int {
		return cmp.Or(cmp.Compare(len(b.At), len(a.At)), slices.Index(termOrder, a.Kind)-slices.Index(termOrder, b.Kind))
	})
	out.extend(table)
	out.HCC, out.Edits, out.POAExempt = r.categories[code], r.edits[code], r.exempt[code]
	out.Files = Files{r.tabular.Version, r.hcc.Version, r.mce.Version, r.poa.Version}
	return nil
}

var termOrder = []coding.TermKind{coding.TermEveryday, coding.TermIndex, coding.TermExternal, coding.TermNeoplasm, coding.TermDrug, coding.TermLearned}

func (out *Entry) note(lines []codeset.Line, at, level string, inherited bool) {
	for _, l := range lines {
		if l.Kind != codeset.LineSevenChr {
			out.Notes = append(out.Notes, Note{Kind: l.Kind, Text: l.Text, At: at, Level: level, Inherited: inherited, Refs: l.Refs})
		}
	}
}

func sevenths(lines []codeset.Line) []Seventh {
	var out []Seventh
	for _, l := range lines {
		if l.Kind == codeset.LineSevenChr {
			out = append(out, Seventh{Char: l.Char, Meaning: l.Text})
		}
	}
	return out
}

// extend names the codes of the 7th characters. Where the tabular list has none,
// because it is older than the code, the titles say what they mean.
func (out *Entry) extend(table *codeset.Table) {
	header, stem := out.Code, ""
	siblings := out.Children
	if len(out.Code.Code) == len("S52.501A") {
		header, _ = table.Parent(out.Code.Code)
		siblings = table.Children(header.Code)
		stem = out.Code.Code[:7]
	}
	var found []Seventh
	for _, c := range siblings {
		if len(c.Code) != len("S52.501A") || stem != "" && c.Code[:7] != stem {
			continue
		}
		meaning, ok := strings.CutPrefix(c.Title, header.Title+", ")
		if !ok {
			return // the 7th character is not all by which they differ
		}
		found = append(found, Seventh{Char: c.Code[7:], Meaning: meaning, Code: c.Code})
	}
	if out.Seventh == nil || out.System != coding.ICD10CM {
		out.Seventh = found
		return
	}
	for _, f := range found {
		if i := slices.IndexFunc(out.Seventh, func(s Seventh) bool { return s.Char == f.Char }); i >= 0 {
			out.Seventh[i].Code = f.Code
		} else {
			out.Seventh = append(out.Seventh, f)
		}
	}
}

// filled makes lists that are empty rather than absent.
func (out *Entry) filled() {
	out.Place = orEmpty(out.Place)
	out.Notes = orEmpty(out.Notes)
	out.Seventh = orEmpty(out.Seventh)
	out.Children = orEmpty(out.Children)
	out.Siblings = orEmpty(out.Siblings)
	out.Terms = orEmpty(out.Terms)
	out.HCC = orEmpty(out.HCC)
	out.Edits = orEmpty(out.Edits)
	out.Releases = orEmpty(out.Releases)
	out.Changes = orEmpty(out.Changes)
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// siblings gives the codes beside one, itself included. Of ICD-10-PCS, whose
// tables hold hundreds, these are the ones of the same body part.
func siblings(table *codeset.Table, code string) []coding.Code {
	list := table.Siblings(code)
	if table.Release().System == coding.ICD10PCS && len(code) == 7 {
		list = slices.DeleteFunc(list, func(c coding.Code) bool { return c.Code[:4] != code[:4] })
	}
	return list
}

// categories gives the codes at the top of the hierarchy within a section.
func categories(table *codeset.Table, section string) []coding.Code {
	var out []coding.Code
	for c := range table.All {
		if c.Parent == "" && codeset.Section(section, c.Code) {
			out = append(out, c)
		}
	}
	return out
}

// changes compares releases that follow each other; history has the newest first.
func changes(history []coding.Release, in map[string]coding.Code) (releases []InRelease, list []Change) {
	for i, r := range history {
		c, ok := in[r.ID]
		releases = append(releases, InRelease{r.ID, r.Version, r.EffectiveFrom, r.EffectiveTo, ok, ok && c.Billable, c.Title})
		if i+1 == len(history) {
			break
		}
		before, was := in[history[i+1].ID]
		add := func(kind, old, new string) {
			list = append(list, Change{kind, history[i+1].Version, r.Version, r.EffectiveFrom, old, new})
		}
		switch {
		case ok && !was:
			add(Added, "", "")
		case was && !ok:
			add(Deleted, "", "")
		case ok && was:
			if before.Billable && !c.Billable {
				add(MadeHeader, "", "")
			} else if !before.Billable && c.Billable {
				add(MadeBillable, "", "")
			}
			if !strings.EqualFold(strings.Join(strings.Fields(before.Title), " "), strings.Join(strings.Fields(c.Title), " ")) {
				add(Retitled, before.Title, c.Title)
			}
		}
	}
	return releases, list
}

// near gives codes like one that is not there: the longest beginning of it that
// is a code with what stands below, and codes that differ in one character.
func near(table *codeset.Table, code string) []coding.Code {
	var out []coding.Code
	add := func(c coding.Code) {
		if len(out) < maxNear && !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	for n := len(code) - 1; n >= 2; n-- {
		from, to := table.Beginning(code[:n])
		if from == to {
			continue
		}
		rest := code[n:]
		var rows distanceRows
		for most := 1; most <= 2; most++ { // a wrong or missing character behind the beginning
			for i := from; i < min(to, from+2000); i++ {
				c := table.At(i)
				if rows.distance(rest, strings.TrimPrefix(c.Code[n:], "."), most) == most {
					add(c)
				}
			}
			if len(out) > 0 {
				break
			}
		}
		for i := from; i < to && i < from+maxNear; i++ {
			add(table.At(i))
		}
		if len(out) == 1 {
			for _, c := range siblings(table, out[0].Code) {
				add(c)
			}
		}
		return out
	}
	return out
}
