package store_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"chartcode/internal/coding"
	"chartcode/internal/store/storetest"
)

// BenchmarkSaveResult saves new notes of 3 kB with ten suggestions and fifty
// candidates, by as many at once as there are cores, three notes to an
// encounter.
func BenchmarkSaveResult(b *testing.B) {
	s := storetest.New(b)
	text := strings.Repeat("Patient with hypertension. ", 115)
	var found []coding.Suggestion
	for i := range 10 {
		found = append(found, suggestion(fmt.Sprintf("I1%d", i), i+1, 0.9))
	}
	candidates := make([]coding.Candidate, 50)
	for i := range candidates {
		candidates[i] = coding.Candidate{System: coding.ICD10CM, Code: fmt.Sprintf("A%02d", i), Rank: i + 1, RetrievalScore: 0.5}
	}
	var count atomic.Int64
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			i := int(count.Add(1))
			n := note(fmt.Sprint("D-", i), fmt.Sprint("E-", i/3))
			n.Text = text
			r := result(n, i, found...)
			r.Set.Candidates = candidates
			if _, err := s.SaveResult(b.Context(), r); err != nil {
				b.Fatal(err)
			}
		}
	})
}
