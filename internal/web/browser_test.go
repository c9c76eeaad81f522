package web_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"chartcode/internal/coding"
)

const selectedCode = `document.querySelector(".code.selected .id").textContent`

// focused waits until the selected code, which must be this one, has the focus.
func (b *tab) focused(code string) {
	b.t.Helper()
	b.until(`document.querySelector(".code.selected") !== null && ` + selectedCode + ` === ` + fmt.Sprintf("%q", code) + ` && document.activeElement === document.querySelector(".code.selected")`)
}

// highlighted is the evidence that is set off, as the reader sees it.
func (b *tab) highlighted() string {
	b.t.Helper()
	return value[string](b, `Array.from(document.querySelectorAll("mark.on")).map((m) => m.textContent).join("|")`)
}

func TestByKeyboardAlone(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.codes("E11.42", "Z79.4")
	ids := s.several(3)
	b := s.tab()
	b.signIn(coding.RoleCoder)

	// Next takes the first item; the first undecided code has the focus.
	b.press("n")
	b.until(fmt.Sprintf(`location.pathname === "/items/%d"`, ids[0]))
	b.focused("E11.40")
	if got := s.state(ids[0]); got.State != coding.ItemClaimed {
		t.Errorf("the next item is %s", got.State)
	}
	if got := b.highlighted(); got != "Type 2 diabetes with neuropathy" {
		t.Errorf("highlighted is %q", got)
	}

	// The selection and with it the evidence follow j and k, and stop at the ends.
	for _, step := range []struct{ key, code, evidence string }{
		{"j", "I10", "Essential hypertension"}, {"j", "E78.5", "Hyperlipidemia"}, {"j", "E78.5", "Hyperlipidemia"},
		{"k", "I10", "Essential hypertension"}, {kb.ArrowUp, "E11.40", "Type 2 diabetes with neuropathy"}, {"k", "E11.40", "Type 2 diabetes with neuropathy"},
		{kb.ArrowDown, "I10", "Essential hypertension"},
	} {
		b.press(step.key)
		b.focused(step.code)
		if got := b.highlighted(); got != step.evidence {
			t.Errorf("with %s selected the highlight is on %q", step.code, got)
		}
	}

	// Decisions go on to the next undecided code; the focus goes along.
	b.press("a")
	b.focused("E78.5")
	s.wantCodes(ids[0], "E11.40 undecided, I10 accepted, E78.5 undecided")
	b.press("r") // asks why
	b.until(`document.querySelector("#code-2 .reject").open`)
	b.press("1")
	b.focused("E11.40")
	s.wantCodes(ids[0], "E11.40 undecided, I10 accepted, E78.5 rejected")
	if got := s.state(ids[0]).Codes[2].ReasonCode; got != coding.RejectNotInNote {
		t.Errorf("it was rejected as %q", got)
	}
	b.press("u")
	b.focused("E78.5")
	s.wantCodes(ids[0], "E11.40 undecided, I10 accepted, E78.5 undecided")
	b.press("y")
	b.until(`document.querySelector("#code-2.rejected") !== null`)
	b.focused("E78.5")
	s.wantCodes(ids[0], "E11.40 undecided, I10 accepted, E78.5 rejected")

	// Change a code; a wrong one says so and leaves the cursor in the field.
	b.press("k")
	b.press("k")
	b.focused("E11.40")
	b.press("m")
	b.until(`document.activeElement.name === "to"`)
	b.press("q9999" + kb.Enter)
	b.until(`document.querySelector("#problem") !== null`)
	if got := value[string](b, `document.activeElement.id + " " + document.activeElement.value`); got != "change-0 q9999" {
		t.Errorf("after a wrong code the focus is at %q", got)
	}
	b.press("e1142" + kb.Enter)
	b.until(`document.querySelector("#code-1.added") !== null`)
	b.focused("E11.40")

	// Add one.
	b.press("c")
	b.until(`document.activeElement.id === "add-code"`)
	b.press("z794" + kb.Enter)
	b.focused("Z79.4")
	s.wantCodes(ids[0], "E11.40 modified, E11.42 added, I10 accepted, E78.5 rejected, Z79.4 added")

	// Escape leaves a field, and keys typed in a field do nothing else.
	b.press("c")
	b.until(`document.activeElement.id === "add-code"`)
	b.press("af" + kb.Escape)
	b.focused("Z79.4")
	s.wantCodes(ids[0], "E11.40 modified, E11.42 added, I10 accepted, E78.5 rejected, Z79.4 added")

	// The sheet.
	b.press("?")
	b.until(`document.querySelector("dialog").open`)
	b.press("a")
	b.press(kb.Enter) // the button that closes it has the focus
	b.until(`!document.querySelector("dialog").open`)

	// Finish goes on to the next item and says so.
	b.press("f")
	b.until(fmt.Sprintf(`location.pathname === "/items/%d"`, ids[1]))
	b.focused("E11.40")
	if got := s.state(ids[0]); got.State != coding.ItemFinished {
		t.Errorf("after f the item is %s", got.State)
	}
	b.until(fmt.Sprintf(`document.querySelector("#said").textContent.includes("Item %d is finished.")`, ids[0]))

	// Fast fingers: what is typed while an act is on its way is done after it.
	b.press("aaaf")
	b.until(fmt.Sprintf(`location.pathname === "/items/%d"`, ids[2]))
	s.wantCodes(ids[1], "E11.40 accepted, I10 accepted, E78.5 accepted")

	// Finishing with undecided codes asks; two presses at once do not answer. They are
	// made in the page, where no answer can come between them.
	b.focused("E11.40")
	b.run(chromedp.Evaluate[chromedp.Void](`for (let i = 0; i < 2; i++) {
		document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: "f", bubbles: true, cancelable: true }));
	} null`))
	b.until(`document.querySelector("#problem") !== null`)
	b.focused("E11.40")
	if got := s.state(ids[2]); got.State == coding.ItemFinished {
		t.Fatal("it finished unasked")
	}
	b.press("f")
	b.until(`location.pathname === "/" && document.body.innerText.includes("That was the last one.")`)
	if got := value[string](b, `document.activeElement.id`); got != "main" {
		t.Errorf("on the worklist the focus is at %q", got)
	}

	// Back and reopen.
	b.run(chromedp.NavigateBack())
	// What only scripts serve is shown once the script listens.
	b.until(fmt.Sprintf(`location.pathname === "/items/%d" && document.querySelector("[value=reopen]") !== null && !document.querySelector(".needs-script").hidden`, ids[2]))
	b.press("o")
	b.until(`document.querySelector("[value=finish]") !== null`)
	b.focused("E11.40")
	b.press("w")
	b.until(`location.pathname === "/" && document.body.innerText.includes("You are working on")`)
}

