package web_test

import (
	"fmt"
	"strconv"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// opened opens all that can be opened on the page of an item, one after the other on
// one page, and on the worklist, and looks for violations in it.
func (b *tab) opened(script string, id int64) {
	b.t.Helper()
	check := func(part, what string) {
		b.t.Helper()
		b.accessiblePart(script, part, what)
	}
	click := func(selector string) {
		b.t.Helper()
		b.run(chromedp.Click(chromedp.CSS(selector)))
	}
	focus := func(id string) {
		b.t.Helper()
		b.until(`document.activeElement.id === ` + strconv.Quote(id))
	}
	offers := `document.querySelectorAll(".offers [role=option]").length > 1`

	b.open(itemPath(id))
	b.until(`document.querySelector(".code.selected") !== null && document.documentElement.dataset.live === "on"`)

	// Dialogs.
	b.press("?")
	b.until(`document.querySelector("#keys").open`)
	check("#keys", "keys")
	click("#tour-again")
	for i := 1; i <= 5; i++ {
		b.until(fmt.Sprintf(`document.querySelector("#tour").open && document.querySelector("#tour-step").textContent === "Step %d of 5"`, i))
		check("#tour", fmt.Sprint("tour ", i))
		b.press(kb.Enter)
	}
	b.until(`!document.querySelector("#tour").open`)
	b.run(chromedp.Evaluate[chromedp.Void](`chartcode.session.ask("2 decisions are kept here and are sent once when it is back."); null`))
	focus("again-password")
	check("#again", "session ended")
	b.press("wrong" + kb.Enter)
	b.until(`!document.querySelector("#again-error").hidden`)
	check("#again", "session ended, wrong password")
	click("#again-try")
	b.until(`!document.querySelector("#again").open`)

	// The note.
	b.press("/")
	focus("find-text")
	b.press("heart")
	b.until(`document.querySelector("#find-count").textContent.startsWith("1 of ")`)
	check("#notes", "find")
	b.press(kb.Escape)

	// What an item is set aside with.
	for _, part := range [][2]string{{"h", "aside-reason"}, {"l", "skip-reason"}, {"g", "send-to"}, {"q", "query-to"}} {
		b.press(part[0])
		focus(part[1])
		check(".menu", part[1])
		b.press(kb.Escape)
		b.until(`!document.querySelector(".menu").open`)
	}
	b.press("x")
	click("#aside-back summary")
	b.until(`document.querySelector("#aside-back[open]") !== null`)
	check(".menu", "cannot be coded")
	b.press(kb.Escape)

	// What opens at a code.
	b.press("r")
	b.until(`document.querySelector(".reject[open]") !== null`)
	check(".code.selected", "reject")
	b.press(kb.Escape)
	if value[bool](b, `document.querySelector("#code-0.undecided") !== null`) {
		click("#code-0 .yes")
		b.until(`document.querySelector("#code-0.accepted") !== null`)
	}
	click("#code-0 .title")
	b.press("p")
	b.until(`document.querySelector("#code-0 .poa[open]") !== null`)
	check(".code.selected", "present on admission")
	b.press(kb.Escape)
	b.press("d")
	focus("role-0")
	check(".code.selected", "role")
	b.press(kb.Escape)
	b.press("m")
	focus("change-0")
	b.press("diabetes")
	b.until(offers)
	b.press(kb.ArrowDown)
	check(".code.selected", "change, with codes offered")
	b.press(kb.Escape + kb.Escape)

	// A code added from words of the note.
	b.run(chromedp.Evaluate[chromedp.Void](`{
		const first = document.createTreeWalker(document.querySelector(".note-text"), NodeFilter.SHOW_TEXT).nextNode();
		getSelection().setBaseAndExtent(first, 0, first, Math.min(40, first.length));
	} null`))
	b.press("c")
	focus("add-code")
	b.until(`document.querySelector(".from-note") !== null`)
	b.press("diabetes")
	b.until(offers)
	b.press(kb.ArrowDown)
	check("form.add", "add from selected words")
	b.press(kb.Escape + kb.Escape)
	click(".timeline summary")
	check(".timeline", "timeline")

	// Without a connection.
	b.down.Store(true)
	b.CloseClientConnections()
	b.until(`document.querySelector("#offline") !== null`)
	click("#code-1 .yes")
	b.until(`document.querySelector(".kept-badge") !== null`)
	check("#item", "connection lost")
	b.down.Store(false)
	click("#retry")
	b.until(`document.querySelector("#offline") === null && document.querySelector("#code-1.accepted:not(.kept)") !== null`)
	b.press("u")
	b.until(`document.querySelector("#code-1.undecided") !== null`)

	b.open("/")
	click(".more-filters summary")
	click(".save-list summary")
	check("main", "filters and saving a list")
}
