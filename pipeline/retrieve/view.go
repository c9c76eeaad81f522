package retrieve

import (
	"strings"

	"chartcode/internal/coding"
	"chartcode/internal/lexicon"
)

// Table is what retrieval asks of a code table.
type Table interface {
	Lookup(code string) (coding.Code, bool)
	Billable(code string) bool
	// BillableUnder gives the billable descendants of a header in code order,
	// or the code itself if it is billable.
	BillableUnder(code string) []string
}

// view is a table in the index's code numbers. It is made once a table.
type view struct {
	table Table
	under [][]int32 // by code number: billable codes that it leads to
	title []title   // by code number, of billable codes
}

// title is what a code's title says beyond its words' bag.
type title struct {
	text    string
	words   []int32 // distinct, stop words left out
	vague   bool    // unspecified, or the residual "other"
	seventh byte    // A, D, S: the encounter that an injury code's 7th character names
	side    byte    // L, R, B, U: the side that the title names
}

func (r *Retriever) viewOf(t Table) *view {
	r.mu.Lock()
	defer r.mu.Unlock()
	if v, ok := r.views[t]; ok {
		return v
	}
	if len(r.views) >= maxViews {
		clear(r.views)
	}
	v := r.newView(t)
	r.views[t] = v
	return v
}

// maxViews bounds what is kept for tables no longer in use.
const maxViews = 8

func (r *Retriever) newView(t Table) *view {
	ix := r.index
	v := &view{table: t, under: make([][]int32, len(ix.codes)), title: make([]title, len(ix.codes))}
	var toks []lexicon.Token
	for n, code := range ix.codes {
		for _, d := range t.BillableUnder(code) {
			if m, ok := ix.codeNum[d]; ok {
				v.under[n] = append(v.under[n], m)
			}
		}
		if !t.Billable(code) {
			continue
		}
		c, _ := t.Lookup(code)
		ti := &v.title[n]
		ti.text = c.Title
		toks = lexicon.AppendTokens(toks[:0], c.Title)
		for _, k := range toks {
			if w := ix.lookup(termKey(c.Title, &k)); w >= 0 && k.Kind != lexicon.Punct && !lexicon.IsStop(k.Norm) {
				ti.words = append(ti.words, w)
			}
			switch k.Lower {
			case "left":
				ti.side = 'L'
			case "right":
				ti.side = 'R'
			case "bilateral", "both":
				ti.side = 'B'
			}
		}
		low := strings.ToLower(c.Title)
		ti.vague = strings.Contains(low, "unspecified") || strings.HasPrefix(low, "other ") || strings.Contains(low, "not elsewhere classified")
		if ti.side == 0 && strings.Contains(low, "unspecified") {
			ti.side = 'U'
		}
		switch {
		case strings.Contains(low, "initial encounter"):
			ti.seventh = 'A'
		case strings.Contains(low, "subsequent encounter"):
			ti.seventh = 'D'
		case strings.HasSuffix(low, "sequela") && len(code) == 8:
			ti.seventh = 'S'
		}
	}
	return v
}
