package codeset

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"chartcode/internal/coding"
)

func hcpcsLine(code, seq, kind, long, short, ended string) string {
	line := fmt.Sprintf("%-5s%s%s%-80.80s%-28s", code, seq, kind, long, short)
	return fmt.Sprintf("%-284s%-8s", line, ended) + strings.Repeat(" ", 28) + "\r\n"
}

var smallHCPCS = hcpcsLine("   A1", "00010", "7", "Dressing for one wound", "", "") +
	hcpcsLine("A0021", "00100", "3", "Ambulance service, outside state per mile,", "Outside state ambulance serv", "") +
	hcpcsLine("A0021", "00110", "4", "transport (medicaid only)", "", "") +
	hcpcsLine("A0080", "00100", "3", "Ended before", "", "20230331") +
	hcpcsLine("A0080", "00110", "4", "and left out", "", "") +
	hcpcsLine("A0090", "00100", "3", "Ends later", "later", "20250101")

func TestHCPCSRecords(t *testing.T) {
	c := mustRead(t, "HCPC2024_JUL_ANWEB.txt", smallHCPCS)
	want := []coding.Code{
		{System: coding.HCPCS, Code: "A0021", Title: "Ambulance service, outside state per mile, transport (medicaid only)", Short: "Outside state ambulance serv", Billable: true},
		{System: coding.HCPCS, Code: "A0090", Title: "Ends later", Short: "later", Billable: true},
	}
	if diff := cmp.Diff(want, c.Codes); diff != "" {
		t.Errorf("codes (-want +got):\n%s", diff)
	}
	if r := c.Release; r.ID != "hcpcs-2024-07" || r.EffectiveFrom.String() != "2024-07-01" || r.Rows != 2 || len(c.Terms) != 2 {
		t.Errorf("release %+v, %d terms", r, len(c.Terms))
	}
	for data, want := range map[string]string{
		smallHCPCS + "A0100\n": "line 7: it is no record",
		smallHCPCS + hcpcsLine("A0021", "00100", "3", "again", "", ""): "line 7: the code A0021 is there a second time",
		hcpcsLine("A0021", "00100", "3", "", "short", ""):              "line 1: the code A0021 has no title",
		hcpcsLine("   A1", "00010", "7", "Dressing", "", ""):           "there is no code in it",
	} {
		if _, err := read(t, "HCPC2024_JUL_ANWEB.txt", data); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

func FuzzHCPCS(f *testing.F) { fuzzReader(f, "HCPC2024_JUL_ANWEB.txt", smallHCPCS) }
