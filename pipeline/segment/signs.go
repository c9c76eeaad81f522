package segment

import (
	"chartcode/internal/coding"
	"chartcode/internal/lexicon"
)

// signs reads lists with plus and minus: "(-) fever, (+) cough", "-chills".
func (s *sentence) signs() {
	for i := s.from; i+1 < s.to; i++ {
		if s.toks[i].Lower != "-" && s.toks[i].Lower != "−" {
			continue
		}
		next := i + 1
		if i > s.from && s.toks[i-1].Lower == "(" && s.toks[next].Lower == ")" {
			next++
			if next >= s.to {
				// "fever (-)"
				start := i - 1
				for start > s.from && s.toks[start-1].Lower != "," {
					start--
				}
				s.addScopeOf(start, i-1, coding.Negated, i, i+1)
				continue
			}
			if w := s.toks[next].Lower; w == "," || w == "." {
				start := i - 1
				for start > s.from && s.toks[start-1].Lower != "," {
					start--
				}
				s.addScopeOf(start, i-1, coding.Negated, i, i+1)
				continue
			}
		} else if i > s.from && s.toks[i-1].End == s.toks[i].Start || s.toks[next].Start != s.toks[i].End || s.toks[next].Kind != lexicon.Word || !s.hasPlus() {
			continue
		}
		end := next
		for end < s.to && (s.toks[end].Lower != "," || end+2 < s.to && s.toks[end+1].Lower == "such" && s.toks[end+2].Lower == "as" || s.listsSuch(next, end)) && s.toks[end].Lower != "(" && s.toks[end].Lower != "+" && s.toks[end].Lower != ";" {
			end++
		}
		s.addScopeOf(next, end, coding.Negated, i, i+1)
	}
}

// hasPlus reports whether the sentence has a plus before a word: then a minus
// before a word denies it.
func (s *sentence) hasPlus() bool {
	for i := s.from; i+1 < s.to; i++ {
		if s.toks[i].Lower == "+" && s.toks[i+1].Start == s.toks[i].End && s.toks[i+1].Kind == lexicon.Word {
			return true
		}
	}
	return false
}

// listsSuch reports whether tokens [from, to) hold "such as": the commas after
// it are of its list.
func (s *sentence) listsSuch(from, to int) bool {
	for i := from; i+1 < to; i++ {
		if s.toks[i].Lower == "such" && s.toks[i+1].Lower == "as" {
			return true
		}
	}
	return false
}
