package web

import (
	"context"
	"encoding/csv"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"chartcode/internal/coding"
	"chartcode/internal/export"
	"chartcode/internal/throughput"
)

// Figures has the figures for managers; *throughput.Service is one.
type Figures interface {
	FilterOf(query url.Values) throughput.Filter
	ListOf(query url.Values) (throughput.List, bool)
	Report(ctx context.Context, f throughput.Filter) (throughput.Report, error)
	Entries(ctx context.Context, l throughput.List, cursor string) (throughput.Entries, error)
}

func (s *server) throughputRoutes() {
	if s.Figures == nil {
		return
	}
	s.mux.HandleFunc("GET /throughput", s.page(s.throughput))
	s.mux.HandleFunc("GET /throughput/items", s.page(s.throughputList))
	s.mux.HandleFunc("GET /throughput/tables/{file}", s.page(s.throughputTable))
}

// throughputView is the page of figures.
type throughputView struct {
	throughput.Report
	Tables         bool // are open
	TablesHref     string
	Periods        []choice
	Sources        []choice
	Settings       []choice
	Specialties    []choice
	Coders         []choice
	Clear          string
	Filtered, Team bool
	Zone           string
	drawn          map[string]template.HTML
}

// own lets people who may not see the team's figures see their own.
func own(f throughput.Filter, u coding.User) throughput.Filter {
	if !u.Role.SeesTeam() {
		f.Coder = u.Login
	}
	return f
}

// mayFigures answers those who may see no figures.
func (s *server) mayFigures(w http.ResponseWriter, r *http.Request, u coding.User) bool {
	if u.Role.SeesFigures() {
		return true
	}
	s.render(w, withUser(r, u), http.StatusForbidden, "message", messageView{
		Title: "Not for your role", Text: "Figures are for managers and administrators; coders see their own.",
	})
	return false
}

func (s *server) throughput(w http.ResponseWriter, r *http.Request, u coding.User) {
	if !s.mayFigures(w, r, u) {
		return
	}
	query := r.URL.Query()
	f := own(s.Figures.FilterOf(query), u)
	report, err := s.Figures.Report(r.Context(), f)
	if err != nil {
		s.fail(w, withUser(r, u), err)
		return
	}
	v := throughputView{Report: report, Team: u.Role.SeesTeam(), Tables: query.Get("view") == "tables", Clear: "/throughput", Zone: s.Zone.String(), drawn: map[string]template.HTML{}}
	here := f.Values()
	if f.Last > 0 { // and not their dates, which are other ones tomorrow
		here.Del("from")
		here.Del("to")
		here.Set("days", strconv.Itoa(f.Last))
	}
	if !v.Team {
		here.Del("coder")
	}
	if !v.Tables {
		here.Set("view", "tables")
		v.TablesHref = "/throughput?" + here.Encode()
	} else {
		v.TablesHref = "/throughput?" + here.Encode()
	}
	v.choices(f)
	if !v.Tables {
		for _, section := range report.Sections {
			for _, c := range section.Charts {
				if v.drawn[c.ID], err = draw(c); err != nil {
					s.fail(w, withUser(r, u), err)
					return
				}
			}
		}
	}
	s.render(w, withUser(r, u), http.StatusOK, "throughput", v)
}

// choices are what the form offers.
func (v *throughputView) choices(f throughput.Filter) {
	for _, days := range throughput.Periods() {
		c := choice{Value: strconv.Itoa(days), Label: fmt.Sprintf("%d days", days), Current: f.Last == days}
		if days == 1 {
			c.Label = "Today"
		}
		v.Periods = append(v.Periods, c)
	}
	seen := map[string]bool{}
	for _, p := range v.Values.Places {
		if !seen["source "+p.Source] {
			seen["source "+p.Source] = true
			v.Sources = append(v.Sources, choice{Value: p.Source, Label: p.Source, Current: p.Source == f.Source})
		}
		if !seen["setting "+string(p.Setting)] {
			seen["setting "+string(p.Setting)] = true
			v.Settings = append(v.Settings, choice{Value: string(p.Setting), Label: string(p.Setting), Current: p.Setting == f.Setting})
		}
	}
	slices.SortFunc(v.Settings, func(a, b choice) int { return strings.Compare(a.Value, b.Value) })
	for _, name := range v.Values.Specialties {
		v.Specialties = append(v.Specialties, choice{
			Value: throughput.SpecialtyParam(name), Label: throughput.SpecialtyText(name), Current: f.Specialty != nil && *f.Specialty == name,
		})
	}
	for _, p := range v.Report.Coders {
		v.Coders = append(v.Coders, choice{Value: p.Login, Label: p.Name, Current: p.Login == f.Coder})
	}
	v.Filtered = f.Source != "" || f.Setting != "" || f.Specialty != nil || f.Coder != "" && v.Team
}

