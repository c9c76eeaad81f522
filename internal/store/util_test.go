package store_test

import (
	"chartcode/internal/coding"
	"chartcode/internal/store"

	"net/url"
	"testing"
)

// withUser gives the database URL for another user.
func withUser(t testing.TB, databaseURL, user, password string) string {
	t.Helper()
	u, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatal("the test database's URL cannot be read")
	}
	u.User = url.UserPassword(user, password)
	return u.String()
}

func putVectors(t testing.TB, s *store.Store, model string, terms []coding.Term) {
	t.Helper()
	var rows []store.TextVector
	seen := map[int64]bool{}
	for i, term := range terms {
		if id := store.TextID(term.Text); !seen[id] {
			seen[id] = true
			rows = append(rows, store.TextVector{TextID: id, Embedding: []float32{1, float32(i), 0, 0}})
		}
	}
	if err := s.PutVectors(t.Context(), model, rows); err != nil {
		t.Fatal(err)
	}
}
