package web_test

import (
	"bufio"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"chartcode/internal/codebook/booktest"
	"chartcode/internal/coding"
)

func TestSavedLists(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.several(2)
	b, other := s.as(coding.RoleCoder), s.named("bob", coding.RoleCoder)
	list := url.Values{"setting": {"outpatient"}, "priority_from": {"5"}, "confidence_below": {"0.6"}, "sort": {"need"}}
	b.follow(b.post("/filters", url.Values{"list": {list.Encode()}, "name": {"Unsure visits"}, "shared": {"true"}})).wants(t, http.StatusOK, "Unsure visits", `aria-current="true"`)
	page := other.get("/")
	page.wants(t, http.StatusOK, "Unsure visits", "shared by")
	wantRows(t, other.get("/?"+list.Encode()), 1, 2)
	// A name that cannot be says so; others' lists cannot be removed.
	b.follow(b.post("/filters", url.Values{"list": {""}, "name": {" "}})).wants(t, http.StatusOK, "The list was not saved")
	other.follow(other.post("/filters/1/delete", nil)).wants(t, http.StatusOK, "not yours to remove", "Unsure visits")
	b.follow(b.post("/filters/1/delete", nil)).lacks(t, "Unsure visits")
}

func TestMoreFilters(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ids := s.several(2)
	urgent := note("D-9", "E-9", visit)
	urgent.Priority = 9
	s.save(urgent, s.set(urgent, sug{code: "I10", words: []string{"Essential hypertension"}, confidence: 0.95}))
	id := s.itemOf("D-9")
	b := s.as(coding.RoleCoder)
	wantRows(t, b.get("/?priority_from=7"), id)
	wantRows(t, b.get("/?confidence_below=0.6"), ids...)
	wantRows(t, b.get("/?older_hours=24"))
	wantRows(t, b.get("/?ranker=local%401"), id, ids[0], ids[1])
	wantRows(t, b.get("/?ranker=none"))
	wantRows(t, b.get("/?sort=need"), s.byNeed()...)
	b.act(b.get(itemPath(ids[1])), "accept", "I10")
	wantRows(t, b.get("/?state=claimed&coder=demo-coder"), ids[1])
	wantRows(t, b.get("/?state=claimed&coder=bob"))
	for _, bad := range []string{"priority_from=10", "confidence_below=2", "older_hours=-1", "younger_hours=x", "sort=none"} {
		b.get("/api/v1/items?"+bad).wants(t, http.StatusUnprocessableEntity, "invalid_"+bad[:strings.IndexByte(bad, '=')])
		b.get("/?"+bad).wants(t, http.StatusOK, "Worklist")
	}
}

// byNeed are the items as the store orders them by need.
func (s *site) byNeed() []int64 {
	s.t.Helper()
	page, err := s.review.Worklist(s.t.Context(), coding.WorklistQuery{States: []coding.ItemState{coding.ItemOpen}, Sort: coding.SortNeed})
	if err != nil {
		s.t.Fatal(err)
	}
	var ids []int64
	for _, h := range page.Items {
		ids = append(ids, h.ID)
	}
	return ids
}

// TestNotesAreNotSentAgain to a page that has them.
func TestNotesAreNotSentAgain(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.one()
	b := s.as(coding.RoleCoder)
	page := b.get(itemPath(id))
	print := between(page.body, `data-print="`, `"`)
	b.header.Set("Chartcode-Have", print)
	again := b.get(itemPath(id) + "?at=1")
	again.wants(t, http.StatusOK, `data-print="`+print+`"`, "I10")
	again.lacks(t, `class="note-text"`)
	b.header.Del("Chartcode-Have")
	n := note("D-1", "E-1", visit+" More.")
	s.save(n, s.set(n, visitCodes...))
	b.header.Set("Chartcode-Have", print)
	b.get(itemPath(id)).wants(t, http.StatusOK, `class="note-text"`)
}

var codePrint = regexp.MustCompile(`<li class="code[^"]*"[^>]* data-print="([^"]+)"`)

// TestCodesAreNotSentAgain to a page that has them as they are: after a decision on
// one code of many the others stay where they are.
func TestCodesAreNotSentAgain(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	n, list := longNote()
	s.save(n, s.set(n, list...))
	id := s.itemOf("D-1")
	b := s.as(coding.RoleCoder)
	b.act(b.get(itemPath(id)), "accept", "A00.0") // claims the item, which the page shows
	page := b.get(itemPath(id))
	prints := func(a answer) (out []string) {
		for _, m := range codePrint.FindAllStringSubmatch(a.body, -1) {
			out = append(out, m[1])
		}
		return out
	}
	before := prints(page)
	if len(before) != 60 || len(slices.Compact(slices.Sorted(slices.Values(before)))) != 60 {
		t.Fatalf("60 codes have the prints %v", before)
	}
	b.header.Set("Chartcode-Codes", strings.Join(before, " "))
	b.header.Set("Chartcode-Have", between(page.body, `data-print="`, `"`))
	again := b.follow(b.act(page, "accept", "A03.0"))
	after := prints(again)
	for i := range before {
		if changed := before[i] != after[i]; changed != (i == 3) {
			t.Errorf("the print of code %d is %q after %q", i, after[i], before[i])
		}
	}
	if kept := strings.Count(again.body, " data-kept></li>"); kept != 59 {
		t.Errorf("%d of 59 codes were left out", kept)
	}
	if len(again.body) > 50_000 {
		t.Errorf("the page has %d bytes, the whole one %d", len(again.body), len(page.body))
	}
	// What the suggestions were changed to is sent again.
	n.Text += "More."
	s.save(n, s.set(n, list...))
	b.get(itemPath(id)).lacks(t, " data-kept>")
}

