package rank

import (
	"strings"
	"unicode"

	"chartcode/internal/coding"
	"chartcode/prompts"
)

// stretch is as much of a note as one prompt shows: whole sections where they fit,
// else cut between sentences.
type stretch struct {
	pieces []piece
}

// piece is a section, or what of it is in one part.
type piece struct {
	coding.Span
	kind coding.SectionKind
}

func (p stretch) span() coding.Span {
	return coding.Span{Start: p.pieces[0].Start, End: p.pieces[len(p.pieces)-1].End}
}

// parts cuts a document into parts of at most limit bytes. Every byte that is
// not white space is in one of them.
func parts(doc *coding.Document, limit int) []stretch {
	var out []stretch
	var now stretch
	size := 0
	for _, p := range pieces(doc, limit) {
		if size > 0 && size+p.Len() > limit {
			out, now, size = append(out, now), stretch{}, 0
		}
		now.pieces = append(now.pieces, p)
		size += p.Len()
	}
	if size > 0 {
		out = append(out, now)
	}
	return out
}

func pieces(doc *coding.Document, limit int) []piece {
	var out []piece
	add := func(from, to int, kind coding.SectionKind) {
		for from < to {
			end := to
			if end-from > limit {
				end = cutAt(doc, from, from+limit)
			}
			if strings.TrimSpace(doc.Text[from:end]) != "" {
				out = append(out, piece{coding.Span{Start: from, End: end}, kind})
			}
			from = end
		}
	}
	at := 0
	for _, s := range doc.Sections {
		add(at, s.Start, coding.SectionUnknown)
		add(max(at, s.Start), s.End, s.Kind)
		at = max(at, s.End)
	}
	add(at, len(doc.Text), coding.SectionUnknown)
	return out
}

// cutAt is the last end of a sentence up to byte to, else of a word, else to.
func cutAt(doc *coding.Document, from, to int) int {
	best := -1
	if i := doc.SentenceAt(to); i >= 0 && doc.Sentences[i].Start > from {
		best = doc.Sentences[i].Start
	}
	if best < 0 {
		if i := strings.LastIndexFunc(doc.Text[from:to], unicode.IsSpace); i > 0 {
			best = from + i
		}
	}
	if best <= from {
		best = to
		for best > from+1 && doc.Text[best]&0xC0 == 0x80 { // not within a letter
			best--
		}
	}
	return best
}

// leftOut stands in a prompt for text that speaks to a program.
const leftOut = "[text addressed to a program left out]"

// shown is the text of a piece as a prompt shows it: without what speaks to a
// program and without marks that nobody sees.
func shown(text string, p coding.Span, addressed []coding.Span) string {
	var b strings.Builder
	at := p.Start
	for _, a := range addressed {
		if !a.Overlaps(p) {
			continue
		}
		from, to := max(a.Start, p.Start), min(a.End, p.End)
		b.WriteString(text[at:max(at, from)])
		b.WriteString(leftOut)
		at = max(at, to)
	}
	b.WriteString(text[at:p.End])
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) {
			if r == '\u200d' || r == '\u200c' { // joiners are part of the writing of some languages
				return r
			}
			return -1
		}
		return r
	}, strings.TrimSpace(strings.ReplaceAll(b.String(), "\r\n", "\n")))
}

// promptNote is what every prompt shows of a part.
func promptNote(in Input, p stretch, number, of int) prompts.Note {
	n := prompts.Note{
		Fence: prompts.Fence(in.Doc.Text), Part: number, Parts: of, Setting: string(in.Doc.Setting),
		Inpatient: in.Doc.Setting.InpatientRules(), Mentions: in.Style == coding.Mentions,
	}
	for i, x := range p.pieces {
		kind := strings.ReplaceAll(string(x.kind), "_", " ")
		if kind == "" {
			kind = "without a heading"
		}
		n.Sections = append(n.Sections, prompts.Section{Number: i + 1, Kind: kind, Text: shown(in.Doc.Text, x.Span, in.Addressed)})
	}
	return n
}
