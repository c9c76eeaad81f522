package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"chartcode/internal/codebook"
	"chartcode/internal/codebook/booktest"
	"chartcode/internal/coding"
	"chartcode/internal/web"
)

// withBook is a site with the little code set of booktest.
func withBook(t testing.TB) *site {
	t.Helper()
	s := newSite(t)
	booktest.Load(t, s.store)
	return s
}

func TestAPICodes(t *testing.T) {
	t.Parallel()
	without := newSite(t, func(c *web.Config) { c.Codes = nil })
	for _, path := range []string{"/api/v1/codes?q=x", "/api/v1/codes/ICD-10-CM/I10"} {
		without.as(coding.RoleCoder).get(path).wants(t, http.StatusNotFound, `"code":"not_found"`)
	}

	s := withBook(t)
	doc := readOpenAPI(t)
	b := s.program(coding.RoleService)
	get := func(query string) answer {
		a := b.get("/api/v1/codes?" + query)
		doc.checks(t, a)
		return a
	}
	get("q=i10&limit=1&date=2026-01-01").wants(t, http.StatusOK, `"code":"I10"`, `"display":"Essential (primary) hypertension"`, `"version":"2026"`)
	get("q=i10&date=2021-01-01").wants(t, http.StatusOK, `"display":"Essential hypertension"`, `"version":"2021"`)
	get("q=S52501").wants(t, http.StatusOK, `"billable_under":2`, `"char":"D"`, `"code":"S52.501D"`)
	get("q=heart+attack").wants(t, http.StatusOK, `"matched":{"text":"`, `"code":"I21.9"`)
	get("q=wheelchair&system=hcpcs").wants(t, http.StatusOK, `"code":"K0001"`, `"system":"HCPCS"`)
	get("q=nothing+of+the+kind").wants(t, http.StatusOK, `"codes":[]`)
	if got := decoded[codebook.Result](t, get("q=diabetes&limit=2")); len(got.Codes) != 2 {
		t.Errorf("a limit of 2 gives %d codes", len(got.Codes))
	}
	wantError(t, get("q=+"), http.StatusUnprocessableEntity, "invalid_q")
	wantError(t, get("q="+strings.Repeat("x", 201)), http.StatusUnprocessableEntity, "invalid_q")
	wantError(t, get("q=x&date=x"), http.StatusUnprocessableEntity, "invalid_date")
	wantError(t, get("q=x&limit=x"), http.StatusUnprocessableEntity, "invalid_limit")
	wantError(t, get("q=x&system=x"), http.StatusUnprocessableEntity, "invalid_system")
	wantError(t, get("q=x&system=CPT"), http.StatusNotFound, "not_loaded")
}

func TestAPICode(t *testing.T) {
	t.Parallel()
	s := withBook(t)
	doc := readOpenAPI(t)
	b := s.as(coding.RoleCoder)
	get := func(path string) answer {
		a := b.get("/api/v1/codes/" + path)
		doc.checks(t, a)
		return a
	}
	get("ICD-10-CM/E1122").wants(t, http.StatusOK, `"code":"E11.22"`, `"level":"chapter"`, `"hcc":["37"]`, `"inherited":true`, `"valid":true`)
	get("ICD-10-CM/J44").wants(t, http.StatusOK, `"valid":false`, `"kind":"deleted"`, `"asked":"2026"`)
	get("ICD-10-CM/S52.501?date=2021-05-05").wants(t, http.StatusOK, `"version":"2021"`, `"seventh":[{"char":"A"`)
	get("HCPCS/J1885").wants(t, http.StatusOK, `"notes":[]`)
	a := get("ICD-10-CM/E11.223")
	a.wants(t, http.StatusNotFound, "E11.22")
	wantError(t, a, http.StatusNotFound, "not_found")
	wantError(t, get("CPT/99213"), http.StatusNotFound, "not_loaded")
	wantError(t, get("ICD-11/99213"), http.StatusUnprocessableEntity, "invalid_system")
	wantError(t, get("ICD-10-CM/I10?date=x"), http.StatusUnprocessableEntity, "invalid_date")
}

