package datadir

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"time"

	"chartcode/internal/filelock"
	"chartcode/internal/localpg"
)

var (
	// ErrInUse: the directory cannot be reset, because another process uses it.
	ErrInUse = errors.New("data directory in use")
	// ErrUnusable: the directory cannot be a data directory. The error's text says why and what to do.
	ErrUnusable = errors.New("unusable data directory")
)

// leaveTimeout is far longer than another process takes to leave.
const leaveTimeout = 5 * time.Second

// Part is a folder in the data directory. Reset removes these and nothing else, so that a directory that
// holds other things as well loses none of them.
type Part string

// The parts of a data directory.
const (
	PartPostgres Part = "postgres"
	PartNATS     Part = "nats"
	PartCache    Part = "cache" // what can be made again
)

var parts = []Part{PartPostgres, PartNATS, PartCache}

// Config says which directory, and who is told what happens.
type Config struct {
	// Path is the data directory; empty means DefaultPath. It is made (mode 0700) when missing.
	Path string
	// Logger gets what an operator wants to know; nil discards it.
	Logger *slog.Logger
	// Progress is told in a few words about each step that may take longer than a second; may be nil.
	Progress func(string)
	// PostgresSettings are added to the private PostgreSQL's. For tests.
	PostgresSettings map[string]string
}

// Dir is a data directory that this process has open. Its methods may be called concurrently.
type Dir struct {
	config Config
	path   string

	// background is what runs until Close: the watch over PostgreSQL and the standby for NATS.
	background context.Context
	cancel     context.CancelFunc
	group      sync.WaitGroup

	mutex    sync.Mutex
	users    *filelock.Lock
	postgres *localpg.Server
	nats     *natsOwner // set when NATS runs in this process
	standing string     // address of the NATS server that this process stands by for
	closed   bool
}

// DefaultPath is the user's data directory for chartcode: below XDG_DATA_HOME, else ~/.local/share; on macOS
// ~/Library/Application Support.
func DefaultPath() (string, error) {
	if dir := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) { // the specification ignores relative ones
		return filepath.Join(dir, "chartcode"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", unusable("there is no home directory to keep data in: set CHARTCODE_DATA_DIR")
	}
	if runtime.GOOS == "darwin" {
		return filepath.Join(home, "Library", "Application Support", "chartcode"), nil
	}
	return filepath.Join(home, ".local", "share", "chartcode"), nil
}

// Open opens the data directory for this process. It waits while the last user of before stops, or while
// somebody resets the directory. The caller must Close it.
func Open(ctx context.Context, config Config) (*Dir, error) {
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	path, err := prepare(config.Path)
	if err != nil {
		return nil, err
	}
	d := &Dir{config: config, path: path}
	if d.users, err = filelock.Wait(ctx, d.file("users.lock"), filelock.Shared); err != nil {
		if errors.Is(err, syscall.ENOLCK) || errors.Is(err, syscall.ENOTSUP) || errors.Is(err, syscall.ENOSYS) {
			return nil, unusable("the disk of %s cannot lock files: use a data directory on a local disk", path)
		}
		return nil, fmt.Errorf("open the data directory: %w", err)
	}
	d.background, d.cancel = context.WithCancel(context.WithoutCancel(ctx))
	return d, nil
}

// prepare makes the directory and returns its one true name.
func prepare(path string) (string, error) {
	var err error
	if path == "" {
		if path, err = DefaultPath(); err != nil {
			return "", err
		}
	}
	if path, err = filepath.Abs(path); err != nil {
		return "", fmt.Errorf("find the data directory: %w", err)
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		switch {
		case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
			return "", unusable("the disk that holds %s is full: free some space and start again", path)
		case errors.Is(err, syscall.ENOTDIR), errors.Is(err, os.ErrExist):
			return "", unusable("%s is not a folder: set CHARTCODE_DATA_DIR to one", path)
		}
		return "", unusable("cannot make the data directory %s: set CHARTCODE_DATA_DIR to a folder where you may write", path)
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return "", fmt.Errorf("find the data directory: %w", err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("look at the data directory: %w", err)
	}
	if info.Mode().Perm()&0o002 != 0 {
		return "", unusable("everybody may write to the data directory %s, which holds patient data: use a private one", path)
	}
	probe, err := os.OpenFile(filepath.Join(path, "users.lock"), os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
			return "", unusable("the disk that holds %s is full: free some space and start again", path)
		}
		return "", unusable("cannot write to the data directory %s: set CHARTCODE_DATA_DIR to a folder where you may", path)
	}
	return path, probe.Close()
}

// unusableError is a sentence for the user.
type unusableError string

func (e unusableError) Error() string { return string(e) }
func (e unusableError) Unwrap() error { return ErrUnusable }

func unusable(format string, args ...any) error {
	return unusableError(fmt.Sprintf(format, args...))
}

// Path is the directory, absolute and without symbolic links.
func (d *Dir) Path() string { return d.path }

func (d *Dir) file(name string) string { return filepath.Join(d.path, name) }

