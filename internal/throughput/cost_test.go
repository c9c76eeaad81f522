package throughput_test

import (
	"fmt"
	"math"
	"testing"

	"chartcode/internal/chart"
)

// Of more models than a chart can show, the dearest are drawn alone and the rest
// together, and nothing of what they cost is lost.
func TestManyModelsAreDrawn(t *testing.T) {
	t.Parallel()
	m := newMonth(t)
	conn := m.owner()
	// Model 0 is the cheapest, model 7 the dearest.
	if _, err := conn.Exec(t.Context(), `UPDATE suggestion_sets SET model = 'model-' || id % 8, cost_usd = 0.001 * (1 + id % 8) WHERE NOT degraded`); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Rebuild(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	report, err := m.Report(t.Context(), m.FilterOf(nil))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range report.Sections {
		if s.ID != "cost" {
			continue
		}
		drawn, table := s.Charts[1], s.Tables[1]
		var names []string
		for _, series := range drawn.Series {
			names = append(names, series.Name)
		}
		if want := "[model-3 model-4 model-5 model-6 model-7 others]"; len(names) > chart.MaxSeries || fmt.Sprint(names) != want {
			t.Errorf("the series are %v, want %s", names, want)
		}
		total := 0.0
		for i, row := range table.Rows {
			day, all := 0.0, 0.0
			for _, cell := range row[2 : len(row)-1] {
				all += cell.X
			}
			for _, series := range drawn.Series {
				day += series.Values[i]
			}
			if total += day; math.Abs(day-all) > 1e-9 {
				t.Errorf("%s cost %v and %v is drawn", row[0].Words, all, day)
			}
		}
		if total == 0 {
			t.Error("nothing was drawn")
		}
		return
	}
	t.Error("there is no section of cost")
}
