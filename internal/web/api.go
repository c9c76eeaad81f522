package web

import (
	_ "embed"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"chartcode/internal/auth"
	"chartcode/internal/coding"
	"chartcode/internal/review"
)

//go:embed openapi.json
var openAPI []byte

// maxNoteBody is the size of the largest body of a note, as messages have it.
const maxNoteBody = 8 << 20

const (
	maxLimit     = 200 // of a page, as review has it
	usualCodes   = 20
	maxCodeQuery = 200 // bytes
)

func (s *server) apiRoutes() {
	s.mux.HandleFunc("GET /api/v1/openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_, _ = w.Write(openAPI) // the client went away: nobody is left to tell
	})
	if s.Submit != nil && s.Parse != nil && s.Known != nil {
		s.mux.HandleFunc("POST /api/v1/notes", s.api(s.apiSubmit))
	}
	if s.Codes != nil {
		s.mux.HandleFunc("GET /api/v1/codes", s.api(s.apiCodes))
		s.mux.HandleFunc("GET /api/v1/codes/{system}/{code}", s.api(s.apiCode))
	}
	s.mux.HandleFunc("GET /api/v1/items", s.api(s.apiItems))
	s.mux.HandleFunc("GET /api/v1/items/{id}", s.api(s.apiItem))
	s.mux.HandleFunc("POST /api/v1/items/{id}/decisions", s.api(s.apiDecide))
	s.mux.HandleFunc("/api/", func(w http.ResponseWriter, _ *http.Request) {
		apiFail(w, http.StatusNotFound, "not_found", "There is no such path and method; /api/v1/openapi.json describes the API.")
	})
}

func isAPI(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/api/") }

func apiFail(w http.ResponseWriter, status int, code, message string) {
	writeJSON(w, status, map[string]any{"error": map[string]string{"code": code, "message": message}})
}

// api lets in who has a bearer token or a session.
func (s *server) api(next handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var u coding.User
		var err error
		if scheme, bearer, _ := strings.Cut(r.Header.Get("Authorization"), " "); strings.EqualFold(scheme, "Bearer") {
			u, err = s.Auth.AuthenticateBearer(r.Context(), strings.TrimSpace(bearer))
		} else {
			u, err = s.Auth.Authenticate(r.Context(), s.Auth.TokenFrom(r, overTLS(r)))
		}
		switch {
		case errors.Is(err, auth.ErrSignedOut):
			w.Header().Set("WWW-Authenticate", `Bearer realm="chartcode"`)
			apiFail(w, http.StatusUnauthorized, "unauthorized", "Send a bearer token; chartcode token makes one.")
		case err != nil:
			s.apiUnavailable(w, r, err)
		default:
			next(w, r, u)
		}
	}
}

func (s *server) apiUnavailable(w http.ResponseWriter, r *http.Request, err error) {
	s.Logger.Error("a request failed", "route", r.Pattern, "error", err)
	w.Header().Set("Retry-After", "5")
	apiFail(w, http.StatusServiceUnavailable, "unavailable", "The service cannot answer just now; try again.")
}

func (s *server) apiSubmit(w http.ResponseWriter, r *http.Request, u coding.User) {
	if !u.Role.MaySubmit() {
		apiFail(w, http.StatusForbidden, "forbidden", "This needs a token of a service or an administrator.")
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxNoteBody))
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		apiFail(w, http.StatusRequestEntityTooLarge, "body_too_large", "The body must not be larger than 8 MiB.")
		return
	}
	if err != nil {
		apiFail(w, http.StatusBadRequest, "bad_request", "The body could not be read.")
		return
	}
	note, err := s.Parse(body)
	var reason interface{ Reason() string }
	switch {
	case errors.As(err, &reason) && (reason.Reason() == "text_too_long" || reason.Reason() == "body_too_large"):
		apiFail(w, http.StatusRequestEntityTooLarge, reason.Reason(), reasonText(err))
		return
	case errors.As(err, &reason):
		apiFail(w, http.StatusUnprocessableEntity, reason.Reason(), reasonText(err))
		return
	case err != nil:
		s.apiUnavailable(w, r, err)
		return
	}
	known, found, err := s.Known.NoteHash(r.Context(), note.Source, note.NoteID)
	if err != nil {
		s.apiUnavailable(w, r, err)
		return
	}
	if found && known != note.SHA256() && r.URL.Query().Get("revision") != "true" {
		apiFail(w, http.StatusConflict, "conflict", "A note with this id and another body was received before; send it with ?revision=true to replace it.")
		return
	}
	if err := s.Submit.Submit(r.Context(), note, body); err != nil {
		s.apiUnavailable(w, r, err)
		return
	}
	writeJSON(w, http.StatusAccepted, map[string]any{"note_id": note.NoteID, "source": note.Source, "note_sha256": note.SHA256(), "known": found && known == note.SHA256()})
}

// reasonText is the sentence behind the code of an error of intake.
func reasonText(err error) string {
	if _, after, ok := strings.Cut(err.Error(), ": "); ok {
		return sentence(errors.New(after))
	}
	return sentence(err)
}

