package fetch

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"chartcode/internal/coding"
)

// zipOf gives a zip with n random bytes in it, so that it does not shrink.
func zipOf(t *testing.T, seed uint64, n int) []byte {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 1))
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(rng.Uint32())
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create("order.txt")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// publisher serves one file with tag, range and all, and can be told to cut
// answers off.
type publisher struct {
	mu       sync.Mutex
	data     []byte
	tag      string
	cutAt    int // the next answer ends after as many bytes of the file; 0: whole
	requests []string
}

func (p *publisher) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	data, tag, cutAt := p.data, p.tag, p.cutAt
	p.cutAt = 0
	p.requests = append(p.requests, r.Header.Get("Range")+" "+r.Header.Get("If-Range"))
	p.mu.Unlock()
	if tag != "" {
		w.Header().Set("ETag", tag)
	}
	w.Header().Set("Content-Type", "application/zip")
	if cutAt > 0 {
		w.Header().Set("Content-Length", fmt.Sprint(len(data)))
		_, _ = w.Write(data[:cutAt])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
}

func (p *publisher) asked() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.requests...)
}

func (p *publisher) set(f func(*publisher)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f(p)
}

func serve(t *testing.T, h http.Handler) (*httptest.Server, Config) {
	t.Helper()
	srv := httptest.NewTLSServer(h)
	t.Cleanup(srv.Close)
	return srv, Config{URL: srv.URL + "/files/zip/2026-codes.zip", Dir: filepath.Join(t.TempDir(), "new"), Client: srv.Client()}
}

func checkFile(t *testing.T, cfg Config, r Result, want []byte) {
	t.Helper()
	got, err := os.ReadFile(filepath.Join(cfg.Dir, "2026-codes.zip"))
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("the file is not as it is published: %d of %d bytes, %v", len(got), len(want), err)
	}
	sum := sha256.Sum256(want)
	if r.SHA256 != hex.EncodeToString(sum[:]) || r.Size != int64(len(want)) || r.Path != filepath.Join(cfg.Dir, "2026-codes.zip") {
		t.Errorf("result %+v", r)
	}
	left(t, cfg, "2026-codes.zip")
}

