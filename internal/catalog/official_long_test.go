//go:build long

package catalog_test

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"chartcode/internal/codeset"
	"chartcode/internal/coding"
	"chartcode/internal/store"
	"chartcode/internal/testdata"
)

// listed is an entry of `codeset list --json` without what it says of details
// beside the totals.
type listed struct {
	ID       string         `json:"id"`
	System   string         `json:"system"`
	Kind     string         `json:"kind"`
	Rows     int            `json:"rows"`
	Billable int            `json:"billable"`
	Details  map[string]any `json:"details"`
}

// The totals that stand beside the official files, counted by a script that
// shares nothing with the readers.
func officialTotals() map[string]listed {
	cm := func(id, kind string, rows, billable int, details map[string]any) listed {
		return listed{id, "ICD-10-CM", kind, rows, billable, details}
	}
	out := map[string]listed{}
	for _, l := range []listed{
		cm("icd10cm-2026", "order", 98185, 74719, nil),
		cm("icd10cm-2025", "order", 97584, 74260, nil),
		cm("icd10cm-2021", "order", 95358, 72621, nil),
		cm("icd10cm-tabular-2021", "tabular", 45017, 0, map[string]any{
			"chapters": 22.0, "sections": 296.0, "diag": 45017.0, "inclusionTerm": 11612.0, "excludes1": 5278.0, "excludes2": 1922.0, "codeFirst": 672.0,
			"useAdditionalCode": 1304.0, "codeAlso": 349.0, "includes": 912.0, "sevenChrDef": 507.0, "extension": 1787.0,
		}),
		cm("icd10cm-index-2025", "index", 8100+72924, 0, map[string]any{"main_terms": 8100.0, "nested_terms": 72924.0, "see": 12136.0}),
		cm("icd10cm-eindex-2026", "eindex", 314+7776, 0, map[string]any{"main_terms": 314.0, "nested_terms": 7776.0}),
		cm("icd10cm-neoplasm-2026", "neoplasm", 1940, 0, map[string]any{"main_terms": 1.0, "nested_terms": 1939.0, "cells": 10922.0, "cells_with_code": 9020.0}),
		cm("icd10cm-drug-2026", "drug", 5179+2251, 0, map[string]any{"main_terms": 5179.0, "nested_terms": 2251.0, "cells": 43224.0, "cells_with_code": 40036.0}),
		{"icd10pcs-2026", "ICD-10-PCS", "order", 80110, 79193, nil},
		{"hcpcs-2024-07", "HCPCS", "hcpcs", 8033, 8033, nil},
		cm("cms-hcc-v28-2026", "hcc", 8183, 0, map[string]any{"codes": 7903.0}),
		cm("mce-v41.1-2024", "mce", 7946, 0, map[string]any{"codes": 5343.0}),
		cm("poa-exempt-2026", "poa", 38349, 0, map[string]any{"codes": 38349.0}),
	} {
		out[l.ID] = l
	}
	return out
}

