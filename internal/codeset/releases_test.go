package codeset

import (
	"testing"
	"time"

	"chartcode/internal/coding"
)

func TestPick(t *testing.T) {
	rel := func(id string, s coding.System, kind string, y int, m time.Month) coding.Release {
		return coding.Release{ID: id, System: s, Kind: kind, Version: id[len(id)-4:], EffectiveFrom: coding.NewDate(y, m, 1)}
	}
	all := Releases{
		rel("icd10cm-2026", coding.ICD10CM, KindOrder, 2025, 10),
		rel("icd10cm-tabular-2027", coding.ICD10CM, KindTabular, 2026, 10),
		rel("icd10cm-2021", coding.ICD10CM, KindOrder, 2020, 10),
		rel("icd10cm-2025", coding.ICD10CM, KindOrder, 2024, 10),
		rel("icd10cm-starter-2027", coding.ICD10CM, KindStarter, 2026, 10),
		rel("hcpcs-2024-07", coding.HCPCS, KindHCPCS, 2024, 7),
		rel("cpt-2026", coding.CPT, KindTable, 2026, 1),
	}
	tests := []struct {
		system       coding.System
		date         string
		want, notice string
	}{
		{coding.ICD10CM, "2025-09-30", "icd10cm-2025", ""},
		{coding.ICD10CM, "2025-10-01", "icd10cm-2026", ""},
		{coding.ICD10CM, "2026-09-30", "icd10cm-2026", ""},
		{coding.ICD10CM, "2026-10-01", "icd10cm-2026", coding.NoticeReleaseAssumed},
		{coding.ICD10CM, "2020-10-01", "icd10cm-2021", ""},
		{coding.ICD10CM, "2023-05-05", "icd10cm-2021", ""}, // it ends where its successor starts
		{coding.ICD10CM, "2020-09-30", "icd10cm-2021", coding.NoticeNoRelease},
		{coding.ICD10CM, "", "icd10cm-2026", coding.NoticeNoServiceDate},
		{coding.HCPCS, "2024-09-30", "hcpcs-2024-07", ""},
		{coding.HCPCS, "2024-10-01", "hcpcs-2024-07", coding.NoticeReleaseAssumed},
		{coding.HCPCS, "2024-06-30", "hcpcs-2024-07", coding.NoticeNoRelease},
		{coding.CPT, "2026-12-31", "cpt-2026", ""},
		{coding.CPT, "2027-01-01", "cpt-2026", coding.NoticeReleaseAssumed},
		{coding.ICD10PCS, "2026-01-01", "", ""},
	}
	for _, tt := range tests {
		date, err := coding.ParseDate(tt.date)
		if err != nil {
			t.Fatal(err)
		}
		got, notices, ok := all.Pick(tt.system, date)
		code := ""
		for _, n := range notices {
			code += n.Code
			if n.Message == "" {
				t.Errorf("%s %s: a notice without a message", tt.system, tt.date)
			}
		}
		if got.ID != tt.want || code != tt.notice || ok != (tt.want != "") {
			t.Errorf("%s on %q: %s (%v) with notice %q, want %s with %q", tt.system, tt.date, got.ID, ok, code, tt.want, tt.notice)
		}
	}
	only := Releases{rel("icd10cm-starter-2026", coding.ICD10CM, KindStarter, 2025, 10)}
	if got, _, ok := only.Pick(coding.ICD10CM, coding.NewDate(2026, 1, 1)); !ok || got.Kind != KindStarter {
		t.Errorf("with the starter set alone: %v %v", got.ID, ok)
	}
}

func TestStarter(t *testing.T) {
	c, err := Starter()
	if err != nil {
		t.Fatal(err)
	}
	if c.Release.ID != "icd10cm-starter-2026" || c.Release.EffectiveFrom.String() != "2025-10-01" || c.Release.Rows < 1500 || c.Release.Billable != c.Release.Rows {
		t.Errorf("release %+v", c.Release)
	}
	table := NewTable(c.Release, c.Codes)
	everyday := 0
	for _, term := range c.Terms {
		if !table.Billable(term.Code) || term.Release != c.Release.ID || term.System != coding.ICD10CM {
			t.Fatalf("term %+v", term)
		}
		if term.Kind == coding.TermEveryday {
			everyday++
		}
	}
	if everyday < c.Release.Rows {
		t.Errorf("%d everyday names for %d codes", everyday, c.Release.Rows)
	}
	again, err := Starter()
	if err != nil || again.SHA256 != c.SHA256 || len(c.SHA256) != 64 {
		t.Errorf("hash %q, then %q, %v", c.SHA256, again.SHA256, err)
	}
}