// left checks which files are in the folder.
func left(t *testing.T, cfg Config, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(cfg.Dir)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestDownload(t *testing.T) {
	t.Parallel()
	p := &publisher{data: zipOf(t, 1, 300_000), tag: `"one"`}
	_, cfg := serve(t, p)
	var last, of int64
	cfg.Notify = func(done, total int64) { last, of = done, total }
	r, err := Download(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	checkFile(t, cfg, r, p.data)
	if last != int64(len(p.data)) || of != last || r.Resumed {
		t.Errorf("told of %d of %d bytes, resumed: %v", last, of, r.Resumed)
	}
	p.set(func(p *publisher) { p.data, p.tag = zipOf(t, 2, 1000), `"two"` })
	if r, err = Download(t.Context(), cfg); err != nil { // replaces what is there
		t.Fatal(err)
	}
	checkFile(t, cfg, r, p.data)
}

// A cut connection is continued by itself as long as something comes.
func TestACutDownloadGoesOn(t *testing.T) {
	t.Parallel()
	p := &publisher{data: zipOf(t, 1, 300_000), tag: `"one"`, cutAt: 100_000}
	_, cfg := serve(t, p)
	r, err := Download(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	checkFile(t, cfg, r, p.data)
	if diff := cmp.Diff([]string{" ", `bytes=100000- "one"`}, p.asked()); diff != "" || !r.Resumed {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

// interrupted leaves a part of 100,000 bytes behind, as a program does that was ended.
func interrupted(t *testing.T, p *publisher, cfg Config) {
	t.Helper()
	d, err := newDownload(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(cfg.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	p.set(func(p *publisher) { p.cutAt = 100_000 })
	if err := d.attempt(t.Context()); err == nil || !strings.Contains(err.Error(), "run the command again") {
		t.Fatalf("a cut connection: %v", err)
	}
	left(t, cfg, "2026-codes.zip.part", "2026-codes.zip.part.json")
	if d.have() != 100_000 {
		t.Fatalf("%d bytes are kept", d.have())
	}
}

func TestALaterCallContinues(t *testing.T) {
	t.Parallel()
	p := &publisher{data: zipOf(t, 1, 300_000), tag: `"one"`}
	_, cfg := serve(t, p)
	interrupted(t, p, cfg)
	var first int64
	cfg.Notify = func(done, _ int64) {
		if first == 0 {
			first = done
		}
	}
	r, err := Download(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	checkFile(t, cfg, r, p.data)
	if first <= 100_000 || !r.Resumed {
		t.Errorf("it did not continue: the first news was %d bytes", first)
	}
}

func TestAChangedFileStartsAnew(t *testing.T) {
	t.Parallel()
	t.Run("other tag", func(t *testing.T) {
		t.Parallel()
		p := &publisher{data: zipOf(t, 1, 300_000), tag: `"one"`}
		_, cfg := serve(t, p)
		interrupted(t, p, cfg)
		p.set(func(p *publisher) { p.data, p.tag = zipOf(t, 2, 200_000), `"two"` })
		r, err := Download(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		checkFile(t, cfg, r, p.data)
	})
	t.Run("no tag", func(t *testing.T) {
		t.Parallel()
		p := &publisher{data: zipOf(t, 1, 300_000)}
		_, cfg := serve(t, p)
		interrupted(t, p, cfg)
		p.set(func(p *publisher) { p.data = zipOf(t, 2, 200_000) })
		r, err := Download(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		checkFile(t, cfg, r, p.data)
	})
	t.Run("shorter, with the tag kept", func(t *testing.T) {
		t.Parallel()
		p := &publisher{data: zipOf(t, 1, 300_000), tag: `"one"`}
		_, cfg := serve(t, p)
		interrupted(t, p, cfg)
		p.set(func(p *publisher) { p.data = zipOf(t, 2, 50_000) }) // the range cannot be given
		r, err := Download(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		checkFile(t, cfg, r, p.data)
	})
	t.Run("a server that ignores If-Range", func(t *testing.T) {
		t.Parallel()
		p := &publisher{data: zipOf(t, 1, 300_000), tag: `"one"`}
		careless := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Range") != "" {
				r.Header.Del("If-Range")
			}
			p.ServeHTTP(w, r)
		})
		_, cfg := serve(t, careless)
		interrupted(t, p, cfg)
		p.set(func(p *publisher) { p.data, p.tag = zipOf(t, 2, 200_000), `"two"` })
		r, err := Download(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		checkFile(t, cfg, r, p.data)
	})
}

func TestWhatIsNoFileIsRefused(t *testing.T) {
	t.Parallel()
	file := zipOf(t, 1, 300_000)
	tests := map[string]struct {
		answer http.HandlerFunc
		limit  int64
		want   string
	}{
		"not there":   {func(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }, 0, "has no 2026-codes.zip (status 404)"},
		"not allowed": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }, 0, "does not give 2026-codes.zip (status 403)"},
		"web page": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprint(w, "<!doctype html><title>Page moved</title>")
		}, 0, "answered with a web page"},
		"web page that says it is a zip": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/zip")
			fmt.Fprint(w, "\n<html><title>Page moved</title></html>")
		}, 0, "answered with a web page"},
		"too big, and says so": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(file) }, 100_000, "is larger than"},
		"too big, and does not say so": {func(w http.ResponseWriter, _ *http.Request) {
			for range 10 {
				_, _ = w.Write(append([]byte("PK"), file[:30_000]...))
				_ = http.NewResponseController(w).Flush()
			}
		}, 100_000, "is larger than"},
		"nothing": {func(http.ResponseWriter, *http.Request) {}, 0, "sent nothing"},
		"cut off without a length": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(file[:10_000])
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, 0, "the connection ended before 2026-codes.zip was whole"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, cfg := serve(t, tt.answer)
			cfg.Limit = tt.limit
			_, err := Download(t.Context(), cfg)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
			if _, err := os.Stat(filepath.Join(cfg.Dir, "2026-codes.zip")); err == nil {
				t.Error("a file stands in the folder")
			}
			if !strings.Contains(tt.want, "connection ended") {
				for _, name := range []string{"2026-codes.zip.part"} {
					if info, err := os.Stat(filepath.Join(cfg.Dir, name)); err == nil && info.Size() > 0 {
						t.Errorf("%s was kept", name)
					}
				}
			}
		})
	}
}

