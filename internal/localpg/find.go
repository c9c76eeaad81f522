package localpg

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// minMajor is the oldest PostgreSQL that is used: what Debian 12 has.
const minMajor = 15

// installation is a PostgreSQL server found on this machine.
type installation struct {
	bin   string // folder of postgres, initdb and pg_config
	major int
}

func (i installation) program(name string) string { return filepath.Join(i.bin, name) }

// installations finds the PostgreSQL servers on this machine, newest first: where Debian, the
// PostgreSQL project's packages for Red Hat and Homebrew put them, what pg_config says, and PATH.
func installations(ctx context.Context) []installation {
	var bins []string
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql/bin",
		"/opt/homebrew/opt/postgresql@*/bin", "/usr/local/opt/postgresql@*/bin",
	} {
		found, _ := filepath.Glob(pattern) // the patterns are well-formed, nothing else can fail
		bins = append(bins, found...)
	}
	if out, err := exec.CommandContext(ctx, "pg_config", "--bindir").Output(); err == nil {
		bins = append(bins, strings.TrimSpace(string(out)))
	}
	if path, err := exec.LookPath("postgres"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			bins = append(bins, filepath.Dir(path))
		}
	}
	slices.Sort(bins)
	var all []installation
	for _, bin := range slices.Compact(bins) {
		if _, err := os.Stat(filepath.Join(bin, "initdb")); err != nil {
			continue
		}
		out, err := exec.CommandContext(ctx, filepath.Join(bin, "postgres"), "--version").Output()
		if err != nil {
			continue
		}
		if major := parseMajor(string(out)); major >= minMajor {
			all = append(all, installation{bin: bin, major: major})
		}
	}
	slices.SortStableFunc(all, func(a, b installation) int { return b.major - a.major })
	return all
}

var versionPattern = regexp.MustCompile(`PostgreSQL\D*(\d+)`)

// parseMajor reads the major version out of "postgres (PostgreSQL) 15.18 (Debian ...)"; 0 if there is none.
func parseMajor(version string) int {
	match := versionPattern.FindStringSubmatch(version)
	if match == nil {
		return 0
	}
	major, err := strconv.Atoi(match[1])
	if err != nil {
		return 0
	}
	return major
}

// hasVector tells whether pgvector's control file is where this installation looks for it.
func (i installation) hasVector(ctx context.Context) bool {
	out, err := exec.CommandContext(ctx, i.program("pg_config"), "--sharedir").Output()
	if err != nil {
		return false
	}
	_, err = os.Stat(filepath.Join(strings.TrimSpace(string(out)), "extension", "vector.control"))
	return err == nil
}

// choose picks the installation for a data folder: that of the data's own version, or for new data
// (major 0) the newest that has pgvector.
func choose(ctx context.Context, all []installation, dir string, major int) (installation, error) {
	if len(all) == 0 {
		return installation{}, fail(ErrNotInstalled,
			"PostgreSQL %d or newer is not installed: run 'make setup', or set CHARTCODE_DATABASE_URL to an existing server", minMajor)
	}
	var fitting []installation
	var versions []string
	for _, one := range all {
		versions = append(versions, strconv.Itoa(one.major))
		if major == 0 || one.major == major {
			fitting = append(fitting, one)
		}
	}
	if len(fitting) == 0 {
		return installation{}, fail(ErrVersion,
			"the database in %s was made by PostgreSQL %d but this machine has %s: install PostgreSQL %d with pgvector, or use another data directory",
			dir, major, strings.Join(slices.Compact(versions), " and "), major)
	}
	for _, one := range fitting {
		if one.hasVector(ctx) {
			return one, nil
		}
	}
	return installation{}, fail(ErrNoVector,
		"PostgreSQL %d has no pgvector: run 'make setup', or set CHARTCODE_DATABASE_URL to a server that has it", fitting[0].major)
}

// dataMajor reads which PostgreSQL made a data folder; 0 when there is no data yet.
func dataMajor(data string) (int, error) {
	content, err := os.ReadFile(filepath.Join(data, "PG_VERSION"))
	if os.IsNotExist(err) {
		entries, err := os.ReadDir(data)
		if os.IsNotExist(err) || (err == nil && len(entries) == 0) {
			return 0, nil
		}
		return 0, errBroken(data, "its PG_VERSION file is missing")
	}
	if err != nil {
		return 0, fail(ErrAccess, "cannot read the database folder %s: use a data directory of your own", data)
	}
	major, err := strconv.Atoi(strings.TrimSpace(string(content)))
	if err != nil {
		return 0, errBroken(data, "its PG_VERSION file is not readable")
	}
	return major, nil
}

func errBroken(data, why string) error {
	return fail(ErrBroken, "the database in %s cannot be started (%s): restore it from a backup, or start over with 'chartcode demo --reset'",
		data, strings.TrimSuffix(fmt.Sprint(why), "."))
}
