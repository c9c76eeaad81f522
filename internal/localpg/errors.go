package localpg

import (
	"errors"
	"fmt"
	"strings"
)

// What can be wrong in a way that the user can do something about. Each error returned by Start that
// wraps one of them has a text of one sentence that says what to do.
var (
	// ErrNotInstalled: no PostgreSQL 15 or newer on this machine.
	ErrNotInstalled = errors.New("PostgreSQL is not installed")
	// ErrNoVector: PostgreSQL is there, pgvector is not.
	ErrNoVector = errors.New("pgvector is not installed")
	// ErrVersion: the data was made by a PostgreSQL version that is not installed.
	ErrVersion = errors.New("wrong PostgreSQL version")
	// ErrDiskFull: no space is left for the data.
	ErrDiskFull = errors.New("disk full")
	// ErrBroken: the folder holds something that PostgreSQL cannot start from.
	ErrBroken = errors.New("broken database folder")
	// ErrAccess: the folder cannot be used with the permissions that there are.
	ErrAccess = errors.New("no access to the database folder")
)

// problem is an error for users: it prints its sentence and unwraps to a sentinel.
type problem struct {
	kind     error
	sentence string
}

func (p *problem) Error() string { return p.sentence }
func (p *problem) Unwrap() error { return p.kind }

func fail(kind error, format string, args ...any) error {
	return &problem{kind: kind, sentence: fmt.Sprintf(format, args...)}
}

// diskFull tells whether the output of initdb or the server says that the disk is full.
func diskFull(output string) bool {
	return strings.Contains(output, "No space left on device") || strings.Contains(output, "Disk quota exceeded")
}

func errDiskFull(dir string) error {
	return fail(ErrDiskFull, "the disk that holds %s is full: free some space and start again", dir)
}

// lastLine is the last line of a program's output that is not empty, without PostgreSQL's prefixes.
func lastLine(output string) string {
	lines := strings.Split(strings.TrimSpace(output), "\n")
	// The first FATAL line says the cause; what follows are consequences.
	for _, line := range lines {
		for _, mark := range []string{"FATAL:", "PANIC:", "error:"} {
			if _, after, found := strings.Cut(line, mark); found {
				return strings.TrimSpace(after)
			}
		}
	}
	return strings.TrimSpace(lines[len(lines)-1])
}
