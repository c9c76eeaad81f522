package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"chartcode/eval/measure"
	"chartcode/internal/coding"
	"chartcode/internal/qa"
	"chartcode/internal/review"
)

// qaPages are the pages about quality. No name begins another, since a page is all
// files that begin with its name.
var qaPages = []string{"qahome", "qacoding", "qafindings", "qaaudits", "qacase", "qapeople", "qarunlist", "qarunview", "qanotelist", "qanoteview", "qacompare", "qadrift", "qamessage"}

// qaRoutes names the paths of the pages about quality.
func (s *server) qaRoutes() {
	if s.Quality == nil {
		return
	}
	s.mux.HandleFunc("GET /qa", s.page(s.qaHome))
	s.mux.HandleFunc("POST /qa/codings", s.page(s.qaForm(s.qaTake)))
	s.mux.HandleFunc("GET /qa/codings/{id}", s.page(s.qaNumber(s.qaCoding)))
	s.mux.HandleFunc("POST /qa/codings/{id}", s.page(s.qaForm(s.qaNumber(s.qaCode))))
	s.mux.HandleFunc("GET /qa/findings", s.page(s.qaFindings))
	s.mux.HandleFunc("POST /qa/findings", s.page(s.qaForm(s.qaAnswer)))
	s.mux.HandleFunc("GET /qa/audits", s.page(s.qaAudits))
	s.mux.HandleFunc("POST /qa/audits", s.page(s.qaForm(s.qaDraw)))
	s.mux.HandleFunc("POST /qa/audits/release", s.page(s.qaForm(s.qaRelease)))
	s.mux.HandleFunc("GET /qa/cases/{id}", s.page(s.qaNumber(s.qaCase)))
	s.mux.HandleFunc("POST /qa/cases/{id}", s.page(s.qaForm(s.qaNumber(s.qaJudge))))
	s.mux.HandleFunc("GET /qa/people", s.page(s.qaPeople))
	s.mux.HandleFunc("GET /qa/drift", s.page(s.qaDrift))
	if s.Results != nil {
		s.mux.HandleFunc("GET /qa/runs", s.page(s.qaRuns))
		s.mux.HandleFunc("GET /qa/runs/{id}", s.page(s.qaRun))
		s.mux.HandleFunc("GET /qa/runs/{id}/notes", s.page(s.qaNotes))
		s.mux.HandleFunc("GET /qa/runs/{id}/notes/{n}", s.page(s.qaNote))
		s.mux.HandleFunc("GET /qa/compare", s.page(s.qaCompare))
	}
}

// qaForm reads a form before it is taken.
func (s *server) qaForm(take handler) handler {
	return func(w http.ResponseWriter, r *http.Request, u coding.User) {
		if err := readForm(w, r, maxForm); err != nil {
			s.qaRefused(w, r, u, qa.ErrInput)
			return
		}
		take(w, r, u)
	}
}

// qaNumber reads the number that a path ends in.
func (s *server) qaNumber(show func(w http.ResponseWriter, r *http.Request, u coding.User, id int64)) handler {
	return func(w http.ResponseWriter, r *http.Request, u coding.User) {
		id, ok := pathNumber(r, "id")
		if !ok {
			s.notFound(w, r, u)
			return
		}
		show(w, r, u, id)
	}
}

// qaFunctions are what the templates about quality use beside the others.
func qaFunctions() map[string]any {
	return map[string]any{
		"qapage": func(here string) bool { return strings.HasPrefix(here, "qa") },
		"num":    measure.Number,
		"share":  shareText,
		"poaof":  func(id, name string, poa coding.POA) poaChoice { return poaChoice{id, name, poa} },
		"ref":    func(f measure.Figure) *measure.Figure { return &f },
	}
}

// poaChoice is a field for a present-on-admission indicator.
type poaChoice struct {
	ID, Name string
	POA      coding.POA
}

// qaPage is a part of a long list.
type qaPage struct {
	From, Of   int // the first that is shown, from 1; how many there are
	Prev, Next string
}

// onPage is how many lines of a list a page shows.
const onPage = 100

