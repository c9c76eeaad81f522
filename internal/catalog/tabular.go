package catalog

import (
	"slices"

	"chartcode/internal/codeset"
	"chartcode/pipeline/rank"
)

// tabular gives an LLM's prompt what the tabular list says of codes. It is read
// only once made.
type tabular struct {
	table    *codeset.Table
	at       map[string][]rank.TabularNote // by code
	headings []tabularHeading
}

// tabularHeading is a chapter or section.
type tabularHeading struct {
	codes string
	notes []rank.TabularNote
}

var noteKinds = map[string]rank.NoteKind{
	"includes": rank.NoteIncludes, "excludes1": rank.NoteExcludes1, "excludes2": rank.NoteExcludes2, "codeFirst": rank.NoteCodeFirst,
	"useAdditionalCode": rank.NoteUseAdditional, "codeAlso": rank.NoteCodeAlso, codeset.LineSevenChr: rank.NoteSeventh,
}

// tabularNotes sorts the lines of the tabular list by code.
func tabularNotes(lines []codeset.Line) *tabular {
	t := &tabular{at: map[string][]rank.TabularNote{}}
	for _, l := range lines {
		kind, ok := noteKinds[l.Kind]
		if !ok || l.Text == "" {
			continue
		}
		n := rank.TabularNote{Kind: kind, Text: l.Text}
		if l.Kind == codeset.LineSevenChr {
			n.Text = l.Char + " " + l.Text
		}
		if len(l.Refs) > 0 {
			refs := l.Refs
			n.Names = func(code string) bool {
				return slices.ContainsFunc(refs, func(r codeset.Ref) bool { return r.Match(code) })
			}
		}
		if l.Level != codeset.LevelChapter && l.Level != codeset.LevelSection {
			t.at[l.Code] = append(t.at[l.Code], n)
			continue
		}
		n.Above = true
		i := slices.IndexFunc(t.headings, func(h tabularHeading) bool { return h.codes == l.Code })
		if i < 0 {
			i = len(t.headings)
			t.headings = append(t.headings, tabularHeading{codes: l.Code})
		}
		t.headings[i].notes = append(t.headings[i].notes, n)
	}
	return t
}

// of gives the notes with the titles of a table.
func (t *tabular) of(table *codeset.Table) *tabular {
	return &tabular{table: table, at: t.at, headings: t.headings}
}

// Place gives the title of a code.
func (t *tabular) Place(code string) string {
	if t.table == nil {
		return ""
	}
	c, _ := t.table.Lookup(code)
	return c.Title
}

// Notes gives the notes at a code; at a category also those of its section and
// chapter.
func (t *tabular) Notes(code string) []rank.TabularNote {
	out := t.at[code]
	if len(code) > 3 {
		return out
	}
	out = slices.Clip(out)
	for _, h := range t.headings {
		if codeset.Section(h.codes, code) {
			out = append(out, h.notes...)
		}
	}
	return out
}
