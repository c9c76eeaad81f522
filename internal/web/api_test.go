package web_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"chartcode/internal/auth"
	"chartcode/internal/coding"
)

// program is a client of the API with a bearer token of a new user.
func (s *site) program(role coding.UserRole) *browser {
	s.t.Helper()
	login := "program-" + string(role)
	if _, err := s.auth.AddUser(s.t.Context(), auth.ByConsole, auth.NewUser{Login: login, Role: role}); err != nil {
		s.t.Fatal(err)
	}
	key, _, err := s.auth.NewToken(s.t.Context(), auth.ByConsole, login, "test", 0)
	if err != nil {
		s.t.Fatal(err)
	}
	b := s.anonymous()
	b.header.Set("Authorization", "bearer "+key)
	return b
}

// send posts JSON.
func (b *browser) send(path string, v any) answer {
	b.t.Helper()
	body, err := json.Marshal(v)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.do(http.MethodPost, path, "application/json", strings.NewReader(string(body)))
}

func wantError(t testing.TB, a answer, status int, code string) {
	t.Helper()
	doc := readOpenAPI(t)
	got := decoded[struct {
		Error struct{ Code, Message string }
	}](t, a)
	if a.StatusCode != status || got.Error.Code != code {
		t.Errorf("%s %s gave %d %s, want %d %s", a.Request.Method, a.Request.URL.Path, a.StatusCode, a.body, status, code)
	}
	if !strings.HasSuffix(got.Error.Message, ".") && !strings.HasSuffix(got.Error.Message, "…") {
		t.Errorf("%q is no sentence", got.Error.Message)
	}
	doc.checks(t, a)
}

func TestAPIAsksWhoItIs(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	nobody := s.anonymous()
	a := nobody.get("/api/v1/items")
	wantError(t, a, http.StatusUnauthorized, "unauthorized")
	if a.Header.Get("WWW-Authenticate") == "" {
		t.Error("it is not said how to authenticate")
	}
	nobody.header.Set("Authorization", "Bearer wrong")
	wantError(t, nobody.get("/api/v1/items"), http.StatusUnauthorized, "unauthorized")
	s.as(coding.RoleAuditor).get("/api/v1/items").wants(t, http.StatusOK)
	s.program(coding.RoleService).get("/api/v1/items").wants(t, http.StatusOK)
	a = nobody.get("/api/v1/nothing")
	a.wants(t, http.StatusNotFound, `"code":"not_found"`)
	a = nobody.do(http.MethodDelete, "/api/v1/items", "", nil)
	a.wants(t, http.StatusNotFound, `"code":"not_found"`)
}

