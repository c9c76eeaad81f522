package main

import (
	"encoding/json"
	"strings"
	"testing"
)

// Practice notes are made of a run; without finished reviews there is nothing to
// draw, nobody agrees, and nothing drifts, and each command says so.
func TestQualityCommands(t *testing.T) {
	t.Parallel()
	s := newStarted(t)
	out, code := s.run("eval", "run", "--dataset", s.file("gold.jsonl", goldLines(4)), "--ranker", "local")
	if code != 0 {
		t.Fatalf("run: status %d\n%s", code, out)
	}
	id := runID(t, out)
	if out, code := s.run("eval", "practice", id, "--rate", "1"); code != 0 || !strings.Contains(out, "4 practice notes, 4 of them new") {
		t.Errorf("practice: status %d\n%s", code, out)
	}
	if out, code := s.run("eval", "practice", id); code != 0 || !strings.Contains(out, "4 practice notes, 0 of them new") {
		t.Errorf("practice again: status %d\n%s", code, out)
	}
	for _, bad := range [][]string{{"eval", "practice", id, "--rate", "2"}, {"audit", "sample", "--rate", "0"}, {"audit", "sample", "--recodings", "4"}, {"audit", "sample", "--from", "soon"}, {"eval", "drift", "--reference", "0"}, {"eval", "agreement", "--gold", "x"},
		{"eval", "dataset", "from-reviews", "--out", "x", "--judged", "--blind", "3"}, {"eval", "dataset", "from-reviews", "--out", "x", "--sample", "1"}} {
		if out, code := s.run(bad...); code != exitUsage {
			t.Errorf("%v: status %d\n%s", bad, code, out)
		}
	}
	if _, code := s.run("eval", "practice", "none"); code != 1 {
		t.Errorf("practice of no run: status %d", code)
	}
	if out, code := s.run("audit", "sample"); code != 1 {
		t.Errorf("a sample of nothing: status %d\n%s", code, out)
	}
	if out, code := s.run("eval", "dataset", "from-reviews", "--judged", "--out", "x"); code != exitUnclear {
		t.Errorf("gold of nothing judged: status %d\n%s", code, out)
	}
	if out, code := s.run("eval", "agreement"); code != 0 || !strings.Contains(out, "0 cases, 0 coded again, 0 judged") {
		t.Errorf("agreement: status %d\n%s", code, out)
	}
	out, _ = s.run("eval", "agreement", "--json")
	var people struct {
		Practice struct{ Notes int }
	}
	if err := json.Unmarshal([]byte(out), &people); err != nil || people.Practice.Notes != 4 {
		t.Errorf("agreement as JSON: %v\n%s", err, out)
	}
	if out, code := s.run("eval", "drift"); code != 0 || !strings.Contains(out, "nothing was finished in this period") {
		t.Errorf("drift: status %d\n%s", code, out)
	}
	if out, code := s.run("export", "--format", "json"); code != 0 || strings.Contains(out, "g000") {
		t.Errorf("the export: status %d\n%s", code, out)
	}
}
