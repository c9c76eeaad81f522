package localpg

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
)

// worksIn tells whether a process is a PostgreSQL process of a data folder: they all have it as their
// working directory. A number that went to another program since does not pass.
func worksIn(pid int, data string) bool {
	dir, err := os.Readlink(filepath.Join("/proc", strconv.Itoa(pid), "cwd"))
	return err == nil && (dir == data || dir == data+" (deleted)") && isPostgres(pid)
}

// isPostgres looks at the program's name, so that a shell that someone opened in the folder is spared.
func isPostgres(pid int) bool {
	name, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "comm"))
	return err == nil && bytes.HasPrefix(name, []byte("postgres"))
}

// processesIn lists the PostgreSQL processes of a data folder, also of one that was removed since.
func processesIn(data string) []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var pids []int
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err == nil && worksIn(pid, data) && !zombie(pid) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// zombie tells whether a process has ended and its parent has not asked for its status yet.
func zombie(pid int) bool {
	content, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return false
	}
	// The state follows the name, which is in parentheses and may hold anything.
	at := bytes.LastIndexByte(content, ')')
	return at >= 0 && at+2 < len(content) && (content[at+2] == 'Z' || content[at+2] == 'X')
}
