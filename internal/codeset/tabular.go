package codeset

import (
	"strings"

	"chartcode/internal/coding"
)

// noteKinds are the notes of the tabular list that are kept as rule lines.
var noteKinds = map[string]bool{
	"includes": true, "excludes1": true, "excludes2": true, "codeFirst": true,
	"useAdditionalCode": true, "codeAlso": true, "sevenChrNote": true, "notes": true,
}

// readTabular reads the titles of chapters and sections, the notes of these and of
// codes, the 7th characters, and inclusion terms as terms. Notes of a chapter stand at its
// range in brackets, those of a section at its id.
//
// Details count: chapters, sections, diag; by kind the notes at codes and, with
// chapter_ or section_ before the kind, above them; sevenChrDef and extension;
// refs (sets of codes named in notes) and notes_unread.
func (c *Content) readTabular(m member) error {
	t := &tabularReader{content: c, counts: map[string]int{"refs": 0, "notes_unread": 0}, categories: map[string]bool{}}
	err := readXML(m, "ICD10CM.tabular", map[string]bool{"chapter": true}, func(ch *node) error {
		t.counts["chapters"]++
		title, at := headingOf(ch)
		t.heading(at, LevelChapter, title)
		if err := t.notes(m, ch, at, LevelChapter); err != nil {
			return err
		}
		for _, k := range ch.kids {
			if k.name == "section" {
				t.counts["sections"]++
				title, _ := headingOf(k)
				t.heading(k.attr("id"), LevelSection, title)
				if err := t.notes(m, k, k.attr("id"), LevelSection); err != nil {
					return err
				}
				if err := t.diags(m, k); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if t.counts["diag"] == 0 {
		return &Error{File: m.name, Reason: "there is no code in it"}
	}
	t.references()
	c.Release.Rows = t.counts["diag"]
	for k, v := range t.counts {
		c.Release.Details[k] = v
	}
	return nil
}

// headingOf gives the title of a chapter or section and the range in brackets
// that ends its description; without one both are the description.
func headingOf(n *node) (title, at string) {
	desc := n.textOf("desc")
	if i, j := strings.LastIndex(desc, "("), strings.LastIndex(desc, ")"); i >= 0 && i < j {
		return strings.TrimSpace(desc[:i]), desc[i+1 : j]
	}
	return desc, desc
}

// heading keeps the title of a chapter or section.
func (t *tabularReader) heading(at, level, title string) {
	if at != "" && title != "" {
		t.content.Lines = append(t.content.Lines, Line{Code: at, Kind: LineTitle, Level: level, Text: title})
	}
}

type tabularReader struct {
	content    *Content
	counts     map[string]int
	categories map[string]bool
}

func (t *tabularReader) diags(m member, n *node) error {
	for _, d := range n.kids {
		if d.name != "diag" {
			continue
		}
		code := d.textOf("name")
		if !codeShape[coding.ICD10CM].MatchString(coding.UndotCode(code)) {
			return &Error{m.name, d.line, "a diag has no code for its name"}
		}
		t.categories[code[:3]] = true
		t.counts["diag"]++
		if err := t.notes(m, d, code, LevelDiag); err != nil {
			return err
		}
		if err := t.diags(m, d); err != nil {
			return err
		}
	}
	return nil
}

func (t *tabularReader) notes(m member, n *node, at, level string) error {
	if at == "" {
		return &Error{m.name, n.line, "a " + level + " has no range of codes"}
	}
	prefix := ""
	if level != LevelDiag {
		prefix = level + "_"
	}
	for _, k := range n.kids {
		switch {
		case k.name == "inclusionTerm":
			for _, note := range k.kids {
				if note.name == "note" && note.text != "" {
					t.counts[prefix+k.name]++
					t.inclusion(at, level, note.text)
				}
			}
		case noteKinds[k.name]:
			for _, note := range k.kids {
				if note.name == "note" {
					t.counts[prefix+k.name]++
					t.content.Lines = append(t.content.Lines, Line{Code: at, Kind: k.name, Level: level, Text: note.text})
				}
			}
		case k.name == "sevenChrDef":
			t.counts["sevenChrDef"]++
			for _, x := range k.kids {
				if x.name != "extension" {
					continue
				}
				char := x.attr("char")
				if len(char) != 1 {
					return &Error{m.name, x.line, "an extension has no single character"}
				}
				t.counts["extension"]++
				t.content.Lines = append(t.content.Lines, Line{Code: at, Kind: LineSevenChr, Level: level, Char: char, Text: x.text})
			}
		}
	}
	return nil
}

// inclusion makes a term of an inclusion term. One that only begins a list
// ("Conditions in:") names nothing by itself.
func (t *tabularReader) inclusion(at, level, text string) {
	if level != LevelDiag || strings.HasSuffix(text, ":") {
		return
	}
	t.content.Terms = append(t.content.Terms, coding.Term{Text: text, Kind: coding.TermInclusion, Code: at})
}

// references reads the codes that the notes name, once all categories are known.
func (t *tabularReader) references() {
	known := func(category string) bool { return t.categories[category] }
	for i := range t.content.Lines {
		l := &t.content.Lines[i]
		if l.Kind == LineSevenChr || l.Kind == LineTitle || l.Kind == "sevenChrNote" {
			continue
		}
		l.Refs, l.Unread = parseRefs(l.Text, known)
		t.counts["refs"] += len(l.Refs)
		if l.Unread {
			t.counts["notes_unread"]++
		}
	}
}
