package web

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"chartcode/internal/coding"
	"chartcode/internal/review"
)

// noteView is a note with its evidence marked.
type noteView struct {
	review.Note
	Pieces   []piece
	Contents []contentsLine
}

// contentsLine is a section in a note's table of contents.
type contentsLine struct{ Anchor, Name string }

// quoteView is one piece of evidence beside its code.
type quoteView struct {
	Text   string
	Anchor string // of the place in the note; empty when it is not marked there
	Note   string // names the note where there are several
}

type codeView struct {
	review.Code
	Index    int
	Selected bool
	Shown    []quoteView
	More     []quoteView // folded away
	Last     bool        // of the list
	Of       int         // notes of the item
	Print    string      // changes with what the page shows of the code, but for whether it is selected
	Kept     bool        // the page that asked has it as it is
}

// Service reports whether units, modifiers and pointers apply.
func (c codeView) Service() bool { return c.System == coding.HCPCS || c.System == coding.CPT }

// ModifierText is what stands in the field of modifiers.
func (c codeView) ModifierText() string { return strings.Join(c.Modifiers, " ") }

// PointsTo reports whether a service was for a diagnosis.
func (c codeView) PointsTo(key coding.CodeKey) bool { return slices.Contains(c.Pointers, key) }

// Findings are the warnings, without that of a check, which is shown apart.
func (c codeView) Findings() []coding.Finding {
	if c.Check != nil && c.Check.Invalid() {
		return c.Warnings[1:]
	}
	return c.Warnings
}

type itemView struct {
	Item     review.Item
	Notes    []noteView
	Codes    []codeView
	Systems  []coding.System // of codes that can be added
	Selected int             // number of the code that is looked at; -1 without any
	Focus    string          // id of the field that an error is about

	Error, Message string
	Problem        bool   // an act was refused
	Confirm        bool   // finishing was refused once and may be confirmed
	Typed          string // what was typed into the field that an error is about
	Left           string // number of the item that the user comes from
	LeftHow        string // what became of it
	Scope          string // of the worklist that the user works through
	MayReview      bool
	Lookup         bool // codes have pages
	Decided        int  // codes with a decision

	Print      string // changes with what the notes' pane shows
	NotesKept  bool   // the page that asked has the notes as they are
	Colleagues []review.Colleague
	Renew      int // seconds after which the claim is to be renewed; 0: not held
}

// Diagnoses are the codes that services can point to.
func (v itemView) Diagnoses() []codeView {
	var out []codeView
	for _, c := range v.Codes {
		if c.System == coding.ICD10CM && c.Listed() {
			out = append(out, c)
		}
	}
	return out
}

// Asked are the queries that are open.
func (v itemView) Asked() []coding.Query {
	var out []coding.Query
	for _, q := range v.Item.Queries {
		if q.Status == coding.QueryOpen {
			out = append(out, q)
		}
	}
	return out
}

// firstBlocker is the place of the first error that can be overridden, or -1.
func (v itemView) firstBlocker() int {
	return slices.IndexFunc(v.Item.Blockers, func(b review.Blocker) bool { return !b.MustGo && !b.Overridden })
}

// Invalid are the codes that have to go, because the releases that hold now do
// not have them.
func (v itemView) Invalid() []codeView {
	var out []codeView
	for _, c := range v.Codes {
		if c.Invalid() {
			out = append(out, c)
		}
	}
	return out
}

// Query is the scope as a query to append to a path.
func (v itemView) Query() string { return asQuery(v.Scope) }

// Day is the item's date of service as a query of a code's page.
func (v itemView) Day() string { return lookView{Date: v.Item.ServiceDate.String()}.Query() }

// At is a query that selects a code.
func (v itemView) At(index int) string {
	if v.Scope == "" {
		return "?at=" + strconv.Itoa(index)
	}
	return "?" + v.Scope + "&at=" + strconv.Itoa(index)
}

// openQuotes is how many quotes of a code are not folded away.
const openQuotes = 3

// newItemView works out where each code's evidence lies in the notes. At is
// the code to select; one that there is not means the first undecided.
func (s *server) newItemView(item review.Item, at int) itemView {
	v := itemView{Item: item, Selected: at, Decided: len(item.Codes) - item.Undecided}
	if at < 0 || at >= len(item.Codes) {
		v.Selected = firstUndecided(item, 0)
	}
	marks := map[string][]mark{}
	for i, c := range item.Codes {
		cv := codeView{Code: c, Index: i, Selected: i == v.Selected, Last: i == len(item.Codes)-1, Of: len(item.Notes)}
		for n, e := range c.Evidence {
			q := quoteView{Text: e.Text}
			if k := noteOf(item, e); k >= 0 {
				q.Anchor = evidenceAnchor(i, n)
				marks[item.Notes[k].NoteID] = append(marks[item.Notes[k].NoteID], mark{e.Span, i, q.Anchor})
				if len(item.Notes) > 1 {
					q.Note = noteName(item.Notes, k)
				}
			}
			if n < openQuotes {
				cv.Shown = append(cv.Shown, q)
			} else {
				cv.More = append(cv.More, q)
			}
		}
		v.Codes = append(v.Codes, cv)
	}
	v.Notes = s.newNoteViews(item.Notes, marks, v.Selected, func(i int) string { return plain(item.Codes[i].CodeKey.Code) })
	v.Print = printOf(v.Notes)
	return v
}

