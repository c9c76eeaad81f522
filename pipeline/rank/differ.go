package rank

import (
	"cmp"
	"slices"

	"chartcode/internal/coding"
	"chartcode/internal/gbdt"
)

// What an LLM adds that nothing else finds, and what it leaves out or changes of what
// the local ranker is sure of, may be its better reading and may be somebody else's
// will. Whatever the note's text looks like, the coder is told.

// The findings at codes on which the rankers differ: in a note with text that
// speaks to a program, where they hardly agree on anything, where one is sure and the
// other differs, and where little but the LLM's word leads to a code.
const (
	RuleAddressed = coding.NoticeAddressed
	RuleApart     = "rankers_disagree"
	RuleLeftOut   = "model_leaves_out"
	RuleOther     = "model_reads_otherwise"
	RuleAlone     = "model_alone"
)

const (
	// apartFrom is fair confidence.
	apartFrom = 0.5
	// sureFrom is the confidence of the local ranker from which it is told that the LLM
	// leaves a code out, or gives another to the same words. From 0.7 on half of all
	// notes that nobody tampered with would tell of something of the kind.
	sureFrom = 0.9
	// weakSupport is how well the words of a choice lead to its code where they hardly
	// do, and hardlyLocal the local ranker's probability that says the same.
	weakSupport = 0.5
	hardlyLocal = 0.03
)

// suggest adds to the choices what only the local ranker suggests and is sure
// of, and warnings where the choices may not be the model's own.
func (c *chain) suggest(p picked) []coding.Suggestion {
	out := c.finish(p)
	rule, from := "", localOnlyFrom
	switch {
	case len(c.in.Addressed) > 0:
		rule, from = RuleAddressed, 0
	case len(c.in.Doubtful) > 0:
		rule, from = RuleDoubtful, apartFrom
	case c.apart(out):
		rule, from = RuleApart, apartFrom
	}
	chosen := len(out)
	for _, s := range c.in.Beside.Chosen {
		if slices.ContainsFunc(out[:chosen], func(o coding.Suggestion) bool { return o.System == s.System && o.Code == s.Code }) {
			continue
		}
		if rule == "" && slices.ContainsFunc(out[:chosen], func(o coding.Suggestion) bool { return sameThing(&o, &s) }) {
			tellOther(out[:chosen], &s)
			continue
		}
		if s.Confidence < from {
			continue
		}
		s.Agreement = coding.AgreementLocal
		s.Signals = &coding.Signals{Local: s.Confidence}
		s.Confidence = min(s.Confidence, gbdt.Logistic(logOdds(s.Confidence)*declined))
		c.counts.LocalOnly++
		out = append(out, s)
	}
	for i := range out {
		if w, ok := warned(cmp.Or(rule, c.ruleOf(p, &out[i])), &out[i]); ok {
			out[i].Warnings = append(slices.Clone(out[i].Warnings), w)
		}
	}
	if c.in.Style == coding.Mentions {
		slices.SortStableFunc(out, func(a, b coding.Suggestion) int { return cmp.Compare(b.Confidence, a.Confidence) })
	}
	number(c.in.Doc, out)
	return out
}

// ruleOf is the rule by which a suggestion of one ranker alone carries a warning in a
// note that looks like any other; "" for none.
func (c *chain) ruleOf(p picked, s *coding.Suggestion) string {
	if s.Agreement == coding.AgreementLocal {
		if s.Signals != nil && s.Signals.Local >= sureFrom {
			return RuleLeftOut
		}
		return ""
	}
	k := slices.IndexFunc(p.list, func(k pick) bool {
		return c.in.Candidates[k.cand].System == s.System && c.in.Candidates[k.cand].Code == s.Code
	})
	if s.Agreement == coding.AgreementLLM && k >= 0 && p.list[k].support < weakSupport && s.Signals != nil && s.Signals.Local < hardlyLocal {
		return RuleAlone
	}
	return ""
}

// apart reports whether the LLM left out most of what the local ranker would
// suggest with fair confidence.
func (c *chain) apart(out []coding.Suggestion) bool {
	fair, kept := 0, 0
	for _, s := range c.in.Beside.Chosen {
		if s.Confidence < apartFrom {
			continue
		}
		fair++
		if slices.ContainsFunc(out, func(o coding.Suggestion) bool { return sameThing(&o, &s) }) {
			kept++
		}
	}
	return 2*kept < fair
}

// sameThing reports whether two suggestions say the same words by neighbouring
// codes, or stand on the same words.
func sameThing(a, b *coding.Suggestion) bool {
	if coding.Category(a.Code) == coding.Category(b.Code) {
		return true
	}
	return slices.ContainsFunc(a.Evidence, func(e coding.Evidence) bool {
		return slices.ContainsFunc(b.Evidence, func(o coding.Evidence) bool { return e.Overlaps(o.Span) })
	})
}

// tellOther warns at what the LLM alone suggests in place of a code that the local
// ranker is sure of, unless both suggest something for the same.
func tellOther(chosen []coding.Suggestion, local *coding.Suggestion) {
	if local.Confidence < sureFrom {
		return
	}
	at := -1
	for i := range chosen {
		if sameThing(&chosen[i], local) {
			if chosen[i].Agreement != coding.AgreementLLM {
				return
			}
			if at < 0 {
				at = i
			}
		}
	}
	chosen[at].Warnings = append(slices.Clone(chosen[at].Warnings), otherwise(&chosen[at], local))
}

// otherwise is the warning at a choice of the LLM where the local ranker is sure of
// another code for the same.
func otherwise(s, local *coding.Suggestion) coding.Finding {
	return coding.Finding{Rule: RuleOther, Severity: coding.SeverityWarning, Codes: []string{s.Code, local.Code},
		Message: "The search for words is sure of " + local.Code + " (" + local.Display + ") where the language model suggests " + s.Code + ": check which of them the note supports.",
		Source:  "chartcode: the language model and the search for words read the same words otherwise"}
}

// because says why a rule tells of a code of one ranker alone: the source of the
// finding and what is added to its message.
var because = map[string]struct{ source, because string }{
	RuleAddressed: {"text in the note speaks to a program", ", and text in the note speaks to a program"},
	RuleDoubtful:  {"a passage of the note is to be read by a person", ", and a passage of the note strikes or replaces what it says elsewhere, or is in another language"},
	RuleApart:     {"the language model and the search for words hardly agree on this note", ", and it left out most of what the search for words finds"},
	RuleLeftOut:   {"the language model left out a code that the search for words is sure of", ""},
	RuleAlone:     {"little but the language model's word leads to a code", ", and its words in the note hardly lead to it"},
}

// warned is the warning at a code on which the two rankers differ.
func warned(rule string, s *coding.Suggestion) (coding.Finding, bool) {
	b, ok := because[rule]
	f := coding.Finding{Rule: rule, Severity: coding.SeverityWarning, Codes: []string{s.Code}, Source: "chartcode: " + b.source}
	switch {
	case !ok:
		return f, false
	case s.Agreement == coding.AgreementLocal:
		f.Message = "The language model left out " + s.Code + ", which the search for words suggests" + b.because + ": read the note."
	case s.Agreement == coding.AgreementLLM:
		f.Message = "Only the language model suggests " + s.Code + b.because + ": check the words that support it."
	default:
		return f, false
	}
	return f, true
}
