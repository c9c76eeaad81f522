package segment

import (
	_ "embed"
	"strings"
	"sync"

	"chartcode/internal/coding"
	"chartcode/internal/lexicon"
)

//go:embed tables/headings.txt
var headingsText string

// Kinds of headings that take their section's kind from the heading above.
const (
	kindSystem  coding.SectionKind = "system"  // a body system, in an examination or review of systems
	kindKin     coding.SectionKind = "kin"     // a relative, in a family history
	kindInherit coding.SectionKind = "inherit" // an unknown heading
	kindReturn  coding.SectionKind = "return"  // no heading: the end of a bulleted one
)

// headingNode is a node of the trie of known headings, by norm.
type headingNode struct {
	next map[string]*headingNode
	kind coding.SectionKind
	leaf bool
}

var headingTrie = sync.OnceValue(readHeadings)

// smallWords do not tell headings apart.
var smallWords = map[string]bool{"of": true, "the": true, "and": true, "for": true, "in": true, "&": true, "/": true, "'": true, "patient's": true}

func readHeadings() *headingNode {
	root := &headingNode{next: map[string]*headingNode{}}
	for l := range strings.SplitSeq(headingsText, "\n") {
		if l = strings.TrimSpace(l); l == "" || l[0] == '#' {
			continue
		}
		kind, list, _ := strings.Cut(l, ":")
		for phrase := range strings.SplitSeq(list, ";") {
			at := root
			for _, t := range lexicon.Tokenize(phrase) {
				if smallWords[t.Lower] {
					continue
				}
				n := at.next[t.Norm]
				if n == nil {
					n = &headingNode{next: map[string]*headingNode{}}
					at.next[t.Norm] = n
				}
				at = n
			}
			if !at.leaf {
				at.leaf, at.kind = true, coding.SectionKind(kind)
			}
		}
	}
	return root
}

// known matches the longest known heading that begins at token i and ends
// before byte limit; last is the token after it, words how many it has.
func (r *reader) known(i, limit int) (kind coding.SectionKind, last, words int) {
	at := headingTrie()
	n := 0
	for j := i; j < len(r.toks) && r.toks[j].End <= limit && j < i+12; j++ {
		if smallWords[r.toks[j].Lower] && j > i {
			continue
		}
		next := at.next[r.toks[j].Norm]
		if next == nil {
			break
		}
		at = next
		n++
		if at.leaf {
			kind, last, words = at.kind, j+1, n
		}
	}
	return kind, last, words
}

// knownHeading reports whether bytes [start, end) are a known heading and
// nothing else.
func (r *reader) knownHeading(start, end int) bool {
	i := r.firstToken(start)
	if i >= len(r.toks) {
		return false
	}
	_, last, words := r.known(i, end)
	return words > 0 && (last >= len(r.toks) || r.toks[last].Start >= end)
}

// headingAhead reports whether at byte at a heading in capitals begins that a
// colon, a comma or the end of the text follows.
func (r *reader) headingAhead(at int) bool {
	i := r.firstToken(at)
	if i >= len(r.toks) || r.toks[i].Start != at {
		return false
	}
	_, last, words := r.known(i, len(r.text))
	if words == 0 {
		// Unknown, in capitals up to a colon.
		j := i
		for j < len(r.toks) && j < i+8 && allCapsOrMark(r.raw(j)) {
			j++
		}
		return j > i && j < len(r.toks) && r.raw(j) == ":"
	}
	if !allCaps(r.text[at:r.toks[last-1].End]) {
		return false
	}
	return last >= len(r.toks) || r.raw(last) == ":" || r.raw(last) == "," || r.raw(last) == "(" || r.raw(last) == "#"
}

func allCapsOrMark(s string) bool {
	for i := 0; i < len(s); i++ {
		if isLower(s[i]) || s[i] == '.' || s[i] == ':' || s[i] == ',' {
			return false
		}
	}
	return true
}

// keywordKinds classify unknown headings by a word in them; the first that
// fits, in this order.
var keywordKinds = []struct {
	norm string
	kind coding.SectionKind
}{
	{"famil", coding.SectionFamily}, {"family", coding.SectionFamily}, {"allerg", coding.SectionAllergies}, {"medicat", coding.SectionMedications},
	{"drug", coding.SectionMedications}, {"prescrib", coding.SectionMedications}, {"preop", coding.SectionPreopDx}, {"preoperat", coding.SectionPreopDx},
	{"postop", coding.SectionPostopDx}, {"postoperat", coding.SectionPostopDx}, {"diagnos", coding.SectionAssessment}, {"impress", coding.SectionAssessment}, {"assess", coding.SectionAssessment},
	{"indicat", coding.SectionIndication}, {"reason", coding.SectionIndication}, {"instruct", coding.SectionInstructions}, {"educat", coding.SectionInstructions},
	{"plan", coding.SectionPlan}, {"recommendat", coding.SectionPlan}, {"social", coding.SectionSocial}, {"habit", coding.SectionSocial},
	{"surgery", coding.SectionProcedure}, {"procedur", coding.SectionProcedure}, {"operat", coding.SectionProcedure}, {"techniqu", coding.SectionProcedure},
	{"inject", coding.SectionProcedure}, {"history", coding.SectionPMH}, {"histor", coding.SectionPMH}, {"exam", coding.SectionExam}, {"phys", coding.SectionExam}, {"examin", coding.SectionExam}, {"course", coding.SectionCourse},
	{"cours", coding.SectionCourse}, {"lab", coding.SectionResults}, {"laborator", coding.SectionResults}, {"stud", coding.SectionResults},
	{"result", coding.SectionResults}, {"imag", coding.SectionResults}, {"mri", coding.SectionResults}, {"ct", coding.SectionResults},
	{"xray", coding.SectionResults}, {"ultrasound", coding.SectionResults}, {"scan", coding.SectionResults}, {"finding", coding.SectionResults},
	{"test", coding.SectionResults}, {"echocardiogram", coding.SectionResults}, {"ekg", coding.SectionResults}, {"patholog", coding.SectionResults},
	{"angiogram", coding.SectionResults}, {"angiograph", coding.SectionResults}, {"arter", coding.SectionResults}, {"complaint", coding.SectionChiefComplaint},
}
