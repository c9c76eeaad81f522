//go:build long

package measure

import "testing"

// TestLongCoverage: the 95% interval of a paired difference holds the true one
// in 93.5% to 96.5% of 2,000 datasets of 200 notes.
func TestLongCoverage(t *testing.T) {
	for _, s := range simulations() {
		got := coverage(t, s, 2000, 200, 1000)
		t.Logf("true difference %+.4f: %.4f of 2,000 intervals hold it", s.difference(), got)
		if got < 0.935 || got > 0.965 {
			t.Errorf("%.4f of the intervals hold the true difference %+.4f, want 0.935 to 0.965", got, s.difference())
		}
	}
}

// TestLongGatePower: of 200 candidates over 500 notes in which one code in ten
// changes, an equal one passes the default gate in at least 90%, one that is six
// points worse in at most 5%.
func TestLongGatePower(t *testing.T) { gatePower(t, 200) }
