package web_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"

	"chartcode/internal/coding"
)

// hostileTexts are the attacks of the corpora by name.
func hostileTexts(t testing.TB) (names []string, texts map[string]string) {
	t.Helper()
	texts = map[string]string{}
	for _, folder := range []string{"hostile", "hostile-heldout"} {
		f, err := os.Open(filepath.Join("..", "..", "pipeline", "testdata", folder, "attacks.jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		in := bufio.NewScanner(f)
		in.Buffer(nil, 1<<20)
		for in.Scan() {
			var a struct {
				Name, Text string
				Repeat     int
			}
			if err := json.Unmarshal(in.Bytes(), &a); err != nil {
				t.Fatal(err)
			}
			name := folder + ": " + a.Name
			names, texts[name] = append(names, name), strings.Repeat(a.Text, max(1, a.Repeat))
		}
		if err := in.Err(); err != nil {
			t.Fatal(err)
		}
	}
	return names, texts
}

// pageState is what of a page a hostile text must not change.
type pageState struct {
	Hostile  bool     // a script of the text ran, or a dialog was asked for
	Title    string   // without the number of the item
	Tags     []string // different names of elements
	Handlers int      // attributes that run scripts, and addresses that do
	Counted  []int    // of elements that a text could load or run things with
	Asked    []string // paths of what was loaded, the number of the item left out
	Texts    []string // of the notes, as they can be read
}

// look reads the state in the page. It is JavaScript.
const look = `(() => {
	const all = Array.from(document.querySelectorAll("*"));
	const runs = (a) => a.name.startsWith("on") || /^(javascript|data|vbscript):/i.test(a.value.trim());
	return JSON.stringify({
		Hostile: window.hostile !== undefined,
		Title: document.title.replace(/[0-9]+/, "N"),
		Tags: [...new Set(all.map((e) => e.localName))].sort(),
		Handlers: all.filter((e) => Array.from(e.attributes).some(runs)).length,
		Counted: ["script", "style", "link", "meta", "img", "svg", "iframe", "object", "embed", "textarea", "base", "a[href^='http']", "[style]"].map((s) => document.querySelectorAll(s).length),
		Asked: [...new Set(performance.getEntriesByType("resource").map((r) => r.name.replace(location.origin, "").replace(/[0-9]+/g, "N")))].sort(),
		Texts: Array.from(document.querySelectorAll(".note-text")).map((e) => e.textContent),
	});
})()`

func (b *tab) state() pageState {
	b.t.Helper()
	var s pageState
	if err := json.Unmarshal([]byte(value[string](b, look)), &s); err != nil {
		b.t.Fatal(err)
	}
	return s
}

// hostileAtOnce is how many hostile notes an encounter has: a page for each would take
// minutes.
const hostileAtOnce = 8

// TestHostileNotesAreInert shows each hostile text in a real browser: in the note,
// as evidence, as the reason of a suggestion, as what a note says of itself, and in
// the list. It opens no dialog, loads nothing, runs nothing and makes no element;
// what the browser reports as an error, such as a violation of the policy, fails
// the test too.
func TestHostileNotesAreInert(t *testing.T) {
	t.Parallel()
	names, texts := hostileTexts(t)
	if len(names) < 62+25 {
		t.Fatalf("%d texts", len(names))
	}
	for len(names)%hostileAtOnce != 0 { // each page has as many notes
		names = append(names, names[len(names)%hostileAtOnce])
	}
	s := newSite(t)
	codes := []string{"I10", "E78.5", "E11.9", "K21.9", "M54.50", "N39.0", "R05.9", "J45.909"} // one for each note of an encounter
	save := func(encounter int, texts []string) int64 {
		var id string
		for i, text := range texts {
			id = fmt.Sprint("hostile-", encounter, "-", i)
			n := note(id, fmt.Sprint("E-", encounter), visit+"\n"+text+"\nEnd.")
			line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
			short := strings.ToValidUTF8(line[:min(len(line), 60)], "")
			n.NoteType, n.Specialty, n.Author.Name = short, short, short
			set := s.set(n, sug{code: codes[i], words: []string{"Essential hypertension", line}, rationale: text, warnings: []coding.Finding{
				{Rule: "r", Severity: coding.SeverityWarning, Codes: []string{codes[i]}, Message: text, Source: short}}})
			set.Notices = []coding.Notice{{Code: "x", Message: text}}
			s.save(n, set)
		}
		return s.itemOf(id)
	}
	// A page may set off what cannot be seen; that is no element of the text's.
	clean := save(0, slices.Repeat([]string{"Seen with \u200bher daughter\u202e."}, hostileAtOnce))
	b := s.tab()
	call(b, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
		Source: `window.alert = window.confirm = window.prompt = window.print = () => { window.hostile = "a dialog"; };`})
	b.signIn(coding.RoleCoder)
	b.open(itemPath(clean))
	want := b.state()
	if want.Hostile || len(want.Asked) == 0 || want.Handlers != 0 || len(want.Texts) != hostileAtOnce || !strings.Contains(want.Texts[0], "Seen with") {
		t.Fatalf("the clean notes' page: %+v", want)
	}
	encounter := 0
	for these := range slices.Chunk(names, hostileAtOnce) {
		encounter++
		var said []string
		for _, name := range these {
			said = append(said, texts[name])
		}
		b.open(itemPath(save(encounter, said)))
		b.until(`document.readyState === "complete"`)
		got := b.state()
		if got.Hostile || got.Title != want.Title || got.Handlers != 0 || !slices.Equal(got.Counted, want.Counted) || len(got.Texts) != hostileAtOnce {
			t.Errorf("%q: %+v", these, got)
			continue
		}
		for _, tag := range got.Tags {
			if !slices.Contains(want.Tags, tag) {
				t.Errorf("%q: the page has the element %s", these, tag)
			}
		}
		for _, path := range got.Asked {
			if !slices.Contains(want.Asked, path) {
				t.Errorf("%q: the page loads %q", these, path)
			}
		}
		for i, shown := range got.Texts {
			if !strings.Contains(shown, "Type 2 diabetes with neuropathy") || !strings.HasSuffix(strings.TrimSpace(shown), "End.") {
				t.Errorf("%s: the page shows %q of the note", these[i], shown)
			}
			if ascii(said[i]) && !strings.Contains(shown, said[i]) {
				t.Errorf("%s: the text is not shown as it is written: %q", these[i], shown)
			}
		}
	}
	b.open("/")
	b.until(`document.readyState === "complete"`)
	if got := b.state(); got.Hostile || got.Handlers != 0 || !slices.Equal(got.Counted[:5], want.Counted[:5]) || slices.Contains(got.Tags, "svg") || slices.Contains(got.Tags, "iframe") {
		t.Errorf("the list: %+v", got)
	}
}

// ascii reports whether a text is of characters that are shown as they are.
func ascii(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && r != '\n' || r > '~' })
}
