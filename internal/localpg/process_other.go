//go:build !linux

package localpg

import (
	"os/exec"
	"strconv"
	"strings"
)

// worksIn tells whether a process looks like a PostgreSQL server. This system does not say cheaply in
// which folder a process works, so its name must do.
func worksIn(pid int, _ string) bool {
	out, err := exec.Command("ps", "-o", "comm=", "-p", strconv.Itoa(pid)).Output()
	return err == nil && strings.Contains(string(out), "postgres")
}

// processesIn would list the PostgreSQL processes of a data folder; see worksIn.
func processesIn(string) []int { return nil }

// zombie tells whether a process has ended and its parent has not asked for its status yet.
func zombie(pid int) bool {
	out, err := exec.Command("ps", "-o", "state=", "-p", strconv.Itoa(pid)).Output()
	return err == nil && strings.HasPrefix(strings.TrimSpace(string(out)), "Z")
}
