package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"chartcode/internal/codebook"
	"chartcode/internal/store/storetest"
)

// orderFile writes rows "CODE|1|title" as an official order file.
func orderFile(rows ...string) string {
	var b strings.Builder
	for i, row := range rows {
		f := strings.Split(row, "|")
		fmt.Fprintf(&b, "%05d %-7s %s %-60.60s %s\n", i+1, f[0], f[1], f[2], f[2])
	}
	return b.String()
}

// TestLookingCodesUp imports two releases and looks their codes up.
func TestLookingCodesUp(t *testing.T) {
	t.Parallel()
	s := newSite(t, "CHARTCODE_DATABASE_URL="+storetest.MigratedURL(t)) // a private one would be started for each command
	if _, status := s.run("codeset", "search", "heart"); status != 1 {
		t.Errorf("search without a code set ends with %d", status)
	}
	older := s.file("icd10cm-order-2025.txt", orderFile("E11|0|Type 2 diabetes mellitus", "E119|1|Type 2 diabetes mellitus without complications", "I10|1|Essential hypertension"))
	newer := s.file("icd10cm-order-2026.txt", orderFile("E11|0|Type 2 diabetes mellitus", "E119|1|Type 2 diabetes mellitus without complications",
		"E11A|1|Type 2 diabetes mellitus without complications in remission", "I10|1|Essential (primary) hypertension"))
	if out, status := s.run("codeset", "import", older, newer); status != 0 {
		t.Fatalf("import ended with %d: %s", status, out)
	}
	ok := func(want string, args ...string) string {
		t.Helper()
		out, status := s.run(append([]string{"codeset"}, args...)...)
		if status != 0 || !strings.Contains(out, want) {
			t.Errorf("codeset %v ends with %d without %q:\n%s", args, status, want, out)
		}
		return out
	}
	ok("E11.A  billable", "search", "sugar", "diabetes", "remission")
	ok("ICD-10-CM 2025\nE11.9", "search", "e119", "--date", "2025-01-01")
	ok("no code fits", "search", "xyzzy")
	var found codebook.Result
	if err := json.Unmarshal([]byte(ok("", "search", "high blood pressure", "--json", "--limit", "1")), &found); err != nil || len(found.Codes) != 1 || found.Codes[0].Code.Code != "I10" {
		t.Errorf("search --json gives %+v, %v", found, err)
	}
	ok("retitled in 2026", "show", "i10")
	ok("not in ICD-10-CM 2025", "show", "E11A", "--date", "2025-01-01")
	var e codebook.Entry
	if err := json.Unmarshal([]byte(ok("", "show", "E11.A", "--json")), &e); err != nil || e.Code.Code != "E11.A" || len(e.Changes) != 1 || len(e.Siblings) != 2 {
		t.Errorf("show --json gives %+v, %v", e, err)
	}
	for _, test := range []struct {
		status int
		args   []string
	}{
		{1, []string{"show", "E11.99"}}, {1, []string{"search", "x", "--system", "HCPCS"}}, {1, []string{"show", "x", "--system", "CPT"}},
		{2, []string{"search", "x", "--system", "ICD-11"}}, {2, []string{"search", "x", "--limit", "0"}}, {2, []string{"search", " "}},
		{2, []string{"search"}}, {2, []string{"show"}}, {2, []string{"show", "I10", "--date", "tomorrow"}},
	} {
		if _, status := s.run(append([]string{"codeset"}, test.args...)...); status != test.status {
			t.Errorf("codeset %v ends with %d, want %d", test.args, status, test.status)
		}
	}
}
