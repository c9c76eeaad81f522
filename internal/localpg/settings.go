package localpg

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

const mib = 1 << 20

// settings are the server's settings for a machine with the given memory, its free shared memory
// (bytes; 0 where there is no /dev/shm) and its number of processors. Whatever is written here is
// all there is: no include, no default file.
func settings(memory, sharedMemory uint64, processors int) map[string]string {
	buffers := clamp(memory/8, 32*mib, 256*mib)
	maintenance := clamp(memory/8, 64*mib, 1024*mib)
	s := map[string]string{
		"listen_addresses":        "",
		"port":                    socketPort,
		"unix_socket_permissions": "0777", // the folder is private; PostgreSQL asks who it is
		"max_connections":         "200",

		"shared_buffers":                   megabytes(buffers),
		"effective_cache_size":             megabytes(clamp(memory/2, 128*mib, 16384*mib)),
		"maintenance_work_mem":             megabytes(maintenance),
		"autovacuum_work_mem":              "64MB",
		"work_mem":                         "16MB",
		"max_parallel_maintenance_workers": strconv.Itoa(min(max(processors-1, 1), 4)),
		"random_page_cost":                 "1.1", // solid-state disks
		"jit":                              "off", // queries here are short; compiling them costs more

		"fsync":              "on",
		"synchronous_commit": "on",
		"full_page_writes":   "on",
		"wal_compression":    "on",
		"max_wal_size":       "2GB",
		"min_wal_size":       "160MB",
		"checkpoint_timeout": "15min",

		"timezone":                   "UTC",
		"log_timezone":               "UTC",
		"lc_messages":                "C", // the program reads some of them
		"default_text_search_config": "pg_catalog.english",

		// Patient data must not reach the log: no statements, no parameters, no details. Messages of
		// level ERROR are left out whole, because some quote the value that they complain about; the
		// program has them from its connection.
		"logging_collector":                 "on",
		"log_directory":                     "log",
		"log_filename":                      "postgresql-%a.log",
		"log_truncate_on_rotation":          "on",
		"log_rotation_age":                  "1d",
		"log_rotation_size":                 "0",
		"log_min_messages":                  "log",
		"log_min_error_statement":           "panic",
		"log_error_verbosity":               "terse",
		"log_statement":                     "none",
		"log_min_duration_statement":        "-1",
		"log_parameter_max_length":          "0",
		"log_parameter_max_length_on_error": "0",
		"log_checkpoints":                   "off",
		"log_autovacuum_min_duration":       "-1",
		"log_lock_waits":                    "off",
		"log_temp_files":                    "-1",
	}
	// A parallel index build keeps its graph in dynamic shared memory, which containers keep small.
	if runtime.GOOS == "linux" && sharedMemory < maintenance+64*mib {
		s["dynamic_shared_memory_type"] = "mmap"
	}
	return s
}

func clamp(value, low, high uint64) uint64 { return min(max(value, low), high) }

func megabytes(bytes uint64) string { return strconv.FormatUint(bytes/mib, 10) + "MB" }

// render writes settings in the form of postgresql.conf, sorted by name.
func render(s map[string]string) string {
	var out strings.Builder
	out.WriteString("# Written by chartcode at every start: changes made here are lost.\n")
	for _, name := range slices.Sorted(maps.Keys(s)) {
		fmt.Fprintf(&out, "%s = %s\n", name, quote(s[name]))
	}
	return out.String()
}

// quote writes a value as postgresql.conf wants it.
func quote(value string) string {
	return "'" + strings.ReplaceAll(strings.ReplaceAll(value, `\`, `\\`), "'", "''") + "'"
}

// machineMemory is the memory that this process may use, in bytes: the machine's, or the control
// group's where that is less. 1 GiB when nothing tells.
func machineMemory() uint64 {
	memory := uint64(1 << 30)
	if content, err := os.ReadFile("/proc/meminfo"); err == nil {
		var kib uint64
		if _, err := fmt.Sscanf(string(content), "MemTotal: %d kB", &kib); err == nil {
			memory = kib << 10
		}
	}
	for _, limit := range []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		content, err := os.ReadFile(filepath.Clean(limit))
		if err != nil {
			continue
		}
		// "max" stands for no limit and is no number.
		if bytes, err := strconv.ParseUint(strings.TrimSpace(string(content)), 10, 64); err == nil {
			memory = min(memory, bytes)
		}
	}
	return memory
}
