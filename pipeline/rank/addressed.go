package rank

import (
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"chartcode/internal/coding"
)

// A note is written for people. Text in it that speaks to a program (orders to
// ignore instructions, roles of a conversation, lists of candidates, answers in
// JSON, fences, text that no person can see) is somebody's attempt to have codes
// chosen by order, or was pasted from a conversation with one. AddressedToModel
// finds it, so that it is kept from the model, proves no code, and a person is told.
//
// The patterns ask for words that notes do not have together. "Assistant:" with
// a name after it, "system", "instructions given", "ignore the pain" are no signs.

// AddressedToModel gives the stretches of a text that speak to a program, in
// order, each from the start to the end of sentences or lines.
func AddressedToModel(text string) []coding.Span {
	return addressed(text, sync.OnceValue(func() bool { return isEnglish(text) }))
}

// speaksToProgram is the same of a line that a model wrote, which is English
// whatever it says.
func speaksToProgram(line string) bool {
	return len(addressed(line, func() bool { return true })) > 0
}

func addressed(text string, english func() bool) []coding.Span {
	var out []coding.Span
	var open *coding.Span // the last stretch, while what follows belongs to it
	paragraph := false    // to the end of its paragraph
	list := utterances(text)
	all := make([]seen, len(list))
	for i, s := range list {
		all[i] = visible(text[s.Start:s.End])
	}
	split := overLines(text, list, all)
	for i, s := range list {
		v := all[i]
		whole := matched(paragraphPatterns(), v.plain)
		strong := v.hidden || split[i] || whole || matched(strongPatterns(), v.plain) || v.other != "" && (matched(strongPatterns(), v.other) || matched(codeOrders(), v.other)) ||
			ordersAbroad(v.plain) && english() || matched(codeOrders(), v.plain) && !matched(otherPaper(), v.plain)
		switch {
		case strong && open != nil && blank(text[open.End:s.Start]):
			open.End = s.End
			paragraph = paragraph || whole
		case strong:
			if i > 0 && blank(text[list[i-1].End:s.Start]) && matched(openers(), all[i-1].plain) {
				s.Start = list[i-1].Start
			}
			out = append(out, s)
			open, paragraph = &out[len(out)-1], whole
		case strings.TrimSpace(v.plain) == "":
		case open != nil && blank(text[open.End:s.Start]) && (paragraph || goesOn(v.plain)):
			open.End = s.End
		default:
			open = nil
		}
	}
	return out
}

// longestSplitLine is how many bytes the lines have that somebody cut an order
// into.
const longestSplitLine = 40

// overLines finds orders that are cut into short lines of one paragraph, by
// utterance.
func overLines(text string, list []coding.Span, all []seen) []bool {
	out := make([]bool, len(list))
	for i := 0; i < len(list); {
		var joined strings.Builder
		var ends []int // of each utterance in joined
		from := i
		for ; i < len(list) && list[i].Len() <= longestSplitLine && (i == from || blank(text[list[i-1].End:list[i].Start])); i++ {
			joined.WriteString(all[i].plain)
			joined.WriteByte(' ')
			ends = append(ends, joined.Len())
		}
		if i == from {
			i++
			continue
		}
		if len(ends) < 2 {
			continue
		}
		for _, at := range append(places(strongPatterns(), joined.String()), places(codeOrders(), joined.String())...) {
			for at[0] < at[1] && strings.IndexByte(".;:,!?() ", joined.String()[at[0]]) >= 0 { // the end of the line before
				at[0]++
			}
			start := 0
			for k, end := range ends {
				if start < at[1] && at[0] < end {
					out[from+k] = true
				}
				start = end
			}
		}
	}
	return out
}

// blank reports whether nothing but one line break stands in the gap: a blank
// line ends what somebody says.
func blank(gap string) bool {
	return strings.TrimSpace(gap) == "" && strings.Count(gap, "\n") < 2
}

