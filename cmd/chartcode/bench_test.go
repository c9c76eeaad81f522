package main

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"chartcode/internal/coding"
)

// TestBenchRetrieve measures a few notes on the starter set: the figures tell of
// what was done, and the second time nothing is asked of the vectors.
func TestBenchRetrieve(t *testing.T) {
	t.Parallel()
	s := newStarted(t)
	notes := s.file("notes.jsonl", `{"note_id":"1","text":"ASSESSMENT: Pnuemonai of the lung, essential hypertension."}
{"note_id":"2","text":"ASSESSMENT: Diabetis and hypertensoin, sholder pain."}
{"note_id":"3","text":""}
`)
	out, status := s.run("bench", "retrieve", notes, "--single", "2", "--workers", "2", "--json")
	var f retrieveFigures
	if err := json.Unmarshal([]byte(out), &f); err != nil || status != exitGood {
		t.Fatalf("status %d, %v\n%s", status, err, out)
	}
	if f.Notes != 2 || f.Single.Notes != 2 || f.Workers != 2 || f.Style != "billing" {
		t.Errorf("measured %+v", f)
	}
	if e := f.Sustained; e.PerSecond <= 0 || e.RoundTrips != 1 || e.Searches < 1 {
		t.Errorf("with nothing known: %+v, want one round trip a note", e)
	}
	if w := f.Warm; w.PerSecond <= 0 || w.RoundTrips != 0 || w.Searches != 0 {
		t.Errorf("with mentions known: %+v, want no searches", w)
	}
	q := &f.Single
	if q.Empty.Median <= 0 || q.Raw.Median <= 0 || q.RawShare <= 0 || len(q.Stages) != 4 || q.Stages["retrieve"].Median > q.Empty.P95 {
		t.Errorf("one at a time: %+v", q)
	}
	for _, args := range [][]string{{"--style", "x"}, {"--limit", "-1"}, {"--single", "0"}, {"--workers", "0"}} {
		if _, status := s.run(append([]string{"bench", "retrieve", notes}, args...)...); status != exitUsage {
			t.Errorf("%v: status %d", args, status)
		}
	}
}

// TestSuggestExplains: explanations are there when asked for, add up, hold no
// words of the note, and change nothing else.
func TestSuggestExplains(t *testing.T) {
	t.Parallel()
	s := newStarted(t)
	notes := s.file("notes.jsonl", noteLines("explain", 1))
	for _, style := range []string{"billing", "mentions"} {
		args := []string{"suggest", notes, "--ranker", "local", "--coding-style", style}
		bare, status := s.run(args...)
		if status != exitGood || strings.Contains(bare, `"explanation"`) {
			t.Fatalf("%s: status %d\n%s", style, status, bare)
		}
		var a, b coding.SuggestionSet
		out, _ := s.run(append(args, "--explain")...)
		if err := json.Unmarshal([]byte(bare), &a); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(out), &b); err != nil {
			t.Fatal(err)
		}
		if len(a.Suggestions) != len(b.Suggestions) || len(b.Suggestions) == 0 || a.SetID != b.SetID {
			t.Fatalf("%s: %d and %d suggestions", style, len(a.Suggestions), len(b.Suggestions))
		}
		for i, sg := range b.Suggestions {
			e := sg.Explanation
			if e == nil || a.Suggestions[i].Code != sg.Code || a.Suggestions[i].Confidence != sg.Confidence {
				t.Fatalf("%s: %+v", style, sg)
			}
			sum := e.Other
			for _, r := range append(e.For, e.Against...) {
				sum += r.Effect
				if strings.Contains(r.Feature, marker) {
					t.Errorf("%s: a reason holds words of the note", style)
				}
			}
			if math.Abs(sum-e.Score) > 0.001 || math.Abs(1/(1+math.Exp(-e.Score))-sg.Confidence) > 0.001 {
				t.Errorf("%s: %s: effects add up to %v, score %v, confidence %v", style, sg.Code, sum, e.Score, sg.Confidence)
			}
		}
	}
}