func TestWorklistByKeyboard(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ids := s.several(3)
	b := s.tab()
	b.signIn(coding.RoleCoder)
	b.press("jj")
	b.press("k")
	b.press("j" + kb.Enter)
	b.until(fmt.Sprintf(`location.pathname === "/items/%d"`, ids[1]))
}

func TestSingleKeysCanBeTurnedOff(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.one()
	b := s.tab()
	b.signIn(coding.RoleCoder)
	b.open(itemPath(id))
	b.run(chromedp.Click(chromedp.CSS("[data-sheet]")), chromedp.Click(chromedp.CSS("#keys-on")))
	b.press(kb.Escape)
	b.until(`!document.querySelector("dialog").open`)
	b.press("aj")
	b.open(itemPath(id))
	b.press("aj")
	b.focused("E11.40")
	s.wantCodes(id, "E11.40 undecided, I10 undecided, E78.5 undecided")
	b.run(chromedp.Click(chromedp.CSS("[data-sheet]")), chromedp.Click(chromedp.CSS("#keys-on")))
	b.press(kb.Escape)
	b.until(`!document.querySelector("dialog").open`)
	b.press("a")
	b.until(`document.querySelector(".code.accepted") !== null`)
}

func TestByMouse(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	n := note("D-1", "E-1", visit)
	s.save(n, s.set(n,
		sug{code: "E11.40", words: []string{"Type 2 diabetes with neuropathy"}, confidence: 0.9},
		sug{code: "E11.9", words: []string{"diabetes"}, confidence: 0.2},
		sug{code: "I10", words: []string{"Essential hypertension", "well controlled"}, confidence: 0.8}))
	id := s.itemOf("D-1")
	b := s.tab()
	b.signIn(coding.RoleCoder)
	b.open(itemPath(id))

	// Only the selected code is open.
	if got := value[int](b, `Array.from(document.querySelectorAll(".code .more")).filter((el) => el.offsetParent !== null).length`); got != 1 {
		t.Errorf("%d codes are open", got)
	}
	b.run(chromedp.Click(chromedp.CSS("#code-2 .title")))
	b.focused("I10")
	if got := b.highlighted(); got != "Essential hypertension|well controlled" {
		t.Errorf("highlighted is %q", got)
	}
	// A quote shows its place; e goes through the places.
	b.run(chromedp.Click(chromedp.CSS("#code-2 blockquote:nth-of-type(2) a")))
	b.until(`document.querySelector("mark.now").textContent === "well controlled"`)
	b.press("e")
	b.until(`document.querySelector("mark.now").textContent === "Essential hypertension"`)
	// Overlapping evidence goes through the codes that rest on it.
	b.run(chromedp.Click(chromedp.CSS("mark.many")))
	b.focused("E11.40")
	b.run(chromedp.Click(chromedp.CSS("mark.many")))
	b.focused("E11.9")
	// One click decides on a code that is not selected.
	b.run(chromedp.Click(chromedp.CSS("#code-2 .yes")))
	b.until(`document.querySelector("#code-2.accepted") !== null`)
	s.wantCodes(id, "E11.40 undecided, E11.9 undecided, I10 accepted")
	b.focused("E11.40")
	// The menu.
	b.run(chromedp.Click(chromedp.CSS(".menu summary")), chromedp.Click(chromedp.CSS("h1")))
	b.until(`!document.querySelector(".menu").open`)
	b.press("x")
	b.until(`document.querySelector(".menu").open`)
	b.press("h")
	b.until(`document.activeElement.id === "aside-reason"`)
	b.press("waiting for pathology")
	b.run(chromedp.Click(chromedp.CSS("[value=hold]")))
	b.until(`location.pathname === "/"`)
	if got := s.state(id); got.State != coding.ItemHeld || got.Reason != "waiting for pathology" {
		t.Errorf("the item is %s: %s", got.State, got.Reason)
	}
}

