package web_test

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"chartcode/internal/coding"
)

var rowPattern = regexp.MustCompile(`<a class="row" href="/items/(\d+)[^"]*"`)

// rows are the items of a worklist page, in their order.
func rows(a answer) []string {
	var ids []string
	for _, m := range rowPattern.FindAllStringSubmatch(a.body, -1) {
		ids = append(ids, m[1])
	}
	return ids
}

func wantRows(t *testing.T, a answer, ids ...int64) {
	t.Helper()
	var want []string
	for _, id := range ids {
		want = append(want, fmt.Sprint(id))
	}
	if got := rows(a); a.StatusCode != http.StatusOK || !slices.Equal(got, want) {
		t.Errorf("%s gave %d with the items %v, want %v", a.Request.URL, a.StatusCode, got, want)
	}
}

func TestEmptyWorklistSaysWhatToDo(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.as(coding.RoleCoder)
	b.get("/").wants(t, http.StatusOK, "No notes yet", "chartcode submit FILE", "0 notes in 0 encounters", "disabled>Next item")
	b.follow(b.post("/next", nil)).wants(t, http.StatusOK, "No open item is left.")
}

func TestWorklistFiltersAndSorts(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	save := func(id string, change func(*coding.Note, *coding.SuggestionSet)) int64 {
		n := note(id, "E-"+id, visit)
		set := s.set(n)
		change(&n, &set)
		set.Setting, set.NoteSHA256, set.Source = n.Setting, n.SHA256(), n.Source
		s.save(n, set)
		return s.itemOf(id)
	}
	plain := save("D-1", func(*coding.Note, *coding.SuggestionSet) {})
	inpatient := save("D-2", func(n *coding.Note, _ *coding.SuggestionSet) { n.Setting, n.Priority = coding.Inpatient, 8 })
	south := save("D-3", func(n *coding.Note, _ *coding.SuggestionSet) { n.Source, n.Priority = "south", 2 })
	oncology := save("D-4", func(n *coding.Note, _ *coding.SuggestionSet) { n.Specialty = `Oncology & "more"` })
	degraded := save("D-5", func(_ *coding.Note, set *coding.SuggestionSet) {
		reason := "timeout"
		set.Degraded, set.DegradedReason = true, &reason
	})
	b := s.as(coding.RoleCoder)

	all := b.get("/")
	wantRows(t, all, inpatient, plain, oncology, degraded, south)
	all.wants(t, http.StatusOK, "5 notes in 5 encounters", "<b>5</b> open", "8, urgent", "2, low", "degraded", codeSet,
		`<option value="inpatient">inpatient (1)</option>`, `<option value="south">south (1)</option>`)
	wantRows(t, b.get("/?sort=oldest"), plain, inpatient, south, oncology, degraded)
	wantRows(t, b.get("/?sort=newest"), degraded, oncology, south, inpatient, plain)
	wantRows(t, b.get("/?setting=inpatient"), inpatient)
	wantRows(t, b.get("/?source=south"), south)
	wantRows(t, b.get("/?degraded=true"), degraded)
	wantRows(t, b.get("/?specialty="+url.QueryEscape(`Oncology & "more"`)), oncology)
	none := b.get("/?setting=inpatient&source=south")
	wantRows(t, none)
	none.wants(t, http.StatusOK, "Nothing fits these filters", "Clear the filters")
	gone := b.get("/?source=gone")
	gone.wants(t, http.StatusOK, `<option value="gone" selected>gone (0)</option>`)
	wantRows(t, b.get("/?setting=x&state=x&sort=x&degraded=x&cursor=x"), inpatient, plain, oncology, degraded, south)

	// Next keeps to the filters, and the item's page carries them on.
	filtered := b.get("/?specialty=" + url.QueryEscape(`Oncology & "more"`))
	filtered.wants(t, http.StatusOK, "Next of these")
	action := html.UnescapeString(between(filtered.body, `class="acts" method="post" action="`, `"`))
	to := b.post(action, nil)
	if want := itemPath(oncology) + "?specialty=" + url.QueryEscape(`Oncology & "more"`); to.Header.Get("Location") != want {
		t.Fatalf("next led to %q, want %q", to.Header.Get("Location"), want)
	}
	page := b.follow(to)
	last := b.act(page, "finish", "", "confirm", "true")
	b.follow(last).wants(t, http.StatusOK, "That was the last one. No open item is left that fits your filters.")

	// States are tabs.
	b.get("/?state=finished").wants(t, http.StatusOK, "<b>4</b> open", "<b>1</b> finished")
	wantRows(t, b.get("/?state=finished"), oncology)
	b.get("/?state=held").wants(t, http.StatusOK, "No held item")
}

func TestWorklistPages(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for i := range 55 {
		n := note(fmt.Sprint("D-", i), fmt.Sprint("E-", i), visit)
		s.save(n, s.set(n))
	}
	b := s.as(coding.RoleCoder)
	first := b.get("/?sort=newest&source=north")
	href := html.UnescapeString(between(first.body, `rel="next" href="`, `"`))
	second := b.get(href)
	if a, c := len(rows(first)), len(rows(second)); a != 50 || c != 5 {
		t.Errorf("the pages have %d and %d rows", a, c)
	}
	seen := map[string]bool{}
	for _, id := range append(rows(first), rows(second)...) {
		if seen[id] {
			t.Errorf("item %s is on both pages", id)
		}
		seen[id] = true
	}
	second.wants(t, http.StatusOK, `href="/?sort=newest&amp;source=north">First page`)
	second.lacks(t, `rel="next"`)
}

func TestWorklistShowsClaimsAndWhatIsMine(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ids := s.several(3)
	coder, other := s.as(coding.RoleCoder), s.named("robin", coding.RoleCoder)
	taken := coder.follow(coder.post("/next", nil))
	taken.wants(t, http.StatusOK, "Item "+formatted(ids[0]), "yours")
	mine := coder.get("/")
	mine.wants(t, http.StatusOK, "You are working on", `href="/items/`+formatted(ids[0])+`"`, "<b>2</b> open", "<b>1</b> claimed")
	theirs := other.get("/?state=claimed")
	wantRows(t, theirs, ids[0])
	theirs.wants(t, http.StatusOK, "Casey Coder")
	theirs.lacks(t, "You are working on")

	// Another takes another one; the claim of one who vanished runs out.
	other.follow(other.post("/next", nil)).wants(t, http.StatusOK, "Item "+formatted(ids[1]))
	s.move(lease + time.Second)
	other.get("/").wants(t, http.StatusOK, "<b>3</b> open", "<b>0</b> claimed")
	other.follow(other.post("/next", nil)).wants(t, http.StatusOK, "Item "+formatted(ids[0]), "yours")
}

func TestOnlyCodersTakeItems(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.one()
	for _, role := range []coding.UserRole{coding.RoleAuditor, coding.RoleManager} {
		b := s.as(role)
		b.get("/").lacks(t, `action="/next"`)
		b.post("/next", nil).wants(t, http.StatusForbidden, "Not with your role")
		page := b.get(itemPath(id))
		page.wants(t, http.StatusOK, "E11.40")
		page.lacks(t, `value="accept"`, `value="finish"`, `value="add"`, `value="hold"`)
		b.post(itemPath(id)+"/act", url.Values{"kind": {"accept"}, "content": {"1"}, "system": {"ICD-10-CM"}, "code": {"I10"}}).
			wants(t, http.StatusForbidden, "Not with your role")
	}
	if got := s.codeStates(id); strings.Contains(got, "accepted") {
		t.Errorf("somebody decided: %s", got)
	}
}

func formatted(id int64) string { return fmt.Sprint(id) }
