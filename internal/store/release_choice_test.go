package store_test

import (
	"testing"

	"chartcode/internal/coding"
	"chartcode/internal/store"
	"chartcode/internal/store/storetest"
)

// A code that a coder names is looked up in the release that holds on the date
// of service, in every system, at the borders too. internal/catalog tests that
// this is the choice of the pipeline.
func TestReportableCodeAtBorders(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	for _, r := range []struct {
		system        coding.System
		kind, version string
		from          coding.Date
	}{
		{coding.ICD10CM, "starter", "starter", coding.NewDate(2026, 10, 1)},
		{coding.ICD10CM, "order", "2025", coding.NewDate(2024, 10, 1)},
		{coding.ICD10CM, "order", "2025-04", coding.NewDate(2025, 4, 1)},
		{coding.ICD10CM, "order", "2026", coding.NewDate(2025, 10, 1)},
		{coding.HCPCS, "hcpcs", "2026-01", coding.NewDate(2026, 1, 1)},
		{coding.HCPCS, "hcpcs", "2026-04", coding.NewDate(2026, 4, 1)},
		{coding.ICD10PCS, "order", "2026", coding.NewDate(2025, 10, 1)},
		{coding.CPT, "table", "2026", coding.NewDate(2026, 1, 1)},
	} {
		mustImport(t, s, store.ReleaseImport{
			Release: coding.Release{ID: string(r.system) + r.version, System: r.system, Kind: r.kind, Version: r.version, EffectiveFrom: r.from},
			SHA256:  sha(string(r.system) + r.version),
			Codes: []coding.Code{
				{System: r.system, Code: "A1", Title: r.version, Billable: true},
				{System: r.system, Code: "only " + r.version, Title: r.version, Billable: true},
			},
		}, true)
	}
	for _, tt := range []struct {
		system    coding.System
		day, want string
	}{
		{coding.ICD10CM, "2020-01-01", "2025"}, {coding.ICD10CM, "2025-03-31", "2025"}, {coding.ICD10CM, "2025-04-01", "2025-04"},
		{coding.ICD10CM, "2025-09-30", "2025-04"}, {coding.ICD10CM, "2025-10-01", "2026"}, {coding.ICD10CM, "2026-10-01", "2026"}, {coding.ICD10CM, "", "2026"},
		{coding.HCPCS, "2025-12-31", "2026-01"}, {coding.HCPCS, "2026-03-31", "2026-01"}, {coding.HCPCS, "2026-04-01", "2026-04"}, {coding.HCPCS, "", "2026-04"},
		{coding.ICD10PCS, "2025-09-30", "2026"}, {coding.ICD10PCS, "2027-01-01", "2026"},
		{coding.CPT, "2026-01-01", "2026"}, {coding.CPT, "", "2026"},
	} {
		day, err := coding.ParseDate(tt.day)
		if err != nil {
			t.Fatal(err)
		}
		c, found, err := s.ReportableCode(t.Context(), coding.CodeKey{System: tt.system, Code: "A1"}, day)
		if err != nil || !found || c.Title != tt.want {
			t.Errorf("%s on %q: looked up in %q (%v, %v), want %s", tt.system, tt.day, c.Title, found, err, tt.want)
		}
		for _, other := range []string{"2025", "2025-04", "2026", "2026-01", "2026-04", "starter"} {
			_, found, err := s.ReportableCode(t.Context(), coding.CodeKey{System: tt.system, Code: "only " + other}, day)
			if err != nil || found != (other == tt.want) {
				t.Errorf("%s on %q: a code of %s alone is found: %v, %v", tt.system, tt.day, other, found, err)
			}
		}
	}
}
