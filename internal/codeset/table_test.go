package codeset

import (
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"chartcode/internal/coding"
	"chartcode/internal/testdata"
)

func smallTable() *Table {
	cm := func(code, title, parent string, billable bool) coding.Code {
		return coding.Code{System: coding.ICD10CM, Code: code, Title: title, Short: strings.ToUpper(title), Parent: parent, Billable: billable}
	}
	return NewTable(coding.Release{ID: "icd10cm-2026", System: coding.ICD10CM}, []coding.Code{
		cm("E11.21", "Nephropathy", "E11.2", true), cm("E11", "Type 2 diabetes", "", false), cm("E11.2", "Kidney", "E11", false),
		cm("E11.9", "Without complications", "E11", true), cm("E11.22", "Chronic kidney disease", "E11.2", true), cm("I10", "Hypertension", "", true),
	})
}

func codesOnly(list []coding.Code) []string {
	var out []string
	for _, c := range list {
		out = append(out, c.Code)
	}
	return out
}

func TestTable(t *testing.T) {
	table := smallTable()
	if table.Len() != 6 || table.Release().ID != "icd10cm-2026" {
		t.Errorf("%d codes of %s", table.Len(), table.Release().ID)
	}
	c, ok := table.Lookup("E11.22")
	want := coding.Code{System: coding.ICD10CM, Code: "E11.22", Title: "Chronic kidney disease", Short: "CHRONIC KIDNEY DISEASE", Billable: true, Parent: "E11.2"}
	if diff := cmp.Diff(want, c); !ok || diff != "" {
		t.Errorf("Lookup (-want +got):\n%s", diff)
	}
	if _, ok := table.Lookup("E1122"); ok {
		t.Error("a code without its dot was found")
	}
	for code, want := range map[string][]string{"E11": {"E11.21", "E11.22", "E11.9"}, "E11.2": {"E11.21", "E11.22"}, "I10": {"I10"}, "E1": nil, "E11.3": nil} {
		if diff := cmp.Diff(want, table.BillableUnder(code)); diff != "" {
			t.Errorf("BillableUnder(%s) (-want +got):\n%s", code, diff)
		}
	}
	if table.Billable("E11") || !table.Billable("I10") || table.Billable("X") {
		t.Error("Billable is wrong")
	}
	if p, ok := table.Parent("E11.21"); !ok || p.Code != "E11.2" {
		t.Errorf("Parent gives %q", p.Code)
	}
	if _, ok := table.Parent("E11"); ok {
		t.Error("a category has a parent")
	}
	if diff := cmp.Diff([]string{"E11.2", "E11.9"}, codesOnly(table.Children("E11"))); diff != "" {
		t.Errorf("Children (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"E11.21", "E11.22"}, codesOnly(table.Siblings("E11.22"))); diff != "" {
		t.Errorf("Siblings (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"E11", "E11.2", "E11.21", "E11.22", "E11.9", "I10"}, codesOnly(slices.Collect(table.All))); diff != "" {
		t.Errorf("All (-want +got):\n%s", diff)
	}
	if NewTable(coding.Release{}, nil).Len() != 0 {
		t.Error("an empty table has codes")
	}
}

// Each code of the full table comes back as it was read, and the table stays
// under 25 MB.
func TestFullTable(t *testing.T) {
	c := official(t, "icd10cm-2026.zip")
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	table := NewTable(c.Release, c.Codes)
	runtime.GC()
	runtime.ReadMemStats(&after)
	if size := int64(after.HeapAlloc) - int64(before.HeapAlloc); size > 25<<20 {
		t.Errorf("the table takes %d bytes", size)
	} else {
		t.Logf("the table takes %d bytes", size)
	}
	for _, want := range c.Codes {
		if got, ok := table.Lookup(want.Code); !ok || got != want {
			t.Fatalf("Lookup(%s) gives %+v, want %+v", want.Code, got, want)
		}
		if want.Billable != (len(table.Children(want.Code)) == 0) {
			t.Errorf("%s is billable: %v, and has %d children", want.Code, want.Billable, len(table.Children(want.Code)))
		}
	}
	if n := len(table.BillableUnder("S52")); n < 2000 {
		t.Errorf("S52 has %d billable codes", n)
	}
	runtime.KeepAlive(c)
}

func BenchmarkNewTable(b *testing.B) {
	c := official(b, "icd10cm-2026.zip")
	b.ReportAllocs()
	for b.Loop() {
		NewTable(c.Release, c.Codes)
	}
}

func BenchmarkLookup(b *testing.B) {
	c := official(b, "icd10cm-2026.zip")
	table := NewTable(c.Release, c.Codes)
	for i := 0; b.Loop(); i++ {
		table.Lookup(c.Codes[i%len(c.Codes)].Code)
	}
}

// BenchmarkReadRelease reads what makes a release complete: codes, tabular
// list, index and tables.
func BenchmarkReadRelease(b *testing.B) {
	var paths []string
	for _, f := range []string{"icd10cm-2026.zip", "icd10cm-2021.zip", "icd10cm-index-2025.zip", "icd10cm-tables-2026.zip"} {
		paths = append(paths, testdata.Path(b, "codesets/"+f))
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ReadFiles(paths, ReadOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}
