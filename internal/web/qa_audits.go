package web

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"chartcode/internal/coding"
	"chartcode/internal/qa"
	"chartcode/internal/review"
)

type qaAuditsView struct {
	qaFrame
	qaPage
	Samples []coding.AuditSample
	Cases   []qaCaseLine
	Sample  int64 // whose cases are shown; 0: all

	FirstDay, LastDay string // to draw from
}

// qaCaseLine is a case in a list.
type qaCaseLine struct {
	coding.AuditCase
	Wait string // what it waits for; empty: nothing
	Open []coding.Recoding
	By   []string // who coded it again
}

func (s *server) qaAudits(w http.ResponseWriter, r *http.Request, u coding.User) {
	s.showAudits(w, r, u, http.StatusOK, "")
}

func (s *server) showAudits(w http.ResponseWriter, r *http.Request, u coding.User, status int, problem string) {
	if !s.qaSees(w, r, u) {
		return
	}
	v := qaAuditsView{qaFrame: s.qaFrame(u, "audits"), Sample: askedSample(r)}
	v.Error = problem
	today := s.Now().In(s.Zone)
	v.FirstDay, v.LastDay = today.AddDate(0, -1, 0).Format(time.DateOnly), today.Format(time.DateOnly)
	var err error
	if v.Samples, err = s.Quality.Samples(r.Context(), u); err != nil {
		s.fail(w, r, err)
		return
	}
	cases, err := s.Quality.Cases(r.Context(), u, v.Sample)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	for _, c := range cases {
		line := qaCaseLine{AuditCase: c}
		switch {
		case c.Judgement != nil:
		case c.Recoded():
			line.Wait = "a judgement"
		default:
			line.Wait = "a blind coding"
		}
		for _, x := range c.Recodings {
			if x.FinishedAt.IsZero() {
				line.Open = append(line.Open, x)
			} else {
				line.By = append(line.By, x.Coder)
			}
		}
		v.Cases = append(v.Cases, line)
	}
	// What can be judged comes first, what is done last.
	slices.SortStableFunc(v.Cases, func(a, b qaCaseLine) int { return rankOfWait(a.Wait) - rankOfWait(b.Wait) })
	query := url.Values{}
	if v.Sample != 0 {
		query.Set("sample", formatID(v.Sample))
	}
	v.Cases, v.qaPage = pageOf(v.Cases, r, query)
	s.render(w, withUser(r, u), status, "qaaudits", v)
}

// askedSample is the sample that a request asks for; 0: none.
func askedSample(r *http.Request) int64 { return max(0, int64(number(r.URL.Query().Get("sample")))) }

func rankOfWait(wait string) int {
	return slices.Index([]string{"a judgement", "a blind coding", ""}, wait)
}

func (s *server) qaDraw(w http.ResponseWriter, r *http.Request, u coding.User) {
	if !u.Role.MayAudit() {
		s.qaRefused(w, r, u, qa.ErrForbidden)
		return
	}
	f := r.PostForm
	percent, errRate := strconv.ParseFloat(f.Get("rate"), 64)
	from, errFrom := time.ParseInLocation(time.DateOnly, f.Get("from"), s.Zone)
	to, errTo := time.ParseInLocation(time.DateOnly, f.Get("to"), s.Zone)
	d := qa.Draw{From: from, Before: to.AddDate(0, 0, 1), Source: strings.TrimSpace(f.Get("source")), Coders: listed(f.Get("coders")), Rate: percent / 100,
		AtLeast: max(0, number(f.Get("at_least"))), Recodings: number(f.Get("recodings")), Seed: qa.RandomSeed()}
	var errSeed error
	if seed := strings.TrimSpace(f.Get("seed")); seed != "" {
		d.Seed, errSeed = strconv.ParseInt(seed, 10, 64)
	}
	if errRate != nil || errFrom != nil || errTo != nil || errSeed != nil {
		s.showAudits(w, r, u, http.StatusUnprocessableEntity, "Give a share in percent, two days, and a whole number as seed, or none.")
		return
	}
	sample, err := s.Quality.Sample(r.Context(), u.Login, d)
	if err != nil {
		if qa.Refused(err) {
			s.showAudits(w, r, u, qaStatus(err), sentence(err))
			return
		}
		s.fail(w, r, err)
		return
	}
	http.Redirect(w, r, "/qa/audits?sample="+formatID(sample.ID), http.StatusSeeOther)
}

// qaRelease takes a case back from somebody who does not finish it.
func (s *server) qaRelease(w http.ResponseWriter, r *http.Request, u coding.User) {
	if err := s.Quality.Release(r.Context(), u, int64(number(r.PostForm.Get("recoding")))); err != nil {
		s.qaRefused(w, r, u, err)
		return
	}
	http.Redirect(w, r, "/qa/audits", http.StatusSeeOther)
}

type qaCaseView struct {
	qaFrame
	qa.Sides
	Letters []string // of the codings
	Notes   []noteView
	More    string // codes that were typed
	Why     string // it cannot be judged
	Remark  string
	Chosen  []string // verdict on each row; empty: none yet
	Leading string   // "SYSTEM CODE"
	Stated  []qaStated
}

// qaStated is what a row's judgement states beside its code.
type qaStated struct {
	HasPOA, HasUnits bool
	POA              coding.POA
	Units            string
}

// stated begins with what all codings that have a code state alike.
func stated(setting coding.Setting, r *qa.Row) qaStated {
	out := qaStated{HasPOA: qa.HasPOA(setting, r.CodeKey), HasUnits: qa.HasUnits(r.CodeKey)}
	var poas []coding.POA
	var units []int
	for k, in := range r.In {
		if in {
			poas, units = append(poas, r.POAs[k]), append(units, r.UnitsOf[k])
		}
	}
	if len(slices.Compact(poas)) == 1 {
		out.POA = poas[0]
	}
	if len(slices.Compact(units)) == 1 && units[0] > 0 {
		out.Units = strconv.Itoa(units[0])
	}
	return out
}

