package web_test

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"chartcode/internal/coding"
)

// TestLostAnswer cuts the connection after the decision was stored and before
// the answer came: it is sent again and counts once.
func TestLostAnswer(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.one()
	b := s.tab()
	b.signIn(coding.RoleCoder)
	b.open(itemPath(id))
	b.focused("E11.40")
	s.cut.Store(true)
	b.press("a")
	b.until(`document.querySelector("#offline").textContent.includes("1 decision is kept")`)
	b.focused("I10") // the work goes on
	s.wantCodes(id, "E11.40 accepted, I10 undecided, E78.5 undecided")
	s.cut.Store(false)
	b.run(chromedp.Click(chromedp.CSS("#retry")))
	b.until(`document.querySelector("#offline") === null && document.querySelector("#code-0.accepted:not(.kept)") !== null`)
	b.press("u")
	b.until(`document.querySelector("#code-0.undecided") !== null`)
	s.wantCodes(id, "E11.40 undecided, I10 undecided, E78.5 undecided")
}

// TestLostConnection decides while the server cannot be reached: all is kept in
// order, and sent once when it is back.
func TestLostConnection(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ids := s.several(2)
	b := s.tab()
	b.signIn(coding.RoleCoder)
	b.open(itemPath(ids[0]))
	b.live()
	s.down.Store(true)
	s.CloseClientConnections()
	b.until(`document.querySelector("#offline") !== null`) // it shows without any act
	b.focused("E11.40")
	b.press("a")
	b.focused("I10")
	b.press("r2")
	b.focused("E78.5")
	b.press("a")
	b.until(`document.querySelector("#offline").textContent.includes("3 decisions are kept")`)
	b.press("uu") // two acts of one button
	b.until(`document.querySelector("#offline").textContent.includes("5 decisions are kept")`)
	s.wantCodes(ids[0], "E11.40 undecided, I10 undecided, E78.5 undecided")
	if got := value[int](b, `Object.keys(sessionStorage).length + Object.keys(localStorage).length`); got != 0 {
		t.Errorf("the browser keeps %d things", got)
	}
	s.down.Store(false)
	b.until(`document.querySelector("#offline") === null && document.querySelector("#code-0.accepted:not(.kept)") !== null`)
	s.wantCodes(ids[0], "E11.40 accepted, I10 undecided, E78.5 undecided")
	if got := len(s.state(ids[0]).Timeline); got == 0 {
		t.Error("nothing is in the timeline")
	}
}

// TestExpiredSession lets the session end under a decision: its user signs in in
// place, and the decision is stored.
func TestExpiredSession(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.one()
	b := s.tab()
	b.as("ada", coding.RoleCoder, "correct horse battery")
	b.open(itemPath(id))
	b.focused("E11.40")
	b.run(chromedp.Func(clearCookies))
	b.press("a")
	b.until(`document.querySelector("#again").open && document.activeElement.id === "again-password"`)
	s.wantCodes(id, "E11.40 undecided, I10 undecided, E78.5 undecided")
	b.press("wrong" + kb.Enter)
	b.until(`!document.querySelector("#again-error").hidden`)
	b.press("correct horse battery" + kb.Enter)
	b.until(`!document.querySelector("#again").open && document.querySelector("#code-0.accepted:not(.kept)") !== null`)
	b.focused("I10")
	s.wantCodes(id, "E11.40 accepted, I10 undecided, E78.5 undecided")
	if got := s.state(id).Codes[0].By; got != "ada" {
		t.Errorf("it was accepted by %s", got)
	}
}

// TestSomebodyElseSignsIn: what one user's page decides is not stored under the
// name of who signed in after them.
func TestSomebodyElseSignsIn(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.one()
	b := s.tab()
	b.as("ada", coding.RoleCoder, "correct horse battery")
	b.open(itemPath(id))
	b.focused("E11.40")
	b.run(chromedp.Func(clearCookies))
	b.window().as("bob", coding.RoleCoder, "another long password")
	b.press("a")
	b.until(`document.body.innerText.includes("Somebody else has signed in")`)
	s.wantCodes(id, "E11.40 undecided, I10 undecided, E78.5 undecided")
}

