package web

import (
	"errors"
	"net/http"
	"strings"

	"chartcode/internal/codebook"
	"chartcode/internal/coding"
)

// maxFamily is how many codes of one level a picker is given.
const maxFamily = 120

// foundCode is a code that a picker offers.
type foundCode struct {
	System   coding.System `json:"system"`
	Code     string        `json:"code"`
	Title    string        `json:"title"`
	Billable bool          `json:"billable"`
	Under    int           `json:"under,omitempty"` // billable codes below a header, where it is known
	Hint     string        `json:"hint,omitempty"`  // the text through which it was found
}

type foundGroup struct {
	Name  string      `json:"name"`
	Codes []foundCode `json:"codes"`
}

// found answers a picker. HCC and POAExempt are of the code whose family was
// asked for.
type found struct {
	Groups    []foundGroup `json:"groups"`
	HCC       []string     `json:"hcc,omitempty"`
	POAExempt bool         `json:"poa_exempt,omitempty"`
	Place     string       `json:"place,omitempty"` // the category that it is in
}

// find looks codes up for the pickers of an item's page: those that fit words
// (q), or the family of a code (family): what is below it, beside it, and above.
// The words come in the body, since they may be a note's.
func (s *server) find(w http.ResponseWriter, r *http.Request, _ coding.User) {
	if err := readForm(w, r, maxForm); err != nil {
		apiFail(w, http.StatusBadRequest, "bad_request", "The request could not be read.")
		return
	}
	f := r.PostForm
	system := coding.System(f.Get("system"))
	date, err := coding.ParseDate(f.Get("date"))
	if err != nil || !system.Valid() {
		apiFail(w, http.StatusUnprocessableEntity, "invalid_request", "A code system and a date are needed.")
		return
	}
	if code := f.Get("family"); code != "" {
		e, err := s.Codes.Code(r.Context(), system, typedCode(system, code), date)
		if err != nil {
			s.apiCodeError(w, r, err)
			return
		}
		writeJSON(w, http.StatusOK, family(e))
		return
	}
	text := strings.Join(strings.Fields(f.Get("q")), " ")
	if len(text) > maxCodeQuery {
		text = strings.ToValidUTF8(text[:maxCodeQuery], "")
	}
	out := found{Groups: []foundGroup{}}
	if text == "" {
		s.Codes.Prepare(r.Context(), system, date)
		writeJSON(w, http.StatusOK, out)
		return
	}
	result, err := s.Codes.Search(r.Context(), codebook.Query{Text: text, System: system, Date: date, Limit: shownCodes})
	if err != nil && !errors.Is(err, codebook.ErrNotLoaded) {
		s.apiCodeError(w, r, err)
		return
	}
	var group foundGroup
	for _, hit := range result.Codes {
		c := foundCode{System: hit.System, Code: hit.Code.Code, Title: plain(hit.Title), Billable: hit.Billable, Under: hit.Under}
		if hit.Matched != nil && hit.Matched.Kind != coding.TermTitle {
			c.Hint = plain(hit.Matched.Text)
		}
		group.Codes = append(group.Codes, c)
	}
	if len(group.Codes) > 0 {
		out.Groups = append(out.Groups, group)
	}
	writeJSON(w, http.StatusOK, out)
}

// family groups the codes around one: more specific ones first.
func family(e codebook.Entry) found {
	out := found{Groups: []foundGroup{}, HCC: e.HCC, POAExempt: e.POAExempt}
	add := func(name string, codes []coding.Code) {
		g := foundGroup{Name: name}
		for _, c := range codes {
			if c.Code != e.Code.Code && len(g.Codes) < maxFamily {
				g.Codes = append(g.Codes, foundCode{System: c.System, Code: c.Code, Title: plain(c.Title), Billable: c.Billable})
			}
		}
		if len(g.Codes) > 0 {
			out.Groups = append(out.Groups, g)
		}
	}
	add("More specific than "+e.Code.Code, e.Children)
	add("Beside "+e.Code.Code, e.Siblings)
	var above []coding.Code
	for _, l := range e.Place {
		if l.Level == codebook.LevelCode {
			above = append(above, coding.Code{System: e.System, Code: l.Code, Title: l.Title, Billable: l.Billable})
			if out.Place == "" {
				out.Place = l.Code + " " + plain(l.Title)
			}
		}
	}
	add("Above "+e.Code.Code, above)
	return out
}
