package segment

import (
	"chartcode/internal/coding"
	"chartcode/internal/lexicon"
)

// years marks what the sentence puts in a past year: "MI in 2003", "stroke
// (1998)". Since and diagnosed in tell that it lasts.
func (s *sentence) years() {
	for i := s.from + 1; i < s.to; i++ {
		if !s.pastYear(i) {
			continue
		}
		prev := s.toks[i-1].Lower
		cueFrom := i - 1
		switch prev {
		case "in", "(", "circa", "around", "of":
			if prev == "of" && (i < s.from+2 || !months[s.toks[i-2].Lower]) {
				continue
			}
		default:
			if !months[prev] || i < s.from+2 || s.toks[i-2].Lower != "in" {
				continue
			}
			cueFrom = i - 2
		}
		from, _ := s.clauseOf(cueFrom)
		start := cueFrom
		for start > from && s.toks[start-1].Lower != "," && s.toks[start-1].Lower != ")" {
			w := s.toks[start-1].Lower
			if lasting[w] {
				start = cueFrom
				break
			}
			start--
		}
		s.addScopeOf(start, cueFrom, coding.Historical, cueFrom, i+1)
	}
}

var lasting = set("since diagnosed diagnosis began started onset first followed known until found noted presented")

var months = set("january february march april may june july august september october november december jan feb mar apr jun jul aug sep sept oct nov dec")

// pastYear reports whether token i is a year from 1930 to the one before the
// date of service (2100 when that is unknown).
func (s *sentence) pastYear(i int) bool {
	t := &s.toks[i]
	if t.Kind != lexicon.Number || len(t.Lower) != 4 || s.raw(i) != t.Lower {
		return false
	}
	y := atoi(t.Lower)
	limit := s.serviceYear
	if limit == 0 {
		limit = 2100
	}
	return y >= 1930 && y < limit
}
