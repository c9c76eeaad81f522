package catalog_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"chartcode/internal/catalog"
	"chartcode/internal/codeset"
	"chartcode/internal/coding"
	"chartcode/internal/learned"
	"chartcode/internal/store/storetest"
	"chartcode/pipeline"
	"chartcode/pipeline/intake"
)

// orderFile writes codes with titles in the form of an order file; a code with
// a minus sign before it is a header.
func orderFile(t testing.TB, name string, codes ...string) string {
	t.Helper()
	var b strings.Builder
	for i := 0; i < len(codes); i += 2 {
		code, header := strings.CutPrefix(codes[i], "-")
		flag := 1
		if header {
			flag = 0
		}
		fmt.Fprintf(&b, "%05d %-7s %d %-60.60s %s\n", i/2+1, coding.UndotCode(code), flag, codes[i+1], codes[i+1])
	}
	return write(t, name, b.String())
}

func write(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Through the whole pipeline the date of service picks each system's release,
// the code that is suggested is that release's, and a code that a coder then
// names is looked up in the same one.
func TestTheDateOfServicePicksTheRelease(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := storetest.New(t)
	load := func(path string, o codeset.ReadOptions) {
		t.Helper()
		loader := catalog.Loader{DB: s}
		if got, err := loader.ImportFiles(ctx, []string{path}, o); err != nil || len(got) != 1 {
			t.Fatalf("importing: %v, %v", got, err)
		}
	}
	// The same condition has another code in each release.
	load(orderFile(t, "icd10cm-order-2025.txt", "-J98", "Respiratory disorders", "J98.1", "Atelectasis"), codeset.ReadOptions{})
	load(orderFile(t, "april.txt", "-J98", "Respiratory disorders", "-J98.1", "Pulmonary collapse", "J98.11", "Atelectasis"),
		codeset.ReadOptions{System: coding.ICD10CM, Version: "2025-04"})
	load(orderFile(t, "icd10cm-order-2026.txt", "-J98", "Respiratory disorders", "J98.2", "Atelectasis"), codeset.ReadOptions{})
	for _, v := range []string{"2026-01", "2026-04"} {
		load(write(t, "hcpcs-level2-"+v+".csv", "code,short,long\nA0021,Outside state ambulance serv,Ambulance service of "+v+"\n"), codeset.ReadOptions{})
	}
	load(orderFile(t, "icd10pcs_order_2026.txt", "-0B5", "Bronchus", "0B538ZZ", "Destruction of bronchus"), codeset.ReadOptions{})

	// The trained models know whole tables; how likely a code of a table of two is, they cannot say.
	models := &learned.Models{Version: 1, Styles: map[coding.Style]*learned.StyleModels{coding.Mentions: {Threshold: 0.01}}}
	knowledge, err := catalog.New(catalog.Config{Source: s, Models: models})
	if err != nil {
		t.Fatal(err)
	}
	systems := []coding.System{coding.ICD10CM, coding.HCPCS, coding.ICD10PCS}
	p, err := pipeline.New(pipeline.Config{Knowledge: knowledge, Style: coding.Mentions, Systems: systems})
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := s.Releases(ctx)
	if err != nil {
		t.Fatal(err)
	}
	releases := codeset.Releases(loaded)
	for _, tt := range []struct {
		dates   string // as fields of a note
		on      string
		cm, hc  string
		code    string
		notices string
	}{
		{`"service_date":"2024-09-30"`, "2024-09-30", "2025", "2026-01", "J98.1", "no_release no_release no_release"},
		{`"service_date":"2024-10-01"`, "2024-10-01", "2025", "2026-01", "J98.1", "no_release no_release"},
		{`"service_date":"2025-03-31"`, "2025-03-31", "2025", "2026-01", "J98.1", "no_release no_release"},
		{`"service_date":"2025-04-01"`, "2025-04-01", "2025-04", "2026-01", "J98.11", "no_release no_release"},
		{`"service_date":"2025-09-30"`, "2025-09-30", "2025-04", "2026-01", "J98.11", "no_release no_release"},
		{`"service_date":"2025-10-01"`, "2025-10-01", "2026", "2026-01", "J98.2", "no_release"},
		{`"service_date":"2025-12-31"`, "2025-12-31", "2026", "2026-01", "J98.2", "no_release"},
		{`"service_date":"2026-01-01"`, "2026-01-01", "2026", "2026-01", "J98.2", ""},
		{`"service_date":"2026-03-31"`, "2026-03-31", "2026", "2026-01", "J98.2", ""},
		{`"service_date":"2026-04-01"`, "2026-04-01", "2026", "2026-04", "J98.2", ""},
		{`"service_date":"2026-06-30"`, "2026-06-30", "2026", "2026-04", "J98.2", ""},
		{`"service_date":"2026-07-01"`, "2026-07-01", "2026", "2026-04", "J98.2", "release_assumed"},
		{`"service_date":"2026-09-30"`, "2026-09-30", "2026", "2026-04", "J98.2", "release_assumed"},
		{`"service_date":"2026-10-01"`, "2026-10-01", "2026", "2026-04", "J98.2", "release_assumed release_assumed release_assumed"},
		{`"service_date":null`, "", "2026", "2026-04", "J98.2", "no_service_date no_service_date no_service_date"},
		// An inpatient stay over the border: the day of discharge counts, not that of admission.
		{`"setting":"inpatient","admit_date":"2025-09-28","service_date":"2025-10-01"`, "2025-10-01", "2026", "2026-01", "J98.2", "no_release"},
	} {
		setting := `"setting":"outpatient",`
		if strings.Contains(tt.dates, "setting") {
			setting = ""
		}
		note, err := intake.Parse([]byte(`{"note_id":"D-1",`+setting+tt.dates+`,"text":"ASSESSMENT: Atelectasis."}`), "")
		if err != nil {
			t.Fatal(err)
		}
		set, err := p.Process(ctx, note)
		if err != nil {
			t.Fatal(err)
		}
		var notices, codes []string
		for _, n := range set.Notices {
			notices = append(notices, n.Code)
		}
		for _, g := range set.Suggestions {
			codes = append(codes, g.Code)
		}
		if set.Releases[coding.ICD10CM] != tt.cm || set.Releases[coding.HCPCS] != tt.hc || set.Releases[coding.ICD10PCS] != "2026" || strings.Join(notices, " ") != tt.notices {
			t.Errorf("%s: releases %v with notices %q, want %s and %s with %q", tt.dates, set.Releases, notices, tt.cm, tt.hc, tt.notices)
		}
		if len(codes) != 1 || codes[0] != tt.code {
			t.Errorf("%s: suggested are %v, want %s", tt.dates, codes, tt.code)
		}
		day, err := coding.ParseDate(tt.on)
		if err != nil {
			t.Fatal(err)
		}
		if want := releases.Edition(day); set.Edition != want || want == "" {
			t.Errorf("%s: the set's edition is %q, want %q", tt.dates, set.Edition, want)
		}
		for _, system := range systems {
			rel, _, _ := releases.Pick(system, day)
			all, err := s.Codes(ctx, rel.ID)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range all {
				got, found, err := s.ReportableCode(ctx, coding.CodeKey{System: system, Code: c.Code}, day)
				if err != nil || found != c.Billable || found && got.Title != c.Title {
					t.Errorf("%s: %s is looked up as %q (%v, %v), but %s has %q", tt.dates, c.Code, got.Title, found, err, rel.ID, c.Title)
				}
			}
		}
	}
}
