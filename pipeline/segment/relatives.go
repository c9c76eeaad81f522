package segment

import (
	"strings"

	"chartcode/internal/coding"
	"chartcode/internal/lexicon"
)

// kin are the words for relatives.
var kin = set("mother father mom dad brother brothers sister sisters sibling siblings son sons daughter daughters parent parents grandmother grandfather " +
	"grandparents grandparent aunt aunts uncle uncles cousin cousins niece nephew nephews nieces maternal paternal relatives grandma grandpa twin " +
	"children grandchildren kids")

// spouses are company; what they are called is not said of the patient.
var spouses = set("husband wife spouse partner")

// speaking are verbs with which a relative tells about the patient, or does
// something for him.
var speaking = set("states stated reports reported says said notes noted notices noticed brought brings thinks thought feels felt believes denies denied called calls gives gave " +
	"describes described understands understood agrees agreed found drove accompanied witnessed observed saw gets took takes wants wanted asked asks told tells confirms " +
	"confirmed provides provided helps helped consented requests requested expressed understand agree report state complains complained concerned present bedside here " +
	"works lives informed signed verbalized administers administered gave assists assisted discussed desires wishes declined refuses refused")

// attached are words before a relative that make him company, not family
// history: "lives with his mother", "brought in by her daughter".
var attached = set("with by per to from and between for via")

// subjectWords lead a relative to his condition: "mother had", "father, aged 60,".
var subjectWords = set("has had have with died dies passed diagnosed suffers suffered is was are were also deceased alive living age aged who history hx both either all who's " +
	"developed carry carries carried suffer underwent positive h/o s/p succumbed expired")

// relatives finds what is said of the family: "family history of diabetes",
// "mother had breast cancer", "heart disease in his father".
func (s *sentence) relatives() {
	for i := s.from; i < s.to; i++ {
		w := s.toks[i].Lower
		if w == "family" || w == "familial" || w == "fh" || w == "fhx" || w == "fam" || w == "hereditary" {
			s.familyPhrase(i)
			continue
		}
		if spouses[w] {
			s.apposition(i)
			continue
		}
		if kin[w] {
			if end := s.relative(i); end > i {
				i = end - 1
			}
		}
	}
}

// familyPhrase handles "family history of", "family members with", "runs in
// the family" at token i.
func (s *sentence) familyPhrase(i int) {
	w := s.toks[i].Lower
	next := ""
	if i+1 < s.to {
		next = s.toks[i+1].Lower
	}
	_, end := s.clauseOf(i)
	switch {
	case w == "fh" || w == "fhx":
		s.addScopeOf(i+1, s.to, coding.Family, i, i+1)
	case w == "hereditary" || w == "familial":
		return
	case next == "history" || next == "hx" || next == "h/o" || w == "fam":
		// To the end of the sentence: lists of a family history run over "and".
		stop := s.to
		first := i + 2
		if first < s.to && (s.toks[first].Lower == "of" || s.toks[first].Lower == "for") {
			first++
		}
		for j := first; j < s.to; j++ {
			if s.toks[j].Lower == ";" && !s.kinBefore(j+1, ";") {
				stop = j
				break
			}
			if t := s.toks[j].Lower; subjects[t] && t != "i" && j > i+3 && (s.toks[j-1].Lower == "," || s.toks[j-1].Lower == "and" || s.toks[j-1].Lower == ";" || s.toks[j-1].Lower == "but") && !kinNear(s, j) {
				stop = j
				break
			}
		}
		s.addScopeOf(first, stop, coding.Family, i, min(i+2, s.to))
	case s.back(i, "member") || s.back(i, "members"): // "a member of her family had"
		for j := i + 1; j < min(s.to, i+4); j++ {
			if subjectWords[s.toks[j].Lower] {
				s.addScopeOf(j+1, end, coding.Family, i-1, i+1)
				break
			}
		}
	case next == "member" || next == "members":
		if i+2 < s.to && (s.toks[i+2].Lower == "with" || s.toks[i+2].Lower == "had" || s.toks[i+2].Lower == "have" || s.toks[i+2].Lower == "has" || s.toks[i+2].Lower == "who") {
			s.addScopeOf(i+3, end, coding.Family, i, i+2)
		} else if i > s.from && (s.toks[i-1].Lower == "in" || s.back(i, "in")) {
			from, _ := s.clauseOf(i)
			s.addScopeOf(from, i, coding.Family, i, i+2)
		}
	case i > s.from+2 && (s.toks[i-1].Lower == "the" || possessives[s.toks[i-1].Lower]) && s.toks[i-2].Lower == "of" && (s.toks[i-3].Lower == "sides" || s.toks[i-3].Lower == "side"):
		from, _ := s.clauseOf(i)
		s.addScopeOf(from, i-3, coding.Family, i-3, i+1)
	case i > s.from+1 && (s.back(i, "runs") || s.back(i, "run") || s.back(i, "in")):
		from, _ := s.clauseOf(i)
		s.addScopeOf(from, i, coding.Family, i, i+1)
	}
}

