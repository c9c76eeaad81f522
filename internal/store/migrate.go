package store

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/tern/v2/migrate"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

//go:embed access.sql
var accessSQL string

const (
	// migrationLock is held in the database while one process migrates.
	migrationLock = int64(0x6368617274636f64) // "chartcod"

	sqlLockSession   = `SELECT pg_advisory_lock($1)`
	sqlUnlockSession = `SELECT pg_advisory_unlock($1)`
	sqlCurrentSchema = `SELECT current_schema()`
	sqlHasVersion    = `SELECT to_regclass(quote_ident(current_schema()) || '.schema_version') IS NOT NULL`
	sqlVersion       = `SELECT version FROM schema_version`
)

const insufficientPrivilege = "42501"

var (
	migrationName = regexp.MustCompile(`^(\d{3})_[a-z0-9_]+\.sql$`)
	plainName     = regexp.MustCompile(`^[a-z_][a-z0-9_]*$`)
)

type migrationFile struct {
	number int
	name   string
	sql    string
}

// MigrationsDigest is the hex SHA-256 of the migrations and rights that this program
// has: two programs with the same make the same schema.
func MigrationsDigest() string {
	h := sha256.New()
	files, err := migrations()
	if err != nil {
		return "" // Migrate says so
	}
	for _, f := range files {
		fmt.Fprintf(h, "%s %d %s", f.name, len(f.sql), f.sql)
	}
	h.Write([]byte(accessSQL))
	return hex.EncodeToString(h.Sum(nil))
}

// migrations gives the embedded migrations in the order of their numbers.
func migrations() ([]migrationFile, error) {
	entries, err := fs.ReadDir(migrationFiles, "migrations")
	if err != nil {
		return nil, err
	}
	var files []migrationFile
	for _, e := range entries {
		m := migrationName.FindStringSubmatch(e.Name())
		if m == nil {
			return nil, plainf("migration %s is not named NNN_name.sql", e.Name())
		}
		number, err := strconv.Atoi(m[1])
		if err != nil {
			return nil, err
		}
		body, err := migrationFiles.ReadFile("migrations/" + e.Name())
		if err != nil {
			return nil, err
		}
		files = append(files, migrationFile{number, e.Name(), string(body)})
	}
	slices.SortFunc(files, func(a, b migrationFile) int { return a.number - b.number })
	for i := 1; i < len(files); i++ {
		if files[i].number == files[i-1].number {
			return nil, plainf("two migrations have the number %03d", files[i].number)
		}
	}
	return files, nil
}

// Migrate brings the schema up to what this program needs, as the user of the
// URL, who must own it. Several processes may do it at once: one works, the
// others wait and find it done. progress, which may be nil, is told the name
// of each migration before it runs. Afterwards it makes the role chartcode_app
// and gives it its rights; where that is not allowed it logs what to do, and
// the program works with the rights of the user.
func (s *Store) Migrate(ctx context.Context, progress func(name string)) error {
	return wrap("migrate", s.migrate(ctx, progress))
}

func (s *Store) migrate(ctx context.Context, progress func(name string)) error {
	files, err := migrations()
	if err != nil {
		return err
	}
	cc := s.pool.Config().ConnConfig.Copy()
	cc.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) {
		if n.Severity == "WARNING" {
			s.log.Warn("database migration", "notice", n.Message)
		}
	}
	conn, err := pgx.ConnectConfig(ctx, cc)
	if err != nil {
		return err
	}
	// Closing the connection also gives up the lock.
	defer conn.Close(context.WithoutCancel(ctx))

	if _, err := conn.Exec(ctx, sqlLockSession, migrationLock); err != nil {
		return err
	}
	var schema *string
	if err := conn.QueryRow(ctx, sqlCurrentSchema).Scan(&schema); err != nil {
		return err
	}
	if schema == nil || !plainName.MatchString(*schema) {
		return plainf("the first schema on the search_path must exist and have a plain name")
	}
	m, err := migrate.NewMigrator(ctx, conn, *schema+".schema_version")
	if pg := pgError(err); pg != nil && pg.Code == insufficientPrivilege {
		return plainf("this user may not make tables in the schema %s; migrate as its owner, or let an administrator run GRANT CREATE ON SCHEMA %s TO the user", *schema, *schema)
	}
	if err != nil {
		return err
	}
	for _, f := range files {
		m.AppendMigration(f.name, f.sql, "")
	}
	done, err := m.GetCurrentVersion(ctx)
	if err != nil {
		return err
	}
	if int(done) > len(files) {
		return fmt.Errorf("%w: it was migrated by a newer chartcode", ErrNotMigrated)
	}
	m.OnStart = func(_ int32, name, _, _ string) {
		s.log.Info("migrating the database", "migration", name)
		if progress != nil {
			progress(name)
		}
	}
	if err := m.Migrate(ctx); err != nil {
		return migrationError(err)
	}
	if _, err := conn.Exec(ctx, accessSQL); err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, sqlUnlockSession, migrationLock); err != nil {
		return err
	}
	if int(done) < len(files) {
		// Connections made before know neither the role nor pgvector's types.
		s.pool.Reset()
	}
	return nil
}

// migrationError says which migration failed; the frequent case, pgvector
// missing on the server, in words.
func migrationError(err error) error {
	var pg migrate.MigrationPgError
	if !errors.As(err, &pg) {
		return err
	}
	if strings.HasPrefix(pg.MigrationName, "001_") {
		switch pg.Code {
		case "0A000", "58P01", "22023": // extension not available on this server
			return plainf("the PostgreSQL server has no pgvector; install it there (`make setup` does on this machine)")
		case insufficientPrivilege:
			return plainf("this user may not create the extension vector; let an administrator run CREATE EXTENSION vector; in this database")
		}
	}
	return &Error{Op: "migrate: " + pg.MigrationName, Code: pg.Code, Constraint: pg.ConstraintName, Table: pg.TableName, kind: kindOf(pg.Code)}
}

// Version is the number of migrations applied (0 for none) and the number that
// this program has.
func (s *Store) Version(ctx context.Context) (applied, known int, err error) {
	files, err := migrations()
	if err != nil {
		return 0, 0, err
	}
	var there bool
	if err := s.pool.QueryRow(ctx, sqlHasVersion).Scan(&there); err != nil {
		return 0, 0, wrap("read schema version", err)
	}
	if there {
		if err := s.pool.QueryRow(ctx, sqlVersion).Scan(&applied); err != nil {
			return 0, 0, wrap("read schema version", err)
		}
	}
	return applied, len(files), nil
}

// CheckMigrated returns ErrNotMigrated unless the schema is the one that this
// program needs.
func (s *Store) CheckMigrated(ctx context.Context) error {
	applied, known, err := s.Version(ctx)
	switch {
	case err != nil:
		return err
	case applied > known:
		return fmt.Errorf("store: %w: it was migrated by a newer chartcode; use that version", ErrNotMigrated)
	case applied < known:
		return fmt.Errorf("store: %w: it has %d of %d migrations", ErrNotMigrated, applied, known)
	}
	return nil
}