func TestWithoutScripts(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ids := s.several(2)
	b := s.tab()
	call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	at := func(path string) {
		t.Helper()
		got, err := chromedp.Run(b.ctx, chromedp.Location())
		if err != nil {
			t.Fatal(err)
		}
		if got != s.URL+path {
			t.Errorf("the browser is at %s, want %s", got, path)
		}
	}
	click := func(selector string) {
		t.Helper()
		if _, err := chromedp.RunResponse(b.ctx, chromedp.Click(chromedp.CSS(selector))); err != nil {
			t.Fatal(err)
		}
	}
	b.signIn(coding.RoleCoder)
	click(".head .primary")
	at(itemPath(ids[0]))
	for i := range 3 { // all is open
		b.run(chromedp.WaitVisible(chromedp.CSS(fmt.Sprintf("#code-%d blockquote", i))))
	}
	click("#code-0 .yes")
	at(itemPath(ids[0]) + "?at=1#code-1")
	b.run(chromedp.Click(chromedp.CSS("#code-2 .reject summary")), chromedp.WaitVisible(chromedp.CSS("#code-2 [value=ruled_out]")))
	click("#code-2 [value=ruled_out]")
	at(itemPath(ids[0]) + "?at=1#code-1")
	click(".head .primary")
	at(itemPath(ids[0]) + "/act") // it asks
	click("#problem .primary")
	at(itemPath(ids[1]) + fmt.Sprintf("?finished=%d", ids[0]))
	s.wantCodes(ids[0], "E11.40 accepted, I10 undecided, E78.5 rejected")
	if got := s.state(ids[0]).State; got != coding.ItemFinished {
		t.Errorf("the item is %s", got)
	}
}

