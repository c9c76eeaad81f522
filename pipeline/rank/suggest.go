package rank

import (
	"cmp"
	"slices"

	"chartcode/internal/coding"
	"chartcode/internal/gbdt"
	"chartcode/internal/learned"
)

// localOnlyFrom is the confidence from which a suggestion of the local ranker is
// shown though the LLM, which was shown the code too, did not choose it. A wrong
// suggestion costs a coder more than a missing one, so it is high; what both
// leave out is one search away.
const localOnlyFrom = 0.7

// declined is the share of the local ranker's odds that is left where the LLM
// read the note and did not choose the code. Set by hand, see learned.PriorLLM.
const declined = 0.5

// judgements are what the local ranker makes of the candidates.
type judgements struct {
	probability map[string]float64
	rows        map[int]Billed
	sel         Selection
}

func (c *chain) judgements() *judgements {
	if c.judged != nil {
		return c.judged
	}
	j := &judgements{probability: map[string]float64{}, rows: map[int]Billed{}, sel: Selection{Calibration: learned.Calibration{}, Rules: true}}
	c.judged = j
	l := c.in.Beside.Local
	if l == nil {
		return j
	}
	if c.in.Style == coding.Mentions {
		s := l.models.Style(coding.Mentions)
		for i, odds := range l.Scores(c.in) {
			j.probability[c.in.Candidates[i].Code] = s.Calibration.Probability(odds)
		}
	} else {
		s := l.models.Style(coding.Billing)
		rows := BillingRows(c.in, s.Practice, nil)
		scale := billingScale
		if s.Rank != nil {
			Judge(rows, s)
			scale = s.Calibration
			j.sel.Lead, j.sel.First, j.sel.Rules = s.Lead, s.First != nil, false
		}
		for _, r := range rows {
			j.rows[r.Candidate] = r
			j.probability[c.in.Candidates[r.Candidate].Code] = scale.Probability(r.Odds)
		}
	}
	for _, s := range c.in.Beside.Chosen { // codes that a convention gave are no candidates
		j.probability[s.Code] = max(j.probability[s.Code], s.Confidence)
	}
	return j
}

// addressedStated is the most that an LLM's own confidence counts in a note with
// text that speaks to a program.
const addressedStated = 0.5

// confidence of a choice. In a note with text that speaks to a program the LLM
// does not raise what the local ranker thinks of a code.
func (c *chain) confidence(code string, stated float64) (float64, *coding.Signals) {
	sig := &coding.Signals{LLM: stated, Local: c.judgements().probability[code]}
	calibration := learned.PriorLLM
	if l := c.in.Beside.Local; l != nil && l.models.LLM != nil {
		calibration = *l.models.LLM
	}
	if len(c.in.Addressed) == 0 {
		return calibration.Probability(stated, sig.Local, c.localHas(code)), sig
	}
	p := calibration.Probability(min(stated, addressedStated), sig.Local, c.localHas(code))
	if c.localHas(code) {
		p = min(p, sig.Local)
	}
	return p, sig
}

func (c *chain) localHas(code string) bool {
	return slices.ContainsFunc(c.in.Beside.Chosen, func(s coding.Suggestion) bool { return s.Code == code })
}

