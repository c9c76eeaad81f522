package localpg

import (
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
)

// logSizes are the sizes of the server's log files now, by path.
func logSizes(data string) map[string]int64 {
	sizes := map[string]int64{}
	for _, path := range logFiles(data) {
		if info, err := os.Stat(path); err == nil {
			sizes[path] = info.Size()
		}
	}
	return sizes
}

// logSince is what was added to the log files since logSizes, at most 64 KiB of each.
func logSince(data string, before map[string]int64) string {
	var added strings.Builder
	for _, path := range logFiles(data) {
		// The folder belongs to the server's user: root must not be led elsewhere by a link.
		file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW, 0)
		if err != nil {
			continue
		}
		from := before[path]
		if info, err := file.Stat(); err == nil && info.Size() < from {
			from = 0 // a new week began on it
		}
		if _, err := file.Seek(from, io.SeekStart); err == nil {
			_, _ = io.Copy(&added, io.LimitReader(file, 64<<10)) // as much as can be read
		}
		_ = file.Close()
	}
	return added.String()
}

func logFiles(data string) []string {
	files, _ := filepath.Glob(filepath.Join(escapeGlob(data), "log", "*.log")) // the pattern is well-formed
	slices.Sort(files)
	return files
}

// escapeGlob makes a folder's name stand for itself in a pattern.
func escapeGlob(path string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(path)
}

// pidFileStatus reads the server's state out of postmaster.pid: the eighth line, padded with spaces.
func pidFileStatus(content string) string {
	lines := strings.Split(content, "\n")
	if len(lines) < 8 {
		return ""
	}
	return strings.TrimSpace(lines[7])
}

// freeBytes is the space that a file system has left for everybody; 0 when it cannot be asked.
func freeBytes(path string) uint64 {
	var stat syscall.Statfs_t
	if err := syscall.Statfs(path, &stat); err != nil {
		return 0
	}
	return uint64(stat.Bavail) * uint64(stat.Bsize) //nolint:unconvert // the types differ between systems
}

func processors() int { return runtime.NumCPU() }