// Drawn is a chart as SVG.
func (v throughputView) Drawn(id string) template.HTML { return v.drawn[id] }

// Listed is where the items behind a figure are.
func (v throughputView) Listed(l *throughput.List) string {
	q := l.Values()
	if !v.Team {
		q.Del("coder")
	}
	return "/throughput/items?" + q.Encode()
}

// CSV is where a table is as a file.
func (v throughputView) CSV(table string) string {
	q := v.Filter.Values()
	if !v.Team {
		q.Del("coder")
	}
	return "/throughput/tables/" + table + ".csv?" + q.Encode()
}

// Change says how a figure differs from the period before.
func (v throughputView) Change(f throughput.Figure) string {
	if f.Before == nil || f.Before.None {
		return ""
	}
	text := "before: " + f.Before.String()
	if f.Value.None || f.Before.X == 0 || f.Value.Kind == throughput.Share {
		return text
	}
	change := 100 * (f.Value.X/f.Before.X - 1)
	return fmt.Sprintf("%s (%+.0f %%)", text, change)
}

func draw(c throughput.Chart) (template.HTML, error) {
	if len(c.Labels) == 0 || len(c.Series) == 0 {
		return "", nil
	}
	c.Format = func(x float64) string {
		switch c.Unit {
		case throughput.Share:
			return fmt.Sprintf("%.0f %%", 100*x)
		case throughput.Money:
			return fmt.Sprintf("$%.2f", x)
		}
		return fmt.Sprintf("%g", x)
	}
	if c.Unit == throughput.Share {
		c.Max = 1
	}
	return c.SVG()
}

// throughputTable gives a table as CSV.
func (s *server) throughputTable(w http.ResponseWriter, r *http.Request, u coding.User) {
	if !s.mayFigures(w, r, u) {
		return
	}
	report, err := s.Figures.Report(r.Context(), own(s.Figures.FilterOf(r.URL.Query()), u))
	if err != nil {
		s.fail(w, withUser(r, u), err)
		return
	}
	name, isCSV := strings.CutSuffix(r.PathValue("file"), ".csv")
	for _, section := range report.Sections {
		for _, t := range section.Tables {
			if t.ID == name && isCSV {
				w.Header().Set("Content-Type", "text/csv; charset=utf-8")
				w.Header().Set("Content-Disposition", `attachment; filename="throughput-`+t.ID+`.csv"`)
				out := csv.NewWriter(w)
				_ = out.WriteAll(records(t)) // the browser went away: nobody is left to tell
				return
			}
		}
	}
	s.notFound(w, r, u)
}

// records is a table as lines of a CSV file; times are in seconds and say so.
func records(t throughput.Table) [][]string {
	head := slices.Clone(t.Columns)
	for i := range head {
		for _, row := range t.Rows {
			if unit := units[row[i].Kind]; unit != "" {
				head[i] += " (" + unit + ")"
				break
			}
		}
	}
	lines := [][]string{head}
	for _, row := range t.Rows {
		line := make([]string, len(row))
		for i, c := range row {
			line[i] = c.Plain()
			if c.Kind == throughput.Text { // others may begin with a minus
				line[i] = export.PlainCell(line[i])
			}
		}
		lines = append(lines, line)
	}
	return lines
}

var units = map[throughput.Kind]string{throughput.Duration: "seconds", throughput.Money: "US dollars", throughput.Share: "share"}
