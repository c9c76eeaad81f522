package localpg

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"chartcode/internal/filelock"
)

const (
	role     = "chartcode" // superuser of the private server
	database = "chartcode"

	// How long a server is given to finish: open work is rolled back and buffers are written (fast),
	// then everything stops where it is and the next start replays the log (immediate), then SIGKILL.
	fastStop      = 8 * time.Second
	immediateStop = 2 * time.Second
)

// Config says where and how the server runs.
type Config struct {
	// Dir is the server's own folder; it and the folders above it are made when missing.
	Dir string
	// Logger gets what an operator wants to know; nil discards it.
	Logger *slog.Logger
	// Progress is told in a few words about each step that may take longer than a second; may be nil.
	Progress func(string)
	// Settings are added to postgresql.conf or replace its entries. For tests.
	Settings map[string]string
}

// Server is a private PostgreSQL that runs. Its methods may be called concurrently.
type Server struct {
	config  Config
	dir     string // Config.Dir, absolute and without symbolic links
	data    string
	account account
	socket  string // folder
	pid     int
	adopted bool
}

// Start starts the server on config.Dir, or adopts the one that runs there, and returns when it takes
// connections. It makes the data folder, the database and the extension "vector" when they are missing.
// Errors of the kinds in errors.go have a sentence for the user. When ctx ends first, a server that
// Start began is stopped again.
func Start(ctx context.Context, config Config) (*Server, error) {
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	if config.Progress == nil {
		config.Progress = func(string) {}
	}
	dir, err := prepareDir(config.Dir)
	if err != nil {
		return nil, err
	}
	s := &Server{config: config, dir: dir, data: filepath.Join(dir, "data")}
	lock, err := filelock.Wait(ctx, s.lockPath(), filelock.Exclusive)
	if err != nil {
		return nil, fmt.Errorf("start the database: %w", err)
	}
	defer lock.Release()

	if s.account, err = chooseAccount(s.data); err != nil {
		return nil, err
	}
	adopted, err := s.adopt(ctx)
	if err != nil {
		return nil, err
	}
	if adopted {
		// Whoever started it may have been killed before it got this far.
		if err := s.createDatabase(ctx); err != nil {
			return nil, err
		}
		return s, nil
	}
	sweep(ctx, s.data)
	if err := s.launch(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Server) lockPath() string { return filepath.Join(s.dir, "start.lock") }

// prepareDir makes the folder and returns its one true name.
func prepareDir(dir string) (string, error) {
	if dir == "" {
		return "", errors.New("localpg: Config.Dir is empty")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("find the database folder: %w", err)
	}
	if strings.ContainsAny(dir, "\n\r") {
		return "", fail(ErrAccess, "the data directory's name must not contain line breaks: use another one")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
			return "", errDiskFull(dir)
		}
		return "", fail(ErrAccess, "cannot make the folder %s: use a data directory where you may write", dir)
	}
	dir, err = filepath.EvalSymlinks(dir)
	if err != nil {
		return "", fmt.Errorf("find the database folder: %w", err)
	}
	return dir, nil
}

// adopt uses the server that runs on the data, if one does and it can be reached.
func (s *Server) adopt(ctx context.Context) (bool, error) {
	file, ok := running(s.data)
	if !ok {
		return false, nil
	}
	s.pid, s.socket = file.pid, file.socket
	err := s.waitReady(ctx, func() bool { return alive(file.pid) })
	switch {
	case err == nil:
		s.adopted = true
		s.config.Logger.Info("using the running database", "pid", s.pid)
		return true, nil
	case ctx.Err() != nil:
		return false, fmt.Errorf("wait for the database: %w", context.Cause(ctx))
	case errors.Is(err, errGone):
		return false, nil
	case errors.Is(err, errUnreachable):
		// Its socket was removed from under it, by a cleaner of the temporary folder perhaps.
		s.config.Logger.Warn("the running database cannot be reached; restarting it", "pid", s.pid)
		s.end(ctx, file.pid)
		return false, nil
	default:
		return false, err
	}
}

// launch starts the server; the lock is held and no server runs.
func (s *Server) launch(ctx context.Context) error {
	major, err := dataMajor(s.data)
	if err != nil {
		return err
	}
	install, err := choose(ctx, installations(ctx), s.data, major)
	if err != nil {
		return err
	}
	if err := s.account.letPass(s.dir); err != nil {
		return err
	}
	if major == 0 {
		if err := s.initialize(ctx, install); err != nil {
			return err
		}
	}
	if err := s.account.ownAll(s.data); err != nil {
		return err
	}
	if s.socket, err = socketDir(s.dir, s.account); err != nil {
		return err
	}
	for _, name := range []string{socketName, socketName + ".lock"} {
		// The folder is this server's own and no server runs: what is there is left over.
		if err := os.Remove(filepath.Join(s.socket, name)); err != nil && !os.IsNotExist(err) {
			return fmt.Errorf("remove an old socket: %w", err)
		}
	}
	if file, ok := readPidFile(s.data); ok && alive(file.pid) {
		// The number went to another program; PostgreSQL would take that for a running server.
		if err := os.Remove(filepath.Join(s.data, "postmaster.pid")); err != nil {
			return fmt.Errorf("remove an old pid file: %w", err)
		}
	}
	if err := s.configure(ctx); err != nil {
		return err
	}
	return s.run(ctx, install)
}

