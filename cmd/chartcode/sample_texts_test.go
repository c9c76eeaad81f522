package main

import (
	"encoding/json"
	"strings"
	"testing"

	"chartcode/samples"
)

// sampleTexts are the texts of the built-in samples.
func sampleTexts(t *testing.T) []string {
	t.Helper()
	var texts []string
	for line := range strings.Lines(string(samples.Notes())) {
		var note struct {
			Text string `json:"text"`
		}
		if err := json.Unmarshal([]byte(line), &note); err != nil {
			t.Fatal(err)
		}
		texts = append(texts, note.Text)
	}
	if len(texts) == 0 {
		t.Fatal("no samples")
	}
	return texts
}
