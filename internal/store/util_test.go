package store_test

import (
	"chartcode/internal/coding"
	"chartcode/internal/store"

	"net/url"
	"testing"
)

// asUser gives the database URL for a session that works as another user, whom
// the program cannot tell from one who signed in. The test
// server lets in only its owner, who may become anybody.
func asUser(t testing.TB, databaseURL, user string) string {
	t.Helper()
	u, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatal("the test database's URL cannot be read")
	}
	q := u.Query()
	q.Set("role", user)
	u.RawQuery = q.Encode()
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
