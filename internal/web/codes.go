package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"chartcode/internal/codebook"
	"chartcode/internal/codeset"
	"chartcode/internal/coding"
)

// Codes looks codes up. *codebook.Book is one.
type Codes interface {
	Search(ctx context.Context, q codebook.Query) (codebook.Result, error)
	Code(ctx context.Context, system coding.System, code string, date coding.Date) (codebook.Entry, error)
	// Prepare begins to load what a search needs, and returns at once.
	Prepare(ctx context.Context, system coding.System, date coding.Date)
	// Releases gives the releases of a system that hold codes, the newest first;
	// those of all systems when it is empty.
	Releases(ctx context.Context, system coding.System) ([]coding.Release, error)
}

// shownCodes is how many codes the page of the search shows.
const shownCodes = 25

// lookView is what the pages for codes have in common: the system and the day
// that pick a release, and what there is to choose from.
type lookView struct {
	System  coding.System
	Systems []choice
	Date    string
	Dates   []choice // releases, by their first day; the newest is the empty one
	Problem string
}

// Query is the choice of the day as a query to append to a code's path.
func (v lookView) Query() string {
	if v.Date == "" {
		return ""
	}
	return "?date=" + url.QueryEscape(v.Date)
}

type codesView struct {
	lookView
	Text     string
	Searched bool
	Result   codebook.Result
	Examples []string
}

type entryView struct {
	lookView
	codebook.Entry
	Notes         []noteGroup
	Below, Beside []coding.Code // without those that the 7th characters name
}

// noteGroup are the notes of one level.
type noteGroup struct {
	At, Level, Title string
	Inherited        bool
	Kinds            []noteKind
}

type noteKind struct {
	Kind, Name string
	Notes      [][]textPiece
}

// textPiece is a piece of a note; Code is set where it names one.
type textPiece struct{ Text, Code string }

// noEntryView is the page of a code that is not there.
type noEntryView struct {
	lookView
	Code    string
	Version string
	Near    []coding.Code
}

// codePath is the page of a code.
func codePath(system coding.System, code string) string {
	return "/codes/" + url.PathEscape(string(system)) + "/" + url.PathEscape(code)
}

// look reads which release is asked for.
func (s *server) look(r *http.Request, system string) (v lookView, date coding.Date, err error) {
	v.System = coding.System(strings.ToUpper(system))
	if v.System == "" {
		v.System = coding.ICD10CM
	}
	v.Date = r.URL.Query().Get("date")
	if date, err = coding.ParseDate(v.Date); err != nil {
		v.Date, v.Problem = "", "The date was not one of the form YYYY-MM-DD; this is the newest release."
		date = coding.Date{}
	}
	releases, err := s.Codes.Releases(r.Context(), "")
	if err != nil {
		return v, date, err
	}
	held, _, _ := codeset.Releases(releases).Pick(v.System, date)
	known := v.Date == ""
	for _, rel := range releases {
		if n := len(v.Systems); n == 0 || v.Systems[n-1].Value != string(rel.System) {
			v.Systems = append(v.Systems, choice{Value: string(rel.System), Label: string(rel.System), Current: rel.System == v.System})
		}
		if rel.System != v.System {
			continue
		}
		c := choice{Value: rel.EffectiveFrom.String(), Label: releaseName(rel)}
		if len(v.Dates) == 0 {
			c.Value, c.Label = "", c.Label+", the newest"
		}
		c.Current = c.Value == v.Date
		known = known || c.Current
		v.Dates = append(v.Dates, c)
	}
	if !known && held.ID != "" {
		v.Dates = append([]choice{{Value: v.Date, Label: v.Date + ": " + held.Version, Current: true}}, v.Dates...)
	}
	return v, date, nil
}

func releaseName(r coding.Release) string {
	name := r.Version + " (from " + r.EffectiveFrom.String() + ")"
	if r.Kind == codeset.KindStarter {
		return "starter set of " + name
	}
	return name
}

// codes is the page on which codes are searched for.
func (s *server) codes(w http.ResponseWriter, r *http.Request, u coding.User) {
	q := r.URL.Query()
	look, date, err := s.look(r, q.Get("system"))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	v := codesView{lookView: look, Text: q.Get("q"), Examples: []string{"fx distal radius right", "heart attack", "E11.2", "sugar diabetes with kidney disease", "copd exac"}}
	v.Searched = strings.TrimSpace(v.Text) != "" && len(v.Dates) > 0
	status := http.StatusOK
	switch {
	case len(v.Text) > maxCodeQuery:
		v.Searched, v.Text, v.Problem, status = false, "", "What is searched for must not be longer than 200 bytes.", http.StatusUnprocessableEntity
	case v.Searched:
		v.Result, err = s.Codes.Search(r.Context(), codebook.Query{Text: v.Text, System: v.System, Date: date, Limit: shownCodes})
		if err != nil && !errors.Is(err, codebook.ErrNotLoaded) {
			s.fail(w, r, err)
			return
		}
	}
	if !v.Searched && len(v.Dates) > 0 {
		s.Codes.Prepare(r.Context(), v.System, date)
	}
	s.render(w, withUser(r, u), status, "codes", v)
}

