package web

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"html/template"
	"math"
	"net/http"
	"strings"
	"time"

	"chartcode/internal/coding"
	"chartcode/internal/review"
)

// frame is what the layout shows around a page's own view.
type frame struct {
	User    *coding.User
	Here    string
	CodeSet string
	Starter bool
	View    any
}

type signInView struct{ To, Login, Error string }

type messageView struct{ Title, Text string }

// pageNames are the pages, each a template file with "title" and "body".
var pageNames = []string{"signin", "message", "worklist", "item"}

func parsePages(zone *time.Location) (map[string]*template.Template, error) {
	base, err := template.New("").Funcs(functions(zone)).ParseFS(templateFiles, "templates/layout.html")
	if err != nil {
		return nil, err
	}
	pages := make(map[string]*template.Template, len(pageNames))
	for _, name := range pageNames {
		t, err := base.Clone()
		if err == nil {
			t, err = t.ParseFS(templateFiles, "templates/"+name+".html")
		}
		if err != nil {
			return nil, err
		}
		pages[name] = t
	}
	return pages, nil
}

func functions(zone *time.Location) template.FuncMap {
	return template.FuncMap{
		"plural": func(n int, one, many string) string {
			if n == 1 {
				return one
			}
			return many
		},
		"join":       func(list []string) string { return strings.Join(list, ", ") },
		"when":       func(t time.Time) string { return t.In(zone).Format("2006-01-02 15:04") },
		"rfc3339":    func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"priority":   priorityText,
		"percent":    func(p float64) string { return fmt.Sprintf("%.0f %%", math.Round(p*100)) },
		"bar":        func(p float64) string { return fmt.Sprintf("%.0f", math.Max(0, math.Min(1, p))*100) },
		"confidence": confidenceText,
		"role":       roleText,
		"stateClass": func(s review.CodeState) string {
			switch s {
			case review.Accepted, review.Added:
				return "good"
			case review.Rejected:
				return "bad"
			}
			return "info"
		},
		"severityClass": func(s coding.Severity) string {
			switch s {
			case coding.SeverityError:
				return "bad"
			case coding.SeverityWarning:
				return "warn"
			}
			return "info"
		},
		"newKey": rand.Text,
	}
}

func priorityText(p int) string {
	switch {
	case p >= coding.PriorityUrgent:
		return fmt.Sprintf("%d, urgent", p)
	case p < coding.PriorityUsual:
		return fmt.Sprintf("%d, low", p)
	}
	return fmt.Sprintf("%d", p)
}

// confidenceText puts a probability in words; the borders are those that the
// key sheet and the README name.
func confidenceText(p float64) string {
	switch {
	case p >= 0.85:
		return "very likely"
	case p >= 0.6:
		return "likely"
	case p >= 0.35:
		return "possible"
	}
	return "unsure"
}

func roleText(r coding.Role) string {
	switch r {
	case coding.RoleFirstListed:
		return "first-listed"
	case coding.RolePrincipal:
		return "principal"
	case coding.RoleAdmitting:
		return "admitting"
	case coding.RoleReason:
		return "reason for visit"
	}
	return ""
}

// userKey carries the user through a request's context to the layout.
type userKey struct{}

func withUser(r *http.Request, u coding.User) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), userKey{}, u))
}

// render writes a page; it is written whole or not at all.
func (s *server) render(w http.ResponseWriter, r *http.Request, status int, page string, view any) {
	f := frame{View: view, Here: page}
	if u, ok := r.Context().Value(userKey{}).(coding.User); ok {
		f.User = &u
	}
	if s.Ready != nil {
		ready := s.Ready(r.Context())
		f.CodeSet, f.Starter = ready.CodeSet, ready.Starter
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