// kinBefore reports whether a relative is named from token j on before mark.
func (s *sentence) kinBefore(j int, mark string) bool {
	for ; j < s.to && s.toks[j].Lower != mark; j++ {
		if kin[s.toks[j].Lower] {
			return true
		}
	}
	return false
}

func kinNear(s *sentence, j int) bool {
	for k := j; k < min(s.to, j+4); k++ {
		if kin[s.toks[k].Lower] {
			return true
		}
	}
	return false
}

// back reports whether word stands at most three tokens before token i.
func (s *sentence) back(i int, word string) bool {
	for j := i - 1; j >= max(s.from, i-3); j-- {
		if s.toks[j].Lower == word {
			return true
		}
	}
	return false
}

// apposition reads what a relative who is company is called: "with her husband, a
// smoker,". It gives the token at which that ends, or the one after the relative.
func (s *sentence) apposition(last int) int {
	if s.word(last+1) != "," || last+2 >= s.to || s.toks[last+2].Lower != "a" && s.toks[last+2].Lower != "an" {
		return last + 1
	}
	end := last + 2
	for end < s.to && s.toks[end].Lower != "," && s.toks[end].Lower != ";" {
		end++
	}
	s.addScopeOf(last+2, end, coding.Family, last, last+1)
	return end
}

