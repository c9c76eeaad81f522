package web_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"chartcode/internal/coding"
	"chartcode/internal/recheck"
	"chartcode/internal/store"
)

// newRelease loads ICD-10-CM 2027, which lacks E11.40, has E78.5 as a header and
// I10 under another title, and checks what is due.
func (s *site) newRelease() {
	s.t.Helper()
	in := store.ReleaseImport{
		Release: coding.Release{ID: "icd10cm-2027", System: coding.ICD10CM, Kind: "order", Version: "2027", EffectiveFrom: coding.NewDate(2026, 10, 1)},
		SHA256:  strings.Repeat("b", 64),
	}
	for _, c := range [][3]string{
		{"E11", "", "Type 2 diabetes mellitus"},
		{"E11.401", "E11", "Type 2 diabetes mellitus with diabetic neuropathy, unspecified foot"},
		{"E11.402", "E11", "Type 2 diabetes mellitus with diabetic neuropathy, right foot"},
		{"E11.9", "E11", "Type 2 diabetes mellitus without complications"},
		{"E78", "", "Disorders of lipoprotein metabolism"},
		{"E78.5", "E78", "Hyperlipidemia"},
		{"E78.51", "E78.5", "Familial hyperlipidemia"},
		{"E78.59", "E78.5", "Hyperlipidemia, unspecified"},
		{"I10", "", "Hypertension, essential"},
	} {
		header := slices.Contains([]string{"E11", "E78", "E78.5"}, c[0])
		in.Codes = append(in.Codes, coding.Code{System: coding.ICD10CM, Code: c[0], Parent: c[1], Title: c[2], Short: c[2], Billable: !header})
	}
	if _, err := s.store.ImportRelease(s.t.Context(), in); err != nil {
		s.t.Fatal(err)
	}
	s.check()
}

// nextYear stores the usual note, dated in the fiscal year 2027, as suggested
// while only 2026 was loaded, and gives its item's id.
func (s *site) nextYear(id string) int64 {
	s.t.Helper()
	n := note(id, "E-"+id, visit)
	n.ServiceDate = coding.NewDate(2026, 11, 2)
	codes := slices.Clone(visitCodes)
	codes[0].title = "Type 2 diabetes mellitus with diabetic neuropathy, unspecified"
	set := s.set(n, codes...)
	set.Releases = map[coding.System]string{coding.ICD10CM: "2026"}
	set.Notices = append(set.Notices, coding.Notice{Code: coding.NoticeReleaseAssumed, Message: "Its codes were taken as still valid."})
	s.save(n, set)
	return s.itemOf(id)
}

func TestPageAfterANewRelease(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.codes("E11.40", "I10", "E78.5")
	id := s.nextYear("D-1")
	b := s.as(coding.RoleCoder)
	b.get(itemPath(id)).wants(t, http.StatusOK, "taken as still valid")
	s.newRelease()

	b.get("/").wants(t, http.StatusOK, "2 codes not valid")
	other := note("D-3", "E-D-3", visit)
	s.save(other, s.set(other, visitCodes...)) // of 2026
	untouched := s.itemOf("D-3")
	wantRows(t, b.get("/?invalid=true"), id)
	wantRows(t, b.get("/?invalid=false"), untouched)
	page := b.get(itemPath(id))
	page.wants(t, http.StatusOK, "2 codes of the list may not be reported by ICD-10-CM 2027, which holds on 2026-11-02",
		"E11.40 is no code of ICD-10-CM 2027", "Type 2 diabetes mellitus with diabetic neuropathy, right foot",
		"is a header; report one of the 2 codes below it", "E78.51", "E78.59", "new title", "Hypertension, essential")
	page.lacks(t, "taken as still valid", "Type 2 diabetes mellitus without complications")

	// One click takes a replacement.
	a := b.act(page, "modify", "E11.40", "to", "E11.402")
	page = b.follow(a)
	s.wantCodes(id, "E11.40 modified, E11.402 added, I10 undecided, E78.5 undecided")
	b.get("/?state=claimed").wants(t, http.StatusOK, "1 code not valid")

	// What is left blocks finishing, and there is no way around it.
	page = b.follow(b.act(page, "accept", "E78.5"))
	a = b.act(page, "finish", "", "confirm", "true")
	a.wants(t, http.StatusConflict, "change or reject")
	a.lacks(t, `value="override"`, "Finish all the same")
	page = b.follow(b.act(b.get(itemPath(id)), "reject", "E78.5"))
	page.wants(t, http.StatusOK, "all that are left in the list may be reported")
	page = b.follow(b.act(page, "accept", "I10"))
	b.act(page, "finish", "").wants(t, http.StatusSeeOther)
	if got := s.state(id); got.State != coding.ItemFinished || got.Invalid != 0 {
		t.Errorf("the item is %s with %d invalid codes", got.State, got.Invalid)
	}

	// Who may only look sees what may stand in a code's place, without a form.
	second := s.nextYear("D-2")
	s.check()
	look := s.as(coding.RoleAuditor).get(itemPath(second))
	look.wants(t, http.StatusOK, "In its place may stand", "E78.59")
	look.lacks(t, `class="takes"`)
}