func TestCodePages(t *testing.T) {
	t.Parallel()
	s := withBook(t)
	b := s.as(coding.RoleAuditor)
	b.get("/").wants(t, http.StatusOK, `href="/codes"`)
	b.get("/codes").wants(t, http.StatusOK, "Look a code up", "2026 (from 2025-10-01), the newest", ">HCPCS</option>")
	a := b.get("/codes?q=fx+distal+radius+right")
	a.wants(t, http.StatusOK, `href="/codes/ICD-10-CM/S52.501"`, `href="/codes/ICD-10-CM/S52.501A"`, "header of 2 codes", "billable", `value="fx distal radius right"`)
	b.get("/codes?q=xyzzy").wants(t, http.StatusOK, "No code fits")
	b.get("/codes?q=i10&date=2020-10-01").wants(t, http.StatusOK, "Essential hypertension", "of ICD-10-CM 2021", `href="/codes/ICD-10-CM/I10?date=2020-10-01"`)
	b.get("/codes?q=i10&date=2025-03-03").wants(t, http.StatusOK, "2025-03-03: 2025", "of ICD-10-CM 2025")
	b.get("/codes?q=i10&date=1999-01-01").wants(t, http.StatusOK, "before the first")
	b.get("/codes?q=i10&date=x").wants(t, http.StatusOK, "not one of the form", "Essential (primary)")
	b.get("/codes?system=CPT&q=x").wants(t, http.StatusOK, "No codes are loaded")
	b.get("/codes?q="+strings.Repeat("x", 300)).wants(t, http.StatusUnprocessableEntity, "200 bytes")
	b.get("/codes?q="+url.QueryEscape(hostile)).lacks(t, "<script>alert", "\u202e")

	a = b.get("/codes/ICD-10-CM/E11.22")
	a.wants(t, http.StatusOK, "Endocrine, nutritional", "Diabetes mellitus", `href="/codes/ICD-10-CM/E11.2"`, "diabetes NOS", `href="/codes/ICD-10-CM/N18.1">`, "Excludes1",
		"Adult (Ages 15-124)", "37", "with chronic kidney disease", "No change among", "Tabular list 2021, older")
	b.get("/codes/ICD-10-CM/s52501d").wants(t, http.StatusOK, "sequela", "exempt from reporting", "Fracture, traumatic, radius, lower end")
	b.get("/codes/ICD-10-CM/J44").wants(t, http.StatusOK, "not in ICD-10-CM 2026", "shown as of 2025", "deleted by 2026")
	b.get("/codes/ICD-10-CM/E66.8?date=2025-10-01").wants(t, http.StatusOK, "header, not billable", "a header from 2025 on")
	b.get("/codes/HCPCS/J1885").wants(t, http.StatusOK, "ketorolac")
	b.get("/codes/ICD-10-CM/E11.223").wants(t, http.StatusNotFound, "E11.223", "is no code of", `href="/codes/ICD-10-CM/E11.22"`)
	b.get("/codes/ICD-10-CM/"+url.PathEscape(`<script>alert("x")</script>`)).lacks(t, "<script>alert", "<SCRIPT>")
	b.get("/codes/CPT/99213").wants(t, http.StatusNotFound, "There is no such page")
	s.anonymous().get("/codes").wants(t, http.StatusSeeOther)

	empty := newSite(t)
	empty.as(coding.RoleCoder).get("/codes?q=x").wants(t, http.StatusOK, "No codes are loaded", "chartcode codeset import")
	without := newSite(t, func(c *web.Config) { c.Codes = nil })
	without.as(coding.RoleCoder).get("/").lacks(t, `href="/codes"`)
}

func TestSearchedWordsAreNotLogged(t *testing.T) {
	t.Parallel()
	s := withBook(t)
	b := s.as(coding.RoleCoder)
	b.get("/codes?q=zzyxmarker").wants(t, http.StatusOK)
	b.get("/codes/ICD-10-CM/ZZYXMARKER").wants(t, http.StatusNotFound)
	b.get("/api/v1/codes?q=zzyxmarker").wants(t, http.StatusOK)
	s.store.Close() // and when it fails
	b.get("/codes?q=zzyxmarker")
	b.get("/api/v1/codes?q=zzyxmarker")
	if logs := strings.ToLower(s.logs.String()); strings.Contains(logs, "zzyxmarker") || !strings.Contains(logs, "/codes") {
		t.Errorf("the log holds what was searched for, or nothing:\n%s", logs)
	}
}

func TestItemLeadsToItsCodes(t *testing.T) {
	t.Parallel()
	s := withBook(t)
	a := s.as(coding.RoleCoder).get(itemPath(s.one()))
	a.wants(t, http.StatusOK, `href="/codes/ICD-10-CM/I10?date=2026-03-14"`)
}

// TestSearchAsYouType looks codes up with the keyboard alone.
func TestSearchAsYouType(t *testing.T) {
	t.Parallel()
	s := withBook(t)
	id := s.one()
	b := s.tab()
	b.signIn(coding.RoleCoder)
	b.press("s")
	// The page's script has run when the page is complete; before, keys go nowhere.
	b.until(`location.pathname === "/codes" && document.readyState === "complete" && document.activeElement.id === "q"`)
	b.press("fx dist")
	b.until(`document.querySelectorAll(".found li").length > 0 && location.search.includes("q=fx+dist")`)
	b.press("al radius right")
	b.until(`document.querySelector("#found").dataset.query === "fx distal radius right"`)
	if got := value[string](b, `document.querySelector(".found .id").textContent`); !strings.HasPrefix(got, "S52.501") {
		t.Errorf("the first code is %s", got)
	}
	b.press(kb.Enter)
	b.until(`document.activeElement === document.querySelectorAll(".found a.row")[0]`)
	b.press(kb.ArrowDown)
	b.until(`document.activeElement === document.querySelectorAll(".found a.row")[1]`)
	b.press(kb.ArrowUp)
	b.press(kb.ArrowUp)
	b.until(`document.activeElement.id === "q"`)
	b.press(kb.ArrowDown)
	b.press(kb.Enter)
	b.until(`location.pathname.startsWith("/codes/ICD-10-CM/S52.501")`)

	// The release is chosen without a reload; the system brings its own releases.
	b.open("/codes?q=i10")
	b.run(chromedp.SetValue("#date", "2020-10-01"))
	b.run(chromedp.Evaluate[chromedp.Void](`document.querySelector("#date").dispatchEvent(new Event("input", { bubbles: true })); null`))
	b.until(`document.querySelector("#found").textContent.includes("ICD-10-CM 2021")`)
	b.run(chromedp.SetValue("#q", "wheelchair"))
	b.run(chromedp.SetValue("#system", "HCPCS"))
	b.run(chromedp.Evaluate[chromedp.Void](`document.querySelector("#system").dispatchEvent(new Event("input", { bubbles: true })); null`))
	b.until(`document.querySelector("#found").textContent.includes("K0001") && document.querySelector("#date").textContent.includes("2024-07")`)

	// From an item's list to the page of a code.
	b.open(itemPath(id) + "?at=1")
	b.press("i")
	b.until(`location.pathname === "/codes/ICD-10-CM/I10" && location.search === "?date=2026-03-14" && document.readyState === "complete"`)
	b.press("/")
	b.until(`document.activeElement.id === "q"`)
}
