package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"chartcode/internal/store/storetest"
)

// smallOrder is an order file in which atelectasis has the given code.
func smallOrder(code string) string {
	var b strings.Builder
	for i, r := range [][3]string{{"J98", "0", "Other respiratory disorders"}, {code, "1", "Atelectasis"}, {"I10", "1", "Essential hypertension"}} {
		fmt.Fprintf(&b, "%05d %-7s %s %-60s %s\n", i+1, r[0], r[1], r[2], r[2])
	}
	return b.String()
}

// atelectasis is a note of a day of the fiscal year 2027.
func atelectasis(id string) string {
	return fmt.Sprintf(`{"note_id":"%s-%s","setting":"outpatient","service_date":"2026-11-02","text":"ASSESSMENT: Atelectasis. %s %s"}`+"\n", marker, id, marker, id)
}

type checkedItem struct {
	ID      int64 `json:"id"`
	Invalid int   `json:"invalid_codes"`
	Notes   []struct {
		Notices []struct{ Code string }
	} `json:"notes_in_full"`
	Codes []struct {
		Code  string
		Check *struct {
			Status       string
			Replacements []struct{ Code string }
		}
	} `json:"code_list"`
}

// A release is imported by a command of its own while serve and work run: the
// open item is checked by that command, and a note that the worker stores with
// the tables of before is marked on its page.
func TestReleaseImportedBesideServe(t *testing.T) {
	t.Parallel()
	s := newSite(t, "CHARTCODE_NATS_URL="+newNATS(t), "CHARTCODE_DATABASE_URL="+storetest.EmptyURL(t))
	load := func(name, content, want string) {
		t.Helper()
		out, code := s.run("codeset", "import", s.file(name, content))
		if code != 0 || !strings.Contains(out, want) || want == "" && strings.Contains(out, "open items") {
			t.Fatalf("import of %s ended with %d:\n%s", name, code, out)
		}
	}
	load("icd10cm-order-2026.txt", smallOrder("J981"), "")
	if _, code := s.run("user", "add", "robot", "--role", "service"); code != 0 {
		t.Fatalf("user add ended with %d", code)
	}
	token, code := s.run("token", "add", "robot")
	if code != 0 {
		t.Fatalf("token add ended with %d", code)
	}
	serve := s.start("serve")
	base := serve.expect(`^ready (http://\S+)$`)[1]
	worker := s.start("work")
	api := func(path string, into any) {
		t.Helper()
		req, err := http.NewRequest(http.MethodGet, base+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		fields := strings.Fields(token)
		req.Header.Set("Authorization", "Bearer "+fields[len(fields)-1])
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK || json.Unmarshal(body, into) != nil {
			t.Fatalf("%s: %s, %v", path, resp.Status, err)
		}
	}
	items := func() (out []checkedItem) {
		t.Helper()
		var list struct{ Items []checkedItem }
		api("/api/v1/items?sort=oldest", &list)
		for _, h := range list.Items {
			var it checkedItem
			api(fmt.Sprintf("/api/v1/items/%d", h.ID), &it)
			if it.Invalid < h.Invalid {
				t.Errorf("the list counts %d invalid codes, the item %d", h.Invalid, it.Invalid)
			}
			out = append(out, it)
		}
		return out
	}
	submit := func(id string, received int) {
		t.Helper()
		if _, code := s.run("submit", s.file("note.jsonl", atelectasis(id))); code != 0 {
			t.Fatalf("submit ended with %d", code)
		}
		s.settled(received)
	}

	submit("before", 1)
	if got := items(); len(got) != 1 || got[0].Invalid != 0 || len(got[0].Notes[0].Notices) != 1 || got[0].Notes[0].Notices[0].Code != "release_assumed" {
		t.Fatalf("before the import: %+v", got)
	}
	load("icd10cm-order-2027.txt", smallOrder("J9811"), "open items checked against the releases: 1")
	submit("just after", 2)
	got := items()
	if len(got) != 2 {
		t.Fatalf("%d items", len(got))
	}
	for i, it := range got {
		for _, n := range it.Notes[0].Notices {
			t.Errorf("item %d still has the notice %s", i, n.Code)
		}
		if len(it.Codes) != 1 {
			t.Fatalf("item %d has the codes %+v", i, it.Codes)
		}
		c := it.Codes[0]
		switch {
		case c.Code == "J98.1" && it.Invalid == 1 && c.Check != nil && c.Check.Status == "not_valid" && len(c.Check.Replacements) == 1 && c.Check.Replacements[0].Code == "J98.11":
		case i == 1 && c.Code == "J98.11" && it.Invalid == 0 && c.Check == nil: // the worker had the new tables already
		default:
			t.Errorf("item %d: %+v", i, it)
		}
	}
	load("icd10cm-order-2027.txt", smallOrder("J9811"), "was there already")
	for _, p := range []*process{serve, worker} {
		if code := p.stop(syscall.SIGTERM); code != 0 {
			t.Errorf("ended with %d\n%s", code, p.err)
		}
	}
}
