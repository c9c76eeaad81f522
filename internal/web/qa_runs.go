package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"chartcode/eval/measure"
	"chartcode/eval/report"
	"chartcode/eval/results"
	evalruns "chartcode/eval/runs"
	"chartcode/internal/coding"
	"chartcode/internal/review"
)

type qaRunLine struct {
	evalruns.Run
	Scored        bool
	F1, First     *measure.Figure
	Recall, Right *measure.Figure
}

type qaRunsView struct {
	qaFrame
	List []qaRunLine
}

type qaRunView struct {
	qaFrame
	In         report.Input
	Hidden     int // notes that are left out
	Settings   [][2]string
	Charts     []report.Chart
	Confusions []report.Confusion
	Filters    []report.Filter
	Places     map[string]int // of notes by id, from 1
}

// Place is where a note stands in the run, from 1.
func (v qaRunView) Place(noteID string) int { return v.Places[noteID] }

type qaNotesView struct {
	qaRunView
	qaPage
	Kind  string
	Notes []qaNoteLine
}

type qaNoteLine struct {
	report.Note
	N int // place in the run, from 1
}

type qaNoteView struct {
	qaFrame
	In         report.Input
	Note       report.Note
	N, Of      int
	Kind       string
	Item       int64 // 0: none
	Prev, Next int   // places; 0: none
}

type qaCompareView struct {
	qaFrame
	A, B   string
	List   []evalruns.Run
	In     *report.Input
	Charts []report.Chart
	Places map[string]int
	Hidden int // notes that are left out
}

// Place is where a note stands in the run, from 1.
func (v qaCompareView) Place(noteID string) int { return v.Places[noteID] }

func (s *server) qaRuns(w http.ResponseWriter, r *http.Request, u coding.User) {
	if !s.qaSees(w, r, u) {
		return
	}
	v := qaRunsView{qaFrame: s.qaFrame(u, "runs")}
	list, err := s.Results.List()
	if err != nil {
		s.qaBroken(w, r, u, err)
		return
	}
	for _, run := range list {
		line := qaRunLine{Run: run}
		if run.Done() {
			// A run whose figures cannot be read is listed without them.
			if scores, ok, err := s.Results.Scores(run.ID); err == nil && ok {
				line.Scored = true
				line.F1, line.First, line.Recall, line.Right = figureOf(&scores, "micro_f1"), figureOf(&scores, "first_listed"), figureOf(&scores, "retrieval_recall"), figureOf(&scores, "all_right")
			}
		}
		v.List = append(v.List, line)
	}
	s.render(w, withUser(r, u), http.StatusOK, "qarunlist", v)
}

func figureOf(s *measure.Scores, name string) *measure.Figure {
	if f, ok := s.Figure(name); ok {
		return &f
	}
	return nil
}

// qaBroken answers for a run that cannot be read.
func (s *server) qaBroken(w http.ResponseWriter, r *http.Request, u coding.User, err error) {
	switch {
	case errors.Is(err, evalruns.ErrNone):
		s.qaMessage(w, r, u, http.StatusNotFound, "There is no such run", "It may have been removed from the folder of runs. The list of runs says which there are.")
	case errors.Is(err, evalruns.ErrUnfinished):
		s.qaMessage(w, r, u, http.StatusConflict, "The run is not finished", "The command chartcode eval run goes on with it.")
	case errors.Is(err, results.ErrNotes):
		s.qaMessage(w, r, u, http.StatusConflict, "The notes of the run are not there", "Its dataset was moved, removed or changed. Add it again under its name with chartcode eval dataset add.")
	case errors.Is(err, measure.ErrNotPaired):
		s.qaMessage(w, r, u, http.StatusConflict, "These runs cannot be compared", "They are not over the same notes. Run both on the same dataset, limit and seed.")
	case errors.Is(err, evalruns.ErrBroken):
		s.qaMessage(w, r, u, http.StatusConflict, "The run's files do not belong together", "Something changed them. Run it anew.")
	default:
		s.Logger.Error("a run cannot be read", "error", err)
		s.qaMessage(w, r, u, http.StatusInternalServerError, "The run cannot be read", "The log says why. Check the folder eval/runs in the data directory of this server.")
	}
}

