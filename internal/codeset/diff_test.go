package codeset

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"chartcode/internal/coding"
	"chartcode/internal/testdata"
)

func TestCompare(t *testing.T) {
	c := func(code, title string, billable bool) coding.Code {
		return coding.Code{Code: code, Title: title, Billable: billable}
	}
	got := Compare(
		[]coding.Code{c("A", "a", true), c("B", "b", true), c("C", "c", false), c("D", "d", true), c("E", "e", true)},
		[]coding.Code{c("F", "f", false), c("E", "e", true), c("C", "c", true), c("B", "bb", false), c("A", "a!", true)},
	)
	want := []Change{
		{Added, "F", false, "", "f"}, {Deleted, "D", true, "d", ""}, {Retitled, "A", true, "a", "a!"}, {Retitled, "B", false, "b", "bb"},
		{MadeHeader, "B", false, "b", "bb"}, {MadeBillable, "C", true, "c", "c"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[ChangeKind]int{Added: 1, Deleted: 1, Retitled: 2, MadeHeader: 1, MadeBillable: 1}, Count(got)); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	if n := len(Compare(nil, nil)); n != 0 {
		t.Errorf("%d changes of nothing", n)
	}
}

// The counts agree with a reading of the two files that shares nothing with the reader.
func TestCompareCountsAsAPlainReadingDoes(t *testing.T) {
	plain := func(year string) map[string][2]string {
		rows := map[string][2]string{}
		text := string(unzip(t, testdata.Path(t, "codesets/icd10cm-"+year+".zip"), "icd10cm-order-"+year+".txt"))
		for _, line := range strings.Split(text, "\n") {
			if r := []rune(strings.TrimRight(line, "\r\n")); len(r) > 77 {
				rows[strings.TrimSpace(string(r[6:13]))] = [2]string{string(r[14]), strings.TrimSpace(string(r[77:]))}
			}
		}
		return rows
	}
	old, current := plain("2025"), plain("2026")
	want := map[ChangeKind]int{}
	for code, row := range current {
		was, there := old[code]
		if !there {
			want[Added]++
			continue
		}
		if was[1] != row[1] {
			want[Retitled]++
		}
		switch was[0] + row[0] {
		case "10":
			want[MadeHeader]++
		case "01":
			want[MadeBillable]++
		}
	}
	for code := range old {
		if _, there := current[code]; !there {
			want[Deleted]++
		}
	}
	want[MadeBillable] += 0 // a kind without changes is counted too
	got := Count(Compare(official(t, "icd10cm-2025.zip").Codes, official(t, "icd10cm-2026.zip").Codes))
	t.Logf("from 2025 to 2026: %v", got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	if got[Added] < 400 || got[Deleted] < 10 || got[MadeHeader] < 10 {
		t.Errorf("few changes: %v", got)
	}
}
