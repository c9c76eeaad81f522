package web

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"chartcode/internal/coding"
	"chartcode/internal/qa"
	"chartcode/internal/review"
)

// qaCodeView is a code of a coding's list: one that was given, or a suggestion of a
// practice note.
type qaCodeView struct {
	coding.GivenCode
	Index                  int
	Suggested              bool
	Confidence             float64
	Given, Rejected        bool
	Leads                  bool
	Quotes                 []quoteView
	Seeded, Right, Allowed bool // once it is finished: of a practice note
	HasPOA, HasUnits       bool // it is stated beside the code
}

// State is for the style sheet.
func (c qaCodeView) State() string {
	switch {
	case c.Given:
		return "accepted"
	case c.Rejected:
		return "rejected"
	}
	return "undecided"
}

type qaCodingView struct {
	qaFrame
	ID       int64
	Practice bool
	Done     bool
	Setting  coding.Setting
	Stay     bool // diagnoses say whether they were present on admission
	Date     string
	About    string // patient
	Notes    []noteView
	Codes    []qaCodeView
	Missed   []coding.GivenCode // of a finished practice note
	Systems  []coding.System
	Lookup   bool
	Selected int
	Typed    string
	Left     int // suggestions undecided
}

func (s *server) qaTake(w http.ResponseWriter, r *http.Request, u coding.User) {
	take := s.Quality.TakeCase
	if r.PostForm.Get("kind") == "practice" {
		take = s.Quality.TakePractice
	}
	id, err := take(r.Context(), u)
	if err != nil {
		s.qaRefused(w, r, u, err)
		return
	}
	http.Redirect(w, r, "/qa/codings/"+formatID(id), http.StatusSeeOther)
}

func (s *server) qaCoding(w http.ResponseWriter, r *http.Request, u coding.User, id int64) {
	s.showCoding(w, r, u, id, http.StatusOK, "", "")
}

// showCoding shows the user's own coding; problem says what was refused.
func (s *server) showCoding(w http.ResponseWriter, r *http.Request, u coding.User, id int64, status int, problem, typed string) {
	c, err := s.Quality.Recoding(r.Context(), u, id)
	if err != nil {
		s.qaRefused(w, r, u, err)
		return
	}
	v := qaCodingView{qaFrame: s.qaFrame(u, "home"), ID: id, Practice: c.Practice != 0, Done: !c.FinishedAt.IsZero(), Setting: c.Setting, Stay: c.Setting.InpatientRules(),
		Systems: s.systems(r), Lookup: s.Codes != nil, Selected: number(r.URL.Query().Get("at")), Typed: typed}
	v.Error = problem
	v.list(&c)
	v.Selected = min(max(v.Selected, 0), len(v.Codes)-1)
	notes := s.Review.Notes(c.Notes)
	for i := range notes {
		notes[i].Ranker = "none" // nothing is being suggested
	}
	marks := map[string][]mark{}
	for i := range v.Codes {
		for n, e := range v.Codes[i].Evidence {
			q := quoteView{Text: e.Text}
			if k := noteOf(review.Item{Notes: notes}, e); k >= 0 {
				q.Anchor = evidenceAnchor(i, n)
				marks[notes[k].NoteID] = append(marks[notes[k].NoteID], mark{e.Span, i, q.Anchor})
				if len(notes) > 1 {
					q.Note = noteName(notes, k)
				}
			}
			v.Codes[i].Quotes = append(v.Codes[i].Quotes, q)
		}
	}
	v.Notes = s.newNoteViews(notes, marks, v.Selected, func(i int) string { return plain(v.Codes[i].Code) })
	for i := range c.Notes {
		v.Date, v.About = c.Notes[i].Note.ServiceDate.String(), patientText(c.Notes[i].Note)
	}
	s.render(w, withUser(r, u), status, "qacoding", v)
}

// list puts suggestions first, as they are shown, then what was given beside them.
func (v *qaCodingView) list(c *coding.Recoding) {
	place := map[coding.CodeKey]int{}
	for i := range c.Suggested {
		p := &c.Suggested[i]
		x := qaCodeView{GivenCode: coding.GivenCode{CodeKey: coding.CodeKey{System: p.System, Code: p.Code}, Display: p.Display, Evidence: p.Evidence}, Suggested: true, Confidence: p.Confidence, Seeded: p.Seeded}
		d := qa.Decided(c, p)
		x.Given, x.Rejected = d == qa.Accept, d == qa.Reject
		if d == "" {
			v.Left++
		}
		place[x.CodeKey] = len(v.Codes)
		v.Codes = append(v.Codes, x)
	}
	for k, g := range c.Given {
		i, ok := place[g.CodeKey]
		if !ok {
			i = len(v.Codes)
			v.Codes = append(v.Codes, qaCodeView{GivenCode: g, Given: true})
		}
		v.Codes[i].Leads = k == 0
		v.Codes[i].POA, v.Codes[i].Units = g.POA, g.Units
		v.Codes[i].HasPOA, v.Codes[i].HasUnits = qa.HasPOA(c.Setting, g.CodeKey), qa.HasUnits(g.CodeKey)
	}
	for i := range v.Codes {
		v.Codes[i].Index = i
	}
	for _, g := range c.Gold { // only of a finished one
		found := false
		for i := range v.Codes {
			if x := &v.Codes[i]; x.CodeKey == g.CodeKey {
				x.Right, x.Allowed = !g.Acceptable, g.Acceptable
				found = x.Given
			}
		}
		if !found && !g.Acceptable {
			v.Missed = append(v.Missed, g)
		}
	}
}

