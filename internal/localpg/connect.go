package localpg

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

var (
	// errGone: the server's process ended while it was waited for.
	errGone = errors.New("the database's process ended")
	// errUnreachable: the server runs and nobody listens on its socket.
	errUnreachable = errors.New("the database's socket is gone")
)

// SQLSTATE codes that say more than "no" (PostgreSQL's appendix A).
const (
	cannotConnectNow   = "57P03" // starting, recovering or stopping
	tooManyConnections = "53300"
	duplicateDatabase  = "42P04"
	diskFullState      = "53100"
)

const (
	// A server that takes connections makes its socket early; one that has none for this long lost it.
	socketGrace = 3 * time.Second
	// After this long the user is told what is being waited for.
	recoveryNotice = 2 * time.Second
)

// waitReady returns when the server takes connections, or with errGone, errUnreachable, the end of ctx
// or an answer of the server that waiting will not change.
func (s *Server) waitReady(ctx context.Context, lives func() bool) error {
	began, told := time.Now(), false
	for {
		err := s.ping(ctx)
		var answer *pgconn.PgError
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.As(err, &answer):
			if answer.Code == tooManyConnections {
				return nil
			}
			if answer.Code != cannotConnectNow {
				// Only the code: the text is not ours to show.
				return fail(ErrAccess, "the database in %s refuses this user (SQLSTATE %s): use the user that created it, or another data directory", s.dir, answer.Code)
			}
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
			if lives() && time.Since(began) > socketGrace && readyOnce(s.data) {
				return errUnreachable
			}
		}
		if !lives() {
			return errGone
		}
		if !told && time.Since(began) > recoveryNotice {
			told = true
			s.config.Progress("waiting for the database to recover")
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pollEvery):
		}
	}
}

// readyOnce tells whether the server has announced that it takes connections.
func readyOnce(data string) bool {
	content, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	return err == nil && len(content) > 0 && pidFileStatus(string(content)) == "ready"
}

// ping connects once to the database that each server has.
func (s *Server) ping(ctx context.Context) error {
	return s.with(ctx, "postgres", func(*pgx.Conn) error { return nil })
}

// with runs do on a connection to one of the server's databases.
func (s *Server) with(ctx context.Context, database string, do func(*pgx.Conn) error) error {
	config, err := pgx.ParseConfig(s.urlOf(database))
	if err != nil {
		return fmt.Errorf("read the database's address: %w", err)
	}
	config.ConnectTimeout = 10 * time.Second
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	errDo := do(conn)
	errClose := conn.Close(context.WithoutCancel(ctx))
	if errDo != nil {
		return errDo
	}
	return errClose
}

const (
	sqlDatabaseExists = `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`
	sqlCreateDatabase = `CREATE DATABASE ` + database
	sqlCreateVector   = `CREATE EXTENSION IF NOT EXISTS vector`
)

// createDatabase makes the program's database and its extension when they are missing.
func (s *Server) createDatabase(ctx context.Context) error {
	err := s.with(ctx, "postgres", func(conn *pgx.Conn) error {
		var exists bool
		if err := conn.QueryRow(ctx, sqlDatabaseExists, database).Scan(&exists); err != nil || exists {
			return err
		}
		_, err := conn.Exec(ctx, sqlCreateDatabase)
		return err
	})
	if err == nil {
		err = s.with(ctx, database, func(conn *pgx.Conn) error {
			_, err := conn.Exec(ctx, sqlCreateVector)
			return err
		})
	}
	var answer *pgconn.PgError
	if errors.As(err, &answer) {
		if answer.Code == diskFullState {
			return errDiskFull(s.dir)
		}
		return fmt.Errorf("create the database: SQLSTATE %s", answer.Code)
	}
	if err != nil {
		return fmt.Errorf("create the database: %w", err)
	}
	return nil
}
