package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// event is one line of `go test -json` (go doc test2json).
type event struct {
	Action      string
	Package     string
	Test        string
	ImportPath  string // of build output
	Output      string
	Elapsed     float64
	FailedBuild string
}

// summary counts tests; those that have subtests count as well.
type summary struct {
	packages int
	passed   int
	failed   []string
	skipped  []string // "package.Test: reason"
	slow     []timed  // tests without their subtests
	missing  []string // those of them whose reason is missing test data
	broke    bool     // a package failed outside of a test, or could not be built
}

// timed is how long a test took, as go test tells: one that waits for subtests beside
// other tests counts what it waited.
type timed struct {
	name    string
	seconds float64
}

func (s *summary) broken() bool { return s.broke || len(s.failed) > 0 }

// missingMark begins the reason of a skip for missing test data; see internal/testdata.
const missingMark = "SKIP-NO-TESTDATA"

// read follows a test run and prints its progress.
func read(in io.Reader, out io.Writer) (*summary, error) {
	s := &summary{}
	output := map[string][]string{} // by package and test, until it is known whether they are wanted
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			fmt.Fprintln(out, lines.Text()) // the go command's own words
			continue
		}
		key := e.Package + " " + e.Test
		switch e.Action {
		case "output":
			output[key] = append(output[key], e.Output)
		case "build-output":
			fmt.Fprint(out, e.Output)
		case "build-fail":
			s.broke = true
		case "pass", "fail", "skip":
			if e.Test == "" {
				s.endPackage(e, output[key], out)
			} else {
				s.endTest(e, output[key], out)
			}
			delete(output, key)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read the test run: %w", err)
	}
	if s.packages == 0 {
		s.broke = true // a run without packages tested nothing
	}
	return s, nil
}

func (s *summary) endTest(e event, output []string, out io.Writer) {
	name := e.Package + "." + e.Test
	if !strings.Contains(e.Test, "/") {
		s.slow = append(s.slow, timed{name, e.Elapsed})
	}
	switch e.Action {
	case "pass":
		s.passed++
	case "fail":
		s.failed = append(s.failed, name)
		fmt.Fprint(out, strings.Join(output, ""))
	case "skip":
		reason := reasonOf(output)
		one := name + ": " + reason
		s.skipped = append(s.skipped, one)
		if strings.HasPrefix(reason, missingMark) {
			s.missing = append(s.missing, one)
		}
	}
}

func (s *summary) endPackage(e event, output []string, out io.Writer) {
	if e.Action == "skip" {
		return // no test files
	}
	s.packages++
	if e.Action == "fail" {
		s.broke = true
		fmt.Fprint(out, strings.Join(output, "")) // a panic or a time-out
	}
	fmt.Fprintf(out, "%-4s %-45s %6.1f s\n", map[string]string{"pass": "ok", "fail": "FAIL"}[e.Action], e.Package, e.Elapsed)
}

// reasonOf finds why a test was skipped: the message after "file.go:line: ".
func reasonOf(output []string) string {
	for _, line := range output {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "=== ") || strings.HasPrefix(line, "--- ") {
			continue
		}
		if _, reason, found := strings.Cut(line, ".go:"); found {
			if _, reason, found := strings.Cut(reason, ": "); found {
				return reason
			}
		}
	}
	return "no reason given"
}
