package web_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"chartcode/internal/auth"
	"chartcode/internal/coding"
)

// chromium is one browser for all tests; each test has a context of its own in
// it, with its own cookies.
var chromium struct {
	once sync.Once
	ctx  context.Context
	end  func()
	err  error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if chromium.end != nil {
		chromium.end()
	}
	if err := month.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func startChromium() {
	path, err := findChromium()
	if err != nil {
		chromium.err = err
		return
	}
	dir, err := os.MkdirTemp("", "chartcode-chromium-")
	if err != nil {
		chromium.err = err
		return
	}
	flags := []chromedp.ExecAllocatorOption{chromedp.ExecPath(path), chromedp.UserDataDir(dir), chromedp.WSURLReadTimeout(time.Minute)}
	for _, name := range []string{"headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "no-default-browser-check",
		"disable-background-networking", "disable-component-update", "disable-sync", "disable-dev-shm-usage", "hide-scrollbars"} {
		flags = append(flags, chromedp.Flag(name, true))
	}
	alloc, endAlloc := chromedp.NewExecAllocator(context.Background(), flags...)
	ctx, end := chromedp.NewContext(alloc)
	chromium.ctx = ctx
	chromium.end = func() {
		end()
		endAlloc()
		_ = os.RemoveAll(dir)
	}
	chromium.err = chromedp.Do(ctx)
}

// findChromium looks for the browser under the names that deploy/setup.sh knows.
func findChromium() (string, error) {
	for _, name := range []string{"chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "headless-shell",
		"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", "/Applications/Chromium.app/Contents/MacOS/Chromium"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("no Chromium: deploy/setup.sh test installs it")
}

// tab is a page in a real browser.
type tab struct {
	*site
	ctx context.Context

	keys int // that were pressed

	mu   sync.Mutex
	said []string // exceptions, errors on the console, violations of the policy
}

// tabTime is more than any test needs, also on a machine that is busy with other
// things, so that one that hangs ends.
const tabTime = 20 * time.Minute

// tab opens a browser of its own, 1280 x 720. What the page reports as an
// error fails the test.
func (s *site) tab() *tab {
	s.t.Helper()
	chromium.once.Do(startChromium)
	if chromium.err != nil {
		s.t.Fatal(chromium.err)
	}
	return s.tabIn(chromium.ctx, chromedp.WithNewBrowserContext())
}

// window opens a second window of the same browser, with the same cookies.
func (b *tab) window() *tab {
	b.t.Helper()
	return b.tabIn(b.ctx)
}

func (s *site) tabIn(parent context.Context, options ...chromedp.ContextOption) *tab {
	s.t.Helper()
	ctx, end := chromedp.NewContext(parent, options...)
	s.t.Cleanup(end)
	if err := chromedp.Do(ctx); err != nil {
		s.t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(ctx, tabTime)
	b := &tab{site: s, ctx: ctx}
	console := chromedp.Console(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for m, err := range console {
			if err != nil {
				return
			}
			if m.IsException() || m.Type == chromedp.ConsoleError && m.Source != "network" {
				b.mu.Lock()
				b.said = append(b.said, m.Text)
				b.mu.Unlock()
			}
		}
	}()
	s.t.Cleanup(func() {
		stop()
		<-done
		for _, text := range b.said {
			s.t.Errorf("the browser reported: %s", text)
		}
	})
	b.run(chromedp.EmulateViewport(1280, 720))
	b.scheme("light")
	return b
}

// run does things in the browser.
func (b *tab) run(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

// call sends a command of the protocol.
func call[P, R any](b *tab, c cdp.Command[P, R], params P) R {
	b.t.Helper()
	r, err := chromedp.Call(b.ctx, c, params)
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

// as signs in a new user, who has a password.
func (b *tab) as(login string, role coding.UserRole, password string) {
	b.t.Helper()
	if _, err := b.auth.AddUser(b.t.Context(), auth.ByConsole, auth.NewUser{Login: login, Name: login, Role: role, Password: password}); err != nil {
		b.t.Fatal(err)
	}
	b.open("/sign-in")
	b.until(`document.activeElement.hasAttribute("autofocus")`) // browsers focus it when they draw, after the page has loaded
	b.press(login + kb.Tab + password + kb.Enter)
	b.until(`location.pathname === "/" && document.readyState === "complete"`)
}

// live waits until the page hears of changes.
func (b *tab) live() {
	b.t.Helper()
	b.until(`document.documentElement.dataset.live === "on"`)
}

// signIn follows the link of the demo's user of a role.
func (b *tab) signIn(role coding.UserRole) {
	b.t.Helper()
	b.run(chromedp.Navigate(b.URL + "/sign-in?link=" + b.links[role]))
}

func (b *tab) open(path string) {
	b.t.Helper()
	b.run(chromedp.Navigate(b.URL + path))
}

// value evaluates an expression in the page.
func value[T any](b *tab, expression string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// patience is how long a page may take to become what a test waits for.
const patience = time.Minute

// until waits until an expression in the page is true, whatever pages come
// and go meanwhile. It looks at every frame that the browser draws.
func (b *tab) until(expression string) {
	b.t.Helper()
	look := fmt.Sprintf(`new Promise((done) => { const look = () => { if (%s) { done(true); } else { requestAnimationFrame(look); } }; look(); })`, expression)
	ctx, stop := context.WithTimeout(b.ctx, patience)
	defer stop()
	for {
		_, err := chromedp.Run(ctx, chromedp.Evaluate[bool](look, chromedp.EvalAwaitPromise))
		if err == nil {
			return
		}
		if ctx.Err() != nil {
			b.t.Fatalf("waited in vain for %s; the page is %s", expression, value[string](b, "location.pathname + '\\n' + document.body.innerText.slice(0, 2000)"))
		}
	}
}

// press presses keys, one after the other, on whatever has the focus. The text
// of a key goes with its pressing, as from a keyboard: a page that takes the
// key for itself then keeps it from being typed.
func (b *tab) press(keys string) {
	b.t.Helper()
	for _, r := range keys {
		b.keys++
		var text string
		events := kb.Encode(r)
		for _, ev := range events {
			if ev.Type == kb.KeyChar {
				text = ev.Text
			}
		}
		for _, ev := range events {
			if ev.Type == kb.KeyChar {
				continue
			}
			if ev.Type == kb.KeyDown {
				ev.Text = text
			}
			call(b, input.DispatchKeyEvent, *ev)
		}
	}
}

// scheme makes the browser prefer light or dark colours, and no movement, so that
// what comes into view does so at once.
func (b *tab) scheme(name string) {
	b.t.Helper()
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}, {Name: "prefers-reduced-motion", Value: "reduce"}}})
}

// picture is what the window shows, as PNG.
func (b *tab) picture() []byte {
	b.t.Helper()
	p, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Fatal(err)
	}
	return p
}

// clearCookies signs the browser out without the server knowing.
func clearCookies(ctx context.Context, t *chromedp.Target) error {
	_, err := cdp.Call(ctx, t, network.ClearBrowserCookies, cdp.Empty{})
	return err
}
