package web_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"chartcode/internal/coding"
	"chartcode/internal/web"
)

// More models than a chart can show do not cost the page, and tables come without
// drawing anything.
func TestThroughputOfManyModels(t *testing.T) {
	t.Parallel()
	s, _ := monthSite(t)
	conn, err := pgx.Connect(t.Context(), s.url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), `UPDATE suggestion_sets SET model = 'model-' || id % 8, cost_usd = 0.001 * (1 + id % 8) WHERE NOT degraded`); err != nil {
		t.Fatal(err)
	}
	zone, err := time.LoadLocation("America/Chicago")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := figuresOf(t, &web.Config{Versions: s.store, Zone: zone, Now: time.Now}).Rebuild(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	manager := s.as(coding.RoleManager)
	manager.get("/throughput").wants(t, http.StatusOK, `aria-label="Cost of suggestions by day and model, US dollars"`, "</svg> others</li>")
	tables := manager.get("/throughput?view=tables")
	tables.wants(t, http.StatusOK, "model-0", "model-7")
	tables.lacks(t, `class="chart"`)
}