// TestTwoWindows: what is decided in one window shows in the other, which keeps
// its place; and the worklist shows who holds what.
func TestTwoWindows(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ids := s.several(2)
	one := s.tab()
	one.signIn(coding.RoleCoder)
	two, list := one.window(), one.window()
	one.open(itemPath(ids[0]))
	two.open(itemPath(ids[0]))
	list.open("/")
	for _, w := range []*tab{one, two, list} {
		w.live()
	}
	two.press("j")
	two.focused("I10")
	two.press("j")
	two.focused("E78.5") // not the one that the server would choose
	one.press("a")
	one.focused("I10")
	two.until(`document.querySelector("#code-0.accepted") !== null`)
	two.focused("E78.5")
	two.press("k")
	two.focused("I10")
	list.until(`document.querySelector(".counts").textContent.includes("1 claimed")`)

	two.press("a")
	two.focused("E78.5")
	one.until(`document.querySelector("#code-1.accepted") !== null`)
	one.press("u")
	two.until(`document.querySelector("#code-1.undecided") !== null`)
	s.wantCodes(ids[0], "E11.40 accepted, I10 undecided, E78.5 undecided")

	// Who reads the note when something changes goes on reading.
	one.focused("I10")
	two.run(chromedp.Evaluate[chromedp.Void](`document.querySelector("#notes").focus(); null`))
	one.press("a")
	two.until(`document.querySelector("#code-1.accepted") !== null`)
	if got := value[string](two, `document.activeElement.id`); got != "notes" {
		t.Errorf("the focus went from the notes to %q", got)
	}
	one.press("u")
	two.until(`document.querySelector("#code-1.undecided") !== null`)
	two.press("j")
	two.press("k")
	two.focused("I10")

	// A new note shows in both and in the list.
	n := note("D-9", "E-D-1", "Asthma, mild.")
	s.save(n, s.set(n, sug{code: "J45.20", words: []string{"Asthma, mild"}, confidence: 0.9}))
	for _, w := range []*tab{one, two} {
		w.until(`document.querySelectorAll("article").length === 2`)
	}
	list.until(`Array.from(document.querySelectorAll("table.list td.num"), (td) => td.textContent).includes("2") || document.querySelector(".counts").textContent.includes("1 claimed")`)

	// What somebody is typing is not taken away; it is made up for afterwards.
	two.press("b")
	two.until(`document.activeElement.id === "remark"`)
	two.press("to be")
	one.press("ja")
	one.until(`document.querySelectorAll(".code.accepted").length === 2`)
	two.press(" continued")
	if got := value[string](two, `document.querySelector("#remark").value`); got != "to be continued" {
		t.Errorf("the remark is %q", got)
	}
	two.press(kb.Escape)
	two.until(`document.querySelectorAll(".code.accepted").length === 2`)
}

// TestTakeover: a claim that ran out lets others in, and who comes back first
// has the item again.
func TestTakeover(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.one()
	ada, bob := s.tab(), s.tab()
	ada.as("ada", coding.RoleCoder, "correct horse battery")
	bob.as("bob", coding.RoleCoder, "another long password")
	ada.press("n")
	ada.focused("E11.40")
	bob.open(itemPath(id))
	bob.until(`document.body.innerText.includes("ada is working on this item")`)
	bob.press("a")
	s.wantCodes(id, "E11.40 undecided, I10 undecided, E78.5 undecided")

	s.move(lease + 1)
	ada.press("a") // she was away, but nobody took it
	ada.focused("I10")
	if got := s.state(id); got.Claim == nil || got.Claim.Login != "ada" {
		t.Errorf("the claim is %v", got.Claim)
	}
	s.move(lease + 1)
	bob.open("/")
	bob.press("n")
	bob.until(fmt.Sprintf(`location.pathname === "/items/%d"`, id))
	bob.focused("I10")
	bob.press("a")
	bob.focused("E78.5")
	ada.until(`document.body.innerText.includes("bob is working on this item")`)
	s.wantCodes(id, "E11.40 accepted, I10 accepted, E78.5 undecided")
}