// pageOf gives the part of a list that a request asks for; query is what the links
// to other parts repeat.
func pageOf[T any](list []T, r *http.Request, query url.Values) ([]T, qaPage) {
	from := min(max(1, number(r.URL.Query().Get("from")))-1, len(list))
	to := min(from+onPage, len(list))
	link := func(from int) string {
		query.Set("from", strconv.Itoa(from))
		return "?" + query.Encode()
	}
	p := qaPage{From: from + 1, Of: len(list)}
	if from > 0 {
		p.Prev = link(max(1, from+1-onPage))
	}
	if to < len(list) {
		p.Next = link(to + 1)
	}
	return list[from:to], p
}

// shareText writes a share with its interval in percent; what is not defined as a dash.
func shareText(f *measure.Figure) string {
	if f == nil || f.Denominator == 0 {
		return "not defined"
	}
	return fmt.Sprintf("%.0f%% (%.0f to %.0f)", 100*f.Value, 100*f.Low, 100*f.High)
}

// qaFrame is what all pages about quality have.
type qaFrame struct {
	Tab                 string
	See, Audit, Recode  bool
	Runs                bool // evaluation runs can be read
	Error, Message, Key string
}

func (s *server) qaFrame(u coding.User, tab string) qaFrame {
	return qaFrame{Tab: tab, See: u.Role.MaySeeQuality(), Audit: u.Role.MayAudit(), Recode: u.Role.MayRecode(), Runs: s.Results != nil}
}

type qaMessageView struct {
	qaFrame
	Title, Text string
}

// qaSees lets in who may see evaluations and everybody's figures; else it has
// answered.
func (s *server) qaSees(w http.ResponseWriter, r *http.Request, u coding.User) bool {
	if u.Role.MaySeeQuality() {
		return true
	}
	s.qaMessage(w, r, u, http.StatusForbidden, "Not with your role", "Auditors, managers and administrators see this. What concerns your own codes is under Overview.")
	return false
}

func (s *server) qaMessage(w http.ResponseWriter, r *http.Request, u coding.User, status int, title, text string) {
	s.render(w, withUser(r, u), status, "qamessage", qaMessageView{s.qaFrame(u, ""), title, text})
}

// qaRefused answers for an error of quality on a page of its own.
func (s *server) qaRefused(w http.ResponseWriter, r *http.Request, u coding.User, err error) {
	if !qa.Refused(err) {
		s.fail(w, r, err)
		return
	}
	status, title := qaStatus(err), "Not carried out"
	switch {
	case status == http.StatusNotFound:
		title = "There is nothing here"
	case errors.Is(err, review.ErrBlind):
		title = "You are coding this encounter blind"
	}
	s.qaMessage(w, r, u, status, title, sentence(err))
}

func qaStatus(err error) int {
	switch {
	case errors.Is(err, qa.ErrNotFound):
		return http.StatusNotFound
	case errors.Is(err, qa.ErrForbidden):
		return http.StatusForbidden
	case errors.Is(err, qa.ErrInput), errors.Is(err, qa.ErrUnknown):
		return http.StatusUnprocessableEntity
	}
	return http.StatusConflict
}

type qaHomeView struct {
	qaFrame
	Waiting    qa.Waiting
	Own        qa.Bias // of the user, in practice
	Findings   int
	Unanswered int
	Samples    []coding.AuditSample
	ToJudge    int
}

func (s *server) qaHome(w http.ResponseWriter, r *http.Request, u coding.User) {
	if u.Role == coding.RoleService {
		s.refuse(w, r, u)
		return
	}
	v := qaHomeView{qaFrame: s.qaFrame(u, "home")}
	var err error
	if v.Recode {
		if v.Waiting, err = s.Quality.Waiting(r.Context(), u); err != nil {
			s.fail(w, r, err)
			return
		}
		if v.Own, err = s.Quality.OwnPractice(r.Context(), u); err != nil {
			s.fail(w, r, err)
			return
		}
		list, err := s.Quality.Findings(r.Context(), u)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		for _, f := range list {
			v.Findings++
			if f.Answer == nil {
				v.Unanswered++
			}
		}
	}
	if v.See {
		if v.Samples, err = s.Quality.Samples(r.Context(), u); err != nil {
			s.fail(w, r, err)
			return
		}
		for _, a := range v.Samples {
			v.ToJudge += a.ToJudge
		}
	}
	s.render(w, withUser(r, u), http.StatusOK, "qahome", v)
}
