package storetest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"chartcode/internal/testpg"
)

// Template is a database that is filled once in a test binary and copied for each
// test that asks for one, where filling it takes far longer than copying it.
type Template struct {
	mu   sync.Mutex
	base string // the URL of the server's own database
	name string
}

// URL gives the URL of a copy, dropped when the test ends. The first call has fill
// write what the copies begin with to the database at the URL that it is given;
// nothing may be connected to that database once fill returns. A fill that fails
// ends its test, and the next call fills anew.
func (m *Template) URL(t testing.TB, fill func(databaseURL string)) string {
	t.Helper()
	m.ready(t, fill)
	name := randomName()
	execute(t.Context(), t, m.base, "CREATE DATABASE "+name+" TEMPLATE "+m.name+" STRATEGY FILE_COPY")
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute) // the test's own has ended
		defer cancel()
		execute(ctx, t, m.base, "DROP DATABASE "+name+" WITH (FORCE)")
	})
	return inDatabase(t, m.base, name)
}

// Shared gives the URL of what fill made itself, to tests that only read. A template that is shared
// cannot be copied any more, for which nobody may be connected to it.
func (m *Template) Shared(t testing.TB, fill func(databaseURL string)) string {
	t.Helper()
	m.ready(t, fill)
	return inDatabase(t, m.base, m.name)
}

// ready has the template filled by one test while others wait.
func (m *Template) ready(t testing.TB, fill func(databaseURL string)) {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock() // also where the test ends in fill
	if m.name != "" {
		return
	}
	m.base = testpg.URL(t)
	name := randomName()
	execute(t.Context(), t, m.base, "CREATE DATABASE "+name)
	filled := false
	defer func() {
		if !filled {
			_ = m.drop(name)
		}
	}()
	u := inDatabase(t, m.base, name)
	execute(t.Context(), t, u, "CREATE EXTENSION vector")
	fill(u)
	if t.Failed() {
		t.FailNow()
	}
	m.name, filled = name, true
}

// Close drops the template; TestMain calls it when all tests have ended.
func (m *Template) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.name == "" {
		return nil
	}
	name := m.name
	m.name = ""
	return m.drop(name)
}

func (m *Template) drop(name string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, m.base)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
	return err
}

func inDatabase(t testing.TB, base, name string) string {
	t.Helper()
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal("the test database's URL cannot be read")
	}
	u.Path = "/" + name
	return u.String()
}

// randomName is a name for a schema or a database.
func randomName() string {
	var random [8]byte
	rand.Read(random[:]) // never fails
	return "t_" + hex.EncodeToString(random[:])
}