func TestAPISubmit(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	doc := readOpenAPI(t)
	b := s.program(coding.RoleService)
	n := note("D-1", "E-1", visit)
	body := map[string]any{"note_id": "D-1", "source": "north", "text": visit, "unknown": true}

	a := b.send("/api/v1/notes", body)
	a.wants(t, http.StatusAccepted)
	doc.checks(t, a)
	got := decoded[struct {
		NoteID string `json:"note_id"`
		Source string
		SHA    string `json:"note_sha256"`
		Known  bool
	}](t, a)
	if got.NoteID != "D-1" || got.Source != "north" || got.Known || len(got.SHA) != 64 {
		t.Errorf("the answer is %+v", got)
	}
	if len(s.sent.bodies) != 1 || !strings.Contains(s.sent.bodies[0], `"unknown":true`) {
		t.Errorf("published were %v, want the body as it came", s.sent.bodies)
	}

	// The same note stored: the same body is known, another one conflicts
	// unless it is said to be a revision.
	s.save(n, s.set(n, visitCodes...))
	raw, err := json.Marshal(n)
	if err != nil {
		t.Fatal(err)
	}
	a = b.do(http.MethodPost, "/api/v1/notes", "application/json", strings.NewReader(string(raw)))
	a.wants(t, http.StatusAccepted, `"known":true`)
	sent := len(s.sent.bodies)
	wantError(t, b.send("/api/v1/notes", body), http.StatusConflict, "conflict")
	if len(s.sent.bodies) != sent {
		t.Error("a conflicting note was published")
	}
	a = b.send("/api/v1/notes?revision=true", body)
	a.wants(t, http.StatusAccepted, `"known":false`)
	if len(s.sent.bodies) != sent+1 {
		t.Error("a revision was not published")
	}

	// What can never become a note.
	for _, c := range []struct {
		body   string
		status int
		code   string
	}{
		{`{`, 422, "invalid_json"}, {``, 422, "invalid_json"}, {`{"text":"x"}`, 422, "missing_note_id"}, {`{"note_id":"D-2","text":""}`, 422, "empty_text"},
		{"{\"note_id\":\"D-2\",\"text\":\"\xff\"}", 422, "invalid_utf8"}, {`{"note_id":"D-2","text":"\u0000"}`, 422, "nul_character"},
		{`{"note_id":"D-2","text":"x","service_date":"2026-02-30"}`, 422, "invalid_date"}, {`{"note_id":"D-2","text":"x","source":"a b"}`, 422, "invalid_source"},
		{`{"note_id":"` + strings.Repeat("x", 129) + `","text":"x"}`, 422, "invalid_note_id"},
		{`{"note_id":"D-2","text":"` + strings.Repeat("x", coding.MaxTextBytes+1) + `"}`, 413, "text_too_long"},
		{`{"note_id":"D-2","text":"` + strings.Repeat("x", 8<<20) + `"}`, 413, "body_too_large"},
	} {
		wantError(t, b.do(http.MethodPost, "/api/v1/notes", "application/json", strings.NewReader(c.body)), c.status, c.code)
	}

	// Who may not, and when it cannot be done.
	wantError(t, s.as(coding.RoleCoder).send("/api/v1/notes", body), http.StatusForbidden, "forbidden")
	s.sent.fail = errors.New("the queue is away")
	a = b.send("/api/v1/notes?revision=true", body)
	wantError(t, a, http.StatusServiceUnavailable, "unavailable")
	if a.Header.Get("Retry-After") == "" {
		t.Error("it is not said when to try again")
	}
}

func TestAPIItems(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	doc := readOpenAPI(t)
	ids := s.several(5)
	b := s.program(coding.RoleService)
	type page struct {
		Items []coding.ItemHead
		Next  string
	}
	var seen []int64
	path := "/api/v1/items?limit=2&sort=oldest&state=open&state=claimed"
	for next := ""; ; {
		a := b.get(path + "&cursor=" + next)
		a.wants(t, http.StatusOK)
		doc.checks(t, a)
		p := decoded[page](t, a)
		for _, h := range p.Items {
			seen = append(seen, h.ID)
		}
		if next = p.Next; next == "" {
			break
		}
	}
	if fmt.Sprint(seen) != fmt.Sprint(ids) {
		t.Errorf("the pages have %v, want %v", seen, ids)
	}
	none := b.get("/api/v1/items?state=finished")
	none.wants(t, http.StatusOK, `"items":[]`)
	doc.checks(t, none)
	for _, wrong := range []string{"limit=0", "limit=201", "limit=x", "state=x", "setting=x", "sort=x", "degraded=x", "invalid=x"} {
		name, _, _ := strings.Cut(wrong, "=")
		wantError(t, b.get("/api/v1/items?"+wrong), http.StatusUnprocessableEntity, "invalid_"+name)
	}

	n := note("D-9", "E-9", visit)
	n.Patient = coding.Patient{ID: "P-1", Sex: "female", BirthDate: coding.NewDate(1960, 1, 2)}
	n.Author, n.DueAt = coding.Person{ID: "A-1", Name: "Dr. A"}, time.Now().Add(time.Hour)
	set := s.set(n, sug{code: "I10", words: []string{"Essential hypertension"}, confidence: 0.7,
		warnings: []coding.Finding{{Rule: "r", Severity: coding.SeverityError, Codes: []string{"I10"}, Message: "No.", Source: "S"}}})
	set.Notices = []coding.Notice{{Code: "x", Message: "y"}}
	s.save(n, set)
	a := b.get(fmt.Sprintf("/api/v1/items/%d", s.itemOf("D-9")))
	a.wants(t, http.StatusOK, `"text":"Type 2 diabetes`)
	doc.checks(t, a)
	wantError(t, b.get("/api/v1/items/999999"), http.StatusNotFound, "not_found")
	wantError(t, b.do(http.MethodPost, "/api/v1/items/999999/decisions", "", strings.NewReader(`{"kind":"undo"}`)), http.StatusNotFound, "not_found")
}

