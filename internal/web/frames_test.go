package web_test

import (
	"slices"
	"strconv"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/chromedp"

	"chartcode/internal/coding"
)

// stopwatch takes the time from the pressing of a key until what it leads to has been
// painted: another code is selected and its evidence set off, or there is another
// number of decisions. It keeps the longest task of the page, too.
const stopwatch = `{
	window.took = [];
	window.longest = 0;
	new PerformanceObserver((list) => list.getEntries().forEach((e) => { window.longest = Math.max(window.longest, e.duration); })).observe({ type: "longtask" });
	const state = (key) => (key === "j" || key === "k" ? document.querySelector(".code.selected").dataset.code : document.querySelectorAll(".code.accepted").length);
	addEventListener("keydown", (e) => {
		const before = state(e.key);
		const look = () => {
			if (state(e.key) === before || document.querySelector("mark.on") === null) { requestAnimationFrame(look); return; }
			const painted = new MessageChannel();
			painted.port1.onmessage = () => window.took.push(performance.now() - e.timeStamp);
			painted.port2.postMessage(null);
		};
		requestAnimationFrame(look);
	}, true);
} null`

// BenchmarkKeysOnALongNote is how long who codes a note of 200 KB with sixty
// suggestions waits after a key: the next and the previous suggestion, accepting and
// undoing. -ms is the median until the screen shows it, of which a frame of the browser takes up to
// 16.7; -cpu-ms is what the page's thread computed for it, which does not depend on
// what else the machine does. "everything" is without leaving out what the page has.
func BenchmarkKeysOnALongNote(b *testing.B) {
	for _, c := range []struct{ name, script string }{
		{"changes", "null"},
		{"everything", `{ const f = window.fetch; window.fetch = (to, o) => { if (o?.headers) { delete o.headers["Chartcode-Codes"]; } return f(to, o); }; } null`},
	} {
		b.Run(c.name, func(b *testing.B) {
			s := newSite(b)
			n, list := longNote()
			s.save(n, s.set(n, list...))
			w := s.tab()
			w.signIn(coding.RoleCoder)
			w.open(itemPath(s.itemOf("D-1")))
			w.focused("A00.0")
			w.run(chromedp.Evaluate[chromedp.Void](stopwatch), chromedp.Evaluate[chromedp.Void](c.script))
			call(w, performance.Enable, performance.EnableParams{TimeDomain: performance.EnableTimeDomainThreadTicks})
			times, cpu := map[string][]float64{}, map[string]map[string]float64{"j": {}, "k": {}, "a": {}, "u": {}}
			done := 0
			for b.Loop() {
				for _, k := range []string{"j", "k", "a", "u"} {
					began := w.computed()
					for range 20 {
						w.press(k)
						done++
						w.until(`window.took.length === ` + strconv.Itoa(done) + ` && document.querySelector("#item[aria-busy]") === null`)
						times[k] = append(times[k], value[float64](w, `window.took.at(-1)`))
					}
					for what, ms := range w.computed() {
						cpu[k][what] += ms - began[what]
					}
				}
			}
			for k, name := range map[string]string{"j": "next", "k": "previous", "a": "accept", "u": "undo"} {
				slices.Sort(times[k])
				b.ReportMetric(times[k][len(times[k])/2], name+"-ms")
				b.ReportMetric(cpu[k]["TaskDuration"]/float64(len(times[k])), name+"-cpu-ms")
			}
			for _, what := range []string{"ScriptDuration", "RecalcStyleDuration", "LayoutDuration"} {
				b.ReportMetric(cpu["a"][what]/float64(len(times["a"])), "accept-"+what+"-ms")
			}
			b.ReportMetric(value[float64](w, `window.longest`), "longest-task-ms")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// computed is the time that the page's thread has computed, in milliseconds, in all
// (TaskDuration) and for parts of it.
func (b *tab) computed() map[string]float64 {
	b.t.Helper()
	out := map[string]float64{}
	for _, m := range call(b, performance.GetMetrics, cdp.Empty{}).Metrics {
		out[m.Name] = m.Value * 1000
	}
	if out["TaskDuration"] == 0 {
		b.t.Fatal("the browser does not say what it computed")
	}
	return out
}

// TestLongNoteTouchesLittle: on a page of 6,000 elements and more, going to another
// suggestion changes two codes and their evidence, and a decision replaces its own
// code and what counts it; the note and the other codes stay as they are.
func TestLongNoteTouchesLittle(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	n, list := longNote()
	s.save(n, s.set(n, list...))
	id := s.itemOf("D-1")
	b := s.tab()
	b.signIn(coding.RoleCoder)
	b.open(itemPath(id))
	b.focused("A00.0")
	b.press("a") // the item is claimed, which all of the page shows
	b.until(`document.querySelector("#code-0.accepted:not(.kept)") !== null`)
	b.focused("A01.0")
	b.run(chromedp.Evaluate[chromedp.Void](`{
		document.querySelectorAll("#notes *, .codes-list > .code").forEach((el) => { el.was = true; });
		window.touched = new Set();
		new MutationObserver((list) => list.forEach((m) => { window.touched.add(m.target); })).observe(document.body, { attributes: true, childList: true, characterData: true, subtree: true });
	} null`))
	if all := value[int](b, `document.querySelectorAll("#item *").length`); all < 6000 {
		t.Errorf("the page has %d elements", all)
	}
	b.press("j")
	b.focused("A02.0")
	// Two codes and their evidence, the line of what is known of the code, and what
	// may be said of the connection.
	if got := value[int](b, `window.touched.size`); got > 20 {
		t.Errorf("going to the next suggestion touched %d elements", got)
	}
	b.press("a")
	b.until(`document.querySelector("#code-2.accepted:not(.kept)") !== null`)
	b.focused("A03.0")
	if got := value[[]int](b, `[document.querySelectorAll("#notes *").length - Array.from(document.querySelectorAll("#notes *")).filter((el) => el.was).length,
		Array.from(document.querySelectorAll(".codes-list > .code")).filter((el) => !el.was).length, document.querySelectorAll(".codes-list > .code").length]`); got[0] != 0 || got[1] != 1 || got[2] != 60 {
		t.Errorf("a decision made %d elements of the note and %d of %d codes anew", got[0], got[1], got[2])
	}
	b.press("u")
	b.until(`document.querySelector("#code-2.undecided") !== null`)
	b.focused("A02.0")
	// A reordering moves codes; none is lost.
	b.press("J")
	b.until(`document.querySelector("#code-3 .id").textContent === "A02.0"`)
	b.focused("A02.0")
	if got := value[string](b, `Array.from(document.querySelectorAll(".codes-list > .code")).map((el) => el.dataset.code.split(" ")[1]).slice(0, 5).join(" ") + " " + new Set(Array.from(document.querySelectorAll(".codes-list > .code"), (el) => el.dataset.code)).size`); got != "A00.0 A01.0 A03.0 A02.0 A04.0 60" {
		t.Errorf("the codes are %s", got)
	}
}
