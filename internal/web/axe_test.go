package web_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"chartcode/internal/codebook/booktest"
	"chartcode/internal/coding"
)

// The accessibility checker axe-core (MPL-2.0) is not part of the repository:
// npm fetches it once into the user's cache.
const (
	axeVersion = "4.14.1"
	axeSHA512  = "1477dafa598d8d065f273d6af302aa203c02e83131707b7fa648cd41bd3d6b734f8c22a0dab86ee6a6f64b8afbe804b214d36db85a2826965edfb3a0b9d546b5"
)

// axe gives the checker's script. Without it and without npm the test fails.
func axe(t testing.TB) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	file := filepath.Join(cache, "chartcode-test-axe", "axe-core-"+axeVersion+".tgz")
	packed, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		npm, err := exec.LookPath("npm")
		if err != nil {
			t.Fatal("axe-core is not in the cache and npm, which fetches it, is not installed; run deploy/setup.sh test")
		}
		packed = fetchAxe(t, npm, file)
	} else if err != nil {
		t.Fatal(err)
	}
	if sum := sha512.Sum512(packed); hex.EncodeToString(sum[:]) != axeSHA512 {
		t.Fatalf("%s is not the axe-core that was asked for; remove it", file)
	}
	unzipped, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	for files := tar.NewReader(unzipped); ; {
		h, err := files.Next()
		if err != nil {
			t.Fatalf("no script in %s: %v", file, err)
		}
		if h.Name == "package/axe.min.js" {
			script, err := io.ReadAll(files)
			if err != nil {
				t.Fatal(err)
			}
			return string(script)
		}
	}
}

func fetchAxe(t testing.TB, npm, file string) []byte {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), npm, "pack", "axe-core@"+axeVersion, "--silent")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("npm could not fetch axe-core: %v\n%s", err, out)
	}
	packed, err := os.ReadFile(filepath.Join(dir, filepath.Base(file)))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	// Under a name of its own first: another test may be reading.
	part := fmt.Sprintf("%s.%d", file, os.Getpid())
	if err := os.WriteFile(part, packed, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(part, file); err != nil {
		t.Fatal(err)
	}
	return packed
}

// axeRules are those that a page is looked at by in each colour scheme: the second
// differs in nothing but colours.
var axeRules = [2]struct{ scheme, rules string }{
	{"light", `["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]`},
	{"dark", `{ type: "rule", values: ["color-contrast"] }`},
}

// accessible fails the test for each violation on the page, in either colour scheme.
func (b *tab) accessible(script, what string) {
	b.t.Helper()
	b.accessiblePart(script, "html", what)
}

// accessiblePart does so for a part of the page alone, which takes less time: for
// what opens on a page that was looked at.
func (b *tab) accessiblePart(script, part, what string) {
	b.t.Helper()
	if !value[bool](b, `"axe" in window`) {
		b.run(chromedp.Evaluate[chromedp.Void](script + "; null"))
	}
	for _, r := range axeRules {
		b.scheme(r.scheme)
		b.violations(part, r.rules, what+", "+r.scheme)
	}
	b.scheme(axeRules[0].scheme)
}

func (b *tab) violations(part, rules, what string) {
	b.t.Helper()
	found, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](
		`axe.run(`+strconv.Quote(part)+`, { runOnly: `+rules+` }).then((r) =>
			JSON.stringify({ passes: r.passes.length, violations: r.violations.map((v) => v.id + ": " + v.help + ": " + v.nodes.map((n) => n.html + " " + n.failureSummary).join("; ")) }))`,
		chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatal(err)
	}
	var result struct {
		Passes     int
		Violations []string
	}
	if err := json.Unmarshal([]byte(found), &result); err != nil {
		b.t.Fatal(err)
	}
	if result.Passes == 0 || rules == axeRules[0].rules && part == "html" && result.Passes < 10 {
		b.t.Errorf("%s: only %d rules were looked at", what, result.Passes)
	}
	for _, v := range result.Violations {
		b.t.Errorf("%s: %s", what, v)
	}
}

// TestAccessibility looks for violations of WCAG 2.2, level AA, on every page
// in both colour schemes.
func TestAccessibility(t *testing.T) {
	t.Parallel()
	script := axe(t)
	s := newSite(t)
	s.saveSamples()
	booktest.Load(t, s.store)
	diabetes, stay, degraded := s.itemOf("N-1001"), s.itemOf("N-1004"), s.itemOf("N-1012")
	// What opens on a page is looked at on a small one: the checker reads all of a page for each.
	n := note("A-1", "E-A-1", visit+" No heart failure.")
	n.Setting = coding.Inpatient
	s.save(n, s.set(n, visitCodes...))
	small := s.itemOf("A-1")
	checked := s.nextYear("N-2001")
	s.newRelease()
	coder := s.as(coding.RoleCoder)
	held := s.itemOf("N-1005")
	coder.act(coder.get(itemPath(held)), "hold", "", "reason", "waiting")
	queried := s.itemOf("N-1007")
	coder.act(coder.get(itemPath(queried)), "query", "", "reason", "Which side?")
	finished := s.itemOf("N-1006")
	coder.act(coder.get(itemPath(finished)), "finish", "", "confirm", "true")

	b := s.tab()
	see := func(path string) {
		t.Helper()
		b.open(path)
		b.accessible(script, path)
	}
	see("/sign-in")
	see("/sign-in?link=wrong")
	b.signIn(coding.RoleCoder)
	for _, path := range []string{"/", "/?state=held", "/?source=none", "/nothing", itemPath(diabetes), itemPath(stay), itemPath(degraded), itemPath(held), itemPath(queried), itemPath(finished), itemPath(finished) + "/timeline", itemPath(checked),
		"/codes", "/codes?q=fx+distal+radius+right", "/codes?q=xyzzy", "/codes?q=diabetes&date=2019-01-01", "/codes?system=CPT",
		"/codes/ICD-10-CM/E11.22", "/codes/ICD-10-CM/S52.501D", "/codes/ICD-10-CM/J44", "/codes/ICD-10-CM/E66.8", "/codes/ICD-10-CM/E11.223"} {
		see(path)
	}
	b.open(itemPath(small))
	b.press("f")
	b.until(`document.querySelector("#problem") !== null`)
	b.accessible(script, "problem")
	b.opened(script, small)
	b.open(itemPath(diabetes))
	b.press(strings.Repeat("a", 4) + strings.Repeat("r", 6))
	b.until(`document.querySelectorAll(".code.rejected").length === 3`)
	see(itemPath(diabetes)) // with its codes decided
	b.run(chromedp.EmulateViewport(640, 360))
	see(itemPath(stay))
	see("/codes?q=fx+distal+radius+right")
	see("/codes/ICD-10-CM/S52.501A")
}
