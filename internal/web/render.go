package web

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"html/template"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"chartcode/internal/codebook"
	"chartcode/internal/coding"
	"chartcode/internal/review"
	"chartcode/internal/system"
	"chartcode/internal/throughput"
)

// frame is what the layout shows around a page's own view.
type frame struct {
	User     *coding.User
	Here     string
	CodeSet  string
	Starter  bool
	Codes    bool   // codes can be looked up
	System   bool   // the user may look at the system
	NotReady string // why suggestions cannot be made just now
	Figures  bool   // the user may see figures
	Live     bool   // the page is told what changes
	Quality  bool   // there are pages about quality for the user
	View     any
}

type signInView struct{ To, Login, Error string }

type messageView struct{ Title, Text string }

// pageNames are the pages, each a template file with "title" and "body".
var pageNames = []string{"signin", "message", "worklist", "item", "history", "codes", "entry", "noentry", "throughput", "figures", "system"}

// parsePages gives each page together with the layout and the parts that
// pages share.
func (s *server) parsePages() (map[string]*template.Template, error) {
	base, err := template.New("").Funcs(s.functions()).Funcs(qaFunctions()).ParseFS(templateFiles, "templates/layout.html", "templates/parts.html", "templates/notes.html", "templates/qaparts.html")
	if err != nil {
		return nil, err
	}
	names := append(slices.Clone(pageNames), qaPages...)
	pages := make(map[string]*template.Template, len(names))
	for _, name := range names {
		t, err := base.Clone()
		if err == nil {
			t, err = t.ParseFS(templateFiles, "templates/"+name+"*.html")
		}
		if err != nil {
			return nil, err
		}
		pages[name] = t
	}
	return pages, nil
}

func (s *server) functions() template.FuncMap {
	return template.FuncMap{
		"asset":   s.assetPath,
		"scripts": s.scriptPaths,
		"runs":    runs,
		"plain":   plain,
		"counted": counted,
		"joined": func(list []string) string {
			return plain(strings.Join(list, ", "))
		},
		"when":       func(t time.Time) string { return t.In(s.Zone).Format("2006-01-02 15:04") },
		"clock":      func(t time.Time) string { return t.In(s.Zone).Format("15:04") },
		"rfc3339":    func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"age":        func(t time.Time) string { return ageText(s.Now().Sub(t)) },
		"overdue":    func(t time.Time) bool { return s.Now().After(t) },
		"patient":    patientText,
		"priority":   priorityText,
		"urgent":     func(p int) bool { return p >= coding.PriorityUrgent },
		"percent":    percentText,
		"bar":        func(p float64) string { return fmt.Sprintf("%.0f", math.Max(0, math.Min(1, p))*100) },
		"confidence": confidenceText,
		"agreement":  agreementText,
		"role":       roleText,
		"event":      eventText,
		"words":      func(code string) string { return strings.ReplaceAll(code, "_", " ") },
		"severityClass": func(s coding.Severity) string {
			switch s {
			case coding.SeverityError:
				return "bad"
			case coding.SeverityWarning:
				return "warn"
			}
			return "info"
		},
		"checkStatus": checkText,
		"inc":         func(i int) int { return i + 1 },
		"dec":         func(i int) int { return i - 1 },
		"digit":       func(i int) string { return strconv.Itoa((i + 1) % 10) }, // the key of the i-th of at most ten choices
		"rejects":     coding.RejectReasons,
		"holds":       review.HoldReasons,
		"skips":       review.SkipReasons,
		"templates":   coding.QueryTemplates,
		"poas":        poaChoices,
		"roles":       roleChoices,
		"rejected":    rejectedText,
		"lower":       strings.ToLower,
		"size":        bytesText,
		"doing":       doingText,
		"part":        partText,
		"newKey":      rand.Text,
		"codepath":    codePath,
		"termkind":    termKindText,
		"change":      codebook.ChangeText,
		"codelist": func(v entryView, codes []coding.Code) pageCodes {
			return pageCodes{codes, v.Entry.Code.Code, v.Query()}
		},
		"took": throughput.DurationText,
		// Templates take one value; these put a part of a page beside the page.
		"coded": func(v itemView, c codeView) pageCode { return pageCode{&v, c} },
		"query": func(v itemView, n int, q coding.Query) pageQuery { return pageQuery{&v, q, n == 0} },
		"blocker": func(v itemView, n int, b review.Blocker) pageBlocker {
			return pageBlocker{&v, b, n, n == v.firstBlocker()}
		},
	}
}

type pageCode struct {
	Page *itemView
	Code codeView
}

type pageQuery struct {
	Page  *itemView
	Query coding.Query
	First bool // that its key goes to
}

type pageCodes struct {
	Codes       []coding.Code
	Here, Query string
}

type pageBlocker struct {
	Page    *itemView
	Blocker review.Blocker
	Number  int
	First   bool // that its key goes to
}

// userKey carries the user through a request's context to the layout.
type userKey struct{}

func withUser(r *http.Request, u coding.User) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), userKey{}, u))
}

// render writes a page; it is written whole or not at all.
func (s *server) render(w http.ResponseWriter, r *http.Request, status int, page string, view any) {
	f := frame{View: view, Here: page, Codes: s.Codes != nil, Live: s.Changes != nil && s.Versions != nil && (page == "item" || page == "worklist")}
	if u, ok := r.Context().Value(userKey{}).(coding.User); ok {
		f.User = &u
		f.Quality = s.Quality != nil && u.Role != coding.RoleService
		f.Figures = s.Figures != nil && u.Role.SeesFigures()
		f.System = s.System != nil && system.MaySee(u.Role)
	}
	if s.Ready != nil {
		ready := s.Ready(r.Context())
		f.CodeSet, f.Starter = ready.CodeSet, ready.Starter
		if !ready.Ready {
			f.NotReady = ready.Reason
		}
	}
	var b bytes.Buffer
	if err := s.pages[page].ExecuteTemplate(&b, "layout", f); err != nil {
		s.Logger.Error("a page could not be written", "page", page, "error", templateError(err))
		http.Error(w, "Something went wrong here. It was logged; try again.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = b.WriteTo(w) // the browser went away: nobody is left to tell
}

// templateError keeps where a template failed and drops the values.
func templateError(err error) string {
	m := err.Error()
	if i := strings.Index(m, ">:"); i > 0 {
		m = m[:i+1]
	}
	return m
}
