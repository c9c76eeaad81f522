package localpg

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

const (
	socketPort   = "5432" // part of the socket's name; no TCP port is opened
	socketName   = ".s.PGSQL." + socketPort
	socketPrefix = "chartcode-" // of the folder's name
	// Systems limit a socket's path to 104 (macOS) or 108 (Linux) bytes with its ending zero.
	maxSocketPath = 99
)

// socketDir makes the private folder for the socket of the server on dir, owned by the account that
// the server runs as. Its name is short however long dir is, and the same at each start, so that
// addresses that others hold stay right. It lies in the temporary folder and is made anew when that
// was wiped.
func socketDir(dir string, owner account) (string, error) {
	sum := sha256.Sum256([]byte(dir))
	name := socketPrefix + hex.EncodeToString(sum[:6])
	var problems []error
	for _, parent := range socketParents() {
		if !owner.canPass(parent) {
			continue
		}
		// Somebody else may own a folder of that name, by malice or after a change of user: go on
		// with the next name instead of trusting it.
		for attempt := range 5 {
			path := filepath.Join(parent, name)
			if attempt > 0 {
				path = fmt.Sprintf("%s-%d", path, attempt)
			}
			if len(path)+1+len(socketName) > maxSocketPath {
				break
			}
			err := privateDir(path, owner)
			if err == nil {
				return path, nil
			}
			problems = append(problems, err)
		}
	}
	return "", fmt.Errorf("no folder for the database's socket: %w", errors.Join(problems...))
}

// socketParents are the folders in which the socket's folder may lie.
func socketParents() []string {
	var parents []string
	// PostgreSQL reads its setting as a list with quotes and commas.
	if temp := os.TempDir(); filepath.IsAbs(temp) && !strings.ContainsAny(temp, "\",'\n\\") {
		parents = append(parents, filepath.Clean(temp))
	}
	return append(parents, "/tmp", "/var/tmp", "/dev/shm")
}

// privateDir makes a folder that only its owner can use, or checks that it is one already.
func privateDir(path string, owner account) error {
	err := os.Mkdir(path, 0o700)
	if err == nil {
		if err := owner.own(path); err != nil {
			return err
		}
	} else if !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || !info.IsDir() || info.Mode().Perm() != 0o700 || int(stat.Uid) != owner.uid {
		return fmt.Errorf("%s exists and is not a private folder of the database's user", path)
	}
	return nil
}
