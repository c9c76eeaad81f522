package throughput_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"chartcode/internal/coding"
	"chartcode/internal/store"
	"chartcode/internal/throughput"
)

// disturbed is a store in which all sums go while a report is being read.
type disturbed struct {
	*store.Store
	disturb func()
}

func (d disturbed) ReadThroughput(ctx context.Context, read func(coding.ThroughputReader) error) error {
	return d.Store.ReadThroughput(ctx, func(r coding.ThroughputReader) error { return read(disturbedReader{r, d.disturb}) })
}

type disturbedReader struct {
	coding.ThroughputReader
	disturb func()
}

func (r disturbedReader) PlacedCells(ctx context.Context, q coding.ThroughputQuery) (coding.Cells, error) {
	r.disturb()
	return r.ThroughputReader.PlacedCells(ctx, q)
}

// A report is of one moment: what is counted while it is read is not in it.
func TestAReportIsOfOneMoment(t *testing.T) {
	t.Parallel()
	m := newMonth(t)
	if _, err := m.Rebuild(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	conn := m.owner()
	disturb := func() {
		if _, err := conn.Exec(t.Context(), `WITH c AS (DELETE FROM throughput_cells), n AS (DELETE FROM throughput_rounds) SELECT`); err != nil {
			t.Error(err)
		}
	}
	figures := func(s *throughput.Service) string {
		t.Helper()
		report, err := s.Report(t.Context(), s.FilterOf(nil))
		if err != nil {
			t.Fatal(err)
		}
		out := ""
		for _, section := range report.Sections {
			for _, f := range section.Figures {
				out += f.ID + " " + f.Value.String() + "\n"
			}
			for _, table := range section.Tables {
				for _, row := range table.Rows {
					for _, cell := range row {
						out += cell.String() + " "
					}
					out += "\n"
				}
			}
		}
		return out
	}
	want := figures(m.Service)
	got := figures(m.service(func(c *throughput.Config) { c.Store = disturbed{m.store, disturb} }))
	if got != want {
		t.Errorf("read while sums went it says\n%s\nand before\n%s", got, want)
	}
	if after := figures(m.Service); after == want {
		t.Error("the sums did not go")
	}
}

// That the queue is away costs one figure, and the log says why.
func TestDeadLettersThatCannotBeCounted(t *testing.T) {
	t.Parallel()
	m := newMonth(t)
	var log bytes.Buffer
	s := m.service(func(c *throughput.Config) {
		c.Logger = slog.New(slog.NewTextHandler(&log, nil))
		c.Dead = func(context.Context) (int, time.Time, error) { return 0, time.Time{}, errors.New("the queue is away") }
	})
	report, err := s.Report(t.Context(), s.FilterOf(nil))
	if err != nil {
		t.Fatal(err)
	}
	shown := ""
	for _, f := range report.Sections[0].Figures {
		if f.ID == "dead" {
			shown = f.Value.String()
		}
	}
	if shown != "–" || !strings.Contains(log.String(), "the queue is away") {
		t.Errorf("the page shows %q, the log says %q", shown, log.String())
	}
}