// apiLimit reads how many are wanted; without ok it has answered.
func apiLimit(w http.ResponseWriter, text string, usual int) (limit int, ok bool) {
	if text == "" {
		return usual, true
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxLimit {
		apiFail(w, http.StatusUnprocessableEntity, "invalid_limit", "limit is a number from 1 to 200.")
		return 0, false
	}
	return n, true
}

func (s *server) apiItems(w http.ResponseWriter, r *http.Request, u coding.User) {
	if !u.Role.MayRead() {
		apiFail(w, http.StatusForbidden, "forbidden", "Your role may not read items.")
		return
	}
	v := r.URL.Query()
	q, wrong := filterQuery(v)
	if wrong != "" {
		apiFail(w, http.StatusUnprocessableEntity, "invalid_"+wrong, "The value of "+wrong+" is none of those that /api/v1/openapi.json lists.")
		return
	}
	var ok bool
	if q.Limit, ok = apiLimit(w, v.Get("limit"), 0); !ok {
		return
	}
	page, err := s.Review.Worklist(r.Context(), q)
	if errors.Is(err, review.ErrInput) {
		apiFail(w, http.StatusUnprocessableEntity, "invalid_cursor", "The cursor is not one that this API gave out.")
		return
	}
	if err != nil {
		s.apiUnavailable(w, r, err)
		return
	}
	if page.Items == nil {
		page.Items = []coding.ItemHead{}
	}
	writeJSON(w, http.StatusOK, page)
}

func (s *server) apiItem(w http.ResponseWriter, r *http.Request, u coding.User) {
	id, ok := itemID(r)
	if !ok {
		s.apiReviewError(w, r, review.ErrNotFound)
		return
	}
	item, err := s.Review.Item(r.Context(), u, id)
	if err != nil {
		s.apiReviewError(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, item)
}

// decisionBody is what a program sends to decide.
type decisionBody struct {
	Kind        coding.DecisionKind `json:"kind"`
	Content     int64               `json:"content"`
	System      coding.System       `json:"system"`
	Code        string              `json:"code"`
	To          *coding.CodeKey     `json:"to"`
	Role        coding.Role         `json:"role"`
	Evidence    []coding.Evidence   `json:"evidence"`
	Order       []coding.CodeKey    `json:"order"`
	Rule        string              `json:"rule"`
	Codes       []string            `json:"codes"`
	Reason      string              `json:"reason"`
	Disposition string              `json:"disposition"`
	Confirm     bool                `json:"confirm"`

	ReasonCode coding.ReasonCode `json:"reason_code"`
	POA        coding.POA        `json:"poa"`
	Units      *int              `json:"units"`
	Modifiers  *[]string         `json:"modifiers"`
	Pointers   *[]coding.CodeKey `json:"pointers"`
	Remark     string            `json:"remark"`
	Above      float64           `json:"above"`
}

func (s *server) apiDecide(w http.ResponseWriter, r *http.Request, u coding.User) {
	id, ok := itemID(r)
	if !ok {
		s.apiReviewError(w, r, review.ErrNotFound)
		return
	}
	var b decisionBody
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20))
	dec.DisallowUnknownFields()
	err := dec.Decode(&b)
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		apiFail(w, http.StatusRequestEntityTooLarge, "body_too_large", "A decision must not be larger than 1 MiB.")
		return
	}
	if err != nil || dec.More() {
		apiFail(w, http.StatusUnprocessableEntity, "invalid_json", "The body is not a decision as /api/v1/openapi.json describes it.")
		return
	}
	act := review.Act{Kind: b.Kind, Key: r.Header.Get("Idempotency-Key"), Content: b.Content,
		Code: coding.CodeKey{System: b.System, Code: b.Code}, Role: b.Role, Evidence: b.Evidence, Order: b.Order,
		Rule: b.Rule, Codes: b.Codes, Reason: b.Reason, Disposition: b.Disposition, Confirm: b.Confirm,
		ReasonCode: b.ReasonCode, POA: b.POA, Units: b.Units, Modifiers: b.Modifiers, Pointers: b.Pointers, Remark: b.Remark, Above: b.Above}
	if b.To != nil {
		act.To = *b.To
	}
	out, err := s.Review.Decide(r.Context(), u, id, act)
	if err != nil {
		s.apiReviewError(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"decision": out.Decision, "repeated": out.Repeated, "item": out.Item})
}

// refusalCodes name the errors of a review for programs.
var refusalCodes = []struct {
	err  error
	code string
}{
	{review.ErrNotFound, "not_found"}, {review.ErrForbidden, "forbidden"}, {review.ErrInput, "invalid_decision"},
	{review.ErrNoCode, "no_such_code"}, {review.ErrUnknown, "unknown_code"}, {review.ErrChanged, "changed"},
	{review.ErrMustGo, "must_go"}, {review.ErrTooLow, "too_low"},
	{review.ErrFinished, "finished"}, {review.ErrNothing, "nothing_to_undo"}, {review.ErrKeyReused, "key_reused"},
	{review.ErrBlind, "blind"}, {review.ErrAlready, "already_decided"}, {review.ErrState, "wrong_state"},
}

func (s *server) apiReviewError(w http.ResponseWriter, r *http.Request, err error) {
	status, ok := refusal(err)
	if !ok {
		s.apiUnavailable(w, r, err)
		return
	}
	code := "conflict"
	var claimed *review.ClaimedError
	var unready *review.UnreadyError
	switch {
	case errors.As(err, &claimed):
		code = "claimed"
	case errors.As(err, &unready):
		code = "not_ready"
	default:
		for _, c := range refusalCodes {
			if errors.Is(err, c.err) {
				code = c.code
			}
		}
	}
	apiFail(w, status, code, problemText(err, s.Zone))
}