func (s *server) qaCase(w http.ResponseWriter, r *http.Request, u coding.User, id int64) {
	s.showCase(w, r, u, id, http.StatusOK, "")
}

func (s *server) showCase(w http.ResponseWriter, r *http.Request, u coding.User, id int64, status int, problem string) {
	sides, err := s.Quality.Case(r.Context(), u, id)
	if err != nil {
		s.qaRefused(w, r, u, err)
		return
	}
	v := qaCaseView{qaFrame: s.qaFrame(u, "audits"), Sides: sides}
	v.Error = problem
	for i, row := range sides.Rows {
		chosen, name, beside := "", string(row.System)+" "+row.Code, stated(sides.Case.Setting, &row)
		if row.All {
			chosen = "right" // what all gave
			if !slices.Contains(row.Leads, false) {
				v.Leading = name
			}
		}
		if problem != "" { // as it was filled in
			n := strconv.Itoa(i)
			chosen = r.PostForm.Get("verdict-" + n)
			beside.POA, beside.Units = coding.POA(r.PostForm.Get("poa-"+n)), r.PostForm.Get("units-"+n)
		}
		v.Chosen, v.Stated = append(v.Chosen, chosen), append(v.Stated, beside)
	}
	if problem != "" {
		v.More, v.Remark, v.Leading = r.PostForm.Get("more"), r.PostForm.Get("remark"), r.PostForm.Get("lead")
	}
	if sides.Why != nil && sides.Case.Judgement == nil {
		v.Why = sentence(sides.Why)
	}
	for i := range sides.Codings {
		v.Letters = append(v.Letters, string(rune('A'+i)))
	}
	notes := s.Review.Notes(sides.Case.Notes)
	for i := range notes {
		notes[i].Ranker = "none"
	}
	marks := map[string][]mark{}
	for i, row := range sides.Rows {
		for n, e := range row.Evidence {
			if k := noteOf(review.Item{Notes: notes}, e); k >= 0 {
				marks[notes[k].NoteID] = append(marks[notes[k].NoteID], mark{e.Span, i, evidenceAnchor(i, n)})
			}
		}
	}
	v.Notes = s.newNoteViews(notes, marks, -1, func(i int) string { return plain(sides.Rows[i].Code) })
	s.render(w, withUser(r, u), status, "qacase", v)
}

// leadMore is the choice of the first code that was typed to lead.
const leadMore = "more"

// qaJudge takes the form of a judgement: a verdict for each code shown, and codes
// that were missing in all codings.
func (s *server) qaJudge(w http.ResponseWriter, r *http.Request, u coding.User, id int64) {
	f := r.PostForm
	lead, leads := f.Get("lead"), false
	var list []qa.Verdict
	for i, text := range f["code"] {
		system, code, _ := strings.Cut(text, " ")
		v := qa.Verdict{Code: coding.CodeKey{System: coding.System(system), Code: code}, Lead: text == lead}
		var ok bool
		if v.POA, v.Units, ok = formStated(f, "-"+strconv.Itoa(i)); !ok {
			s.showCase(w, r, u, id, http.StatusUnprocessableEntity, unitsWrong)
			return
		}
		switch f.Get("verdict-" + strconv.Itoa(i)) {
		case "right":
		case "acceptable":
			v.Acceptable = true
		case "wrong":
			continue
		default:
			s.showCase(w, r, u, id, http.StatusUnprocessableEntity, "Say of each code whether it is right.")
			return
		}
		leads = leads || v.Lead
		list = append(list, v)
	}
	for _, code := range listed(f.Get("more")) {
		list = append(list, qa.Verdict{Code: coding.CodeKey{System: coding.ICD10CM, Code: typedCode(coding.ICD10CM, code)}, Lead: lead == leadMore && !leads})
		leads = leads || lead == leadMore
	}
	if lead != "" && !leads {
		s.showCase(w, r, u, id, http.StatusUnprocessableEntity, sentence(qa.ErrWrongLead))
		return
	}
	err := s.Quality.Judge(r.Context(), u, id, list, f.Get("remark"))
	switch {
	case err == nil:
		http.Redirect(w, r, "/qa/cases/"+formatID(id), http.StatusSeeOther)
	case qaStatus(err) == http.StatusUnprocessableEntity:
		s.showCase(w, r, u, id, http.StatusUnprocessableEntity, sentence(err))
	default:
		s.qaRefused(w, r, u, err)
	}
}

type qaPeopleView struct {
	qaFrame
	qa.People
	Practice qa.Practice
	Sample   int64 // whose cases the figures are of; 0: of all
	Bar      float64
	Figures  []string // of the table of accuracy
}

func (s *server) qaPeople(w http.ResponseWriter, r *http.Request, u coding.User) {
	if !s.qaSees(w, r, u) {
		return
	}
	v := qaPeopleView{qaFrame: s.qaFrame(u, "people"), Bar: qa.QualityBar, Figures: []string{"micro_f1", "micro_precision", "micro_recall", "first_listed", "all_right"}}
	v.Sample = askedSample(r)
	var err error
	if v.People, err = s.Quality.People(r.Context(), v.Sample); errors.Is(err, qa.ErrNotFound) {
		s.notFound(w, r, u)
		return
	} else if err != nil {
		s.fail(w, r, err)
		return
	}
	if v.Practice, err = s.Quality.Practice(r.Context()); err != nil {
		s.fail(w, r, err)
		return
	}
	s.render(w, withUser(r, u), http.StatusOK, "qapeople", v)
}
