package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/tern/v2/migrate"
)

// What a caller must tell apart.
var (
	// ErrNotFound: what was asked for is not there.
	ErrNotFound = errors.New("not found")
	// ErrConflict: somebody else changed it first, or it already exists.
	ErrConflict = errors.New("changed by somebody else in the meantime")
	// ErrUnavailable: the database cannot do it now; the same call may succeed later.
	ErrUnavailable = errors.New("the database is not available")
	// ErrNotMigrated: the schema is not the one that this program needs.
	ErrNotMigrated = errors.New("the database needs `chartcode migrate`")
)

// Error is a failed database operation. It names what was tried, PostgreSQL's
// error code and the constraint or table concerned, and holds no values: the
// server's own message and detail can quote rows, which here are health data.
type Error struct {
	Op         string // what was tried, such as "save result"
	Code       string // SQLSTATE; empty when the server did not answer
	Constraint string
	Table      string
	kind       error // one of the sentinels, or nil
	refused    bool  // the server did nothing of what it was asked for in one transaction
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("store: ")
	b.WriteString(e.Op)
	if e.kind != nil {
		b.WriteString(": ")
		b.WriteString(e.kind.Error())
	}
	if e.Code != "" {
		fmt.Fprintf(&b, ": PostgreSQL error %s", e.Code)
	}
	if e.Constraint != "" {
		fmt.Fprintf(&b, ", constraint %s", e.Constraint)
	}
	if e.Table != "" {
		fmt.Fprintf(&b, ", table %s", e.Table)
	}
	return b.String()
}

// SQLState is PostgreSQL's code, for the list of recent errors.
func (e *Error) SQLState() string { return e.Code }

// Unwrap gives ErrNotFound, ErrConflict, ErrUnavailable, or nil.
func (e *Error) Unwrap() error { return e.kind }

// wrap makes err, which may come from pgx, fit to leave the package: it keeps
// our own errors and those of the context, and of everything else only what
// cannot hold a value.
func wrap(op string, err error) error {
	if err == nil {
		return nil
	}
	var own *Error
	if errors.As(err, &own) {
		return err
	}
	for _, known := range []error{ErrNotFound, ErrConflict, ErrUnavailable, ErrNotMigrated} {
		if errors.Is(err, known) {
			return fmt.Errorf("store: %s: %w", op, err)
		}
	}
	var plain *plainError
	if errors.As(err, &plain) {
		return fmt.Errorf("store: %s: %w", op, plain)
	}
	// Before the server's error, which for a call that was given up is only
	// that the query was cancelled.
	for _, ended := range []error{context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, ended) {
			return fmt.Errorf("store: %s: %w", op, ended)
		}
	}
	if pg := pgError(err); pg != nil {
		return &Error{Op: op, Code: pg.Code, Constraint: pg.ConstraintName, Table: pg.TableName, kind: kindOf(pg.Code), refused: refused(pg)}
	}
	if errors.Is(err, pgx.ErrNoRows) {
		return &Error{Op: op, kind: ErrNotFound}
	}
	if connectionLost(err) {
		return &Error{Op: op, kind: ErrUnavailable}
	}
	return fmt.Errorf("store: %s: unexpected error of type %T", op, err)
}

// givenUp is err, unless the caller gave up and the server cancelled a statement for that: the server says of it what
// it says of its own time limit.
func givenUp(ctx context.Context, err error) error {
	if pg := pgError(err); pg != nil && pg.Code == codeCancelled && errors.Is(ctx.Err(), context.Canceled) {
		return ctx.Err()
	}
	return err
}

const codeCancelled = "57014"

// plainError is a message of ours that holds no values and may be shown.
type plainError struct{ message string }

func (e *plainError) Error() string { return e.message }

func plainf(format string, args ...any) error {
	return &plainError{fmt.Sprintf(format, args...)}
}

func pgError(err error) *pgconn.PgError {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg
	}
	var m migrate.MigrationPgError
	if errors.As(err, &m) {
		return m.PgError
	}
	return nil
}

// refused reports whether the server did nothing of what it was asked for in one
// transaction, and said so: of a connection that ended nobody knows.
func refused(err error) bool {
	var own *Error
	if errors.As(err, &own) {
		return own.refused
	}
	pg := pgError(err)
	return pg != nil && pg.SeverityUnlocalized == "ERROR"
}

// failsAll reports whether err is not of what was asked for, but of a database that
// does nothing just now.
func failsAll(err error) bool {
	pg := pgError(err)
	if pg == nil {
		return err != nil
	}
	return errors.Is(kindOf(pg.Code), ErrUnavailable) && !strings.HasPrefix(pg.Code, "40") // who met another's work
}

// kindOf sorts PostgreSQL's error codes (Appendix A of its manual).
func kindOf(code string) error {
	switch {
	case strings.HasPrefix(code, "08"), // connection exception
		strings.HasPrefix(code, "53"),    // insufficient resources: connections, memory, disk
		strings.HasPrefix(code, "57P"),   // shutdown, starting up, terminated
		strings.HasPrefix(code, "58"),    // system error
		code == "40001", code == "40P01", // serialization failure, deadlock
		code == "55P03",       // lock not available
		code == codeCancelled, // by a statement timeout or an administrator
		code == "25006",       // read-only: a standby just before or after a switch
		code == "25P03":       // idle in transaction for too long
		return ErrUnavailable
	case code == "23505": // unique violation
		return ErrConflict
	}
	return nil
}

func connectionLost(err error) bool {
	var connect *pgconn.ConnectError
	var network net.Error
	var op *net.OpError
	return errors.As(err, &connect) || errors.As(err, &network) || errors.As(err, &op) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		pgconn.SafeToRetry(err) || strings.Contains(err.Error(), "conn closed") || strings.Contains(err.Error(), "closed pool")
}
