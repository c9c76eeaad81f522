package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"chartcode/eval/dataset"
	"chartcode/internal/coding"
)

// goldLines are notes with codes of the starter set.
func goldLines(n int) string {
	var b strings.Builder
	for i := range n {
		text := fmt.Sprintf("Visit %d. Assessment: 1. Essential hypertension, stable. 2. Type 2 diabetes mellitus. No chest pain.", i)
		fmt.Fprintf(&b, `{"note_id":"g%03d","text":%q,"setting":"outpatient","service_date":"2026-03-14","patient":{"id":"p%d"},"codes":[{"system":"ICD-10-CM","code":"I10"},{"system":"ICD-10-CM","code":"E11.9"}],"first":["I10"]}`+"\n", i, text, i/2)
	}
	return b.String()
}

func predictions(t *testing.T, runs, id string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(runs, id, "predictions.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// runID is what `eval run` says last.
func runID(t *testing.T, out string) string {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(out), "\n")
	id, ok := strings.CutPrefix(lines[len(lines)-1], "run ")
	if !ok {
		t.Fatalf("the run does not say its id:\n%s", out)
	}
	return id
}

func TestEvalRunCompareGateReport(t *testing.T) {
	t.Parallel()
	s := newStarted(t)
	gold := s.file("gold.jsonl", goldLines(8))
	if out, code := s.run("eval", "dataset", "add", gold, "--name", "site", "--licence", "internal", "--edition", "FY2026"); code != 0 || !strings.Contains(out, "8 notes, 16 codes") {
		t.Fatalf("add: status %d\n%s", code, out)
	}
	bad := s.file("bad.jsonl", strings.Replace(goldLines(1), "E11.9", "E11.0000", 1))
	if out, code := s.run("eval", "dataset", "check", bad); code != exitPartial || !strings.Contains(out, "E11.0000 is no code") {
		t.Errorf("check of an unknown code: status %d\n%s", code, out)
	}
	if _, code := s.run("eval", "dataset", "add", bad); code != exitPartial {
		t.Errorf("a dataset with errors was added: status %d", code)
	}
	if out, _ := s.run("eval", "dataset", "list", "--json"); !strings.Contains(out, `"name":"site"`) {
		t.Errorf("list: %s", out)
	}
	if out, code := s.run("eval", "dataset", "show", "site"); code != 0 || !strings.Contains(out, "16 required") {
		t.Errorf("show: status %d\n%s", code, out)
	}

	out, code := s.run("eval", "run", "--dataset", "site", "--ranker", "local")
	if code != 0 || !strings.Contains(out, "micro F1") || !strings.Contains(out, "samples of 4 patients") {
		t.Fatalf("run: status %d\n%s", code, out)
	}
	a := runID(t, out)
	out, _ = s.run("eval", "run", "--dataset", "site", "--ranker", "local")
	b := runID(t, out)
	runs := filepath.Join(s.dir, "eval", "runs")
	if a == b || !bytes.Equal(predictions(t, runs, a), predictions(t, runs, b)) {
		t.Error("two runs of the same differ")
	}

	out, code = s.run("eval", "compare", a, b, "--json")
	var c struct{ Notes, Same, Clusters int }
	if code != 0 || json.Unmarshal([]byte(out), &c) != nil || c.Notes != 8 || c.Same != 8 || c.Clusters != 4 {
		t.Errorf("compare: status %d\n%s", code, out)
	}
	junit := filepath.Join(t.TempDir(), "gate.xml")
	if out, code = s.run("eval", "gate", "--baseline", a, "--candidate", b, "--junit", junit); code != 0 || !strings.Contains(out, "not worse") {
		t.Errorf("gate of the same: status %d\n%s", code, out)
	}
	if x, err := os.ReadFile(junit); err != nil || !bytes.Contains(x, []byte(`failures="0"`)) {
		t.Errorf("JUnit: %v\n%s", err, x)
	}
	// A candidate that suggests nothing is worse, in every note.
	var empty []string
	for _, line := range strings.Split(strings.TrimSpace(string(predictions(t, runs, b))), "\n") {
		var p map[string]any
		if err := json.Unmarshal([]byte(line), &p); err != nil {
			t.Fatal(err)
		}
		p["suggestions"] = []any{}
		x, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		empty = append(empty, string(x))
	}
	if err := os.WriteFile(filepath.Join(runs, b, "predictions.jsonl"), []byte(strings.Join(empty, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, code = s.run("eval", "gate", "--baseline", a, "--candidate", b); code != exitFailed || !strings.Contains(out, "worse") || !strings.Contains(out, "lost I10 E11.9") && !strings.Contains(out, "lost E11.9 I10") {
		t.Errorf("gate of one that suggests nothing: status %d\n%s", code, out)
	}
	if _, code = s.run("eval", "gate", "--baseline", a, "--candidate", b, "--metric", "beauty"); code != exitUsage {
		t.Errorf("an unknown metric: status %d", code)
	}
	page := filepath.Join(t.TempDir(), "report.html")
	if out, code = s.run("eval", "report", b, "--compare", a, "--out", page); code != 0 {
		t.Fatalf("report: status %d\n%s", code, out)
	}
	if x, err := os.ReadFile(page); err != nil || !bytes.Contains(x, []byte("Notes that changed")) {
		t.Errorf("the report does not show what changed: %v", err)
	}
	if _, code = s.run("eval", "report", "none", "--out", page); code != exitFailed {
		t.Errorf("a run that is not there: status %d", code)
	}
}

// A run that is killed goes on with the same command to the same bytes.
func TestEvalRunKilled(t *testing.T) {
	t.Parallel()
	s := newStarted(t)
	gold := s.file("gold.jsonl", goldLines(150))
	args := []string{"eval", "run", "--dataset", gold, "--ranker", "local", "--limit", "120", "--seed", "4"}
	out, code := s.run(args...)
	if code != 0 {
		t.Fatalf("status %d", code)
	}
	whole := runID(t, out)
	runs := filepath.Join(s.dir, "eval", "runs")
	ended := []string{whole}
	var second string
	for second == "" {
		id := killedRun(t, s, runs, ended, args)
		if bytes.Count(predictions(t, runs, id), []byte("\n")) < 120 {
			second = id
		} else if ended = append(ended, id); len(ended) > 10 { // it was quicker than this process, on a busy machine
			t.Fatal("each run came to its end before it was killed")
		}
	}
	out, code = s.run(args...)
	if code != 0 || runID(t, out) != second {
		t.Fatalf("the same command did not go on: status %d, run %s after %s", code, runID(t, out), second)
	}
	if !bytes.Equal(predictions(t, runs, whole), predictions(t, runs, second)) {
		t.Error("killed and resumed gives other bytes than not killed")
	}
}

// killedRun starts another run than those that ended and kills it when it has written a few predictions.
func killedRun(t *testing.T, s *site, runs string, ended, args []string) string {
	t.Helper()
	p := s.start(append(args, "--fresh")...)
	defer p.kill()
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		all, err := os.ReadDir(runs)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range all {
			if slices.Contains(ended, e.Name()) {
				continue
			}
			if b, err := os.ReadFile(filepath.Join(runs, e.Name(), "predictions.jsonl")); err == nil && bytes.Count(b, []byte("\n")) > 3 {
				return e.Name()
			}
		}
	}
	t.Fatalf("the run wrote nothing\n%s", p.err)
	return ""
}

func TestEvalAgreement(t *testing.T) {
	t.Parallel()
	s := newStarted(t)
	line := func(id string, codes ...string) string {
		var list []string
		for _, c := range codes {
			list = append(list, fmt.Sprintf(`{"system":"ICD-10-CM","code":%q}`, c))
		}
		return fmt.Sprintf(`{"note_id":%q,"codes":[%s]}`+"\n", id, strings.Join(list, ","))
	}
	a := s.file("anna.jsonl", line("1", "I10", "E11.9")+line("2", "J18.9")+line("3", "R05.9"))
	b := s.file("ben.jsonl", line("1", "I10")+line("2", "J18.9")+line("3", "R05.9"))
	out, code := s.run("eval", "agreement", a, b, "--gold", a)
	if code != 0 || !strings.Contains(out, "anna and ben, 3 notes") || !strings.Contains(out, "0.857 (") || !strings.Contains(out, "Krippendorff's alpha, first-listed code              1.000") {
		t.Errorf("status %d\n%s", code, out)
	}
	if _, code := s.run("eval", "agreement", a); code != exitUsage {
		t.Errorf("one coding: status %d", code)
	}
}

// Who codes blind sees neither the codes of the review nor what was suggested.
func TestBlindNotesHoldNoCodes(t *testing.T) {
	t.Parallel()
	note := dataset.Note{Note: coding.Note{NoteID: "n1", Text: "Cough."}, First: []string{"R05.9"}, Group: "item 7", Weight: 3,
		Codes: []dataset.Code{{System: coding.ICD10CM, Code: "R05.9"}}, Rejected: []dataset.Code{{System: coding.ICD10CM, Code: "J18.9"}}}
	var b bytes.Buffer
	if err := writeBlind(&b, &dataset.Dataset{Notes: []dataset.Note{{}, note}}, []int{1}); err != nil {
		t.Fatal(err)
	}
	out := b.String()
	if !strings.Contains(out, "Cough.") || !strings.Contains(out, `"codes":[]`) || strings.Contains(out, "R05.9") || strings.Contains(out, "J18.9") || strings.Contains(out, "weight") {
		t.Errorf("a note to be coded blind: %s", out)
	}
}