func TestAPIDecisions(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.codes("E11.42")
	doc := readOpenAPI(t)
	id := s.one()
	b, other := s.program(coding.RoleService), s.program(coding.RoleCoder)
	path := fmt.Sprintf("/api/v1/items/%d/decisions", id)
	decide := func(key string, body map[string]any) answer {
		b.header.Set("Idempotency-Key", key)
		defer b.header.Del("Idempotency-Key")
		a := b.send(path, body)
		doc.checks(t, a)
		return a
	}
	code := func(kind, code string) map[string]any {
		return map[string]any{"kind": kind, "system": "ICD-10-CM", "code": code, "content": 1}
	}

	decide("k1", code("accept", "I10")).wants(t, http.StatusOK, `"repeated":false`, `"seq":1`, `"state":"accepted"`)
	decide("k1", code("accept", "I10")).wants(t, http.StatusOK, `"repeated":true`, `"seq":1`)
	wantError(t, decide("k1", code("reject", "I10")), http.StatusConflict, "key_reused")
	wantError(t, decide("k2", code("accept", "I10")), http.StatusConflict, "already_decided")
	wantError(t, decide("k3", code("accept", "Q99.9")), http.StatusUnprocessableEntity, "no_such_code")
	wantError(t, decide("k4", code("add", "Q99.9")), http.StatusUnprocessableEntity, "unknown_code")
	wantError(t, decide("k5", code("explode", "I10")), http.StatusUnprocessableEntity, "invalid_decision")
	wantError(t, decide("k6", map[string]any{"kind": "finish"}), http.StatusConflict, "not_ready")
	wantError(t, decide("k7", map[string]any{"kind": "redo"}), http.StatusConflict, "nothing_to_undo")
	wantError(t, decide("k8", map[string]any{"kind": "undo", "surprise": 1}), http.StatusUnprocessableEntity, "invalid_json")
	wantError(t, decide("k9", map[string]any{"kind": "accept", "reason": strings.Repeat("x", 2<<20)}), http.StatusRequestEntityTooLarge, "body_too_large")
	wantError(t, other.send(path, code("reject", "I10")), http.StatusConflict, "claimed")
	wantError(t, s.as(coding.RoleAuditor).send(path, code("reject", "I10")), http.StatusForbidden, "forbidden")
	stale := code("reject", "I10")
	stale["content"] = 99
	wantError(t, decide("k10", stale), http.StatusConflict, "changed")

	decide("", map[string]any{"kind": "modify", "system": "ICD-10-CM", "code": "E11.40", "to": map[string]string{"system": "ICD-10-CM", "code": "E11.42"},
		"evidence": []map[string]any{{"start": 0, "end": 31}}}).wants(t, http.StatusOK, `"state":"modified"`, `"to_display":"Title of E11.42"`)
	decide("", map[string]any{"kind": "reorder", "order": []map[string]string{{"system": "ICD-10-CM", "code": "I10"}}}).wants(t, http.StatusOK)
	done := decide("k11", map[string]any{"kind": "finish", "confirm": true})
	done.wants(t, http.StatusOK, `"disposition":"completed"`, `"review_id":"`)
	wantError(t, decide("k12", code("reject", "I10")), http.StatusConflict, "finished")
	decide("k13", map[string]any{"kind": "reopen", "reason": "again"}).wants(t, http.StatusOK)
	wantError(t, decide("k14", map[string]any{"kind": "reopen"}), http.StatusConflict, "wrong_state")
	s.wantCodes(id, "I10 accepted, E11.40 modified, E11.42 added, E78.5 undecided")
}
