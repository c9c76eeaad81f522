package codeset_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"chartcode/internal/codeset"
	"chartcode/internal/testdata"
)

func TestDiscoverFindsEveryReleaseFile(t *testing.T) {
	paths, err := codeset.Discover(testdata.Path(t, "codesets"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range paths {
		names = append(names, codeset.BaseName(p))
	}
	want := []string{"cms-hcc-v28-2026.csv", "hcpcs-level2-2024-07.csv", "icd10cm-2021.zip", "icd10cm-2025.zip", "icd10cm-2026.zip",
		"icd10cm-index-2025.zip", "icd10cm-tables-2026.zip", "icd10pcs-2026.zip", "mce-v41.1-2024.csv", "poa-exempt-2026.zip"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}