// known reports whether a run of this id is in the folder: nothing else is read,
// whatever an address says.
func (s *server) knownRun(id string) error {
	list, err := s.Results.List()
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(list, func(r evalruns.Run) bool { return r.ID == id }) {
		return evalruns.ErrNone
	}
	return nil
}

// qaLoad reads the run of a path; else it has answered.
func (s *server) qaLoad(w http.ResponseWriter, r *http.Request, u coding.User) (report.Input, bool) {
	if !s.qaSees(w, r, u) {
		return report.Input{}, false
	}
	id := r.PathValue("id")
	if err := s.knownRun(id); err != nil {
		s.qaBroken(w, r, u, err)
		return report.Input{}, false
	}
	in, err := s.Results.Run(id)
	if err != nil {
		s.qaBroken(w, r, u, err)
		return report.Input{}, false
	}
	return in, true
}

func (s *server) newRunView(u coding.User, in report.Input) qaRunView {
	return qaRunView{qaFrame: s.qaFrame(u, "runs"), In: in, Places: placesOf(&in)}
}

func placesOf(in *report.Input) map[string]int {
	out := make(map[string]int, len(in.Cases))
	for i := range in.Cases {
		out[in.Cases[i].NoteID] = i + 1
	}
	return out
}

// notesOf gives the notes of a run but those that are hidden, with their places.
func notesOf(in *report.Input, hidden map[int]bool) (notes []report.Note, places []int) {
	for i := range in.Cases {
		if !hidden[i] {
			notes, places = append(notes, report.NewNote(&in.Notes[i], &in.Cases[i], in.Titles)), append(places, i+1)
		}
	}
	return notes, places
}

// qaHidden gives the indexes of a run's notes that the user is coding again blind
// just now: no page shows him a code of theirs. If ok is false it has answered.
func (s *server) qaHidden(w http.ResponseWriter, r *http.Request, u coding.User, in *report.Input) (hidden map[int]bool, ok bool) {
	blind, err := s.Quality.BlindNotes(r.Context(), u)
	if err != nil {
		s.fail(w, r, err)
		return nil, false
	}
	hidden = map[int]bool{}
	for i := range in.Notes {
		if n := &in.Notes[i]; blind[coding.NoteName{Source: n.Source, NoteID: n.NoteID}] {
			hidden[i] = true
		}
	}
	return hidden, true
}

func (s *server) qaRun(w http.ResponseWriter, r *http.Request, u coding.User) {
	in, ok := s.qaLoad(w, r, u)
	if !ok {
		return
	}
	hidden, ok := s.qaHidden(w, r, u, &in)
	if !ok {
		return
	}
	v := s.newRunView(u, in)
	v.Hidden = len(hidden)
	var cases []measure.Case
	for i := range in.Cases {
		if !hidden[i] {
			cases = append(cases, in.Cases[i])
		}
	}
	notes, _ := notesOf(&in, hidden)
	v.Settings, v.Charts, v.Confusions, v.Filters = report.Settings(&in.Run), report.Charts(&in), report.Confusions(cases, in.Titles), report.Filters(notes)
	s.render(w, withUser(r, u), http.StatusOK, "qarunview", v)
}

// qaNotes lists the notes of a run, those with one kind of error or all.
func (s *server) qaNotes(w http.ResponseWriter, r *http.Request, u coding.User) {
	in, ok := s.qaLoad(w, r, u)
	if !ok {
		return
	}
	v := qaNotesView{qaRunView: s.newRunView(u, in), Kind: r.URL.Query().Get("kind")}
	hidden, ok := s.qaHidden(w, r, u, &in)
	if !ok {
		return
	}
	v.Hidden = len(hidden)
	all, places := notesOf(&in, hidden)
	v.Filters = report.Filters(all)
	if !slices.ContainsFunc(v.Filters, func(f report.Filter) bool { return f.ID == v.Kind }) {
		v.Kind = "all"
	}
	var lines []qaNoteLine
	for i := range all {
		if v.Kind == "all" || all[i].Is(v.Kind) {
			lines = append(lines, qaNoteLine{all[i], places[i]})
		}
	}
	v.Notes, v.qaPage = pageOf(lines, r, url.Values{"kind": {v.Kind}})
	s.render(w, withUser(r, u), http.StatusOK, "qanotelist", v)
}

