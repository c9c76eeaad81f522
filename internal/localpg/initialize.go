package localpg

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// initialize makes the data folder. It is built beside its place and moved there when it is complete, so
// that an interrupted start leaves nothing that looks like data.
func (s *Server) initialize(ctx context.Context, install installation) error {
	s.config.Progress("creating the database")
	leftover, _ := filepath.Glob(escapeGlob(s.data) + ".new-*") // the pattern is well-formed
	for _, path := range leftover {
		// An initdb that lost its parent may still write there; what stays is removed next time.
		_ = os.RemoveAll(path)
	}
	half, err := os.MkdirTemp(s.dir, filepath.Base(s.data)+".new-")
	if err != nil {
		return s.fileError("write to", err)
	}
	if err := s.account.own(half); err != nil {
		return err
	}
	// Order by bytes, whatever the machine's language is: indexes survive a change of the C library.
	args := []string{
		"-D", half, "-U", role, "--encoding=UTF8", "--data-checksums",
		"--auth=reject", "--no-instructions", "--locale=C",
	}
	if s.config.Settings["fsync"] == "off" {
		args = append(args, "--no-sync")
	}
	said, err := s.initdb(ctx, install, append(args, "--lc-ctype=C.UTF-8"))
	if err != nil && strings.Contains(said, "invalid locale name") { // macOS before 14
		said, err = s.initdb(ctx, install, append(args, "--lc-ctype=UTF-8"))
	}
	if err != nil {
		_ = os.RemoveAll(half) // tried again at the next start
		switch {
		case ctx.Err() != nil:
			return fmt.Errorf("create the database: %w", context.Cause(ctx))
		case diskFull(said):
			return errDiskFull(s.dir)
		}
		return fail(ErrBroken, "PostgreSQL could not create a database in %s: %s", s.dir, lastLine(said))
	}
	// An empty folder may be in the way, left by hand; anything else was refused before.
	if err := os.Remove(s.data); err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("make room for the database: %w", err)
	}
	if err := os.Rename(half, s.data); err != nil {
		return fmt.Errorf("put the database in place: %w", err)
	}
	return nil
}

// initdb runs that program and returns what it said. It empties its folder again when it fails.
func (s *Server) initdb(ctx context.Context, install installation, args []string) (string, error) {
	said, err := s.account.command(ctx, install.program("initdb"), args...).CombinedOutput()
	return string(said), err
}

// configure writes the server's three files of settings. They are written at each start: the machine, the
// socket's place and the program may have changed.
func (s *Server) configure(ctx context.Context) error {
	all := settings(machineMemory(), freeBytes("/dev/shm"), processors())
	all["unix_socket_directories"] = `"` + s.socket + `"`
	for name, value := range s.config.Settings {
		all[name] = value
	}
	names, err := s.account.clientNames(ctx)
	if err != nil {
		return err
	}
	var ident strings.Builder
	for _, name := range names {
		fmt.Fprintf(&ident, "chartcode \"%s\" %s\n", name, role)
	}
	for name, content := range map[string]string{
		"postgresql.conf":      render(all),
		"postgresql.auto.conf": "", // ALTER SYSTEM would outlive the program's own settings
		"pg_hba.conf":          "local all all peer map=chartcode\n",
		"pg_ident.conf":        ident.String(),
	} {
		if err := s.writeFile(name, content); err != nil {
			return s.fileError("write to", err)
		}
	}
	return nil
}

// writeFile replaces a file in the data folder, which the account owns, as a whole.
func (s *Server) writeFile(name, content string) error {
	path := filepath.Join(s.data, name)
	temporary := path + ".new"
	// The folder belongs to the account: root must not follow a link that it may have put there.
	if err := os.Remove(temporary); err != nil && !os.IsNotExist(err) {
		return err
	}
	file, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	_, errWrite := file.WriteString(content)
	if err := errors.Join(errWrite, file.Close(), s.account.own(temporary)); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}
