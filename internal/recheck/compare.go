package recheck

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"chartcode/internal/codeset"
	"chartcode/internal/coding"
	"chartcode/internal/review"
	"chartcode/pipeline/validate"
)

// Tables are the codes in which an item's codes are looked up: of the releases
// that hold on its date of service, at least the categories of its codes.
type Tables struct {
	Releases codeset.Releases
	Of       func(releaseID string) *codeset.Table // nil: no code that is asked for is there
	// Titled gives the billable codes of a release with a title, in any case.
	Titled func(releaseID, title string) []coding.Code
}

// maxReplacements is how many replacements are offered: as many as there are
// keys for them.
const maxReplacements = 9

// named is a code of an item with the title by which the coder knows it.
type named struct {
	coding.CodeKey
	title     string
	suggested bool
}

// Compare says what the releases that hold on an item's date of service have to
// say of its codes, and counts those still in its list that may not be
// reported. The codes are those suggested and those that a decision names,
// also an undone one, because it can come back.
//
// Where the date lies before the first release, no validity is claimed and
// nothing is said of the codes. Of a system without a table nothing is said
// either.
func (c *Checker) Compare(it coding.CheckedItem, t Tables) (body coding.CheckBody, invalid int) {
	body = coding.CheckBody{ServiceDate: it.ServiceDate, Releases: map[coding.System]string{}, Sets: setsOf(it, t.Releases), Codes: []coding.CodeCheck{}}
	state := review.Replay(it.Decisions)
	for _, n := range namesOf(it) {
		rel, notices, ok := t.Releases.Pick(n.System, it.ServiceDate)
		if !ok || slices.ContainsFunc(notices, func(n coding.Notice) bool { return n.Code == coding.NoticeNoRelease }) {
			continue
		}
		body.Releases[n.System] = rel.Version
		check, ok := c.compare(n, rel, t, it.Last)
		if !ok {
			continue
		}
		body.Codes = append(body.Codes, check)
		if check.Invalid() && state.Open(n.CodeKey, n.suggested) {
			invalid++
		}
	}
	return body, invalid
}

// compare says what there is to say of one code; ok is false when nothing.
func (c *Checker) compare(n named, rel coding.Release, t Tables, last *coding.ReleaseCheck) (out coding.CodeCheck, ok bool) {
	table := t.Of(rel.ID)
	if table == nil {
		table = codeset.NewTable(rel, nil)
	}
	row, there := table.Lookup(n.Code)
	out = coding.CodeCheck{CodeKey: n.CodeKey, Title: row.Title, Replacements: []coding.Code{}}
	edition := fmt.Sprintf("%s %s", rel.System, rel.Version)
	say := func(status coding.CheckStatus, message string) {
		out.Status = status
		out.Finding = coding.Finding{Rule: string(status), Severity: coding.SeverityInformation, Codes: []string{n.Code}, Message: message, Source: edition}
	}
	switch {
	case !there:
		out.Status = coding.CheckNotValid
		out.Replacements, out.More = offered(similar(n, table, t.Titled(rel.ID, n.title)))
	case !row.Billable:
		out.Status = coding.CheckNotBillable
		out.Replacements, out.More = offered(under(n.Code, table))
	case wasInvalid(last, n.CodeKey):
		say(coding.CheckValidAgain, fmt.Sprintf("%s may be reported again: %s, which holds on the date of service, has it.", n.Code, edition))
	case n.title != "" && !strings.EqualFold(n.title, row.Title):
		say(coding.CheckRetitled, fmt.Sprintf("%s has a new title in %s: %s.", n.Code, edition, row.Title))
	default:
		return out, false
	}
	if out.Invalid() {
		out.Finding = c.refusal(n.CodeKey, table)
	}
	return out, true
}

// refusal is what the validator says of a code that may not be reported.
func (c *Checker) refusal(key coding.CodeKey, table *codeset.Table) coding.Finding {
	in := validate.CheckInput{Codes: []validate.Coded{{System: key.System, Code: key.Code}}}
	if key.System == coding.ICD10CM {
		in.Table = table
	} else {
		in.Others = map[coding.System]*codeset.Table{key.System: table}
	}
	findings := c.validator.Check(in)
	return findings[0] // a code that a table lacks, or has as a header, is refused before any rule
}

func wasInvalid(last *coding.ReleaseCheck, key coding.CodeKey) bool {
	if last == nil {
		return false
	}
	was := last.Of(key)
	return was != nil && (was.Invalid() || was.Status == coding.CheckValidAgain)
}

// offered cuts a list of replacements to those that are offered.
func offered(codes []coding.Code) (first []coding.Code, more int) {
	n := min(len(codes), maxReplacements)
	return append([]coding.Code{}, codes[:n]...), len(codes) - n
}

// namesOf gives the codes of an item, each once: as suggested, then as decided.
func namesOf(it coding.CheckedItem) []named {
	var out []named
	at := map[coding.CodeKey]int{}
	put := func(key coding.CodeKey, title string, suggested bool) {
		if key.Code == "" {
			return
		}
		i, known := at[key]
		if !known {
			i = len(out)
			at[key] = i
			out = append(out, named{CodeKey: key})
		}
		if out[i].title == "" {
			out[i].title = title
		}
		out[i].suggested = out[i].suggested || suggested
	}
	for _, n := range it.Notes {
		for _, s := range n.Set.Suggestions {
			put(coding.CodeKey{System: s.System, Code: s.Code}, s.Display, true)
		}
	}
	for _, d := range it.Decisions {
		put(coding.CodeKey{System: d.System, Code: d.Code}, d.Display, false)
		if d.To != nil {
			put(*d.To, d.ToDisplay, false)
		}
	}
	return out
}

// setsOf gives for each set whose releases or notices of their choice are no
// longer those it has, what they would be now.
func setsOf(it coding.CheckedItem, releases codeset.Releases) []coding.SetCheck {
	out := []coding.SetCheck{}
	for _, n := range it.Notes {
		now := coding.SetCheck{SetID: n.Set.SetID, Releases: map[coding.System]string{}, Notices: []coding.Notice{}}
		for _, system := range coding.Systems() {
			if _, used := n.Set.Releases[system]; !used {
				continue
			}
			if rel, notices, ok := releases.Pick(system, n.ServiceDate); ok {
				now.Releases[system] = rel.Version
				now.Notices = append(now.Notices, notices...)
			}
		}
		if !maps.Equal(now.Releases, n.Set.Releases) || !slices.Equal(now.Notices, choices(n.Set.Notices)) {
			out = append(out, now)
		}
	}
	return out
}

// choices are the notices that the choice of a release called for.
func choices(notices []coding.Notice) []coding.Notice {
	var out []coding.Notice
	for _, n := range notices {
		if n.OfRelease() {
			out = append(out, n)
		}
	}
	return out
}
