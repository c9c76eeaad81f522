package localpg

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// account is the operating system user that the server runs as.
type account struct {
	uid, gid int
	// other is set when that is not the user of this process, which then is root.
	other bool
	// shared is set when root chose a user that also serves others. It may not connect.
	shared bool
}

// chooseAccount picks the user to run the server as: this process's own, or for root, because
// PostgreSQL refuses to run as root, the owner of the data, else postgres, else nobody.
func chooseAccount(data string) (account, error) {
	if uid := os.Geteuid(); uid != 0 {
		return account{uid: uid, gid: os.Getegid()}, nil
	}
	if info, err := os.Stat(data); err == nil {
		// Data owned by root was put there by hand, a restored backup for instance: it is handed
		// over below like new data.
		if stat, ok := info.Sys().(*syscall.Stat_t); ok && stat.Uid != 0 {
			a := account{uid: int(stat.Uid), gid: int(stat.Gid), other: true}
			chosen, err := serviceAccount()
			a.shared = err == nil && chosen.uid == a.uid
			return a, nil
		}
	}
	return serviceAccount()
}

// serviceAccount is the user that root lends a server to: postgres, else nobody.
func serviceAccount() (account, error) {
	for _, name := range []string{"postgres", "_postgres", "nobody"} {
		found, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, errUID := strconv.Atoi(found.Uid)
		gid, errGID := strconv.Atoi(found.Gid)
		if err := errors.Join(errUID, errGID); err != nil {
			return account{}, fmt.Errorf("read the ids of user %s: %w", name, err)
		}
		if uid != 0 {
			return account{uid: uid, gid: gid, other: true, shared: true}, nil
		}
	}
	return account{}, fail(ErrAccess, "PostgreSQL cannot run as root and there is no user postgres or nobody: run as another user")
}

// command prepares a program that runs as the account, away from this process's terminal, with
// nothing of its environment (which holds keys) but what it needs.
func (a account) command(ctx context.Context, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=/", "LC_ALL=C"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	// A cancelled program takes its children along.
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	if a.other {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}
	}
	return cmd
}

// own makes the account the owner of a file or folder; a no-op for this process's own user.
func (a account) own(path string) error {
	if !a.other {
		return nil
	}
	if err := os.Lchown(path, a.uid, a.gid); err != nil {
		return fmt.Errorf("give %s to the database's user: %w", path, err)
	}
	return nil
}

// ownAll makes the account the owner of a folder and all in it, if root owns it now.
func (a account) ownAll(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); !a.other || (ok && int(stat.Uid) == a.uid) {
		return nil
	}
	return filepath.WalkDir(path, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return a.own(path)
	})
}

// canPass tells whether the account may pass through a folder. The system itself is asked, by a
// process with the account's rights: mode bits, access lists and security modules all count.
func (a account) canPass(dir string) bool {
	cmd := a.command(context.Background(), "test", "-x", dir)
	return cmd.Run() == nil
}

// letPass gives the account the right to pass through dir and each folder above it where that is
// missing: to pass, not to list or read, and only to this account where the file system can say so.
func (a account) letPass(dir string) error {
	if !a.other {
		return nil
	}
	var path string
	for _, part := range strings.SplitAfter(dir, string(filepath.Separator)) {
		path += part
		folder := filepath.Clean(path)
		if a.canPass(folder) {
			continue
		}
		err := grantPass(folder, a.uid)
		if err == nil && a.canPass(folder) {
			continue
		}
		info, errStat := os.Stat(folder)
		if errStat != nil {
			return fmt.Errorf("look at %s: %w", folder, errStat)
		}
		if err := os.Chmod(folder, info.Mode().Perm()|0o001); err != nil || !a.canPass(folder) {
			return fail(ErrAccess, "PostgreSQL cannot run as root, and user number %d may not pass through %s: use a data directory elsewhere", a.uid, folder)
		}
	}
	return nil
}

// clientNames are the system users that may connect: root, and the account's own unless it is shared.
func (a account) clientNames(ctx context.Context) ([]string, error) {
	names := []string{"root"}
	if root, err := user.LookupId("0"); err == nil {
		names = []string{root.Username}
	}
	if a.shared {
		return names, nil
	}
	// id asks the system's name services, which the server will ask too.
	args := []string{"-un"}
	if a.other {
		args = append(args, strconv.Itoa(a.uid))
	}
	out, err := exec.CommandContext(ctx, "id", args...).Output()
	if err != nil {
		return nil, fail(ErrAccess, "user number %d has no name, which PostgreSQL needs: add it to the system's users, or set CHARTCODE_DATABASE_URL", a.uid)
	}
	return append(names, strings.TrimSpace(string(out))), nil
}
