package throughput_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"chartcode/internal/coding"
)

// The query that the documentation offers gives what the page shows.
func TestTheDocumentedQuery(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/throughput.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```sql\n")
	query, _, found := strings.Cut(rest, "```")
	if !found {
		t.Fatal("the documentation has no query")
	}
	m := newMonth(t)
	if _, err := m.Rebuild(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	rows, err := m.owner().Query(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][2]float64{}
	var day time.Time
	var in, out int64
	if _, err := pgx.ForEachRow(rows, []any{&day, &in, &out}, func() error {
		got[day.Format(time.DateOnly)] = [2]float64{float64(in), float64(out)}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	f := m.FilterOf(nil)
	f.From = coding.DateOf(m.result.From).AddDays(-1)
	report, err := m.Report(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for _, s := range report.Sections {
		for _, table := range s.Tables {
			if table.ID != "days" {
				continue
			}
			for _, row := range table.Rows {
				if want := [2]float64{row[1].X, row[4].X}; got[row[0].Words] != want {
					t.Errorf("on %s the query gives %v, the page %v", row[0].Words, got[row[0].Words], want)
				}
				compared++
			}
		}
	}
	if compared < len(got) || len(got) < 20 {
		t.Errorf("%d days were compared, the query has %d", compared, len(got))
	}
}
