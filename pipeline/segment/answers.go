package segment

import (
	"strings"

	"chartcode/internal/coding"
	"chartcode/internal/lexicon"
)

// answers reads what forms and templates say of a condition without a verb:
// check boxes, signs and the last cell of a row.
func (s *sentence) answers() {
	s.boxes()
	s.signedItems()
	s.lastCell()
}

var (
	emptyBoxes  = set("☐ □ ❏ ❑")
	markedBoxes = set("☑ ☒ ✓ ✔ ■ ▣")
	boxMarks    = set("x v + y yes ✓ ✔ √ *")
)

// box gives the token after the check box at token i, 0 when there is none,
// and whether it is marked: [ ], (x), ☐.
func (s *sentence) box(i int) (next int, marked bool) {
	switch w := s.toks[i].Lower; {
	case emptyBoxes[w]:
		return i + 1, false
	case markedBoxes[w]:
		return i + 1, true
	case w != "[" && w != "(":
		return 0, false
	}
	shut := "]"
	if s.toks[i].Lower == "(" {
		shut = ")"
	}
	switch {
	case i+1 < s.to && s.toks[i+1].Lower == shut:
		return i + 2, false
	case i+2 < s.to && s.toks[i+2].Lower == shut && s.toks[i+1].Lower == "_":
		return i + 3, false
	case i+2 < s.to && s.toks[i+2].Lower == shut && boxMarks[s.toks[i+1].Lower] && s.toks[i+1].Lower != "+":
		return i + 3, true
	}
	return 0, false
}

// boxes denies what stands behind an empty box, up to the next. Brackets in
// prose are none: the first box begins the sentence, or there are several.
func (s *sentence) boxes() {
	found, empty := 0, false
	for i := s.from; i < s.to; i++ {
		if next, marked := s.box(i); next > 0 {
			if found == 0 && i > s.from && !s.boxAhead(next) {
				return
			}
			found++
			empty = empty || !marked
			i = next - 1
		}
	}
	if !empty {
		return
	}
	for i := s.from; i < s.to; i++ {
		next, marked := s.box(i)
		if next == 0 {
			continue
		}
		end := next
		for end < s.to {
			if n, _ := s.box(end); n > 0 {
				break
			}
			end++
		}
		if !marked {
			s.addScopeOf(next, end, coding.Negated, i, next)
		}
		i = end - 1
	}
}

// boxAhead reports whether another box follows from token i on.
func (s *sentence) boxAhead(i int) bool {
	for ; i < s.to; i++ {
		if n, _ := s.box(i); n > 0 {
			return true
		}
	}
	return false
}

func isSign(w string) bool { return w == "+" || w == "-" || w == "−" || w == "–" }

// signedItems reads items that begin or end with a sign: "+ fatigue, - nausea",
// "Chest pain - / SOB +". One item alone may be a dash.
func (s *sentence) signedItems() {
	signs, brackets := 0, 0
	for i := s.from; i < s.to; i++ {
		if isSign(s.toks[i].Lower) {
			signs++
		}
		if s.bracketedNo(i + 1) {
			brackets++
		}
	}
	if brackets > 0 {
		s.eachItem(func(from, to int) {
			if to-3 > from && s.bracketedNo(to) {
				s.addScopeOf(from, to-3, coding.Negated, to-2, to-1)
			}
		})
	}
	if signs < 2 {
		return
	}
	leading, trailing := 0, 0
	s.eachItem(func(from, to int) {
		switch {
		case isSign(s.toks[from].Lower) && s.longWord(from+1) && s.toks[from+1].Start > s.toks[from].End: // -fever is read by signs
			leading++
		case isSign(s.toks[to-1].Lower) && s.longWord(to-2):
			trailing++
		}
	})
	s.eachItem(func(from, to int) {
		switch {
		case leading > 1 && isSign(s.toks[from].Lower) && s.toks[from].Lower != "+" && s.longWord(from+1):
			s.addScopeOf(from+1, to, coding.Negated, from, from+1)
		case trailing > 1 && isSign(s.toks[to-1].Lower) && s.toks[to-1].Lower != "+" && s.longWord(to-2):
			s.addScopeOf(from, to-1, coding.Negated, to-1, to)
		}
	})
}