// finish makes of the choices what is reported, by the same conventions as the
// local ranker's: conditions that are one code together get it, and one code is
// put first.
func (c *chain) finish(p picked) []coding.Suggestion {
	by := map[string]*pick{}
	list := make([]Billed, 0, len(p.list))
	signals := map[string]*coding.Signals{}
	in := c.in
	for i := range p.list {
		k := &p.list[i]
		code := in.Candidates[k.cand].Code
		by[code] = k
		conf, sig := c.confidence(code, k.stated)
		signals[code] = sig
		j := c.judgements().rows[k.cand]
		j.Candidate, j.cand, j.Odds = k.cand, k.cand, logOdds(conf)
		j.match = c.matchOf(k)
		list = append(list, j)
	}
	list = byOdds(list)
	if in.Style == coding.Billing {
		in.Candidates = c.unnamed(p)
		in, list = combine(in, list)
		list = codeFirst(in, c.order(in, list, p))
	}
	out := make([]coding.Suggestion, 0, len(list))
	for _, j := range list {
		k := &in.Candidates[j.Candidate]
		s := coding.Suggestion{System: k.System, Code: k.Code, Display: k.Display, Confidence: gbdt.Logistic(j.Odds), Signals: signals[k.Code]}
		if chosen := by[k.Code]; chosen != nil {
			s.Evidence, s.Rationale = chosen.evidence, chosen.rationale
		} else { // a convention gave it
			s.Evidence, s.Rationale = billedEvidence(in.Doc, k, j.match), rationaleOf(k, j.match)
		}
		s.Agreement = coding.AgreementLLM
		if c.localHas(k.Code) {
			s.Agreement = coding.AgreementBoth
		}
		out = append(out, s)
	}
	number(in.Doc, out)
	return out
}

// unnamed gives the candidates as conventions see them. Some of these ask whether
// the note names a code that was not chosen; what the LLM was offered and did not
// choose it does not name, nor what stands on the words of a choice.
func (c *chain) unnamed(p picked) []coding.Candidate {
	out := slices.Clone(c.in.Candidates)
	offered := map[int]bool{}
	for _, b := range c.batches {
		for _, o := range b.offers {
			offered[o.cand] = true
		}
	}
	for _, k := range p.list {
		delete(offered, k.cand)
	}
	for i := range out {
		switch {
		case offered[i]:
			out[i].Matches = nil
		case slices.ContainsFunc(p.list, func(k pick) bool { return k.cand == i }):
		default:
			out[i].Matches = slices.DeleteFunc(slices.Clone(out[i].Matches), func(m coding.Match) bool {
				return slices.ContainsFunc(p.list, func(k pick) bool {
					return slices.ContainsFunc(k.evidence, func(e coding.Evidence) bool { return e.Overlaps(m.Span) })
				})
			})
		}
	}
	return out
}

// termLLM is the kind of a match that an LLM's quote made.
const termLLM coding.TermKind = "llm"

// matchOf is the place of a choice: where the search for words found the code on
// its evidence, else the evidence.
func (c *chain) matchOf(p *pick) *coding.Match {
	k := &c.in.Candidates[p.cand]
	at := p.evidence[0].Span
	for i := range k.Matches {
		if m := &k.Matches[i]; m.Span.Overlaps(at) && stated(m.Assertion) {
			return m
		}
	}
	a := c.in.Doc.AssertionOf(at)
	if a == coding.Present {
		a = p.assertion
	}
	return &coding.Match{Span: at, Term: k.Display, Kind: termLLM, TermCode: k.Code, Lexical: 1, Assertion: cmp.Or(a, coding.Present), Section: c.in.Doc.SectionAt(at.Start)}
}

// order puts the first-listed code first: the one that must be, else what the
// LLM named, or what a convention made of that; else what the local ranker would
// put there. In a note with text that speaks to a program the LLM has no say in
// it.
func (c *chain) order(in Input, list []Billed, p picked) []Billed {
	if i := mustStandFirst(in, list); i >= 0 || p.first < 0 || len(in.Addressed) > 0 {
		return firstListed(in, list, c.judgements().sel, -1)
	}
	best := slices.IndexFunc(list, func(j Billed) bool { return j.Candidate == p.first })
	if best < 0 {
		var at []coding.Evidence
		if i := slices.IndexFunc(p.list, func(k pick) bool { return k.cand == p.first }); i >= 0 {
			at = p.list[i].evidence
		}
		best = slices.IndexFunc(list, func(j Billed) bool {
			return slices.ContainsFunc(in.Candidates[j.Candidate].Matches, func(m coding.Match) bool {
				return slices.ContainsFunc(at, func(e coding.Evidence) bool { return e.Overlaps(m.Span) })
			})
		})
	}
	if best < 0 || !mayStandFirst(in.Candidates[list[best].Candidate].Code) {
		return firstListed(in, list, c.judgements().sel, -1)
	}
	return toFront(list, best)
}