// relative handles a relative at token i and gives the token at which what is
// said of him ends, or i when nothing is.
func (s *sentence) relative(i int) int {
	first := i
	for {
		if j := s.kinAfterAnd(i + 1); j > 0 { // "parents and a maternal aunt"
			i = j
			continue
		}
		if i+1 >= s.to || !(kin[s.toks[i+1].Lower] || s.toks[i+1].Lower == "side" || s.toks[i+1].Lower == "'" ||
			s.toks[i+1].Lower == "great" || (s.toks[i+1].Lower == "and" || s.toks[i+1].Lower == "-" || s.toks[i+1].Lower == ",") && i+2 < s.to && kin[s.toks[i+2].Lower]) {
			break
		}
		i++
	}
	last := i
	prev := ""
	det := first - 1
	for det >= s.from && (possessives[s.toks[det].Lower] || s.toks[det].Kind == lexicon.Number) {
		det--
	}
	if det >= s.from {
		prev = s.toks[det].Lower
	}
	clauseFrom, _ := s.clauseOf(first)
	cueFrom, cueTo := first, last+1
	// "diabetes in her mother", "on her mother's side", "heart disease on the maternal side".
	if prev == "in" || prev == "on" && s.toks[last].Lower == "side" || prev == "of" && s.listedBefore(det) || prev == "among" {
		from := clauseFrom
		for j := det - 1; j >= from; j-- { // a relative before it owns what stands before him
			if kin[s.toks[j].Lower] {
				from = j + 1
				break
			}
		}
		s.addScopeOf(from, det, coding.Family, cueFrom, cueTo)
		if s.toks[last].Lower != "side" {
			return last + 1
		}
	}
	if prev == "by" && s.back(det, "affected") {
		s.addScopeOf(clauseFrom, det, coding.Family, cueFrom, cueTo)
		return last + 1
	}
	if attached[prev] {
		return s.apposition(last)
	}
	// "colon cancer (uncle)"
	if prev == "(" && last+1 < s.to && s.toks[last+1].Lower == ")" {
		from := det
		for from > clauseFrom && strings.IndexByte(",;:)", s.toks[from-1].Lower[0]) < 0 {
			from--
		}
		s.addScopeOf(from, det, coding.Family, cueFrom, cueTo)
		return last + 2
	}
	// "Mom says that she herself had asthma"
	if last+1 < s.to && speaking[s.toks[last+1].Lower] {
		for j := last + 2; j < min(s.to, last+6); j++ {
			if w := s.toks[j].Lower; w == "herself" || w == "himself" || w == "themselves" {
				end := s.relativeEnd(j, last)
				s.addScopeOf(j, end, coding.Family, cueFrom, cueTo)
				return end
			}
		}
	}
	// "mother's diabetes"
	if raw := s.raw(last); strings.HasSuffix(raw, "'s") || strings.HasSuffix(raw, "\u2019s") {
		end := min(s.to, last+5)
		for j := last + 1; j < end; j++ {
			if s.toks[j].Kind == lexicon.Punct || verbs[s.toks[j].Lower] {
				end = j
			}
		}
		s.addScopeOf(last+1, end, coding.Family, cueFrom, cueTo)
		return end
	}
	j := last + 1
	// "(age 60)", ", who is 75,", "at the age of 58", ": ".
	for j < s.to && j < last+12 {
		w := s.toks[j].Lower
		if speaking[w] && !subjectWords[w] {
			return last + 1
		}
		if subjectWords[w] {
			if (w == "is" || w == "was" || w == "are" || w == "were") && j+1 < s.to && speaking[s.toks[min(s.to-1, j+1)].Lower] {
				return last + 1
			}
			if (w == "is" || w == "was" || w == "are" || w == "were") && j+2 < s.to && emphasis[s.toks[j+1].Lower] && speaking[s.toks[j+2].Lower] {
				return last + 1
			}
			end := s.relativeEnd(j, last)
			s.addScopeOf(j, end, coding.Family, cueFrom, cueTo)
			return end
		}
		switch w {
		case ":", "-", "–", "(", ",", ")", "side", "years", "year", "at", "of", "the", "in", "and", "his", "her", "on", "s":
		default:
			if s.toks[j].Kind == lexicon.Number {
				break
			}
			if j > last+1 && (s.toks[last+1].Lower == ":" || s.toks[last+1].Lower == "-" || s.toks[last+1].Lower == "–") || s.inFamilyList(first, j) {
				end := s.relativeEnd(j, last)
				s.addScopeOf(j, end, coding.Family, cueFrom, cueTo)
				return end
			}
			return last + 1
		}
		j++
	}
	return last + 1
}

// kinAfterAnd gives the relative that "and", "or" or a comma at token i joins to
// the one before it, over possessives and numbers; 0 when there is none.
func (s *sentence) kinAfterAnd(i int) int {
	if i >= s.to || s.toks[i].Lower != "and" && s.toks[i].Lower != "or" && s.toks[i].Lower != "," {
		return 0
	}
	for j := i + 1; j < min(s.to, i+6); j++ {
		if kin[s.toks[j].Lower] && s.toks[j].Lower != "maternal" && s.toks[j].Lower != "paternal" {
			return j
		}
		if !possessives[s.toks[j].Lower] && s.toks[j].Kind != lexicon.Number && s.toks[j].Lower != "and" {
			return 0
		}
	}
	return 0
}

var emphasis = set("also very both all quite extremely now still rather understandably")

// others are people who are not of the patient's blood: what they have is not
// his, and is no family history.
var others = set("wife husband spouse partner boyfriend girlfriend fiance fiancee roommate coworker coworkers colleague colleagues friend friends neighbor neighbors " +
	"neighbour classmate classmates cellmate schoolmate teammate housemate stepmother stepfather")