// All ten files in one call give the totals that stand beside them; index and
// tables once more change nothing. Then: terms by kind, and how many lead to a billable
// code; and the lines that are listed as unresolved are those that are counted.
func TestLongAllOfficialFilesInOneCall(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob(filepath.Join(testdata.Path(t, "codesets"), "*"))
	if err != nil {
		t.Fatal(err)
	}
	paths = slices.DeleteFunc(paths, func(p string) bool { return filepath.Ext(p) != ".zip" && filepath.Ext(p) != ".csv" })
	if len(paths) != 10 {
		t.Fatalf("there are %d files, want 10", len(paths))
	}
	l, s := newLoader(t)
	again := []string{testdata.Path(t, "codesets/icd10cm-tables-2026.zip"), testdata.Path(t, "codesets/icd10cm-index-2025.zip")}
	for i, files := range [][]string{paths, again} {
		results, err := l.ImportFiles(t.Context(), files, codeset.ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range results {
			if r.Changed != (i == 0) {
				t.Errorf("%s changed: %v, want %v", r.Release.ID, r.Changed, i == 0)
			}
		}
	}
	releases, err := s.Releases(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(releases)
	if err != nil {
		t.Fatal(err)
	}
	var list []listed
	if err := json.Unmarshal(b, &list); err != nil {
		t.Fatal(err)
	}
	got := map[string]listed{}
	want := officialTotals()
	for _, l := range list {
		checkUnresolved(t, s, l)
		for k := range l.Details {
			if _, asked := want[l.ID].Details[k]; !asked {
				delete(l.Details, k)
			}
		}
		if len(l.Details) == 0 {
			l.Details = nil
		}
		got[l.ID] = l
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("totals (-want +got):\n%s", diff)
	}
	checkTerms(t, s, releases)
}

// checkUnresolved compares the lines that are listed with the counts in details.
func checkUnresolved(t *testing.T, s *store.Store, l listed) {
	t.Helper()
	rows, err := s.Lines(t.Context(), l.ID)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, row := range rows {
		line, err := codeset.ParseLine(row)
		if err != nil {
			t.Fatal(err)
		}
		if line.Unresolved() {
			n++
			if line.Text == "" || l.Kind != codeset.KindTabular && line.See == "" {
				t.Errorf("%s: an unresolved line that does not say what: %+v", l.ID, line)
			}
		}
	}
	counted := 0.0
	for _, k := range []string{"see_unresolved", "see_also_unresolved", "table_unresolved", "notes_unread"} {
		v, _ := l.Details[k].(float64)
		counted += v
	}
	if n != int(counted) {
		t.Errorf("%s: %d lines are unresolved, %v are counted", l.ID, n, counted)
	}
	if n > 0 {
		t.Logf("%s: %d unresolved", l.ID, n)
	}
}

// checkTerms: every kind of term is there, and nearly all lead to billable codes
// of the newest release, directly or below a header.
func checkTerms(t *testing.T, s *store.Store, releases []coding.Release) {
	t.Helper()
	rel, _, ok := codeset.Releases(releases).Pick(coding.ICD10CM, coding.Date{})
	if !ok || rel.ID != "icd10cm-2026" {
		t.Fatalf("the newest release is %s", rel.ID)
	}
	codes, err := s.Codes(t.Context(), rel.ID)
	if err != nil {
		t.Fatal(err)
	}
	table := codeset.NewTable(rel, codes)
	terms, err := s.Terms(t.Context(), coding.ICD10CM)
	if err != nil {
		t.Fatal(err)
	}
	type count struct{ all, direct, header, nowhere int }
	byKind := map[coding.TermKind]count{}
	for _, x := range terms {
		n := byKind[x.Kind]
		n.all++
		switch {
		case table.Billable(x.Code):
			n.direct++
		case len(table.BillableUnder(x.Code)) > 0:
			n.header++
		default:
			n.nowhere++
		}
		byKind[x.Kind] = n
	}
	least := map[coding.TermKind]count{ // of the official files
		coding.TermTitle: {all: 98_185}, coding.TermInclusion: {all: 11_000}, coding.TermIndex: {all: 100_000}, coding.TermExternal: {all: 8_000},
		coding.TermNeoplasm: {all: 15_000}, coding.TermDrug: {all: 45_000}, coding.TermEveryday: {all: 7_500},
	}
	for kind, want := range least {
		n := byKind[kind]
		t.Logf("%-9s %6d terms: %d lead to a billable code, %d to a header with some below it, %d to no code of %s", kind, n.all, n.direct, n.header, n.nowhere, rel.ID)
		if n.all < want.all {
			t.Errorf("there are %d terms of kind %s", n.all, kind)
		}
		if 50*n.nowhere > n.all && kind != coding.TermTitle { // titles of earlier releases are among them
			t.Errorf("%d of %d terms of kind %s lead to no code of %s", n.nowhere, n.all, kind, rel.ID)
		}
	}
}
