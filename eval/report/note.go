package report

import (
	"slices"
	"strings"

	"chartcode/eval/dataset"
	"chartcode/eval/measure"
	"chartcode/eval/runs"
	"chartcode/internal/coding"
)

// Note is one note as the report shows it.
type Note struct {
	ID, Anchor, About string
	Class             string // of the filters that show it
	F1                float64
	Right, Wrong      int
	Missed            int
	Codes             []CodeLine
	Text              []Piece
}

// Is reports whether the note has errors of a kind.
func (n *Note) Is(kind string) bool { return slices.Contains(strings.Fields(n.Class), "is-"+kind) }

// CodeLine is a suggested or missed code.
type CodeLine struct {
	Verdict, Class, Code, Title string
	Confidence                  float64
	Shown                       bool
	More                        string
	Evidence                    []string
}

// Piece is a stretch of the text that the same evidence covers: gold's,
// suggested, both or neither.
type Piece struct {
	Text, Class, Codes string
}

// ErrorKinds are the filters: the class of a note and what is said of it.
func ErrorKinds() [][2]string {
	return [][2]string{{"wrong", "with a wrong code"}, {"missed", "with a missed code"}, {"lost-retrieval", "code not retrieved"}, {"lost-ranking", "code ranked low or below the threshold"},
		{"lost-rule", "code removed by a rule"}, {"invalid", "code not valid on the date of service"}, {"first", "first-listed wrong"}, {"right", "all right"}}
}

// NewNote puts gold and suggestions of a note side by side.
func NewNote(n *dataset.Note, c *measure.Case, titles map[string]runs.Title) Note {
	o := c.Outcome()
	out := Note{ID: n.NoteID, Anchor: "note-" + n.NoteID, F1: o.F1(), Right: o.Right + o.Acceptable, Wrong: o.Wrong, Missed: len(o.Missed)}
	out.About = strings.Join(slices.DeleteFunc([]string{c.Setting, n.Specialty, n.NoteType, n.ServiceDate.String()}, func(s string) bool { return s == "" }), ", ")
	classes := map[string]bool{"wrong": o.Wrong > 0, "missed": len(o.Missed) > 0, "right": o.AllRight()}
	classes["first"] = len(c.First) > 0 && (len(c.Shown) == 0 || !slices.Contains(c.First, c.Shown[0].Code))
	for i, s := range c.Shown {
		line := CodeLine{Verdict: string(o.Verdicts[i]), Class: string(o.Verdicts[i]), Code: s.Code, Title: titles[s.Code].Title, Confidence: s.Confidence, Shown: true}
		if s.Invalid {
			classes["invalid"] = true
			line.More = "not valid on the date of service"
		}
		for _, e := range s.Evidence {
			line.Evidence = append(line.Evidence, quote(n.Text, e))
		}
		out.Codes = append(out.Codes, line)
	}
	for _, m := range o.Missed {
		line := CodeLine{Verdict: "missed", Class: "missed", Code: m.Code, Title: titles[m.Code].Title, More: string(m.Loss)}
		if m.Rank > 0 {
			line.More += ", retrieved at rank " + measure.Number(float64(m.Rank))
		}
		for _, e := range c.Evidence[m.Code] {
			line.Evidence = append(line.Evidence, quote(n.Text, e))
		}
		out.Codes = append(out.Codes, line)
		switch m.Loss {
		case measure.NotMentioned, measure.NotRetrieved:
			classes["lost-retrieval"] = true
		case measure.RankedLow, measure.BelowThreshold:
			classes["lost-ranking"] = true
		case measure.RemovedByRule:
			classes["lost-rule"] = true
		}
	}
	for _, k := range ErrorKinds() {
		if classes[k[0]] {
			out.Class += " is-" + k[0]
		}
	}
	out.Text = pieces(n.Text, c)
	return out
}

func quote(text string, s coding.Span) string {
	if s.Start < 0 || s.End > len(text) || s.Start >= s.End {
		return ""
	}
	return strings.Join(strings.Fields(text[s.Start:s.End]), " ")
}

// pieces cuts the text where evidence begins and ends.
func pieces(text string, c *measure.Case) []Piece {
	cuts := []int{0, len(text)}
	type mark struct {
		coding.Span
		code string
		gold bool
	}
	var marks []mark
	add := func(code string, spans []coding.Span, gold bool) {
		for _, s := range spans {
			if s.Start >= 0 && s.End <= len(text) && s.Start < s.End {
				marks = append(marks, mark{s, code, gold})
				cuts = append(cuts, s.Start, s.End)
			}
		}
	}
	for _, code := range append(slices.Clone(c.Required), c.Acceptable...) {
		add(code, c.Evidence[code], true)
	}
	for _, s := range c.Shown {
		add(s.Code, s.Evidence, false)
	}
	slices.Sort(cuts)
	cuts = slices.Compact(cuts)
	var out []Piece
	for i := range len(cuts) - 1 {
		at := coding.Span{Start: cuts[i], End: cuts[i+1]}
		p := Piece{Text: text[at.Start:at.End]}
		gold, shown := []string{}, []string{}
		for _, m := range marks {
			if !m.Contains(at) {
				continue
			}
			if m.gold && !slices.Contains(gold, m.code) {
				gold = append(gold, m.code)
			} else if !m.gold && !slices.Contains(shown, m.code) {
				shown = append(shown, m.code)
			}
		}
		switch {
		case len(gold) > 0 && len(shown) > 0:
			p.Class = "both"
		case len(gold) > 0:
			p.Class = "gold"
		case len(shown) > 0:
			p.Class = "shown"
		}
		if len(gold) > 0 {
			p.Codes = "gold: " + strings.Join(gold, " ")
		}
		if len(shown) > 0 {
			p.Codes = strings.TrimPrefix(p.Codes+"; suggested: "+strings.Join(shown, " "), "; ")
		}
		out = append(out, p)
	}
	return out
}

// Filters counts the notes of each kind, all of them first.
func Filters(notes []Note) []Filter {
	out := []Filter{{"all", "all notes", len(notes)}}
	for _, k := range ErrorKinds() {
		n := 0
		for i := range notes {
			if notes[i].Is(k[0]) {
				n++
			}
		}
		out = append(out, Filter{k[0], k[1], n})
	}
	return out
}
