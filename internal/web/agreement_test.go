package web

import (
	"testing"

	"chartcode/internal/coding"
)

// Each agreement has a word of its own, and none where no LLM was asked.
func TestAgreementText(t *testing.T) {
	if agreementText("") != nil || agreementText("other") != nil {
		t.Error("a word without an agreement")
	}
	seen := map[string]bool{}
	for _, a := range []coding.Agreement{coding.AgreementBoth, coding.AgreementLLM, coding.AgreementLocal} {
		w := agreementText(a)
		if w == nil || w.Word == "" || w.Title == "" || seen[w.Word] {
			t.Errorf("%s: %+v", a, w)
		}
		seen[w.Word] = true
	}
}