// TestClaimIsRenewed while somebody works.
func TestClaimIsRenewed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.one()
	b := s.tab()
	b.signIn(coding.RoleCoder)
	b.press("n")
	b.focused("E11.40")
	until := s.state(id).Claim.Until
	// The page renews after a third of the lease: here at once.
	b.run(chromedp.Evaluate[chromedp.Void](`document.querySelector("#item").dataset.renew = "0.001"; null`))
	s.move(lease / 2)
	b.press("j")
	s.eventually(func() bool { c := s.state(id).Claim; return c != nil && c.Until.After(until) })
}

// TestLostAnswerOfOtherActs cuts the connection after an item was put aside or
// finished and the next one taken, and before the answer came: sent again, it is done
// once, and leads to the item that was taken then.
func TestLostAnswerOfOtherActs(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ids := s.several(7)
	s.named("bob", coding.RoleCoder)
	b := s.tab()
	b.signIn(coding.RoleCoder)
	b.press("n")
	field := func(key, id string) {
		t.Helper()
		b.press(key)
		b.until(`document.activeElement.id === ` + fmt.Sprintf("%q", id))
	}
	for i, act := range []struct {
		what  string
		do    func()
		event coding.ItemEventKind
	}{
		{"hold", func() { field("h", "aside-reason"); b.press("Waiting for a result" + kb.Enter) }, coding.EventHeld},
		{"skip", func() { field("l", "skip-reason"); b.press("Not my specialty" + kb.Enter) }, coding.EventSkipped},
		{"send", func() { field("g", "send-to"); b.press("bob" + kb.Tab + "look" + kb.Enter) }, coding.EventSent},
		{"query", func() {
			field("q", "query-to")
			b.run(chromedp.Evaluate[chromedp.Void](`document.querySelector("#query-text").focus(); null`))
			b.press(" Please." + kb.Tab + kb.Enter)
		}, coding.EventQueried},
		{"finish", func() { b.press("f") }, ""},
	} {
		b.at(ids[i])
		if act.what == "finish" { // it asks first
			b.press("f")
			b.until(`document.querySelector("#problem") !== null`)
		}
		s.cut.Store(true)
		act.do()
		b.until(`document.querySelector("#offline")?.textContent.includes("1 decision is kept")`)
		if got := s.state(ids[i+1]); got.State != coding.ItemClaimed {
			t.Errorf("after %s the next item is %s", act.what, got.State)
		}
		s.cut.Store(false)
		b.run(chromedp.Click(chromedp.CSS("#retry")))
		b.at(ids[i+1])
		if got := s.state(ids[i+2]); got.State != coding.ItemOpen {
			t.Errorf("%s was sent twice and took two items: the second is %s", act.what, got.State)
		}
		events, err := s.store.ItemEvents(t.Context(), ids[i])
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, ev := range events {
			if act.event != "" && ev.Action == string(act.event) {
				n++
			}
		}
		if act.event != "" && n != 1 {
			t.Errorf("%s is %d times in the item's history", act.what, n)
		}
	}
}

// TestPutAsideWithoutConnection puts an item aside while the server cannot be
// reached: it is kept, and done once when it is back.
func TestPutAsideWithoutConnection(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ids := s.several(2)
	b := s.tab()
	b.signIn(coding.RoleCoder)
	b.open(itemPath(ids[0]))
	b.live()
	s.down.Store(true)
	s.CloseClientConnections()
	b.until(`document.querySelector("#offline") !== null`)
	b.focused("E11.40")
	b.press("a")
	b.focused("I10")
	b.press("h")
	b.until(`document.activeElement.id === "aside-reason"`)
	b.press("Waiting for a result" + kb.Enter)
	b.until(`document.querySelector("#offline").textContent.includes("2 decisions are kept") && !document.querySelector(".menu").open`)
	s.down.Store(false)
	b.until(fmt.Sprintf(`location.pathname === "/items/%d"`, ids[1]))
	b.focused("E11.40")
	if got := s.state(ids[0]); got.State != coding.ItemHeld || got.Reason != "Waiting for a result" {
		t.Errorf("the item is %s: %s", got.State, got.Reason)
	}
	s.wantCodes(ids[0], "E11.40 accepted, I10 undecided, E78.5 undecided")
}