// qaNote shows one note of a run with gold, what was suggested, and the words of both.
func (s *server) qaNote(w http.ResponseWriter, r *http.Request, u coding.User) {
	in, ok := s.qaLoad(w, r, u)
	if !ok {
		return
	}
	n, ok := pathNumber(r, "n")
	if !ok || int(n) > len(in.Cases) {
		s.notFound(w, r, u)
		return
	}
	i := int(n) - 1
	hidden, ok := s.qaHidden(w, r, u, &in)
	if !ok {
		return
	}
	if hidden[i] {
		s.qaRefused(w, r, u, review.ErrBlind)
		return
	}
	v := qaNoteView{qaFrame: s.qaFrame(u, "runs"), In: in, Note: report.NewNote(&in.Notes[i], &in.Cases[i], in.Titles), N: int(n), Of: len(in.Cases), Kind: r.URL.Query().Get("kind")}
	if !slices.ContainsFunc(report.ErrorKinds(), func(k [2]string) bool { return k[0] == v.Kind }) {
		v.Kind = "all"
	}
	fits := func(k int) bool {
		if hidden[k] || v.Kind == "all" {
			return !hidden[k]
		}
		other := report.NewNote(&in.Notes[k], &in.Cases[k], in.Titles)
		return other.Is(v.Kind)
	}
	for k := i - 1; k >= 0 && v.Prev == 0; k-- {
		if fits(k) {
			v.Prev = k + 1
		}
	}
	for k := i + 1; k < len(in.Cases) && v.Next == 0; k++ {
		if fits(k) {
			v.Next = k + 1
		}
	}
	if s.ItemOf != nil {
		item, found, err := s.ItemOf(r.Context(), in.Notes[i].Note)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		if found {
			v.Item = item
		}
	}
	if err := s.Quality.Look(r.Context(), u, fmt.Sprintf("run %s note %d", in.Run.ID, n), v.Item); err != nil {
		s.qaRefused(w, r, u, err)
		return
	}
	s.render(w, withUser(r, u), http.StatusOK, "qanoteview", v)
}

// qaCompare shows two runs side by side.
func (s *server) qaCompare(w http.ResponseWriter, r *http.Request, u coding.User) {
	if !s.qaSees(w, r, u) {
		return
	}
	list, err := s.Results.List()
	if err != nil {
		s.qaBroken(w, r, u, err)
		return
	}
	v := qaCompareView{qaFrame: s.qaFrame(u, "runs"), A: r.URL.Query().Get("a"), B: r.URL.Query().Get("b")}
	for _, run := range list {
		if run.Done() {
			v.List = append(v.List, run)
		}
	}
	if v.A != "" || v.B != "" {
		for _, id := range []string{v.A, v.B} {
			if !slices.ContainsFunc(v.List, func(run evalruns.Run) bool { return run.ID == id }) {
				s.qaBroken(w, r, u, fmt.Errorf("compare: %w", evalruns.ErrNone))
				return
			}
		}
		in, err := s.Results.Compare(v.A, v.B)
		if err != nil {
			s.qaBroken(w, r, u, err)
			return
		}
		hidden, ok := s.qaHidden(w, r, u, &in)
		if !ok {
			return
		}
		v.In, v.Places, v.Hidden = &in, placesOf(&in), len(hidden)
		seen := *in.Comparison
		seen.Changes = slices.DeleteFunc(slices.Clone(seen.Changes), func(c measure.Change) bool { return hidden[v.Places[c.NoteID]-1] })
		in.Comparison = &seen
		c := report.Differences(in.Comparison)
		c.Title, c.About = "Difference of B from A", "B minus A, on the same notes. To the right of the line B is better."
		v.Charts = []report.Chart{c}
	}
	s.render(w, withUser(r, u), http.StatusOK, "qacompare", v)
}
