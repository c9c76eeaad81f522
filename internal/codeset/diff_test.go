package codeset

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"chartcode/internal/coding"
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
