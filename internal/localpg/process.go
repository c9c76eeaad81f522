package localpg

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// pollEvery is how often the state of a process or server is looked at again while waiting.
const pollEvery = 20 * time.Millisecond

// pidFile is what a server writes about itself to postmaster.pid.
type pidFile struct {
	pid    int
	socket string // folder
}

// readPidFile reads a data folder's postmaster.pid; ok is false when there is none that says anything.
func readPidFile(data string) (pidFile, bool) {
	content, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	if err != nil {
		return pidFile{}, false
	}
	// pid, data folder, start time, port, socket folder, ... (src/include/utils/pidfile.h)
	lines := strings.Split(string(content), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(lines[0]))
	if err != nil || pid <= 1 {
		return pidFile{}, false
	}
	file := pidFile{pid: pid}
	if len(lines) > 4 {
		file.socket = strings.TrimSpace(lines[4])
	}
	return file, true
}

// running returns the server that runs on a data folder, if one does.
func running(data string) (pidFile, bool) {
	file, ok := readPidFile(data)
	if !ok || !alive(file.pid) || !worksIn(file.pid, data) {
		return pidFile{}, false
	}
	return file, true
}

// alive tells whether a process exists and is not only waiting for its parent to notice its end.
func alive(pid int) bool {
	err := syscall.Kill(pid, 0)
	return (err == nil || errors.Is(err, syscall.EPERM)) && !zombie(pid)
}

// waitGone waits until none of the processes exists; false when ctx ended first.
func waitGone(ctx context.Context, pids ...int) bool {
	for {
		left := 0
		for _, pid := range pids {
			if alive(pid) {
				left++
			}
		}
		if left == 0 {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(pollEvery):
		}
	}
}

// sweep ends the processes of a server that lost its head: when the first process is killed with -9 the
// others notice only when they next wait for something, and until then a new server cannot start.
// They are told to stop at once (SIGQUIT), which is safe: the log of changes is replayed at the next start.
func sweep(ctx context.Context, data string) {
	pids := processesIn(data)
	for _, sig := range []syscall.Signal{syscall.SIGQUIT, syscall.SIGKILL} {
		if len(pids) == 0 {
			return
		}
		for _, pid := range pids {
			_ = syscall.Kill(pid, sig) // it may have ended by itself
		}
		wait, cancel := context.WithTimeout(ctx, 3*time.Second)
		gone := waitGone(wait, pids...)
		cancel()
		if gone {
			return
		}
	}
}
