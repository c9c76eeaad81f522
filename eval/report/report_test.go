package report

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"time"

	"chartcode/eval/dataset"
	"chartcode/eval/measure"
	"chartcode/eval/runs"
	"chartcode/internal/coding"
)

func input() Input {
	text := "A <b>bold</b> cough & fever since Monday. See https://example.org/x for more."
	note := dataset.Note{Note: coding.Note{NoteID: "n1", Text: text, Specialty: "Family Medicine"}}
	c := measure.Case{NoteID: "n1", Required: []string{"R05.9", "R50.9", "J18.9"}, First: []string{"R05.9"}, Judged: 150, Setting: "outpatient", Bytes: len(text),
		Evidence:   map[string][]coding.Span{"R05.9": {{Start: 14, End: 19}}, "R50.9": {{Start: 22, End: 27}}},
		Shown:      []measure.Shown{{Code: "R50.81", Confidence: 0.9, Evidence: []coding.Span{{Start: 14, End: 27}}}, {Code: "R05.9", Confidence: 0.7, Evidence: []coding.Span{{Start: 14, End: 19}}}},
		Candidates: []string{"R05.9", "R50.81", "R50.9"}}
	other := c
	other.Shown = nil
	in := Input{Run: runs.Run{ID: "run-b", Started: time.Unix(0, 0)}, Notes: []dataset.Note{note}, Cases: []measure.Case{c},
		Titles: map[string]runs.Title{"R05.9": {Title: "Cough, unspecified"}, "R50.81": {Title: "Fever & <others>"}}}
	in.Scores = measure.Score(in.Cases, measure.Options{Samples: 20, Slices: true})
	cmp, err := measure.Compare([]measure.Case{other}, in.Cases, measure.Options{Samples: 20})
	if err != nil {
		panic(err)
	}
	in.Comparison, in.Other = &cmp, &runs.Run{ID: "run-a"}
	return in
}

func written(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, input()); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// The file asks nobody for anything: whatever could load something is not there
// or points into the file, and the policy forbids the rest.
func TestReportHasNoExternalReference(t *testing.T) {
	t.Parallel()
	page := written(t)
	for _, tag := range []string{"script", "link", "img", "iframe", "object", "embed", "base", "form", "video", "audio", "source", "use", "image"} {
		if regexp.MustCompile(`(?i)<` + tag + `[\s>/]`).MatchString(page) {
			t.Errorf("the report has an element %s", tag)
		}
	}
	for _, m := range regexp.MustCompile(`(?i)\s(?:href|src|action|data|poster|srcset|xlink:href|on[a-z]+|style)\s*=\s*"([^"]*)"`).FindAllStringSubmatch(page, -1) {
		if !strings.HasPrefix(m[1], "#") {
			t.Errorf("an attribute points to %q", m[1])
		}
	}
	if regexp.MustCompile(`(?i)@import|url\(`).MatchString(css) {
		t.Error("the style sheet loads something")
	}
	if !strings.Contains(page, `content="default-src 'none'; style-src 'sha256-`) {
		t.Error("the report has no content security policy")
	}
}

func TestReportShowsTheNotes(t *testing.T) {
	t.Parallel()
	page := written(t)
	for _, want := range []string{
		`A &lt;b&gt;bold&lt;/b&gt; `, `<mark class="both" title="gold: R05.9; suggested: R50.81 R05.9">cough</mark>`, `<mark class="shown" title="suggested: R50.81"> &amp; </mark>`,
		`<mark class="both" title="gold: R50.9; suggested: R50.81">fever</mark>`, `Fever &amp; &lt;others&gt;`, `not retrieved`, `below threshold, retrieved at rank 3`,
		`class=" is-wrong is-missed is-lost-retrieval is-lost-ranking is-first"`, `all right (0)`, `with a wrong code (1)`, "run-a", `href="#note-n1"`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the report lacks %s", want)
		}
	}
	// Every drawing stands beside its numbers.
	if a, b := strings.Count(page, "<svg "), strings.Count(page, "<summary>The numbers</summary>"); a < 8 || a != b {
		t.Errorf("%d drawings, %d tables of their numbers", a, b)
	}
	// R50.9 was missed and R50.81 shown instead.
	if !regexp.MustCompile(`R50\.9 <small></small></th><td class="left">R50\.81`).MatchString(page) {
		t.Error("the confusion of R50.9 with R50.81 is not shown")
	}
	// Each filter has its rule in the style sheet.
	for _, k := range ErrorKinds() {
		if !strings.Contains(css, "#f-"+k[0]+":checked ~ .notes article:not(.is-"+k[0]+")") {
			t.Errorf("the filter %s hides nothing", k[0])
		}
	}
}

func TestTicks(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		low, high float64
		want      int
		last      float64
	}{{0, 1, 6, 1}, {-0.05, 0.05, 5, 0.04}, {0, 0.33, 4, 0.3}, {0, 0, 6, 1}} {
		got := ticks(test.low, test.high, 6)
		if len(got) != test.want || got[len(got)-1] < test.last-1e-9 || got[len(got)-1] > test.last+1e-9 {
			t.Errorf("ticks from %v to %v: %v", test.low, test.high, got)
		}
	}
}
