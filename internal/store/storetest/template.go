package storetest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"chartcode/internal/testdata"
	"chartcode/internal/testpg"
)

// Template is a database that is filled once in a test binary and copied for each
// test that asks for one, where filling it takes far longer than copying it. With a
// Name it stays for as long as the server runs, for all test binaries that have one of
// that name: whichever comes first fills it.
type Template struct {
	Name string   // letters; empty: the test binary's own
	From []string // with a name: folders of the repository whose files decide what it is filled with; when one changes it is filled anew

	mu     sync.Mutex
	base   string // the URL of the server's own database
	name   string // of the database
	shared string // of the copy that is shared
}

// Starter is a template for the starter set with its terms' vectors. Several test binaries
// need it, and indexing the vectors takes PostgreSQL a quarter of a minute.
var Starter = Template{Name: "starter", From: []string{"internal/catalog", "internal/codeset", "internal/embedding", "internal/lexicon", "internal/store"}}

// URL gives the URL of a copy, dropped when the test ends. The first call has fill
// write what the copies begin with to the database at the URL that it is given;
// nothing may be connected to that database once fill returns. A fill that fails
// ends its test, and the next call fills anew.
func (m *Template) URL(t testing.TB, fill func(databaseURL string)) string {
	t.Helper()
	m.ready(t, fill)
	name := randomName()
	execute(t.Context(), t, m.base, m.copied(name))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute) // the test's own has ended
		defer cancel()
		execute(ctx, t, m.base, "DROP DATABASE "+name+" WITH (FORCE)")
	})
	return inDatabase(t, m.base, name)
}

// Shared gives the URL of one copy for all tests of the binary that only read.
func (m *Template) Shared(t testing.TB, fill func(databaseURL string)) string {
	t.Helper()
	m.ready(t, fill)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.shared == "" {
		name := randomName()
		execute(t.Context(), t, m.base, m.copied(name))
		m.shared = name
	}
	return inDatabase(t, m.base, m.shared)
}

func (m *Template) copied(to string) string {
	return "CREATE DATABASE " + to + " TEMPLATE " + m.name + " STRATEGY FILE_COPY"
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
	if m.Name == "" {
		m.name = m.filled(t, fill)
		return
	}
	conn, err := pgx.Connect(t.Context(), m.base)
	if err != nil {
		t.Fatalf("cannot reach the test database: %v", err)
	}
	defer conn.Close(context.Background()) // and with it the lock, also where the test ends in fill
	prefix := "kept_" + m.Name + "_"
	name := prefix + m.digest(t)
	if _, err := conn.Exec(t.Context(), "SELECT pg_advisory_lock(hashtext($1))", prefix); err != nil {
		t.Fatalf("wait for who fills a template: %v", err)
	}
	rows, _ := conn.Query(t.Context(), "SELECT datname FROM pg_database WHERE starts_with(datname, $1)", prefix)
	kept, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatalf("look for a template: %v", err)
	}
	if !slices.Contains(kept, name) {
		for _, old := range kept {
			execute(t.Context(), t, m.base, "DROP DATABASE "+old+" WITH (FORCE)")
		}
		execute(t.Context(), t, m.base, "ALTER DATABASE "+m.filled(t, fill)+" RENAME TO "+name)
	}
	m.name = name
}

// filled fills a new database and gives its name.
func (m *Template) filled(t testing.TB, fill func(databaseURL string)) string {
	t.Helper()
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
	filled = true
	return name
}

// digest of the files that decide what the template is filled with.
func (m *Template) digest(t testing.TB) string {
	t.Helper()
	h := sha256.New()
	root := os.DirFS(testdata.Repository(t))
	for _, folder := range m.From {
		err := fs.WalkDir(root, folder, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || strings.HasSuffix(path, "_test.go") {
				return err
			}
			b, err := fs.ReadFile(root, path)
			fmt.Fprintf(h, "%s %d\n", path, len(b))
			h.Write(b)
			return err
		})
		if err != nil {
			t.Fatalf("read what a template is filled from: %v", err)
		}
	}
	return hex.EncodeToString(h.Sum(nil))[:16]
}

// Close drops what the test binary alone has; TestMain calls it when all tests have ended.
func (m *Template) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	var gone []string
	if m.shared != "" {
		gone = append(gone, m.shared)
	}
	if m.name != "" && m.Name == "" {
		gone = append(gone, m.name)
	}
	m.name, m.shared = "", ""
	var all error
	for _, name := range gone {
		all = errors.Join(all, m.drop(name))
	}
	return all
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
