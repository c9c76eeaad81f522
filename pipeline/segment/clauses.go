package segment

import (
	"chartcode/internal/coding"
	"chartcode/internal/lexicon"
)

// verbs are finite verbs that tell that a new statement has begun. Participles
// that also follow their noun ("tenderness noted") are left out.
var verbs = set("is are was were has have had does did will would can could should may might must isn't aren't wasn't weren't hasn't haven't hadn't " +
	"doesn't didn't won't reports report states stated denies deny denied complains complained endorses endorsed admits notes presents " +
	"reveals shows showed demonstrates appears appeared remains continues continued develops underwent takes took uses feels seems began " +
	"started occurred came went goes gets got lives works smokes drinks needs wants believes thinks said says told describes described " +
	"tolerated required requires returned became comes presented noticed")

var subjects = set("he she they it i we there patient pt this these that those")

// breakers begin a new clause wherever they stand.
var breakers = set("but however although though except whereas nevertheless nonetheless yet otherwise despite")

// findClauses cuts the sentences into clauses: at semicolons and spaced dashes,
// at but, however and their like, and where after a comma or "and" a new
// subject with its verb, or a verb alone, begins.
func (r *reader) findClauses() {
	for si := range r.doc.Sentences {
		from, to := r.sentToks[si][0], r.sentToks[si][1]
		if from >= to {
			continue
		}
		start := from
		cut := func(at int) {
			if at > start {
				r.addClause(start, at)
				start = at
			}
		}
		for i := from; i < to; i++ {
			t := &r.toks[i]
			switch {
			case t.Lower == ";":
				cut(i + 1)
			case (t.Lower == "-" || t.Lower == "–" || t.Lower == "—") && i > from && i+1 < to &&
				t.Start > r.toks[i-1].End && r.toks[i+1].Start > t.End && r.toks[i-1].Kind == lexicon.Word:
				cut(i)
			case breakers[t.Lower] && i > from && !(t.Lower == "yet" && (i+1 == to || r.toks[i-1].Lower == "not" || r.toks[i-1].Lower == "as")) &&
				!(t.Lower == "otherwise" && i+1 < to && verbs[r.toks[i-1].Lower]):
				if t.Lower == "but" && r.includingBut(i, to) {
					continue
				}
				cut(i)
			case (t.Lower == "," || t.Lower == "and" || t.Lower == "/") && r.newStatement(i, to):
				cut(i)
			}
		}
		cut(to)
	}
}

// includingBut recognizes "but not limited to".
func (r *reader) includingBut(i, to int) bool {
	for j := i + 1; j < min(to, i+4); j++ {
		if r.toks[j].Lower == "limited" {
			return true
		}
	}
	return false
}

// newStatement reports whether after the comma or "and" at token i a new
// statement begins.
func (r *reader) newStatement(i, to int) bool {
	j := i + 1
	for j < to && (r.toks[j].Lower == "and" || r.toks[j].Lower == "then" || r.toks[j].Lower == "also" || r.toks[j].Lower == "now" || r.toks[j].Lower == "currently") {
		j++
	}
	if j >= to {
		return false
	}
	if verbs[r.toks[j].Lower] {
		return r.toks[j].Lower != "has" || j+1 < to
	}
	if subjects[r.toks[j].Lower] {
		return j+1 < to
	}
	// A noun phrase of up to four words and its verb: "and her heart is".
	for k := j; k < to && k < j+5; k++ {
		t := &r.toks[k]
		if t.Kind == lexicon.Punct && t.Lower != "-" || t.Lower == "or" || t.Lower == "and" || t.Lower == "nor" || t.Lower == "who" || t.Lower == "which" ||
			t.Lower == "that" || t.Lower == "when" || t.Lower == "if" {
			return false
		}
		if k > j && verbs[t.Lower] {
			return !r.endsInPostNegation(k, to)
		}
	}
	return false
}

// endsInPostNegation recognizes lists that what follows them negates or says
// of all: "fever, chills and sweats are absent"; the verb at token k then
// belongs to the whole list.
func (r *reader) endsInPostNegation(k, to int) bool {
	switch r.toks[k].Lower {
	case "are", "were", "aren't", "weren't":
		for j := k; j < min(to, k+4); j++ {
			switch r.toks[j].Lower {
			case "absent", "not", "denied", "negative", "aren't", "weren't":
				return true
			}
		}
	}
	return false
}

func (r *reader) addClause(from, to int) {
	for from < to && (r.toks[from].Lower == "," || r.toks[from].Lower == ";") {
		from++
	}
	if from >= to {
		return
	}
	r.doc.Clauses = append(r.doc.Clauses, coding.Span{Start: r.toks[from].Start, End: r.toks[to-1].End})
	r.clauseToks = append(r.clauseToks, [2]int{from, to})
}