// check checks what is due.
func (s *site) check() {
	s.t.Helper()
	checker, err := recheck.New(recheck.Config{Store: s.store, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := checker.Due(s.t.Context(), nil); err != nil {
		s.t.Fatal(err)
	}
}

func TestAPIAfterANewRelease(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.codes("E11.40", "I10", "E78.5")
	id := s.nextYear("D-1")
	s.newRelease()
	b := s.as(coding.RoleCoder)
	doc := readOpenAPI(t)
	a := b.get(fmt.Sprintf("/api/v1/items/%d", id))
	a.wants(t, http.StatusOK)
	if wrong := doc.fits(doc.Components.Schemas["Item"], "$", decoded[any](t, a)); len(wrong) > 0 {
		t.Errorf("the item does not fit openapi.json: %v", wrong)
	}
	var got []string
	type code struct {
		Code  string
		Check *coding.CodeCheck
	}
	item := decoded[struct {
		Invalid int    `json:"invalid_codes"`
		Codes   []code `json:"code_list"`
	}](t, a)
	for _, c := range item.Codes {
		if c.Check != nil {
			got = append(got, c.Code+" "+string(c.Check.Status))
		}
	}
	if want := "E11.40 not_valid, I10 retitled, E78.5 not_billable"; strings.Join(got, ", ") != want || item.Invalid != 2 {
		t.Errorf("the API says %v, %d not valid; want %s, 2", got, item.Invalid, want)
	}
	list := b.get("/api/v1/items")
	list.wants(t, http.StatusOK, `"invalid_codes":2`)
}

// By keyboard: a number takes the replacement of the selected code.
func TestTakeAReplacementByKey(t *testing.T) {
	t.Parallel()
	dir := *screenshots
	s := newSite(t)
	s.codes("E11.40", "I10", "E78.5")
	id := s.nextYear("D-1")
	s.newRelease()
	b := s.tab()
	b.signIn(coding.RoleCoder)
	shot := func(name string) {
		if dir != "" {
			if err := os.WriteFile(filepath.Join(dir, name+".png"), b.picture(), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	shot("check-worklist")
	b.open(itemPath(id))
	b.focused("E11.40")
	shot("check-item")
	b.scheme("dark")
	shot("check-item-dark")
	b.scheme("light")
	b.press("9") // there is no ninth
	b.press("2")
	b.focused("I10")
	s.wantCodes(id, "E11.40 modified, E11.402 added, I10 undecided, E78.5 undecided")
	b.press("j")
	b.focused("E78.5")
	b.press("1")
	b.focused("I10")
	s.wantCodes(id, "E11.40 modified, E11.402 added, I10 undecided, E78.5 modified, E78.51 added")
	b.until(`document.querySelector("#release-check").classList.contains("calm")`)
	shot("check-done")
	b.press("af")
	b.until(`location.pathname !== ` + fmt.Sprintf("%q", itemPath(id)))
	if got := s.state(id); got.State != coding.ItemFinished {
		t.Errorf("the item is %s", got.State)
	}
}
