package codeset

import (
	"strings"
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

// manyReleases are several releases of each system, with the editions of April
// and the quarters that are published between the yearly ones.
func manyReleases() Releases {
	var all Releases
	add := func(s coding.System, kind string, versions ...string) {
		for _, v := range versions {
			r := coding.Release{System: s, Kind: kind, Version: v}
			r.ID = idOf(r)
			r.EffectiveFrom, _ = startOf(r)
			r.SHA256 = strings.Repeat(v[len(v)-1:], 64)
			all = append(all, r)
		}
	}
	add(coding.ICD10CM, KindOrder, "2025", "2025-04", "2026")
	add(coding.ICD10PCS, KindOrder, "2026", "2026-04")
	add(coding.HCPCS, KindHCPCS, "2025-10", "2026-01", "2026-07")
	add(coding.CPT, KindTable, "2025", "2026")
	add(coding.ICD10CM, KindTabular, "2027")
	return all
}

// The borders of every system: the day before a release, its first day, its
// last, the day after it.
func TestPickAtBorders(t *testing.T) {
	for _, tt := range []struct {
		system       coding.System
		date         string
		want, notice string
	}{
		{coding.ICD10CM, "2024-09-30", "icd10cm-2025", coding.NoticeNoRelease},
		{coding.ICD10CM, "2024-10-01", "icd10cm-2025", ""},
		{coding.ICD10CM, "2025-03-31", "icd10cm-2025", ""},
		{coding.ICD10CM, "2025-04-01", "icd10cm-2025-04", ""},
		{coding.ICD10CM, "2025-09-30", "icd10cm-2025-04", ""},
		{coding.ICD10CM, "2025-10-01", "icd10cm-2026", ""},
		{coding.ICD10CM, "2026-04-01", "icd10cm-2026", ""}, // no edition of April is loaded
		{coding.ICD10CM, "2026-09-30", "icd10cm-2026", ""},
		{coding.ICD10CM, "2026-10-01", "icd10cm-2026", coding.NoticeReleaseAssumed},
		{coding.ICD10CM, "", "icd10cm-2026", coding.NoticeNoServiceDate},
		{coding.ICD10PCS, "2025-09-30", "icd10pcs-2026", coding.NoticeNoRelease},
		{coding.ICD10PCS, "2026-03-31", "icd10pcs-2026", ""},
		{coding.ICD10PCS, "2026-04-01", "icd10pcs-2026-04", ""},
		{coding.ICD10PCS, "2026-09-30", "icd10pcs-2026-04", ""},
		{coding.ICD10PCS, "2026-10-01", "icd10pcs-2026-04", coding.NoticeReleaseAssumed},
		{coding.ICD10PCS, "", "icd10pcs-2026-04", coding.NoticeNoServiceDate},
		{coding.HCPCS, "2025-09-30", "hcpcs-2025-10", coding.NoticeNoRelease},
		{coding.HCPCS, "2025-12-31", "hcpcs-2025-10", ""},
		{coding.HCPCS, "2026-01-01", "hcpcs-2026-01", ""},
		{coding.HCPCS, "2026-03-31", "hcpcs-2026-01", ""},
		{coding.HCPCS, "2026-04-01", "hcpcs-2026-01", ""}, // the quarter between was not loaded: it ends where July's starts
		{coding.HCPCS, "2026-06-30", "hcpcs-2026-01", ""},
		{coding.HCPCS, "2026-07-01", "hcpcs-2026-07", ""},
		{coding.HCPCS, "2026-09-30", "hcpcs-2026-07", ""},
		{coding.HCPCS, "2026-10-01", "hcpcs-2026-07", coding.NoticeReleaseAssumed},
		{coding.HCPCS, "", "hcpcs-2026-07", coding.NoticeNoServiceDate},
		{coding.CPT, "2024-12-31", "cpt-2025", coding.NoticeNoRelease},
		{coding.CPT, "2025-12-31", "cpt-2025", ""},
		{coding.CPT, "2026-01-01", "cpt-2026", ""},
		{coding.CPT, "2026-12-31", "cpt-2026", ""},
		{coding.CPT, "2027-01-01", "cpt-2026", coding.NoticeReleaseAssumed},
		{coding.CPT, "", "cpt-2026", coding.NoticeNoServiceDate},
	} {
		date, err := coding.ParseDate(tt.date)
		if err != nil {
			t.Fatal(err)
		}
		got, notices, ok := manyReleases().Pick(tt.system, date)
		code := ""
		for _, n := range notices {
			code += n.Code
		}
		if !ok || got.ID != tt.want || code != tt.notice {
			t.Errorf("%s on %q: %s with notice %q, want %s with %q", tt.system, tt.date, got.ID, code, tt.want, tt.notice)
		}
	}
}

// The periods cover every day once, each with the edition of its days; an
// edition changes where any system's release or notice does.
func TestPeriods(t *testing.T) {
	for name, rs := range map[string]Releases{"many": manyReleases(), "one": manyReleases()[2:3], "none": nil} {
		periods := rs.Periods()
		if !periods[0].From.IsZero() || !periods[len(periods)-1].To.IsZero() {
			t.Errorf("%s: the periods do not reach over all days: %v", name, periods)
		}
		at := 0
		for day := coding.NewDate(2023, 1, 1); day.Before(coding.NewDate(2029, 1, 1)); day = day.AddDays(1) {
			for !periods[at].To.IsZero() && periods[at].To.Before(day) {
				at++
			}
			if !periods[at].From.IsZero() && day.Before(periods[at].From) {
				t.Fatalf("%s: %s lies in no period", name, day)
			}
			if got, want := periods[at].Edition, rs.Edition(day); got != want {
				t.Fatalf("%s: on %s the period has %q, want %q", name, day, got, want)
			}
		}
		if at != len(periods)-1 {
			t.Errorf("%s: period %d of %d was the last", name, at+1, len(periods))
		}
	}
	if got := (Releases{}).Edition(coding.NewDate(2026, 1, 1)); got != "" {
		t.Errorf("without releases the edition is %q", got)
	}
	day := coding.NewDate(2026, 1, 1)
	corrected := manyReleases()
	corrected[2].SHA256 = strings.Repeat("f", 64)
	if corrected.Edition(day) == manyReleases().Edition(day) || corrected.Edition(coding.NewDate(2025, 1, 1)) != manyReleases().Edition(coding.NewDate(2025, 1, 1)) {
		t.Error("a corrected release must change the edition of its days and of no others")
	}
}
