package pipeline_test

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"

	"chartcode/internal/coding"
	"chartcode/internal/llmtest"
	"chartcode/internal/store"
	"chartcode/pipeline/intake"
	"chartcode/pipeline/rank"
	"chartcode/samples"
)

// sampleNotes are the notes of the demo.
func sampleNotes(t testing.TB) []coding.Note {
	t.Helper()
	var out []coding.Note
	for line := range bytes.Lines(samples.Notes()) {
		n, err := intake.Parse(bytes.TrimSpace(line), "")
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, n)
	}
	return out
}

// stepCounts say at which step the known codes of notes still are there.
type stepCounts struct {
	codes, extracted, statement, words, chosen, shown, local int
	wrong                                                    int // codes shown by the LLM that are not known
	calls, tokens, notes, most                               int
}

func (s stepCounts) String() string {
	share := func(n int) string {
		return fmt.Sprintf("%3d of %d (%.0f%%)", n, s.codes, 100*float64(n)/float64(max(s.codes, 1)))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "after extract:                 %s\n", share(s.extracted))
	fmt.Fprintf(&b, "offered at a statement:        %s\n", share(s.statement))
	fmt.Fprintf(&b, "or found by words:             %s\n", share(s.words))
	fmt.Fprintf(&b, "shown, chosen by the LLM:      %s, with %d others\n", share(s.chosen), s.wrong)
	fmt.Fprintf(&b, "or by the local ranker alone:  %s\n", share(s.shown))
	fmt.Fprintf(&b, "calls %.2f a note, about %d tokens a note", float64(s.calls)/float64(s.notes), s.tokens/s.notes)
	return b.String()
}

// steps works the sample notes with a server that answers from what people wrote,
// wrong at the given rates, and counts the codes that the database has.
func steps(t *testing.T, db *store.Store, rates llmtest.Rates, steps rank.Steps) (stepCounts, rank.LLMCounts) {
	t.Helper()
	gold, err := llmtest.Written(samples.Notes(), samples.Answers())
	if err != nil {
		t.Fatal(err)
	}
	gold.Rates = rates
	server := llmtest.New(gold)
	defer server.Close()
	var mu sync.Mutex
	var counts rank.LLMCounts
	p := llmPipeline(t, db, server.URL, func(c *rank.LLMConfig) {
		c.Steps = steps
		c.Observe = func(n rank.LLMCounts) {
			mu.Lock()
			defer mu.Unlock()
			counts.Errors += n.Errors
			counts.ErrorsAfter += n.ErrorsAfter
			counts.QuotesMissing += n.QuotesMissing
			counts.WithoutEvidence += n.WithoutEvidence
			counts.QuotesUnrelated += n.QuotesUnrelated
			counts.LocalOnly += n.LocalOnly
		}
	})
	var s stepCounts
	asked := 0
	for _, note := range sampleNotes(t) {
		known := gold.Of(note.Text)
		if known == nil {
			t.Fatalf("%s has no answer", note.NoteID)
		}
		set, err := p.Process(t.Context(), note)
		if err != nil {
			t.Fatal(err)
		}
		if set.Degraded {
			t.Fatalf("%s: %s", note.NoteID, *set.DegradedReason)
		}
		questions := server.Asked()[asked:]
		asked += len(questions)
		s.notes++
		s.calls += set.Usage.Calls
		s.tokens += set.Usage.PromptTokens + set.Usage.CompletionTokens
		s.most = max(s.most, set.Usage.PromptTokens+set.Usage.CompletionTokens)
		isKnown := map[string]bool{}
		for _, k := range known.Codes {
			isKnown[k.Code] = true
			if !valid(t, db, k.Code) {
				continue
			}
			s.codes++
			missed := gold.Misses(questions[0].Note, k.Code)
			atStatement, byWords := false, false
			for _, q := range questions {
				for _, it := range q.Items {
					for _, c := range it.Candidates {
						if c.Code == k.Code {
							byWords = true
							atStatement = atStatement || !it.Words
						}
					}
				}
			}
			llm, shown := false, false
			for _, x := range set.Suggestions {
				if x.Code == k.Code {
					shown = true
					llm = x.Agreement != coding.AgreementLocal
				}
			}
			for n, is := range map[*int]bool{&s.extracted: !missed, &s.statement: atStatement, &s.words: byWords, &s.chosen: llm, &s.shown: shown} {
				if is {
					*n++
				}
			}
			if atStatement && !llm {
				t.Logf("%s %s: offered, and not shown", note.NoteID, k.Code)
			}
			if !atStatement && !missed {
				t.Logf("%s %s: extracted as %q %q, and not offered", note.NoteID, k.Code, k.Description, k.Quotes)
			}
		}
		for _, x := range set.Suggestions {
			if !isKnown[x.Code] && x.Agreement != coding.AgreementLocal {
				s.wrong++
			}
			if x.Agreement == coding.AgreementLocal {
				s.local++
			}
		}
	}
	return s, counts
}

// What each step of the chain loses and repairs, by a server that is wrong at
// stated rates. This is the chain's arithmetic and no measure of accuracy.
func TestTheChainRepairsWhatASteppingServerGetsWrong(t *testing.T) {
	t.Parallel()
	db := loaded(t)
	right, rightCounts := steps(t, db, llmtest.Rates{}, rank.StepsAll)
	t.Logf("a server that is always right:\n%s\n%+v", right, rightCounts)
	wrong, wrongCounts := steps(t, db, llmtest.Stated, rank.StepsAll)
	t.Logf("misses 20%%, picks a sibling 15%%, bad quote 5%%:\n%s\n%+v", wrong, wrongCounts)
	words, wordCounts := steps(t, db, llmtest.Rates{}, rank.StepsChoose)
	t.Logf("a server that is always right and only chooses:\n%s\n%+v", words, wordCounts)

	atLeast := func(what string, n, of int, share float64) {
		t.Helper()
		if float64(n) < share*float64(of) {
			t.Errorf("%s: %d of %d", what, n, of)
		}
	}
	if right.codes < 200 || right.extracted != right.codes || right.wrong != 0 {
		t.Errorf("%+v", right)
	}
	atLeast("what is read is offered", right.statement, right.codes, 0.99)
	atLeast("what is offered and right is shown", right.chosen, right.codes, 0.98)
	atLeast("what the reading missed is found by words", wrong.words-wrong.extracted, wrong.codes-wrong.extracted, 0.5)
	atLeast("what is right is shown though a fifth was not read", wrong.chosen, wrong.codes, 0.8)
	atLeast("what only words find is offered", words.words, words.codes, 0.9)
	atLeast("and shown", words.chosen, words.words, 0.98)
	if right.calls != 2*right.notes || words.calls != words.notes {
		t.Errorf("%d calls for %d notes, %d where it only chooses", right.calls, right.notes, words.calls)
	}
	if right.most > 10_000 {
		t.Errorf("%d tokens for one note", right.most)
	}
}

// valid reports whether a code is in the table that is loaded.
func valid(t *testing.T, db *store.Store, code string) bool {
	t.Helper()
	in, err := db.CodeInReleases(t.Context(), coding.ICD10CM, code)
	if err != nil {
		t.Fatal(err)
	}
	return len(in) > 0
}