// bracketedNo reports whether "(no)" or its like ends before token to.
func (s *sentence) bracketedNo(to int) bool {
	return to-3 >= s.from && to <= s.to && s.toks[to-1].Lower == ")" && s.toks[to-3].Lower == "(" && cellAnswers[s.toks[to-2].Lower]
}

// eachItem calls f with the tokens of each part of two or more between commas,
// semicolons and slashes.
func (s *sentence) eachItem(f func(from, to int)) {
	from := s.from
	for i := s.from; i <= s.to; i++ {
		if i < s.to && s.toks[i].Lower != "," && s.toks[i].Lower != ";" && s.toks[i].Lower != "/" {
			continue
		}
		end := i
		if end > from && s.toks[end-1].Lower == "." {
			end--
		}
		if end-from > 1 {
			f(from, end)
		}
		from = i + 1
	}
}

// longWord reports whether token i is a word that may name a finding: not the
// letter of a blood group.
func (s *sentence) longWord(i int) bool {
	return s.toks[i].Kind == lexicon.Word && s.toks[i].End-s.toks[i].Start > 2
}

var cellAnswers = set("no none neg negative denies denied absent nil never")

// lastCell reads a row of a table whose last cell, behind a tab or a bar, says
// that the first is not there.
func (s *sentence) lastCell() {
	last := s.to - 1
	if last > s.from && s.toks[last].Lower == "|" {
		last--
	}
	if last <= s.from || !cellAnswers[s.toks[last].Lower] {
		return
	}
	gap := s.text[s.toks[last-1].End:s.toks[last].Start]
	if s.toks[last-1].Lower == "|" || strings.Contains(gap, "\t") || strings.Contains(gap, "   ") {
		s.addScopeOf(s.from, last, coding.Negated, last, last+1)
	}
}

// reply is what the answer to a question says.
type reply uint8

const (
	noQuestion reply = iota
	unanswered
	yes
	no
)

var (
	yesWords   = set("yes y yeah yep yup positive affirmative correct")
	noWords    = set("no n none never neither nope negative denies denied nil")
	answerers  = set("the patient pt he she they mother father mom dad answers answered says said replies replied responds responded \" “ '")
	questioned = set("any do does did is are was were have has had you your he she they there the patient pt ever been having experienced experiencing noticed feel")
)

// question looks for a question and its answer, in the sentence or at the
// beginning of the next: "Any fever? No." It adds the scope of what is asked
// and gives the reply.
func (s *sentence) question(next int) reply {
	mark := -1
	for i := s.from + 1; i < s.to; i++ {
		if s.toks[i].Lower == "?" {
			mark = i
			break
		}
	}
	if mark < 0 {
		return noQuestion
	}
	first, asks := s.from, false
	for first < mark && questioned[s.toks[first].Lower] {
		first++
		asks = true
	}
	from, to := mark+1, s.to
	if from >= to {
		from, to = s.to, next
	}
	answer := s.replyAt(from, to)
	if !asks && mark-s.from > 6 {
		return noQuestion // prose
	}
	switch answer {
	case no:
		s.addScopeOf(first, mark, coding.Negated, mark, mark+1)
	case unanswered:
		if !asks {
			return noQuestion
		}
		s.addScopeOf(first, mark, coding.Possible, mark, mark+1)
	}
	return answer
}

// replyAt gives the reply that tokens [from, to) begin with.
func (s *sentence) replyAt(from, to int) reply {
	for i := from; i < min(to, from+5); i++ {
		w := s.toks[i].Lower
		switch {
		case yesWords[w]:
			return yes
		case noWords[w]:
			// "No." and "No, neither", but not "No cough."
			if i+1 < to && s.toks[i+1].Kind == lexicon.Word {
				return unanswered
			}
			return no
		case !answerers[w]:
			return unanswered
		}
	}
	return unanswered
}
