package rank

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"chartcode/internal/codeset"
	"chartcode/internal/coding"
	"chartcode/internal/lexicon"
)

// What the words of a purpose leave open is filled from what the note says near
// them: ages, weeks, order of pregnancy, joints, findings.

// smallNumbers are the numbers of weeks and months that are written as words.
var smallNumbers = map[string]float64{"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12}

var unitDays = map[string]float64{"day": 1, "week": 7, "month": yearDays / 12, "year": yearDays}

// ageFor is the age in days by what the sentence of a cue says ("two week
// check"), else the patient's; -1 where none is known. A sentence only makes an
// age exact that is not known to be another.
func (o *occasion) ageFor(toks []lexicon.Token) float64 {
	if o.age >= 18*yearDays {
		return o.age
	}
	for k := 0; k+1 < len(toks); k++ {
		v, err := strconv.ParseFloat(toks[k].Lower, 64)
		if n, ok := smallNumbers[toks[k].Lower]; ok {
			v, err = n, nil
		}
		days := unitDays[toks[k+1].Norm]
		if err != nil || days == 0 || v > 20 || k+2 >= len(toks) {
			continue
		}
		switch toks[k+2].Lower {
		case "old", "well", "check", "checkup", "physical", "visit":
			return v * days
		}
	}
	return o.age
}

// fill puts into a code what the note tells.
func (o *occasion) fill(p *purpose, near []lexicon.Token) (string, bool) {
	stem, rest, ok := strings.Cut(p.code, "{")
	if !ok {
		return p.code, true
	}
	code := stem
	for ok {
		slot, after, _ := strings.Cut(rest, "}")
		switch a, b, either := strings.Cut(slot, "|"); {
		case either && o.abnormal(p.findings):
			code += b
		case either:
			code += a
		case slot == "trimester":
			t := "0"
			if g := factOf(o.in.Doc, coding.FactGestation); g != nil && g.Value >= 1 && g.Value < 43 {
				t = trimester(g.Value)
			}
			code += t
		case slot == "order":
			code += pregnancyOrder(o.in.Doc.Text)
		case slot == "joint":
			j := jointCode(near)
			if j == "" {
				return "", false
			}
			code += j
		}
		stem, rest, ok = strings.Cut(after, "{")
		code += stem
	}
	return code, true
}

var gravida = regexp.MustCompile(`(?i)\bgravida[, ]{1,2}(\d+)|\bG ?(\d+)[, ]{0,2}P ?\d`)

// pregnancyOrder is the character of Z34 for a first, another, or a pregnancy of
// unknown order.
func pregnancyOrder(text string) string {
	if m := gravida.FindStringSubmatch(text); m != nil {
		if n := m[1] + m[2]; n == "1" {
			return "0"
		}
		return "8"
	}
	t := strings.ToLower(text)
	for _, w := range []string{"primigravida", "primip", "first pregnancy", "normal first"} {
		if strings.Contains(t, w) {
			return "0"
		}
	}
	for _, w := range []string{"multigravida", "multipara", "second pregnancy", "third pregnancy"} {
		if strings.Contains(t, w) {
			return "8"
		}
	}
	return "9"
}

// jointCode is the end of Z96 for an artificial joint that a sentence names.
func jointCode(toks []lexicon.Token) string {
	joint, side := "", ""
	for _, t := range toks {
		switch t.Lower {
		case "shoulder", "shoulders":
			joint = cmp.Or(joint, "61")
		case "elbow", "elbows":
			joint = cmp.Or(joint, "62")
		case "hip", "hips":
			joint = cmp.Or(joint, "64")
		case "knee", "knees":
			joint = cmp.Or(joint, "65")
		case "ankle", "ankles":
			joint = cmp.Or(joint, "66")
		case "right", "left", "bilateral":
			if side != "" && side != t.Lower {
				return ""
			}
			side = t.Lower
		}
	}
	if joint == "" {
		return ""
	}
	switch side {
	case "right":
		return joint + "1"
	case "left":
		return joint + "2"
	case "bilateral":
		if joint == "64" || joint == "65" {
			return joint + "3"
		}
	}
	return joint + "9"
}

// abnormal reports whether the examination found something of the kinds: a
// condition that the assessment states, and that is not one that goes on
// unchanged (guideline I.C.21.c.13, paraphrased: a finding of this examination,
// or a chronic condition that is worse).
func (o *occasion) abnormal(kinds []codeset.Ref) bool {
	doc := o.in.Doc
	for i := range o.in.Candidates[:min(len(o.in.Candidates), Judged)] {
		c := &o.in.Candidates[i]
		if c.RetrievalScore < findingFrom || !anyRef(kinds, c.Code) {
			continue
		}
		for k := range c.Matches {
			m := &c.Matches[k]
			if m.Lexical < thinFrom || m.Assertion != coding.Present || m.Section != coding.SectionAssessment || generic(doc.Text[m.Span.Start:m.Span.End]) {
				continue
			}
			if !lasting(c.Code) || earInfection(c.Code) || o.worse(m.Span) {
				return true
			}
		}
	}
	return false
}

// earInfection reports whether a code is of a disease of the ear that comes and
// goes.
func earInfection(code string) bool {
	c := coding.Category(code)
	return c >= "H60" && c <= "H67"
}

// findingFrom is the least retrieval score of what counts as found.
const findingFrom = 0.3

var worseWords = wordSet("new uncontrolled worse worsening worsened elevated poorly exacerbation flare abnormal slightly")

func (o *occasion) worse(s coding.Span) bool {
	i := o.in.Doc.SentenceAt(s.Start)
	if i < 0 {
		return false
	}
	return slices.ContainsFunc(o.sentences[i], func(t lexicon.Token) bool { return worseWords[t.Lower] })
}

// purposePoints are those of a place at which the note says what it is for,
// whatever its section: it is where the visit is named.
const purposePoints = 1.3
