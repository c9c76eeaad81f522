package recheck_test

import (
	"fmt"
	"testing"

	"chartcode/internal/codeset"
	"chartcode/internal/recheck"
)

const benchItems = 500

func benchSite(b *testing.B) (*fixture, *recheck.Checker, [2]string) {
	b.Helper()
	f := setUp(b)
	f.load(orderFile(b, "icd10cm-order-2026.txt", rows2026...), codeset.ReadOptions{})
	for i := range benchItems {
		f.save(fmt.Sprint("N-", i), fmt.Sprint("e", i), november, "", "J98.1", "K52.9", "M25.5", "I10")
	}
	files := [2]string{orderFile(b, "icd10cm-order-2027.txt", rows2027...), orderFile(b, "icd10cm-order-2027.txt", rows2027[1:]...)}
	return f, newChecker(b, f.store, 0), files
}

// BenchmarkDue checks 500 open items of which each has something to say.
func BenchmarkDue(b *testing.B) {
	f, c, files := benchSite(b)
	for i := 0; b.Loop(); i++ {
		b.StopTimer()
		f.load(files[i%2], codeset.ReadOptions{})
		b.StartTimer()
		if n, err := c.Due(b.Context(), nil); err != nil || n != benchItems {
			b.Fatalf("%d items were checked: %v", n, err)
		}
	}
	b.ReportMetric(float64(benchItems*b.N)/b.Elapsed().Seconds(), "items/s")
}

// BenchmarkNothingDue is what serve does every few seconds.
func BenchmarkNothingDue(b *testing.B) {
	f, c, files := benchSite(b)
	f.load(files[0], codeset.ReadOptions{})
	if _, err := c.Due(b.Context(), nil); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if n, err := c.Due(b.Context(), nil); err != nil || n != 0 {
			b.Fatalf("%d items were due: %v", n, err)
		}
	}
}