// newNoteViews cuts notes where evidence and sections begin and end. marks are by
// the notes' ids; name says what a code of the list is called.
func (s *server) newNoteViews(notes []review.Note, marks map[string][]mark, selected int, name func(code int) string) []noteView {
	var out []noteView
	for _, n := range notes {
		nv := noteView{Note: n}
		var headings []coding.Span
		for _, section := range n.Sections {
			if section.Heading.Len() > 0 {
				headings = append(headings, section.Heading)
			}
		}
		var scopes []coding.Scope
		if s.Scopes != nil {
			scopes = s.Scopes(n.Text, n.SettingUsed)
		}
		nv.Pieces = cut(n.Text, marks[n.NoteID], headings, scopes)
		nv.index()
		for i := range nv.Pieces {
			p := &nv.Pieces[i]
			p.On = slices.Contains(p.Codes, selected)
			for _, c := range p.Codes {
				p.Names = append(p.Names, name(c))
			}
		}
		out = append(out, nv)
	}
	return out
}

// index gives each heading an anchor and lists it.
func (n *noteView) index() {
	for i := range n.Pieces {
		p := &n.Pieces[i]
		// A heading that evidence cuts is one heading.
		if !p.Heading || i > 0 && n.Pieces[i-1].Heading {
			continue
		}
		name := p.Text
		for k := i + 1; k < len(n.Pieces) && n.Pieces[k].Heading; k++ {
			name += n.Pieces[k].Text
		}
		name = strings.Trim(strings.Join(strings.Fields(name), " "), " :#*-=_.")
		if name == "" {
			continue
		}
		p.Section = fmt.Sprintf("s-%d-%d", n.ID, i)
		n.Contents = append(n.Contents, contentsLine{p.Section, plain(name)})
	}
}

// noteOf is the place of the note that evidence lies in and that still says
// so, or -1.
func noteOf(item review.Item, e coding.Evidence) int {
	for i, n := range item.Notes {
		if (n.NoteID == e.NoteID || e.NoteID == "" && len(item.Notes) == 1) &&
			e.Start >= 0 && e.Start < e.End && e.End <= len(n.Text) && n.Text[e.Start:e.End] == e.Text {
			return i
		}
	}
	return -1
}

// noteName tells a note from the others: by its type where that is enough.
func noteName(notes []review.Note, k int) string {
	same := 0
	for _, n := range notes {
		if n.NoteType == notes[k].NoteType {
			same++
		}
	}
	switch {
	case notes[k].NoteType == "":
		return "note " + notes[k].NoteID
	case same > 1:
		return notes[k].NoteType + " " + notes[k].NoteID
	}
	return notes[k].NoteType
}

// firstUndecided is the first undecided code from a place on, around the end;
// without one the place itself, or -1 when there is no code at all.
func firstUndecided(item review.Item, from int) int {
	n := len(item.Codes)
	for i := range n {
		if k := (from + i) % n; item.Codes[k].State == review.Undecided {
			return k
		}
	}
	return min(from, n-1)
}

func itemID(r *http.Request) (int64, bool) { return pathNumber(r, "id") }

func formatID(id int64) string { return strconv.FormatInt(id, 10) }

// refusedAct is an act that was not carried out, for the page that says so.
type refusedAct struct {
	err    error
	status int
	act    review.Act
	at     int
	focus  string // id of the field that it is about
	typed  string // what was in it
}

func (s *server) item(w http.ResponseWriter, r *http.Request, u coding.User) {
	s.showItem(w, r, u, nil)
}

// showItem shows an item; refused, unless nil, is an act that was not carried out.
func (s *server) showItem(w http.ResponseWriter, r *http.Request, u coding.User, refused *refusedAct) {
	id, ok := itemID(r)
	if !ok {
		s.notFound(w, r, u)
		return
	}
	item, err := s.Review.Item(r.Context(), u, id)
	if err != nil {
		s.itemRefused(w, r, u, err)
		return
	}
	query := r.URL.Query()
	at := number(query.Get("at"))
	status := http.StatusOK
	if refused != nil {
		at, status = refused.at, refused.status
	}
	v := s.newItemView(item, at)
	v.Scope, v.MayReview, v.Systems = scopeOf(query).Encode(), u.Role.MayReview(), s.systems(r)
	v.Lookup = s.Codes != nil
	if item.Mine {
		v.Renew = max(1, int(item.Claim.Until.Sub(s.Now()).Seconds())/3)
	}
	if item.MayDecide || item.SentTo != nil || item.State == coding.ItemHeld {
		if v.Colleagues, err = s.Review.Colleagues(r.Context(), u); err != nil {
			s.fail(w, r, err)
			return
		}
	}
	for _, how := range []string{"finished", "held", "queried", "skipped", "sent"} {
		if left := number(query.Get(how)); left > 0 && refused == nil {
			v.Left, v.LeftHow = strconv.Itoa(left), how
		}
	}
	if refused != nil {
		v.Problem, v.Error, v.Focus, v.Typed = true, problemText(refused.err, s.Zone), refused.focus, refused.typed
		var unready *review.UnreadyError
		v.Confirm = errors.As(refused.err, &unready) && unready.Confirmable()
	}
	v.keep(r.Header.Get(haveHeader), r.Header.Get(codesHeader))
	s.render(w, withUser(r, u), status, "item", v)
}

// systems are those whose codes are loaded, so that a code can be added.
func (s *server) systems(r *http.Request) []coding.System {
	var out []coding.System
	if s.Ready != nil {
		for _, rel := range s.Ready(r.Context()).Releases {
			if (rel.Kind == "order" || rel.Kind == "starter" || rel.Kind == "hcpcs" || rel.Kind == "table") && !slices.Contains(out, rel.System) {
				out = append(out, rel.System)
			}
		}
	}
	if len(out) == 0 {
		return []coding.System{coding.ICD10CM}
	}
	order := coding.Systems()
	slices.SortFunc(out, func(a, b coding.System) int { return slices.Index(order, a) - slices.Index(order, b) })
	return out
}
