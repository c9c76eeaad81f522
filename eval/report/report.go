package report

import (
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"

	"chartcode/eval/dataset"
	"chartcode/eval/measure"
	"chartcode/eval/runs"
	"chartcode/internal/coding"
)

//go:embed report.html
var page string

//go:embed report.css
var css string

// Input is what is reported.
type Input struct {
	Run    runs.Run
	Notes  []dataset.Note // of the run, in its order
	Cases  []measure.Case // the same notes
	Scores measure.Scores
	Titles map[string]runs.Title

	Other      *runs.Run // what Run is compared with, as B with A
	Comparison *measure.Comparison
}

// view is what the template shows.
type view struct {
	Policy template.HTMLAttr
	CSS    template.CSS
	Input
	Settings    [][2]string
	Charts      []Chart
	Figures     []measure.Figure
	Differences []measure.Difference
	Confusions  []Confusion
	Notes       []Note
	Filters     []Filter
}

// Chart is a drawing with the numbers that it shows.
type Chart struct {
	Title, About string
	Drawing      template.HTML
	Head         []string
	Rows         [][]string
}

// Filter is a kind of error with the number of notes that have it.
type Filter struct {
	ID, Title string
	N         int
}

// Write makes the report.
func Write(w io.Writer, in Input) error {
	t, err := template.New("report").Funcs(template.FuncMap{"number": measure.Number, "percent": func(x float64) string { return fmt.Sprintf("%.0f%%", 100*x) }, "join": strings.Join}).Parse(page)
	if err != nil {
		return fmt.Errorf("read the report's template: %w", err)
	}
	sum := sha256.Sum256([]byte(css))
	v := view{
		Policy: template.HTMLAttr(`content="default-src 'none'; style-src 'sha256-` + base64.StdEncoding.EncodeToString(sum[:]) + `'; base-uri 'none'; form-action 'none'"`), //nolint:gosec // made of a hash
		CSS:    template.CSS(css),                                                                                                                                            //nolint:gosec // the program's own
		Input:  in, Settings: Settings(&in.Run), Charts: Charts(&in), Figures: in.Scores.Figures, Confusions: Confusions(in.Cases, in.Titles),
	}
	for i := range in.Cases {
		v.Notes = append(v.Notes, NewNote(&in.Notes[i], &in.Cases[i], in.Titles))
	}
	v.Filters = Filters(v.Notes)
	if in.Comparison != nil {
		v.Differences = in.Comparison.Differences
	}
	if err := t.Execute(w, v); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

// Settings gives what was run, as pairs of a name and a value.
func Settings(r *runs.Run) [][2]string {
	c := &r.Config
	dirty := ""
	if c.Build.Dirty {
		dirty = ", with changes that are not committed"
	}
	var releases []string
	for _, x := range c.Releases {
		releases = append(releases, x.ID)
	}
	drawn := "all"
	if c.Limit > 0 {
		drawn = fmt.Sprintf("%d drawn with seed %d", c.Limit, c.Seed)
	}
	out := [][2]string{
		{"run", r.ID}, {"dataset", c.Dataset.Name}, {"dataset's SHA-256", c.Dataset.SHA256}, {"notes", fmt.Sprintf("%d (%s)", len(c.NoteIDs), drawn)},
		{"gold made by", cmp.Or(c.Dataset.Gold, "not stated")}, {"notes chosen", cmp.Or(c.Dataset.Chosen, "not stated")}, {"licence", cmp.Or(c.Dataset.Licence, "not stated")},
		{"coding style", string(c.CodingStyle)}, {"ranker", c.Ranker}, {"local models", c.LocalModels}, {"embeddings", c.Embedder},
		{"LLM", cmp.Or(c.Model, "none")}, {"LLM's settings", cmp.Or(c.Settings, "none")},
		{"candidates", fmt.Sprintf("%d, of which the ranker judges %d", c.Candidates, c.Judged)},
		{"code releases", strings.Join(releases, " ")}, {"program", fmt.Sprintf("%s, commit %s%s, %s", c.Build.Version, cmp.Or(c.Build.Commit, "not known"), dirty, c.Build.Go)},
		{"started", r.Started.Format("2006-01-02 15:04:05 MST")},
	}
	return out
}

// headline are the figures of the first chart.
func headline() []string {
	return []string{"micro_precision", "micro_recall", "micro_f1", "macro_f1", "category_f1", "chapter_f1", "hierarchical_f1", "first_listed", "all_right", "map", "retrieval_recall_at_50", "retrieval_recall", "evidence_f1", "evidence_touching"}
}

// Charts gives the drawings of a run, or of its comparison with another.
func Charts(in *Input) []Chart {
	var out []Chart
	s := &in.Scores
	var rows []row
	c := Chart{Title: "Accuracy", About: "Each figure with its interval; the number says what it was counted over.", Head: []string{"figure", "value", "from", "to", "counted over"}}
	for _, name := range headline() {
		if f, ok := s.Figure(name); ok {
			rows = append(rows, row{f.Title, f.Value, f.Low, f.High, "of " + measure.Number(f.Denominator)})
			c.Rows = append(c.Rows, []string{f.Title, measure.Number(f.Value), measure.Number(f.Low), measure.Number(f.High), measure.Number(f.Denominator) + " " + f.Of})
		}
	}
	if len(rows) > 0 {
		c.Drawing = forest("Accuracy with intervals", "share, with its interval", rows, 0, 1, false)
		out = append(out, c)
	}
	if in.Comparison != nil {
		out = append(out, Differences(in.Comparison))
	}
	out = append(out, losses(s)...)
	out = append(out, calibration(s)...)
	return append(out, slicesOf(s)...)
}

// Differences draws what the second of two runs does better or worse.
func Differences(cmp *measure.Comparison) Chart {
	c := Chart{Title: "Difference from the other run", About: "This run minus the other, on the same notes.", Head: []string{"figure", "other", "this run", "difference", "from", "to", "smallest difference to be seen"}}
	var rows []row
	far := 0.01
	for _, name := range headline() {
		d, ok := cmp.Difference(name)
		if !ok {
			continue
		}
		far = max(far, -d.Low, d.High)
		rows = append(rows, row{d.Title, d.Value, d.Low, d.High, ""})
		c.Rows = append(c.Rows, []string{d.Title, measure.Number(d.A), measure.Number(d.B), measure.Number(d.Value), measure.Number(d.Low), measure.Number(d.High), measure.Number(d.Detectable)})
	}
	c.Drawing = forest(c.Title, "this run minus the other, with its interval", rows, -far*1.05, far*1.05, true)
	return c
}

func losses(s *measure.Scores) []Chart {
	c := Chart{Title: "Where required codes were lost", About: "Share of the required codes that each stage lost.", Head: []string{"stage", "share of required codes", "from", "to", "codes"}}
	var rows []row
	far := 0.05
	for i, l := range measure.Losses() {
		f, ok := s.Figure(fmt.Sprintf("lost_%d", i+1))
		if !ok {
			return nil
		}
		far = max(far, f.High)
		rows = append(rows, row{string(l), f.Value, f.Low, f.High, fmt.Sprintf("(%.0f codes)", f.Numerator)})
		c.Rows = append(c.Rows, []string{string(l), measure.Number(f.Value), measure.Number(f.Low), measure.Number(f.High), fmt.Sprintf("%.0f of %.0f", f.Numerator, f.Denominator)})
	}
	c.Drawing = forest(c.Title, "share of required codes, with its interval", rows, 0, far*1.1, false)
	return []Chart{c}
}

func calibration(s *measure.Scores) []Chart {
	if len(s.Reliability) == 0 {
		return nil
	}
	rel := Chart{Title: "Reliability of the confidence", About: "Share right by stated confidence; on the diagonal the confidence is what it says.", Head: []string{"confidence", "suggestions", "mean confidence", "share right", "from", "to"}}
	var rows []row
	var at []float64
	for _, b := range s.Reliability {
		rows, at = append(rows, row{"", b.Right, b.Low, b.High, ""}), append(at, b.Confidence)
		rel.Rows = append(rel.Rows, []string{fmt.Sprintf("%.1f to %.1f", b.From, b.To), fmt.Sprint(b.N), measure.Number(b.Confidence), measure.Number(b.Right), measure.Number(b.Low), measure.Number(b.High)})
	}
	rel.Drawing = square(rel.Title, "mean confidence", "share right", at, rows, 1, false, true)
	risk := Chart{Title: "Risk and coverage", About: "Share wrong among the surest suggestions, by how many of all these are.", Head: []string{"surest", "share wrong", "from", "to"}}
	rows, at = nil, nil
	far := 0.05
	for i := 1; i <= 10; i++ {
		if f, ok := s.Figure(fmt.Sprintf("risk_at_%d", 10*i)); ok {
			rows, at = append(rows, row{"", f.Value, f.Low, f.High, ""}), append(at, float64(i)/10)
			far = max(far, f.High)
			risk.Rows = append(risk.Rows, []string{fmt.Sprintf("%d%%", 10*i), measure.Number(f.Value), measure.Number(f.Low), measure.Number(f.High)})
		}
	}
	risk.Drawing = square(risk.Title, "share of suggestions, surest first", "share wrong", at, rows, min(1, far*1.1), true, false)
	return []Chart{rel, risk}
}

func slicesOf(s *measure.Scores) []Chart {
	titles := map[string]string{"setting": "By setting", "specialty": "By specialty", "length": "By length of the note", "agreement": "By agreement of ranker and retrieval", "chapter": "By chapter of the code", "frequency": "By frequency of the code in the dataset"}
	var out []Chart
	for _, kind := range measure.SliceKinds() {
		c := Chart{Title: titles[kind], About: "Micro F1 of each part with its interval; parts of few notes say little.", Head: []string{"part", "notes", "precision", "recall", "F1", "from", "to"}}
		var rows []row
		for _, x := range s.Slices {
			if x.Kind != kind {
				continue
			}
			line := []string{x.Name, fmt.Sprint(x.Notes), "", "", "", "", ""}
			for _, f := range x.Figures {
				switch f.Name {
				case "micro_precision":
					line[2] = measure.Number(f.Value)
				case "micro_recall":
					line[3] = measure.Number(f.Value)
				case "micro_f1":
					line[4], line[5], line[6] = measure.Number(f.Value), measure.Number(f.Low), measure.Number(f.High)
					rows = append(rows, row{x.Name, f.Value, f.Low, f.High, fmt.Sprintf("(%d notes)", x.Notes)})
				}
			}
			c.Rows = append(c.Rows, line)
		}
		if len(rows) > 0 {
			c.Drawing = forest(c.Title, "micro F1, with its interval", rows, 0, 1, false)
			out = append(out, c)
		}
	}
	return out
}

// Confusion is a wrong code in the place of a required one.
type Confusion struct {
	Gold, Shown           string
	GoldTitle, ShownTitle string
	N                     int
	Examples              []string // ids of notes
}

const maxConfusions, maxExamples = 60, 5

// Confusions pairs each missed code with the wrong code of the same note that
// shares the longest beginning with it, at least the category, else a chapter.
func Confusions(cases []measure.Case, titles map[string]runs.Title) []Confusion {
	at := map[[2]string]*Confusion{}
	for i := range cases {
		c := &cases[i]
		o := c.Outcome()
		for _, m := range o.Missed {
			best, longest := "", 0
			for k, v := range o.Verdicts {
				if n := common(m.Code, c.Shown[k].Code); v == measure.Wrong && n > longest {
					best, longest = c.Shown[k].Code, n
				}
			}
			if best == "" {
				continue
			}
			key := [2]string{m.Code, best}
			if at[key] == nil {
				at[key] = &Confusion{Gold: m.Code, Shown: best, GoldTitle: titles[m.Code].Title, ShownTitle: titles[best].Title}
			}
			x := at[key]
			x.N++
			if len(x.Examples) < maxExamples {
				x.Examples = append(x.Examples, c.NoteID)
			}
		}
	}
	var out []Confusion
	for _, x := range at {
		out = append(out, *x)
	}
	slices.SortFunc(out, func(a, b Confusion) int {
		return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Gold, b.Gold), cmp.Compare(a.Shown, b.Shown))
	})
	return out[:min(len(out), maxConfusions)]
}

// common is how many characters two codes of one category share, 1 where only
// the chapter is the same, else 0.
func common(a, b string) int {
	a, b = coding.UndotCode(a), coding.UndotCode(b)
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	switch {
	case n >= 3:
		return n
	case measure.Chapter(a) == measure.Chapter(b):
		return 1
	}
	return 0
}