// code is the page of one code.
func (s *server) code(w http.ResponseWriter, r *http.Request, u coding.User) {
	look, date, err := s.look(r, r.PathValue("system"))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	if len(look.Dates) == 0 {
		s.notFound(w, r, u)
		return
	}
	e, err := s.Codes.Code(r.Context(), look.System, r.PathValue("code"), date)
	var missing *codebook.NotFoundError
	switch {
	case errors.As(err, &missing):
		s.render(w, withUser(r, u), http.StatusNotFound, "noentry", noEntryView{look, missing.Code, missing.Version, missing.Near})
	case err != nil:
		s.fail(w, r, err)
	default:
		s.render(w, withUser(r, u), http.StatusOK, "entry", entryView{look, e, groups(e), unnamed(e, e.Children), unnamed(e, e.Siblings)})
	}
}

// unnamed gives codes unless the 7th characters name each of them.
func unnamed(e codebook.Entry, codes []coding.Code) []coding.Code {
	for _, c := range codes {
		if !slices.ContainsFunc(e.Seventh, func(s codebook.Seventh) bool { return s.Code == c.Code }) {
			return codes
		}
	}
	return nil
}

// groups puts notes together that stand at one level and are of one kind.
func groups(e codebook.Entry) []noteGroup {
	titles := map[string]string{e.Code.Code: e.Title}
	for _, l := range e.Place {
		titles[l.Code] = l.Title
	}
	var out []noteGroup
	for _, n := range e.Notes {
		if k := len(out); k == 0 || out[k-1].At != n.At || out[k-1].Level != n.Level {
			out = append(out, noteGroup{At: n.At, Level: n.Level, Title: titles[n.At], Inherited: n.Inherited})
		}
		g := &out[len(out)-1]
		i := slices.IndexFunc(g.Kinds, func(k noteKind) bool { return k.Kind == n.Kind })
		if i < 0 {
			i = len(g.Kinds)
			g.Kinds = append(g.Kinds, noteKind{Kind: n.Kind, Name: codebook.KindName(n.Kind)})
		}
		g.Kinds[i].Notes = append(g.Kinds[i].Notes, pieces(n))
	}
	return out
}

var codeInNote = regexp.MustCompile(`\b[A-Z][0-9][0-9A-Z](?:\.[0-9A-Z]{1,4})?\b`)

// pieces cuts a note at the codes that it refers to.
func pieces(n codebook.Note) []textPiece {
	var out []textPiece
	at := 0
	for _, m := range codeInNote.FindAllStringIndex(n.Text, -1) {
		code := n.Text[m[0]:m[1]]
		if !slices.ContainsFunc(n.Refs, func(r codeset.Ref) bool { return r.From == code || r.To == code }) {
			continue
		}
		if m[0] > at {
			out = append(out, textPiece{Text: n.Text[at:m[0]]})
		}
		out = append(out, textPiece{code, code})
		at = m[1]
	}
	if at < len(n.Text) {
		out = append(out, textPiece{Text: n.Text[at:]})
	}
	return out
}

// apiCodes finds codes for programs.
func (s *server) apiCodes(w http.ResponseWriter, r *http.Request, _ coding.User) {
	v := r.URL.Query()
	query := v.Get("q")
	if strings.TrimSpace(query) == "" || len(query) > maxCodeQuery {
		apiFail(w, http.StatusUnprocessableEntity, "invalid_q", "q is a code or words, at most 200 bytes.")
		return
	}
	system, date, ok := apiLook(w, r, v.Get("system"))
	if !ok {
		return
	}
	limit, ok := apiLimit(w, v.Get("limit"), usualCodes)
	if !ok {
		return
	}
	found, err := s.Codes.Search(r.Context(), codebook.Query{Text: query, System: system, Date: date, Limit: limit})
	if err != nil {
		s.apiCodeError(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, found)
}

func (s *server) apiCode(w http.ResponseWriter, r *http.Request, _ coding.User) {
	system, date, ok := apiLook(w, r, r.PathValue("system"))
	if !ok {
		return
	}
	e, err := s.Codes.Code(r.Context(), system, r.PathValue("code"), date)
	if err != nil {
		s.apiCodeError(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, e)
}

// apiLook reads which release is asked for; without ok it has answered.
func apiLook(w http.ResponseWriter, r *http.Request, name string) (system coding.System, date coding.Date, ok bool) {
	if system = coding.System(strings.ToUpper(name)); system != "" && !system.Valid() {
		apiFail(w, http.StatusUnprocessableEntity, "invalid_system", "system is one of ICD-10-CM, ICD-10-PCS, HCPCS, CPT.")
		return "", date, false
	}
	date, err := coding.ParseDate(r.URL.Query().Get("date"))
	if err != nil {
		apiFail(w, http.StatusUnprocessableEntity, "invalid_date", "date has the form YYYY-MM-DD.")
		return "", date, false
	}
	return system, date, true
}

func (s *server) apiCodeError(w http.ResponseWriter, r *http.Request, err error) {
	var missing *codebook.NotFoundError
	switch {
	case errors.As(err, &missing):
		apiFail(w, http.StatusNotFound, "not_found", sentence(err))
	case errors.Is(err, codebook.ErrNotLoaded):
		apiFail(w, http.StatusNotFound, "not_loaded", "No code table of this system is loaded.")
	default:
		s.apiUnavailable(w, r, err)
	}
}