// run starts the server's process and waits until it takes connections.
func (s *Server) run(ctx context.Context, install installation) error {
	output, err := os.OpenFile(filepath.Join(s.dir, "start.log"), os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return s.fileError("write to", err)
	}
	defer output.Close()
	before := logSizes(s.data)

	// Not bound to ctx: the server lives on when the caller's work is done.
	cmd := s.account.command(context.WithoutCancel(ctx), install.program("postgres"), "-D", s.data)
	cmd.Stdout, cmd.Stderr = output, output
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start PostgreSQL: %w", err)
	}
	s.pid, s.adopted = cmd.Process.Pid, false
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // its end is what matters; the reason is in its output
		close(ended)
	}()
	lives := func() bool {
		select {
		case <-ended:
			return false
		default:
			return true
		}
	}

	err = s.waitReady(ctx, lives)
	if err == nil {
		err = s.createDatabase(ctx)
	}
	switch {
	case err == nil:
		s.config.Logger.Info("database started", "pid", s.pid, "version", install.major)
		return nil
	case ctx.Err() != nil:
		s.end(context.WithoutCancel(ctx), s.pid)
		return fmt.Errorf("start the database: %w", context.Cause(ctx))
	case errors.Is(err, errGone):
		return s.startError(before)
	default:
		s.end(ctx, s.pid)
		return err
	}
}

// startError turns what a server wrote before it gave up into a sentence.
func (s *Server) startError(before map[string]int64) error {
	_ = os.Remove(s.socket) // empty; made anew by the next start
	written, err := os.ReadFile(filepath.Join(s.dir, "start.log"))
	if err != nil {
		return fmt.Errorf("read why the database did not start: %w", err)
	}
	said := string(written) + logSince(s.data, before)
	if diskFull(said) {
		return errDiskFull(s.dir)
	}
	return errBroken(s.data, lastLine(said))
}

// fileError says that a file of the server's folder cannot be used.
func (s *Server) fileError(what string, err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return errDiskFull(s.dir)
	}
	return fmt.Errorf("%s the database folder: %w", what, err)
}

// URL is the address of the database for pgx. It holds no secret.
func (s *Server) URL() string { return s.urlOf(database) }

func (s *Server) urlOf(database string) string {
	query := url.Values{"host": {s.socket}, "port": {socketPort}}
	return (&url.URL{Scheme: "postgres", User: url.User(role), Path: "/" + database, RawQuery: query.Encode()}).String()
}

// Adopted tells whether the server ran before Start.
func (s *Server) Adopted() bool { return s.adopted }

// PID is the number of the server's first process.
func (s *Server) PID() int { return s.pid }

// Running tells whether the server's first process exists. It does not tell whether it takes connections.
func (s *Server) Running() bool {
	file, ok := running(s.data)
	return ok && file.pid == s.pid
}

// Stop ends the server as the function Stop does.
func (s *Server) Stop(ctx context.Context) error { return s.stop(ctx) }

// Stop ends whatever server runs on the folder dir and returns when all of its processes are gone: after
// 8 seconds, or when ctx ends, it is stopped where it is, which loses nothing that was committed. It is no
// error when none runs.
func Stop(ctx context.Context, dir string) error {
	dir, err := prepareDir(dir)
	if err != nil {
		return err
	}
	s := &Server{config: Config{Logger: slog.New(slog.DiscardHandler)}, dir: dir, data: filepath.Join(dir, "data")}
	return s.stop(ctx)
}

func (s *Server) stop(ctx context.Context) error {
	lock, err := filelock.Wait(ctx, s.lockPath(), filelock.Exclusive)
	if err != nil && ctx.Err() != nil {
		// Even in a hurry: who starts or adopts the server holds the lock for moments, as a rule.
		hurry, cancel := context.WithTimeout(context.WithoutCancel(ctx), immediateStop)
		defer cancel()
		lock, err = filelock.Wait(hurry, s.lockPath(), filelock.Exclusive)
	}
	if err != nil {
		return fmt.Errorf("stop the database: %w", err)
	}
	defer lock.Release()
	file, ok := running(s.data)
	if !ok {
		sweep(context.WithoutCancel(ctx), s.data)
		return nil
	}
	s.end(ctx, file.pid)
	if alive(file.pid) {
		return fmt.Errorf("stop the database: process %d does not end", file.pid)
	}
	if strings.HasPrefix(filepath.Base(file.socket), socketPrefix) {
		_ = os.Remove(file.socket) // empty by now; if not, the next start uses it
	}
	s.config.Logger.Info("database stopped")
	return nil
}

// end stops a server in three steps of growing force.
func (s *Server) end(ctx context.Context, pid int) {
	all := append(processesIn(s.data), pid)
	_ = syscall.Kill(pid, syscall.SIGINT) // fast: it may have ended by itself
	wait, cancel := context.WithTimeout(ctx, fastStop)
	gone := waitGone(wait, all...)
	cancel()
	if gone {
		return
	}
	s.config.Logger.Warn("the database does not stop in time; stopping it at once", "pid", pid)
	_ = syscall.Kill(pid, syscall.SIGQUIT)
	wait, cancel = context.WithTimeout(context.WithoutCancel(ctx), immediateStop)
	defer cancel()
	if waitGone(wait, all...) {
		return
	}
	for _, one := range append(processesIn(s.data), pid) {
		_ = syscall.Kill(one, syscall.SIGKILL)
	}
	wait, cancelKill := context.WithTimeout(context.WithoutCancel(ctx), immediateStop)
	defer cancelKill()
	waitGone(wait, all...)
}