// Folder makes a part of the directory (mode 0700) and returns its path.
func (d *Dir) Folder(part Part) (string, error) {
	if !slices.Contains(parts, part) {
		return "", fmt.Errorf("datadir: %q is no part of a data directory", part)
	}
	path := d.file(string(part))
	if err := os.MkdirAll(path, 0o700); err != nil {
		return "", fmt.Errorf("make a folder in the data directory: %w", err)
	}
	return path, nil
}

// Postgres returns the address of the directory's PostgreSQL. It runs until the last process that has the
// directory open closes it, and is started when it does not run; its errors are localpg.Start's. As long as
// this process has the directory open, a PostgreSQL that is killed is started again.
func (d *Dir) Postgres(ctx context.Context) (string, error) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if d.closed {
		return "", errClosed
	}
	if d.postgres != nil {
		return d.postgres.URL(), nil
	}
	ctx, done := d.untilClosed(ctx)
	defer done()
	server, err := localpg.Start(ctx, localpg.Config{
		Dir:      d.file(string(PartPostgres)),
		Logger:   d.config.Logger,
		Progress: d.config.Progress,
		Settings: d.config.PostgresSettings,
	})
	if err != nil {
		return "", err
	}
	d.postgres = server
	if err := d.announce("postgres", Endpoint{URL: server.URL(), PID: server.PID()}); err != nil {
		return "", err
	}
	d.group.Go(func() { server.Keep(d.background) })
	return server.URL(), nil
}

// untilClosed returns ctx that ends when Close is called as well.
func (d *Dir) untilClosed(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(d.background, func() { cancel(errClosed) })
	return ctx, func() { stop(); cancel(nil) }
}

var errClosed = errors.New("datadir: the directory was closed")

// Close ends this process's use of the directory: it stops NATS if that runs in this process, and PostgreSQL if
// nobody else has the directory open, or, with force, in any case. It returns within about 4 seconds after ctx
// has ended. Closing again does nothing.
func (d *Dir) Close(ctx context.Context, force bool) error {
	d.cancel()
	d.mutex.Lock()
	if d.closed {
		d.mutex.Unlock()
		return nil
	}
	d.closed = true
	d.mutex.Unlock()
	d.group.Wait() // without the mutex: the standby needs it
	errNATS := d.stopNATS(ctx)

	// Whoever holds this lock holds it for moments, because nobody is the last while this process is there; so an
	// end of ctx is no reason to go without having looked who is the last.
	wait, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTimeout)
	defer cancel()
	leave, err := filelock.Wait(wait, d.file("leave.lock"), filelock.Exclusive)
	if err != nil {
		d.users.Release()
		return errors.Join(errNATS, fmt.Errorf("close the data directory: %w", err))
	}
	defer leave.Release()
	defer d.users.Release()
	err = d.users.Change(filelock.Exclusive)
	if errors.Is(err, filelock.ErrHeld) {
		if !force {
			return errNATS
		}
	} else if err != nil {
		return errors.Join(errNATS, err)
	}
	return errors.Join(errNATS, d.stopPostgres(ctx))
}

// stopPostgres ends the directory's PostgreSQL, whoever started it.
func (d *Dir) stopPostgres(ctx context.Context) error {
	path := d.file(string(PartPostgres))
	if _, err := os.Stat(path); os.IsNotExist(err) {
		return nil
	}
	if err := localpg.Stop(ctx, path); err != nil {
		return err
	}
	return d.announce("postgres", Endpoint{})
}

// Reset stops what runs in the directory and removes all its parts, which cannot be undone. It returns ErrInUse
// when another process has the directory open, and must be called before Postgres and NATS.
func (d *Dir) Reset(ctx context.Context) error {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if d.closed {
		return errClosed
	}
	if d.postgres != nil || d.nats != nil {
		return errors.New("datadir: Reset after Postgres or NATS")
	}
	leave, err := filelock.Wait(ctx, d.file("leave.lock"), filelock.Exclusive)
	if err != nil {
		return fmt.Errorf("reset the data directory: %w", err)
	}
	defer leave.Release()
	err = d.users.Change(filelock.Exclusive)
	if err == nil {
		err = d.remove(ctx)
	} else if errors.Is(err, filelock.ErrHeld) {
		err = fmt.Errorf("another chartcode command uses %s: end it first (%w)", d.path, ErrInUse)
	}
	// Back to sharing. For a moment nobody may have held the lock; that leave.lock is held keeps others from
	// taking that for the end.
	d.users.Release()
	var errShare error
	d.users, errShare = filelock.Wait(ctx, d.file("users.lock"), filelock.Shared)
	if errShare != nil {
		d.closed = true
		d.cancel()
	}
	return errors.Join(err, errShare)
}

func (d *Dir) remove(ctx context.Context) error {
	if err := d.stopPostgres(ctx); err != nil {
		return err
	}
	for _, part := range parts {
		if err := os.RemoveAll(d.file(string(part))); err != nil {
			return fmt.Errorf("reset the data directory: %w", err)
		}
	}
	if err := os.Remove(d.file("endpoints.json")); err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("reset the data directory: %w", err)
	}
	return nil
}