func TestDarkMode(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.one()
	b := s.tab()
	b.signIn(coding.RoleCoder)
	brightness := `(() => { const c = getComputedStyle(document.documentElement).backgroundColor.match(/\d+/g).map(Number); return (c[0] + c[1] + c[2]) / 3; })()`
	for _, path := range []string{"/", itemPath(id)} {
		b.open(path)
		b.scheme("light")
		if got := value[float64](b, brightness); got < 200 {
			t.Errorf("%s: in the light scheme the ground is %v", path, got)
		}
		b.scheme("dark")
		if got := value[float64](b, brightness); got > 60 {
			t.Errorf("%s: in the dark scheme the ground is %v", path, got)
		}
	}
}

// TestZoom checks that at 200% on 1280 x 720 nothing needs scrolling
// sideways, and that at 100% the item's page itself needs none at all.
func TestZoom(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.saveSamples()
	stay := s.itemOf("N-1004")
	b := s.tab()
	b.signIn(coding.RoleCoder)
	paths := []string{"/", itemPath(stay), "/nothing", "/?state=held"}
	for _, path := range paths {
		b.open(path)
		if got := value[[]int](b, `[document.documentElement.scrollWidth, document.documentElement.clientWidth]`); got[0] > got[1] {
			t.Errorf("%s is %d wide in a window of %d", path, got[0], got[1])
		}
	}
	b.open(itemPath(stay))
	if got := value[[]int](b, `[document.documentElement.scrollHeight, innerHeight]`); got[0] > got[1] {
		t.Errorf("the item is %d high in a window of %d", got[0], got[1])
	}
	b.run(chromedp.EmulateViewport(640, 360, chromedp.EmulateScale(2)))
	for _, path := range append(paths, "/sign-in") {
		b.open(path)
		if got := value[[]int](b, `[document.documentElement.scrollWidth, document.documentElement.clientWidth]`); got[0] > got[1] {
			t.Errorf("at 200%% %s is %d wide in a window of %d", path, got[0], got[1])
		}
	}
	b.open(itemPath(stay))
	b.press("jjja")
	b.until(`document.querySelector(".code.accepted") !== null`)
	if !value[bool](b, `(() => { const r = document.activeElement.getBoundingClientRect(); return r.top >= 0 && r.top < innerHeight; })()`) {
		t.Error("the code with the focus is out of sight")
	}
}

// TestLongNote opens a note of 200 KB with much evidence: the evidence of the
// selected code must come into view, and stay where it is after a decision.
func TestLongNote(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	n, list := longNote()
	if len(n.Text) < 200_000 {
		t.Fatalf("the note has %d bytes", len(n.Text))
	}
	s.save(n, s.set(n, list...))
	id := s.itemOf("D-1")
	b := s.tab()
	b.signIn(coding.RoleCoder)
	b.open(itemPath(id))
	inView := `(() => { const m = document.querySelector("mark.on").getBoundingClientRect(), p = document.querySelector("#notes").getBoundingClientRect(); return m.top >= p.top && m.bottom <= p.bottom; })()`
	b.press(strings.Repeat("j", 30))
	b.focused("A30.0")
	if !value[bool](b, inView) {
		t.Error("the evidence is out of sight")
	}
	b.press("k")
	b.press("a")
	b.focused("A30.0")
	if !value[bool](b, inView) || value[int](b, `document.querySelector("#notes").scrollTop`) == 0 {
		t.Error("after a decision the evidence is out of sight")
	}
}