// donors gave an organ; what they died of is told of without a verb: "from a donor
// due to cerebral hemorrhage".
var (
	donors     = set("donor donors cadaver")
	donorCause = set("due dead deceased after secondary")
)

// place are words between "everyone" and what they have.
var place = set("at in the home house household family work school office class else her his their")

// ofOthers denies what another person is said to have: "her husband died of
// lung cancer". There is no assertion for other people, and that of the family
// would lead to a code for it.
func (s *sentence) ofOthers() {
	for i := s.from; i+1 < s.to; i++ {
		w := s.toks[i].Lower
		j := i + 1
		switch {
		case others[w] || donors[w] || w == "worker" && i >= s.from+2 && s.toks[i-2].Lower == "co":
		case w == "everyone" || w == "everybody" || w == "someone" || w == "somebody":
			for j < min(s.to, i+5) && place[s.toks[j].Lower] {
				j++
			}
		default:
			continue
		}
		told := j+1 < s.to && s.toks[j].Lower == "," && s.toks[j+1].Lower == "who" // "for her husband, who has"
		if told {
			j += 2
		} else if !donors[w] && (i > s.from && attached[s.toks[i-1].Lower] || i > s.from+1 && attached[s.toks[i-2].Lower] && possessives[s.toks[i-1].Lower]) {
			continue
		}
		for j < s.to && (s.toks[j].Lower == "also" || s.toks[j].Lower == "recently" || s.toks[j].Lower == "just" || s.toks[j].Lower == "who") {
			j++
		}
		if j+1 >= s.to || !s.tellsOfIllness(j) && !(donors[w] && donorCause[s.toks[j].Lower]) {
			continue
		}
		end := s.to
		for k := j + 1; k < s.to; k++ {
			switch s.toks[k].Lower {
			case "patient", "patient's", "pt", "she", "he", "but", ";", "while", "whom":
				end = k
			}
			if end == k {
				break
			}
		}
		s.addScopeOf(j, end, coding.Negated, i, i+1)
	}
}

// tellsOfIllness reports whether the verb at token j says what someone has.
func (s *sentence) tellsOfIllness(j int) bool {
	next := s.toks[j+1].Lower
	switch s.toks[j].Lower {
	case "has", "had", "have":
		return !speaking[next] && next != "to" && next != "been" && next != "not"
	case "died", "suffers", "suffered", "developed", "passed":
		return true
	case "is", "was", "were", "are":
		return next == "diagnosed" || next == "sick" || next == "ill" || next == "hospitalized" || next == "treated" || next == "recently" && j+2 < s.to && s.toks[j+2].Lower == "diagnosed"
	case "tested":
		return next == "positive"
	}
	return false
}

var possessives = set("his her the a an their one my both patient's two three maternal paternal several some older younger older deceased biological own")

// listedBefore reports whether "of" at token i follows "history", "side" or a
// like word: "the history of her mother".
func (s *sentence) listedBefore(i int) bool { return i > s.from && s.toks[i-1].Lower == "side" }

// inFamilyList recognizes the terse "father MI at 49", "mother DM": a relative
// without a determiner, followed at once by capitals.
func (s *sentence) inFamilyList(first, j int) bool {
	if first > s.from {
		if p := s.toks[first-1].Lower; p != "," && p != ";" && p != "." && p != ":" && p != "and" && p != "(" {
			return false
		}
	}
	return allCaps(s.raw(j))
}

// relativeEnd gives the token at which what is said of a relative ends: the
// end of the sentence, or where the patient becomes the subject again.
func (s *sentence) relativeEnd(j, last int) int {
	for k := j + 1; k < s.to; k++ {
		w := s.toks[k].Lower
		prev := s.toks[k-1].Lower
		switch w {
		case "patient", "patient's", "pt":
			return k
		case "he", "she", "i", "there":
			// "her mother had diabetes and she has asthma"; but "his father died when he was 60".
			if prev == "and" || prev == "but" || prev == ";" || prev == "," || prev == "while" {
				return k
			}
		case ";":
			if k+1 < s.to && !kinNear(s, k+1) {
				return k
			}
		}
	}
	return s.to
}