func TestAPageActsForItsOwnUserOnly(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.one()
	b := s.as(coding.RoleCoder)
	page := b.get(itemPath(id))
	b.header.Set("Chartcode-Login", "somebody-else")
	b.act(page, "accept", "I10").wants(t, http.StatusForbidden, "Somebody else has signed in")
	s.wantCodes(id, "E11.40 undecided, I10 undecided, E78.5 undecided")
	b.header.Set("Chartcode-Login", "demo-coder")
	b.act(page, "accept", "I10").wants(t, http.StatusSeeOther)
}

func TestPickerFindsCodes(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	booktest.Load(t, s.store)
	b := s.as(coding.RoleCoder)
	find := func(f ...string) answer {
		v := url.Values{"system": {"ICD-10-CM"}, "date": {"2026-03-14"}}
		for i := 0; i < len(f); i += 2 {
			v.Set(f[i], f[i+1])
		}
		return b.post("/codes/find", v)
	}
	find("q", "heart attack").wants(t, http.StatusOK, `"code":"I21.9"`)
	find("q", "").wants(t, http.StatusOK, `"groups":[]`)
	find("q", strings.Repeat("pain é ", 100)).wants(t, http.StatusOK)
	find("family", "e112").wants(t, http.StatusOK, "More specific than E11.2", `"code":"E11.21"`, "Beside E11.2", "Above E11.2", `"code":"E11"`)
	find("family", "Q99.99").wants(t, http.StatusNotFound)
	find("q", "x", "date", "soon").wants(t, http.StatusUnprocessableEntity)
	find("q", "x", "system", "none").wants(t, http.StatusUnprocessableEntity)
	s.anonymous().post("/codes/find", url.Values{"q": {"x"}}).wants(t, http.StatusSeeOther)
}

// TestEventsTellNumbersOnly reads the stream that an open page listens to.
func TestEventsTellNumbersOnly(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ids := s.several(2)
	b := s.as(coding.RoleCoder)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+fmt.Sprintf("/events?item=%d", ids[0]), nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := b.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if got := res.Header.Get("Content-Type"); res.StatusCode != http.StatusOK || got != "text/event-stream; charset=utf-8" {
		t.Fatalf("the stream is %s, %s", res.Status, got)
	}
	lines := bufio.NewScanner(res.Body)
	next := func() string {
		t.Helper()
		for lines.Scan() {
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				return data
			}
		}
		t.Fatalf("the stream ended: %v", lines.Err())
		return ""
	}
	if got := next(); !strings.Contains(got, `"kind":"all"`) {
		t.Errorf("the stream begins with %s", got)
	}
	b.act(b.get(itemPath(ids[1])), "accept", "I10") // another item
	b.act(b.get(itemPath(ids[0])), "accept", "I10")
	version := s.state(ids[0]).Version
	for want := fmt.Sprintf(`{"item":%d,"kind":"state","version":%d}`, ids[0], version); ; {
		got := next()
		if got == want {
			break
		}
		if !strings.Contains(got, `"kind":"all"`) {
			t.Fatalf("the stream has %s, want %s", got, want)
		}
	}
	b.get("/session").wants(t, http.StatusOK, `"login":"demo-coder"`)
	s.anonymous().get("/events").wants(t, http.StatusUnauthorized)
	b.post(itemPath(ids[0])+"/renew", nil).wants(t, http.StatusNoContent)
	s.named("bob", coding.RoleCoder).post(itemPath(ids[0])+"/renew", nil).wants(t, http.StatusConflict)
}

// TestReturnToSender closes an item that cannot be coded.
func TestReturnToSender(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.one()
	b := s.as(coding.RoleCoder)
	page := b.get(itemPath(id))
	b.act(page, "give_back", "", "reason", " ").wants(t, http.StatusUnprocessableEntity)
	b.act(page, "give_back", "", "reason", "The pages are of another patient").wants(t, http.StatusSeeOther)
	if got := s.state(id); got.State != coding.ItemFinished {
		t.Errorf("the item is %s", got.State)
	}
}
