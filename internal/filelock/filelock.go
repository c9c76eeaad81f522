// Package filelock locks files between processes with flock(2). The system drops such a lock when its
// process ends, however it ends, so a lock never outlives a kill -9. Files stay where they are: removing
// a lock file would let two processes hold "the" lock on two different files.
package filelock

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// ErrHeld: somebody else holds the lock.
var ErrHeld = errors.New("the lock is held by another process")

// pollEvery is how often a waiting process looks again. flock cannot wait with a deadline.
const pollEvery = 20 * time.Millisecond

// Mode says who else may hold a lock at the same time.
type Mode int

const (
	// Exclusive: nobody.
	Exclusive Mode = syscall.LOCK_EX
	// Shared: anybody who takes it shared.
	Shared Mode = syscall.LOCK_SH
)

// Lock is a lock that is held. Two locks of one process on one file exclude each other as those of two
// processes do.
type Lock struct {
	file *os.File
}

// Try takes the lock on path, which is made (mode 0600) when missing, or returns ErrHeld at once.
func Try(path string, mode Mode) (*Lock, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open lock file: %w", err)
	}
	l := &Lock{file: file}
	if err := l.Change(mode); err != nil {
		_ = file.Close() // nothing was written
		return nil, err
	}
	return l, nil
}

// Wait takes the lock on path as Try does, waiting for it until ctx is done.
func Wait(ctx context.Context, path string, mode Mode) (*Lock, error) {
	for {
		lock, err := Try(path, mode)
		if !errors.Is(err, ErrHeld) {
			return lock, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for lock: %w", context.Cause(ctx))
		case <-time.After(pollEvery):
		}
	}
}

// Change turns a shared lock into an exclusive one or the other way round, or returns ErrHeld at once.
// The change is not atomic: when it returns ErrHeld, the lock may be lost; release it then.
func (l *Lock) Change(mode Mode) error {
	for {
		err := syscall.Flock(int(l.file.Fd()), int(mode)|syscall.LOCK_NB)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EWOULDBLOCK):
			return ErrHeld
		default:
			return fmt.Errorf("lock file: %w", err)
		}
	}
}

// Release gives the lock up. It may be called more than once, and on nil.
func (l *Lock) Release() {
	if l != nil && l.file != nil {
		// Closing is not enough: a process that is being started at this moment has the file open as well until
		// its own program runs.
		_ = syscall.Flock(int(l.file.Fd()), syscall.LOCK_UN)
		_ = l.file.Close() // nothing was written
		l.file = nil
	}
}
