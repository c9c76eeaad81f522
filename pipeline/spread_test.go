package pipeline_test

import (
	"slices"
	"testing"

	"chartcode/internal/coding"
	"chartcode/internal/llmtest"
	"chartcode/pipeline"
)

// A cancer is reported with its spread, and both with the palliative care that is
// given for them, by either ranker: also where an LLM names no more than the care and
// the cancer.
func TestCancerItsSpreadAndPalliativeCare(t *testing.T) {
	t.Parallel()
	db := loaded(t)
	server := llmtest.New(llmtest.Gold{Of: func(string) *llmtest.Known {
		return &llmtest.Known{First: "Z51.5", Codes: []llmtest.KnownCode{
			{Code: "Z51.5", Quotes: []string{"palliative care"}, Description: "encounter for palliative care", Kind: "reason_for_visit"},
			{Code: "C34.90", Quotes: []string{"metastatic lung cancer"}, Description: "malignant neoplasm of unspecified part of unspecified bronchus or lung"},
		}}
	}})
	defer server.Close()
	local, llm := localPipeline(t, knowledgeOf(t, db), coding.Billing), llmPipeline(t, db, server.URL, nil)
	const metastatic = "CHIEF COMPLAINT: Here for palliative care.\n\nHPI: 70 year old man with metastatic lung cancer.\n\nASSESSMENT: Metastatic lung cancer, palliative care.\n"
	for _, c := range []struct {
		name string
		p    *pipeline.Pipeline
		text string
		want []string
		not  string
	}{
		{"local", local, metastatic, []string{"C34.90", "C79.9", "Z51.5"}, "C78.00"},
		{"llm", llm, metastatic, []string{"C34.90", "C79.9", "Z51.5"}, "C78.00"},
		{"site of the spread", local, "ASSESSMENT: Lung cancer metastatic to the liver. Palliative care.\n", []string{"C34.90", "C78.7", "Z51.5"}, "C79.9"},
		{"without palliative care", local, "ASSESSMENT:\n1. Breast cancer with bone metastases.\n", []string{"C50.919", "C79.51"}, "C79.9"},
		{"no spread", local, "ASSESSMENT:\n1. Lung cancer, no evidence of metastatic disease. Palliative care.\n", []string{"C34.90", "Z51.5"}, "C79.9"},
	} {
		set, err := c.p.Process(t.Context(), visitNote(c.text))
		if err != nil || set.Degraded {
			t.Fatal(err, set.DegradedReason)
		}
		var got []string
		for _, s := range set.Suggestions {
			got = append(got, s.Code)
		}
		for _, code := range c.want {
			if !slices.Contains(got, code) {
				t.Errorf("%s: %s is missing: %v", c.name, code, got)
			}
		}
		if slices.Contains(got, c.not) {
			t.Errorf("%s: %v has %s", c.name, got, c.not)
		}
	}
}