// qaCode takes the forms of a coding's page.
func (s *server) qaCode(w http.ResponseWriter, r *http.Request, u coding.User, id int64) {
	f := r.PostForm
	a := qa.RecodeAct{Kind: qa.RecodeKind(f.Get("kind")), Code: coding.CodeKey{System: coding.System(f.Get("system")), Code: f.Get("code")}}
	typed := ""
	if a.Kind == qa.Detail {
		var ok bool
		if a.POA, a.Units, ok = formStated(f, ""); !ok {
			s.showCoding(w, r, u, id, http.StatusUnprocessableEntity, unitsWrong, "")
			return
		}
	}
	if a.Kind == qa.Give {
		typed = strings.TrimSpace(a.Code.Code)
		a.Code.Code = typedCode(a.Code.System, a.Code.Code)
		var err error
		if a.Evidence, err = formEvidence(f); err != nil {
			s.showCoding(w, r, u, id, http.StatusUnprocessableEntity, sentence(qa.ErrInput), typed)
			return
		}
	}
	err := s.Quality.Recode(r.Context(), u, id, a)
	switch {
	case err != nil && (errors.Is(err, qa.ErrNotFound) || !qa.Refused(err)):
		s.qaRefused(w, r, u, err)
	case err != nil:
		s.showCoding(w, r, u, id, qaStatus(err), sentence(err), typed)
	case a.Kind == qa.Return:
		http.Redirect(w, r, "/qa", http.StatusSeeOther)
	default:
		to := "/qa/codings/" + formatID(id)
		if at := number(f.Get("at")); at >= 0 {
			if a.Kind == qa.Accept || a.Kind == qa.Reject {
				at++ // to the next
			}
			to += "?at=" + strconv.Itoa(at)
		}
		http.Redirect(w, r, to, http.StatusSeeOther)
	}
}

const unitsWrong = "Units are a whole number of at most four digits."

// formStated reads what a form states beside a code.
func formStated(f url.Values, suffix string) (poa coding.POA, units int, ok bool) {
	poa = coding.POA(f.Get("poa" + suffix))
	if typed := strings.TrimSpace(f.Get("units" + suffix)); typed != "" {
		units = number(typed)
	}
	return poa, units, units >= 0 && units <= review.MaxUnits
}

type qaFindingsView struct {
	qaFrame
	Findings []qaFindingLine
}

// qaFindingLine is a finding with an answer to it that was typed and refused.
type qaFindingLine struct {
	qa.Finding
	Typed string
}

func (s *server) qaFindings(w http.ResponseWriter, r *http.Request, u coding.User) {
	s.showFindings(w, r, u, http.StatusOK, "", coding.FindingAnswer{})
}

// showFindings shows the findings on a user's codes; problem says what was refused,
// of which answer.
func (s *server) showFindings(w http.ResponseWriter, r *http.Request, u coding.User, status int, problem string, refused coding.FindingAnswer) {
	if u.Role == coding.RoleService {
		s.refuse(w, r, u)
		return
	}
	list, err := s.Quality.Findings(r.Context(), u)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	v := qaFindingsView{qaFrame: s.qaFrame(u, "findings")}
	v.Error = problem
	for _, f := range list {
		line := qaFindingLine{Finding: f}
		if f.Case == refused.Case && f.Kind == refused.Kind && f.CodeKey == refused.Code {
			line.Typed = refused.Text
		}
		v.Findings = append(v.Findings, line)
	}
	if r.URL.Query().Get("said") != "" {
		v.Message = "Your answer is kept with the finding."
	}
	s.render(w, withUser(r, u), status, "qafindings", v)
}

func (s *server) qaAnswer(w http.ResponseWriter, r *http.Request, u coding.User) {
	f := r.PostForm
	a := coding.FindingAnswer{Case: int64(number(f.Get("case"))), Kind: coding.FindingKind(f.Get("finding")), Code: coding.CodeKey{System: coding.System(f.Get("system")), Code: f.Get("code")},
		Agrees: f.Get("answer") == "agree", Text: f.Get("text")}
	if err := s.Quality.Answer(r.Context(), u, a); err != nil {
		if errors.Is(err, qa.ErrInput) {
			s.showFindings(w, r, u, http.StatusUnprocessableEntity, sentence(err), a)
			return
		}
		s.qaRefused(w, r, u, err)
		return
	}
	http.Redirect(w, r, "/qa/findings?said=1", http.StatusSeeOther)
}