// utterances cuts a text into lines and these into sentences.
func utterances(text string) []coding.Span {
	var out []coding.Span
	start := 0
	cut := func(end int) {
		if end > start {
			out = append(out, coding.Span{Start: start, End: end})
		}
	}
	comment := false
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case strings.HasPrefix(text[i:], "<!--"):
			cut(i)
			start, comment = i, true
		case comment && strings.HasPrefix(text[i:], "-->"):
			cut(i + 3)
			start, comment = i+3, false
			i += 3
			continue
		case comment && i-start < longestComment:
		case r == '\n' || r == '\r' || r == '\u2028' || r == '\u2029':
			cut(i)
			start, comment = i+size, false
		case r == '。' || r == '！' || r == '？' || r == '।':
			cut(i + size)
			start = i + size
		case (r == '.' || r == '!' || r == '?') && i+size < len(text) && (text[i+size] == ' ' || text[i+size] == '\t'):
			if r == '.' && abbreviated(text[start:i]) {
				break
			}
			cut(i + size)
			start = i + size
		}
		i += size
	}
	cut(len(text))
	for i := range out { // white space around belongs to nothing
		s := &out[i]
		s.Start += len(text[s.Start:s.End]) - len(strings.TrimLeft(text[s.Start:s.End], " \t"))
		s.End = s.Start + len(strings.TrimRight(text[s.Start:s.End], " \t"))
	}
	return out
}

// longestComment bounds the text that an open HTML comment takes in, in bytes.
const longestComment = 2000

// abbreviated reports whether the dot after s ends a list number or a title
// rather than a sentence.
func abbreviated(s string) bool {
	i := strings.LastIndexFunc(s, unicode.IsSpace)
	last := s[i+1:]
	if len(last) == 0 || len(last) > 3 {
		return false
	}
	switch strings.ToLower(last) {
	case "dr", "mr", "mrs", "ms", "st", "vs", "no":
		return true
	}
	return strings.Trim(last, "0123456789") == ""
}

func goesOn(plain string) bool { return matched(continued(), plain) }

// pattern is a regular expression and what the text must hold for it to be worth
// trying: one of these, divided by blanks; empty: anything; and a code. Most
// sentences hold nothing of the kind, and expressions are slow.
type pattern struct {
	need, expr string
	code       bool // of ICD-10
}

type compiledPattern struct {
	need []string
	code bool
	*regexp.Regexp
}

// compiled gives the patterns, made at their first use.
func compiled(list []pattern) func() []compiledPattern {
	return sync.OnceValue(func() []compiledPattern {
		out := make([]compiledPattern, len(list))
		for i, p := range list {
			out[i] = compiledPattern{strings.Fields(p.need), p.code, regexp.MustCompile(p.expr)} // a test compiles them
		}
		return out
	})
}

func matched(list []compiledPattern, plain string) bool {
	code := holdsCode(plain)
	return slices.ContainsFunc(list, func(p compiledPattern) bool { return p.worth(plain, code) && p.MatchString(plain) })
}

// places are the first place of each pattern that the text has.
func places(list []compiledPattern, plain string) [][]int {
	var out [][]int
	code := holdsCode(plain)
	for _, p := range list {
		if p.worth(plain, code) {
			if at := p.FindStringIndex(plain); at != nil {
				out = append(out, at)
			}
		}
	}
	return out
}

func (p *compiledPattern) worth(plain string, code bool) bool {
	if p.code && !code {
		return false
	}
	for _, n := range p.need {
		if strings.Contains(plain, n) {
			return true
		}
	}
	return len(p.need) == 0
}

// holdsCode reports whether a letter and a digit begin a word of three letters
// and digits or more, as codes of ICD-10 do.
func holdsCode(plain string) bool {
	for i := 0; i+2 < len(plain); i++ {
		if isLower(plain[i]) && isDigit(plain[i+1]) && (isDigit(plain[i+2]) || isLower(plain[i+2])) && (i == 0 || !isLower(plain[i-1]) && !isDigit(plain[i-1])) {
			return true
		}
	}
	return false
}

func isLower(c byte) bool { return 'a' <= c && c <= 'z' }
func isDigit(c byte) bool { return '0' <= c && c <= '9' }
