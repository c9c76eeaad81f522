package segment

import (
	"chartcode/internal/coding"
	"chartcode/internal/lexicon"
)

// Words for laboratory tests. What is tested for follows them with "for" or
// "against", after some of them also without.
var (
	// What stands behind these is looked for, and not said to be there unless a
	// result says so.
	lookedFor = set("serology serologies serological markers antibodies antibody antigen antigens antigenemia titers titer pcr igg igm")
	// What stands before these names them.
	namedBy = set("antigen antigens antibody antibodies serology serologies igg igm")
	// These are also done for what is known: "tests for infertility".
	testedFor  = set("cultures culture test tests tested testing panel screen swab swabs")
	bareTests  = set("serology serologies")
	testLinks  = set("for against")
	foundWords = set("positive positives reactive detected confirmed showed revealed shows reveals demonstrated found diagnosed elevated high increased raised compatible consistent " +
		"identified isolated present carrier carriers + except")
	missedWords = set("negative negatives neg nonreactive undetectable normal absent unremarkable")
)

// testedReach is how far, in words and marks, a result may stand from its test.
const testedReach = 40

// tested reads the lists of what was tested for: "serology for hepatitis B and C
// and HIV was negative". The result holds for all of the list. Of a list without a
// result nothing is said of the patient.
func (s *sentence) tested() {
	for i := s.from; i < s.to-1; i++ {
		w := s.toks[i].Lower
		s.testedBefore(i)
		item := s.testedItem(i)
		if item == 0 {
			continue
		}
		end, found, missed := s.result(item)
		if f, m := s.resultBefore(i); f || m {
			found, missed = f, m
			end = s.listEnd(item, end)
		}
		last := end
		for last > item && verbs[s.toks[last-1].Lower] {
			last--
		}
		switch {
		case found:
		case missed:
			s.addScopeOf(item, last, coding.Negated, i, i+1)
		case lookedFor[w]:
			s.addScopeOf(item, last, coding.Hypothetical, i, i+1)
		}
		i = max(i, end-1)
	}
}

// testedBefore reads what a test is named by: "hepatitis B surface antigen".
func (s *sentence) testedBefore(i int) {
	if !namedBy[s.toks[i].Lower] {
		return
	}
	first := i
	for first > max(s.from, i-namedWords) && s.toks[first-1].Kind == lexicon.Word && !lexicon.IsStop(s.toks[first-1].Norm) && !verbs[s.toks[first-1].Lower] {
		first--
	}
	if first == i {
		return
	}
	_, found, missed := s.result(i + 1)
	if f, m := s.resultBefore(i); f || m {
		found, missed = f, m
	}
	switch {
	case found:
	case missed:
		s.addScopeOf(first, i, coding.Negated, i, i+1)
	default:
		s.addScopeOf(first, i, coding.Hypothetical, i, i+1)
	}
}

// namedWords is how many words before such a test may name it.
const namedWords = 4

// word gives a token of the sentence in lower case, "" outside of it.
func (s *sentence) word(i int) string {
	if i < s.from || i >= s.to {
		return ""
	}
	return s.toks[i].Lower
}

// testedItem gives the token at which what was tested for begins, by the test at
// token i; 0 where nothing of it follows.
func (s *sentence) testedItem(i int) int {
	w := s.toks[i].Lower
	switch {
	case w == "exclude" && s.word(i-1) == "to", w == "out" && s.word(i-1) == "rule" && s.word(i-2) == "to":
		return i + 1
	case !lookedFor[w] && !testedFor[w]:
		return 0
	case testLinks[s.toks[i+1].Lower]:
		return i + 2
	case !lookedFor[w]:
		return 0
	}
near:
	for j := i + 1; j < min(s.to-1, i+testLinkNear); j++ { // "serology was also obtained for"
		switch v := s.toks[j].Lower; {
		case testLinks[v]:
			return j + 1
		case missedWords[v] || foundWords[v]:
			return 0
		case v == "," || v == "and":
			break near
		}
	}
	if next := &s.toks[i+1]; bareTests[w] && next.Kind == lexicon.Word && !lexicon.IsStop(next.Norm) && !verbs[next.Lower] {
		return i + 1
	}
	return 0
}

// testLinkNear is how near after a test its "for" must stand.
const testLinkNear = 5

// result gives where the list that begins at token item ends, and whether a
// result there says that it was found, or was not.
func (s *sentence) result(item int) (end int, found, missed bool) {
	for end = item; end < min(s.to, item+testedReach); end++ {
		switch w := s.toks[end].Lower; {
		case w == ";" || w == ".":
			return end, false, false
		case missedWords[w]:
			return end, false, true
		case foundWords[w]:
			return end, true, false
		}
	}
	return s.listEnd(item, end), false, false
}

// listEnd gives where a list from token item, which no result ends, ends before
// token end: at a verb, or where something else is told ("and a rash").
func (s *sentence) listEnd(item, end int) int {
	for i := item + 1; i < end; i++ {
		if verbs[s.toks[i].Lower] {
			return i
		}
		if s.toks[i].Lower == "and" && i+1 < end && articles[s.toks[i+1].Lower] {
			return i
		}
	}
	return end
}

var articles = set("a an the his her their")

// resultBefore reads a result in the three words before the test at token i:
// "negative viral markers for", "positive serology for".
func (s *sentence) resultBefore(i int) (found, missed bool) {
	for j := max(s.from, i-3); j < i; j++ {
		switch w := s.toks[j].Lower; {
		case w == "," || w == ";" || w == "and" || w == "but":
			found, missed = false, false
		case missedWords[w]:
			found, missed = false, true
		case foundWords[w]:
			found, missed = true, false
		}
	}
	return found, missed
}
