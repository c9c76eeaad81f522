//go:build long

package web_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"chartcode/internal/coding"
	"chartcode/internal/simulate"
)

// TestLongThroughput measures the page of figures with a million notes, nearly all
// finished. It prints how long the page takes, and checks that it reads no events.
func TestLongThroughput(t *testing.T) {
	began := time.Now()
	s, r := invented(t, simulate.Config{Days: 500, Coders: 30, Notes: 1_000_000, Seed: 5})
	t.Logf("%d notes in %d encounters, finished %d times, and counted, in %.0f s", r.Notes, r.Items, r.Finished, time.Since(began).Seconds())
	if r.Notes < 999_000 {
		t.Fatalf("only %d notes", r.Notes)
	}
	b := s.as(coding.RoleManager)
	var all []time.Duration
	for _, q := range []string{"", "days=7", "days=90", "source=sim-north&setting=inpatient", "specialty=Internal+Medicine", "days=90&specialty=Internal+Medicine",
		"coder=sim-coder-03", "days=90&coder=" + r.Eager, "view=tables"} {
		var times []time.Duration
		for range 40 {
			start := time.Now()
			if a := b.get("/throughput?" + q); a.StatusCode != http.StatusOK {
				t.Fatalf("%s gave %d", q, a.StatusCode)
			}
			times = append(times, time.Since(start))
		}
		all = append(all, times...)
		t.Logf("%-45s %s", q, percentiles(times))
	}
	t.Logf("%-45s %s", "all", percentiles(all))
	for _, list := range []string{"finished", "too_late", "rejected", "backlog", "suggested&model=local@3"} {
		start := time.Now()
		b.get("/throughput/items?list="+list).wants(t, http.StatusOK)
		t.Logf("the list of %-30s %d ms", list, time.Since(start).Milliseconds())
	}
	figuresReadNoEvents(t, s, r)
}

func percentiles(times []time.Duration) string {
	slices.Sort(times)
	ms := func(i int) float64 { return float64(times[i].Microseconds()) / 1000 }
	return fmt.Sprintf("median %.0f ms, 95 %% %.0f ms, longest %.0f ms", ms(len(times)/2), ms(len(times)*95/100), ms(len(times)-1))
}
