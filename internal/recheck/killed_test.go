package recheck_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"chartcode/internal/codeset"
	"chartcode/internal/coding"
	"chartcode/internal/recheck"
	"chartcode/internal/store"
)

// childURL, in the environment, makes the test binary a process that checks
// what is due, one item at a time; it tells of each on standard output and goes
// on when it is sent a line.
const childURL = "RECHECK_TEST_URL"

func TestMain(m *testing.M) {
	if url := os.Getenv(childURL); url != "" {
		if err := checkAsChild(url); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// stepwise waits after each item until it may go on.
type stepwise struct{ in *bufio.Reader }

func (stepwise) Step(string) {}

func (s stepwise) Update(done, total int) {
	fmt.Println(done, total)
	_, _ = s.in.ReadString('\n') // without a parent it goes on to the end
}

func checkAsChild(url string) error {
	ctx := context.Background()
	log := slog.New(slog.DiscardHandler)
	s, err := store.Open(ctx, store.Config{URL: url, Logger: log, MaxConns: 2})
	if err != nil {
		return err
	}
	defer s.Close()
	c, err := recheck.New(recheck.Config{Store: s, Logger: log, Batch: 1})
	if err != nil {
		return err
	}
	_, err = c.Due(ctx, stepwise{bufio.NewReader(os.Stdin)})
	return err
}

// A process that is killed in the middle leaves whole checks, and whoever comes
// next does the rest, each item once.
func TestKilledInTheMiddle(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	f.load(orderFile(t, "icd10cm-order-2026.txt", rows2026...), codeset.ReadOptions{})
	const items = 60
	for i := range items {
		f.save(fmt.Sprint("N-", i), fmt.Sprint("e", i), november, "", "J98.1", "I10")
	}
	f.load(orderFile(t, "icd10cm-order-2027.txt", rows2027...), codeset.ReadOptions{})
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	left, checked := items, 0
	for _, after := range []int{1, 7, 20} {
		cmd := exec.CommandContext(t.Context(), exe)
		cmd.Env = append(os.Environ(), childURL+"="+f.url)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for i := 0; i < after && lines.Scan(); i++ {
			_, total, _ := strings.Cut(lines.Text(), " ")
			if n, err := strconv.Atoi(total); err != nil || i == 0 && n > left {
				t.Fatalf("%q begins with more than the %d that were left", lines.Text(), left)
			}
			if _, err := fmt.Fprintln(in); err != nil {
				t.Fatal(err)
			}
		}
		// It is at work on the next item now.
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // it says that it was killed
		now := 0
		for e := range f.heads() {
			switch got := said(f.item(e)); got {
			case deleted:
				now++
			case "nothing":
			default:
				t.Fatalf("%s was left with %q", e, got)
			}
		}
		if now < checked+after || now > checked+after+2 {
			t.Fatalf("%d items are checked after a process that told of %d was killed, before it there were %d", now, after, checked)
		}
		checked, left = now, items-now
	}
	// The server may end what it was told to before the killing.
	if n := f.due(); n != left && n != left-1 {
		t.Errorf("%d were checked at last, want the %d that were left", n, left)
	}
	for e := range f.heads() {
		f.wants(e, deleted, 1)
	}
	f.oneCheckEach()
}

// Notes arrive, are revised and decided on while releases are imported and two
// processes check: in the end exactly those codes are marked that the release
// that holds lacks.
func TestEverythingAtOnce(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	f.load(orderFile(t, "icd10cm-order-2026.txt", rows2026...), codeset.ReadOptions{})
	other := newChecker(t, f.store, 3)
	first := orderFile(t, "icd10cm-order-2027.txt", rows2027[1:]...)
	second := orderFile(t, "icd10cm-order-2027.txt", rows2027...)
	stale, err := f.store.Releases(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	old := codeset.Releases(stale).Edition(november)

	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var writers, checkers sync.WaitGroup
	done := make(chan struct{})
	const encounters = 12
	for w := range 3 {
		writers.Go(func() {
			for i := range 16 {
				edition := ""
				if i%2 == 0 {
					edition = old // a worker whose tables are of a moment before
				}
				day := november
				if i%5 == 4 {
					day = coding.NewDate(2026, 9, 30)
				}
				e := (w*5 + i) % encounters
				codes := [][]string{{"J98.1", "I10"}, {"K52.9"}, {"I10"}, {"M25.5", "J98.1", "K52.9"}}[(w+i)%4]
				if err := f.trySave(fmt.Sprint("N-", e, "-", i%2), fmt.Sprint("e", e), day, edition, codes...); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Go(func() {
		f.load(first, codeset.ReadOptions{})
		f.load(second, codeset.ReadOptions{})
	})
	for _, c := range []*recheck.Checker{f.checker, other} {
		checkers.Go(func() {
			for {
				if _, err := c.Due(ctx, nil); err != nil {
					t.Error(err)
				}
				select {
				case <-done:
					return
				case <-ctx.Done():
					return
				default:
				}
			}
		})
	}
	writers.Wait()
	close(done)
	checkers.Wait()
	f.due()

	has := map[string]map[string]bool{"2026": {}, "2027": {}}
	for version, rows := range map[string][]row{"2026": rows2026, "2027": rows2027} {
		for _, r := range rows {
			has[version][r.code] = true
		}
	}
	heads := f.heads()
	if len(heads) != encounters {
		t.Fatalf("%d items, want %d", len(heads), encounters)
	}
	marked := 0
	for e, h := range heads {
		version := "2026"
		if !h.ServiceDate.Before(coding.NewDate(2026, 10, 1)) {
			version = "2027"
		}
		it, wrong := f.item(e), 0
		for _, c := range it.Codes {
			if c.Invalid() == has[version][c.CodeKey.Code] {
				t.Errorf("%s on %s: %s marked %v", e, h.ServiceDate, c.CodeKey.Code, c.Invalid())
			}
			if c.Invalid() {
				wrong++
			}
		}
		if it.ItemHead.Invalid != wrong {
			t.Errorf("%s: the worklist counts %d, the page %d", e, it.ItemHead.Invalid, wrong)
		}
		if strings.Contains(notices(it), coding.NoticeReleaseAssumed) {
			t.Errorf("%s still says that its release is assumed", e)
		}
		marked += wrong
	}
	if marked == 0 {
		t.Error("nothing was marked")
	}
	f.oneCheckEach()
}
