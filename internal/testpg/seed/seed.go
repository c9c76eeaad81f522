// Package seed gives tests a database cluster that was made before: making one takes PostgreSQL longer than most
// tests take it. What happens when there is none yet is for tests that use no copy.
//
// Only tests may import this package; it imports nothing of the program, so that those of localpg can.
package seed

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// Seed is a cluster of a test binary, made when the first copy is wanted.
type Seed struct {
	Make func(dir string) error // starts a server on an empty folder and stops it again; the cluster is its folder "data"

	once sync.Once
	dir  string
	err  error
}

// Copy puts a copy of the cluster into a folder, which is made where it does not exist.
func (s *Seed) Copy(t testing.TB, to string) {
	t.Helper()
	s.once.Do(func() {
		if s.dir, s.err = os.MkdirTemp("", "chartcode-seed-"); s.err == nil {
			s.err = s.Make(s.dir)
		}
	})
	err := s.err
	if err == nil {
		err = os.MkdirAll(to, 0o700)
	}
	if err == nil {
		// The files belong to another user than root, who may run this.
		if said, failed := exec.CommandContext(t.Context(), "cp", "-a", filepath.Join(s.dir, "data"), to).CombinedOutput(); failed != nil {
			err = fmt.Errorf("%w: %s", failed, said)
		}
	}
	if err != nil {
		t.Fatalf("copy a cluster: %v", err)
	}
}

// Remove removes the cluster; no copy can be made any more.
func (s *Seed) Remove() {
	if s.dir != "" {
		_ = os.RemoveAll(s.dir)
	}
}
