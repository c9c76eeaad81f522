// Command testreport turns the output of `go test -json` into what a person wants to read: the output of what
// failed, one line for each package, and at the end how many tests passed, failed and were skipped, and which
// were skipped because test data are missing. It ends with status 1 when anything failed.
//
// It is a tool of the repository and no part of the program.
package main

import (
	"cmp"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

func main() {
	missing := flag.String("missing", "", "write the tests that were skipped for missing test data to this `file`, one a line")
	flag.Parse()
	summary, err := read(os.Stdin, os.Stdout)
	if err == nil {
		err = summary.write(os.Stdout, *missing)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "testreport:", err)
		os.Exit(1)
	}
	if summary.broken() {
		os.Exit(1)
	}
}

// slowest gives the tests that took long, longest first, at most slowShown.
func (s *summary) slowest() []timed {
	slow := slices.DeleteFunc(slices.Clone(s.slow), func(t timed) bool { return t.seconds < slowFrom })
	slices.SortStableFunc(slow, func(a, b timed) int { return cmp.Compare(b.seconds, a.seconds) })
	return slow[:min(len(slow), slowShown)]
}

// What is listed as slow: so many tests, of so many seconds.
const slowShown, slowFrom = 40, 5

// write prints the end of the report, and the list of tests without data to a file if one is named.
func (s *summary) write(out io.Writer, file string) error {
	fmt.Fprintf(out, "\n%d tests passed, %d failed, %d skipped (%d of them for missing test data) in %d packages\n",
		s.passed, len(s.failed), len(s.skipped), len(s.missing), s.packages)
	for _, t := range s.slowest() {
		fmt.Fprintf(out, "slow    %s: %.0f s\n", t.name, t.seconds)
	}
	for _, name := range s.failed {
		fmt.Fprintln(out, "FAILED", name)
	}
	for _, one := range s.skipped {
		fmt.Fprintln(out, "skipped", one)
	}
	if file == "" {
		return nil
	}
	var list strings.Builder
	for _, one := range s.missing {
		list.WriteString(one + "\n")
	}
	return os.WriteFile(file, []byte(list.String()), 0o644)
}
