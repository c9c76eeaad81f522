package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"
)

// scenario is one long test.
type scenario struct {
	pkg, test string
}

// result is how one run of a scenario ended.
type result struct {
	scenario
	commit  string // with a mark for changes that are not committed
	date    time.Time
	elapsed time.Duration
	outcome string // pass, fail or skip
}

type runner struct {
	dir     string // of the module
	file    string // results, one a line
	timeout time.Duration
	again   bool
	out     io.Writer
}

// run runs what matches and has not passed at this commit yet, and prints the table of all that matches. It is
// good when each scenario has passed.
func (r *runner) run(ctx context.Context, pattern *regexp.Regexp, listOnly bool) (good bool, err error) {
	commit, err := r.commit(ctx)
	if err != nil {
		return false, err
	}
	all, err := r.scenarios(ctx)
	if err != nil {
		return false, err
	}
	all = slices.DeleteFunc(all, func(s scenario) bool { return !pattern.MatchString(s.pkg + "." + s.test) })
	if listOnly {
		for _, s := range all {
			fmt.Fprintln(r.out, s.pkg, s.test)
		}
		return true, nil
	}
	done, err := r.load()
	if err != nil {
		return false, err
	}
	for _, s := range all {
		last, ran := done[s]
		if ran && last.commit == commit && last.outcome == "pass" && !r.again {
			continue
		}
		fmt.Fprintf(r.out, "%s %s ...\n", s.pkg, s.test)
		one, err := r.test(ctx, s, commit)
		if err != nil {
			return false, err
		}
		if err := r.save(one); err != nil {
			return false, err
		}
		done[s] = one
	}
	return r.table(all, done), nil
}

// commit names the state of the code: the commit, and the digest of what differs from it.
func (r *runner) commit(ctx context.Context) (string, error) {
	head, err := r.output(ctx, "git", "rev-parse", "--short=10", "HEAD")
	if err != nil {
		return "", err
	}
	changes, err := r.output(ctx, "git", "diff", "HEAD", "--", "*.go", "*.sql", "go.mod", "go.sum", "prompts")
	if err != nil {
		return "", err
	}
	name := strings.TrimSpace(head)
	if changes != "" {
		sum := sha256.Sum256([]byte(changes))
		name += "+" + hex.EncodeToString(sum[:4])
	}
	return name, nil
}

func (r *runner) output(ctx context.Context, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = r.dir
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", name, args[0], err, said.String())
	}
	return string(out), nil
}

// scenarios lists the long tests of the module, by package and in the order of their files.
func (r *runner) scenarios(ctx context.Context) ([]scenario, error) {
	out, err := r.output(ctx, "go", "test", "-json", "-tags", "long", "-list", "^TestLong", "./...")
	if err != nil {
		return nil, err
	}
	var all []scenario
	decoder := json.NewDecoder(strings.NewReader(out))
	for decoder.More() {
		var e struct{ Action, Package, Output string }
		if err := decoder.Decode(&e); err != nil {
			return nil, fmt.Errorf("read the list of tests: %w", err)
		}
		if e.Action == "output" && strings.HasPrefix(e.Output, "TestLong") {
			all = append(all, scenario{e.Package, strings.TrimSpace(e.Output)})
		}
	}
	return all, nil
}

// test runs one scenario. Only an interruption is an error.
func (r *runner) test(ctx context.Context, s scenario, commit string) (result, error) {
	began := time.Now()
	cmd := exec.CommandContext(ctx, "go", "test", "-v", "-count=1", "-tags", "long",
		"-timeout", r.timeout.String(), "-run", "^"+s.test+"$", s.pkg)
	cmd.Dir = r.dir
	var said bytes.Buffer
	cmd.Stdout = io.MultiWriter(r.out, &said)
	cmd.Stderr = cmd.Stdout
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
	cmd.WaitDelay = time.Minute
	err := cmd.Run()
	if ctx.Err() != nil {
		return result{}, fmt.Errorf("interrupted in %s; start again to go on", s.test)
	}
	one := result{scenario: s, commit: commit, date: began.UTC(), elapsed: time.Since(began), outcome: "pass"}
	switch {
	case err != nil:
		one.outcome = "fail"
	case !bytes.Contains(said.Bytes(), []byte("--- PASS: "+s.test+" ")):
		one.outcome = "skip"
	}
	return one, nil
}

// table prints the latest result of each scenario and tells whether all passed.
func (r *runner) table(all []scenario, done map[scenario]result) bool {
	good := true
	w := tabwriter.NewWriter(r.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\nDATE\tCOMMIT\tSECONDS\tRESULT\tSCENARIO")
	for _, s := range all {
		one := done[s]
		good = good && one.outcome == "pass"
		fmt.Fprintf(w, "%s\t%s\t%.1f\t%s\t%s %s\n", one.date.Format("2006-01-02 15:04"), one.commit,
			one.elapsed.Seconds(), one.outcome, s.pkg, s.test)
	}
	if len(all) == 0 {
		fmt.Fprintln(w, "there are no long tests")
	}
	_ = w.Flush() // to a terminal or a buffer
	return good
}

// save adds one result to the file at once, so that an interruption loses none.
func (r *runner) save(one result) error {
	if err := os.MkdirAll(filepath.Dir(r.file), 0o755); err != nil {
		return err
	}
	file, err := os.OpenFile(r.file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(file, "%s\t%s\t%s\t%s\t%s\t%s\n", one.date.Format(time.RFC3339), one.commit, one.elapsed, one.outcome, one.pkg, one.test)
	if errClose := file.Close(); err == nil {
		err = errClose
	}
	return err
}

// load reads the file: the last line of a scenario counts. Lines that are not whole are left out.
func (r *runner) load() (map[scenario]result, error) {
	done := map[scenario]result{}
	content, err := os.ReadFile(r.file)
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	for line := range strings.Lines(string(content)) {
		fields := strings.Split(strings.TrimRight(line, "\n"), "\t")
		if len(fields) != 6 {
			continue
		}
		date, errDate := time.Parse(time.RFC3339, fields[0])
		elapsed, errElapsed := time.ParseDuration(fields[2])
		if errDate != nil || errElapsed != nil {
			continue
		}
		s := scenario{fields[4], fields[5]}
		done[s] = result{s, fields[1], date, elapsed, fields[3]}
	}
	return done, nil
}