func TestRedirects(t *testing.T) {
	t.Parallel()
	p := &publisher{data: zipOf(t, 1, 1000), tag: `"one"`}
	plain := httptest.NewServer(p)
	t.Cleanup(plain.Close)
	mux := http.NewServeMux()
	mux.Handle("/files/zip/2026-codes.zip", http.RedirectHandler(plain.URL+"/2026-codes.zip", http.StatusFound))
	mux.Handle("/moved/2026-codes.zip", http.RedirectHandler("/kept/other.zip", http.StatusMovedPermanently))
	mux.Handle("/kept/other.zip", p)
	srv, cfg := serve(t, mux)
	if _, err := Download(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "without https") {
		t.Errorf("a redirect to plain http: %v", err)
	}
	if n := len(p.asked()); n != 0 {
		t.Errorf("the plain server was asked %d times", n)
	}
	cfg.URL = srv.URL + "/moved/2026-codes.zip"
	r, err := Download(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	checkFile(t, cfg, r, p.data)

	// A mirror on this machine may be plain, but may not lead on.
	cfg.URL = plain.URL + "/files/2026-codes.zip"
	if r, err = Download(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	checkFile(t, cfg, r, p.data)
}

func TestAddressesThatAreNotAsked(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"http://files.example/2026.zip":         "https://",
		"ftp://files.example/2026.zip":          "https://",
		"files.example/2026.zip":                "no address",
		"https://user:word@files.example/2.zip": "password",
		"https://files.example/":                "name of a file",
		"https://files.example/%22.zip":         "name of a file",
		"https://files.example/.part":           "name of a file",
	} {
		_, err := Download(t.Context(), Config{URL: address, Dir: t.TempDir()})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "user:word") {
			t.Errorf("%s: error %v, want one with %q", address, err, want)
		}
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		system  coding.System
		version string
		files   int
		first   string
	}{
		{coding.ICD10CM, "2027", 3, "https://www.cms.gov/files/zip/2027-code-descriptions-tabular-order.zip"},
		{coding.ICD10PCS, "2026", 1, "https://www.cms.gov/files/zip/2026-icd-10-pcs-order-file-long-and-abbreviated-titles.zip"},
		{coding.HCPCS, "2024-07", 1, "https://www.cms.gov/files/zip/july-2024-alpha-numeric-hcpcs-file.zip"},
	} {
		files, err := Addresses(tt.system, tt.version)
		if err != nil || len(files) != tt.files || files[0].URL != tt.first {
			t.Errorf("%s %s: %v, %v", tt.system, tt.version, files, err)
			continue
		}
		for _, f := range files {
			if _, err := newDownload(Config{URL: f.URL, Dir: t.TempDir()}); err != nil || f.What == "" {
				t.Errorf("%+v: %v", f, err)
			}
		}
	}
	for _, bad := range []struct {
		system  coding.System
		version string
	}{{coding.CPT, "2026"}, {coding.ICD10CM, "2026-04"}, {coding.ICD10CM, "new"}, {coding.HCPCS, "2024"}, {coding.HCPCS, "2024-13"}} {
		if files, err := Addresses(bad.system, bad.version); err == nil {
			t.Errorf("%s %s: %v", bad.system, bad.version, files)
		}
	}
}

func FuzzContentRange(f *testing.F) {
	for _, s := range []string{"bytes 100-199/200", "bytes 0-1/*", "bytes */200", "bytes 5-/", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if start, total, ok := contentRange(s); ok && (total < -1 || start < 0) {
			t.Errorf("%q is read as %d of %d", s, start, total)
		}
	})
}
