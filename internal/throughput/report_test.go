package throughput_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"chartcode/internal/throughput"
)

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
