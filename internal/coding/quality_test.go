package coding_test

import (
	"testing"

	"chartcode/internal/coding"
)

func TestLeadOfAJudgement(t *testing.T) {
	t.Parallel()
	g := func(system coding.System, code string, acceptable bool) coding.GivenCode {
		return coding.GivenCode{CodeKey: coding.CodeKey{System: system, Code: code}, Acceptable: acceptable}
	}
	for want, codes := range map[string][]coding.GivenCode{
		"":       {g(coding.ICD10CM, "I10", true), g(coding.ICD10CM, "E11.9", true)},
		"I10":    {g(coding.CPT, "99213", false), g(coding.ICD10CM, "I10", false)},
		"E11.40": {g(coding.ICD10CM, "E11.40", true), g(coding.ICD10CM, "I10", false)}, // chosen, for right ones come first
	} {
		if j := (coding.Judgement{Codes: codes}); j.Lead().Code != want {
			t.Errorf("%v leads, not %q", j.Lead(), want)
		}
	}
}
