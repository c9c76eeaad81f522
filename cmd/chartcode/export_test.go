package main

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// Days are the site's, both included.
func TestExportPeriod(t *testing.T) {
	t.Parallel()
	chicago, err := time.LoadLocation("America/Chicago")
	if err != nil {
		t.Fatal(err)
	}
	from, to, err := exportOptions{format: "csv", from: "2026-03-01", to: "2026-03-31"}.period(chicago)
	if err != nil || from.UTC().Format(time.RFC3339) != "2026-03-01T06:00:00Z" || to.UTC().Format(time.RFC3339) != "2026-04-01T05:00:00Z" {
		t.Errorf("from %v to %v, %v", from, to, err)
	}
	if from, to, err := (exportOptions{format: "fhir"}).period(chicago); err != nil || from.Year() != 1 || to.Year() != 9999 {
		t.Errorf("without days: from %v to %v, %v", from, to, err)
	}
	for _, x := range []exportOptions{
		{format: "xml"}, {format: "csv", from: "1 March"}, {format: "csv", to: "2026-3-1"}, {format: "json", source: "north", items: []int64{1}},
		{format: "json", notes: []string{"D-1"}, from: "2026-03-01"},
	} {
		_, _, err := x.period(chicago)
		var exit *exitError
		if !errors.As(err, &exit) || exit.status != exitUsage {
			t.Errorf("%+v gives %v", x, err)
		}
	}
	if _, _, err := (exportOptions{format: "fhir", source: "north", notes: []string{"D-1"}}).period(chicago); err != nil {
		t.Errorf("a note of a source: %v", err)
	}
	for want, x := range map[string]exportOptions{
		"all": {}, "source north from 2026-03-01": {source: "north", from: "2026-03-01"}, "items [4 5]": {items: []int64{4, 5}},
	} {
		if got := x.target(); got != want || strings.HasPrefix(got, " ") {
			t.Errorf("the audit trail says %q, want %q", got, want)
		}
	}
}
