package pipeline_test

import (
	"slices"
	"testing"

	"chartcode/internal/coding"
	"chartcode/internal/llmtest"
	"chartcode/pipeline"
)

// What a family does not have is no family history, whoever ranks; and a service
// that is refused, only talked of or made to depend on something is not given.
func TestDeniedFamilyHistoryAndRefusedServices(t *testing.T) {
	t.Parallel()
	db := loaded(t)
	local := localPipeline(t, knowledgeOf(t, db), coding.Billing)
	server := llmtest.New(llmtest.Gold{Of: func(string) *llmtest.Known {
		return &llmtest.Known{First: "I10", Codes: []llmtest.KnownCode{
			{Code: "I10", Quotes: []string{"Hypertension"}, Description: "essential (primary) hypertension"},
			{Code: "Z80.0", Quotes: []string{"family history of colon cancer"}, Description: "family history of malignant neoplasm of digestive organs", Kind: "history", Assertion: "family"},
		}}
	}})
	defer server.Close()
	asked := llmPipeline(t, db, server.URL, nil)
	for _, c := range []struct {
		code, text string
		want       bool
	}{
		{"Z80.0", "HPI: No family history of colon cancer.\n", false},
		{"Z80.0", "FAMILY HISTORY: No family history of colon cancer or polyps.\n", false},
		{"Z80.0", "HPI: Without family history of colon cancer.\n", false},
		{"Z80.0", "HPI: No personal or family history of colon cancer.\n", false},
		{"Z80.0", "HPI: She denies any family history of colon cancer.\n", false},
		{"Z80.0", "FAMILY HISTORY: Family history of colon cancer: none.\n", false},
		{"Z80.0", "HPI: Family history of colon cancer in her father, no family history of gout.\n", true},
		{"Z51.5", "HPI: Palliative care was discussed and declined.\n", false},
		{"Z51.5", "HPI: She refused palliative care.\n", false},
		{"Z51.5", "PLAN: Palliative care if symptoms worsen.\n", false},
		{"Z51.5", "HPI: Discussed palliative care with the family; they will think of it.\n", false},
		{"Z51.5", "HOSPITAL COURSE: The family chose comfort measures only.\n", true},
	} {
		n := visitNote(c.text + "ASSESSMENT: Hypertension.\n")
		for name, p := range map[string]*pipeline.Pipeline{"local": local, "llm": asked} {
			if name == "llm" && c.code != "Z80.0" {
				continue
			}
			set, err := p.Process(t.Context(), n)
			if err != nil || set.Degraded {
				t.Fatal(err, set.DegradedReason)
			}
			if got := slices.ContainsFunc(set.Suggestions, func(s coding.Suggestion) bool { return s.Code == c.code }); got != c.want {
				t.Errorf("%s, %q: %s suggested: %v; %v", name, c.text, c.code, got, codesOf(set))
			}
		}
	}
}
