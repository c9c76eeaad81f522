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
	group [][]group // by code number: the same, those together that differ in their 7th character
	title []title   // by code number, of billable codes
}

// title is what a code's title says beyond its words' bag.
type title struct {
	text     string
	words    []int32 // distinct, stop words left out
	without  []int32 // words of what it excludes, see excluded
	opposite []int32 // words that say otherwise, see opposed
	vague    bool    // unspecified, or the residual "other"
	seventh  byte    // the 7th character where it says the encounter
	side     byte    // L, R, B, U: the side that the title names
	family   int32   // of codes that differ in the side alone; 0 without one
	pair     bool    // the family has a code for both sides
	parts    []int32 // words for body parts that have sides
	region   byte    // of these
	moved    int8    // 1 displaced, -1 nondisplaced
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
	v := &view{table: t, under: make([][]int32, len(ix.codes)), title: make([]title, len(ix.codes)), group: make([][]group, len(ix.codes))}
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
		cut := c.Title
		if i := encounterAt(code, cut); i >= 0 {
			cut = cut[:i]
			ti.seventh = code[7]
		}
		toks = lexicon.AppendTokens(toks[:0], cut)
		ti.without, ti.opposite = ix.excluded(c.Title, toks), ix.opposed(toks)
		for _, k := range toks {
			if w := ix.lookup(termKey(c.Title, &k)); w >= 0 && k.Kind != lexicon.Punct && !lexicon.IsStop(k.Norm) {
				ti.words = append(ti.words, w)
				if g := ix.region[w]; g != 0 {
					ti.parts = append(ti.parts, w)
					ti.region = g
				}
			}
			switch k.Lower {
			case "left":
				ti.side = 'L'
			case "right":
				ti.side = 'R'
			case "bilateral", "both":
				ti.side = 'B'
			case "displaced":
				ti.moved = 1
			case "nondisplaced":
				ti.moved = -1
			}
		}
		low := strings.ToLower(c.Title)
		ti.vague = strings.Contains(low, "unspecified") || strings.HasPrefix(low, "other ") || strings.Contains(low, "not elsewhere classified")
		if ti.side == 0 && strings.Contains(low, "unspecified") {
			ti.side = 'U'
		}
	}
	for n := range v.under {
		v.group[n] = grouped(ix, v, v.under[n])
	}
	v.families(ix)
	return v
}

// grouped puts the codes together that differ in their 7th character; codes are
// in code order.
func grouped(ix *index, v *view, codes []int32) []group {
	var out []group
	for i := 0; i < len(codes); {
		j := i + 1
		if v.title[codes[i]].seventh != 0 {
			for j < len(codes) && v.title[codes[j]].seventh != 0 && ix.codes[codes[j]][:7] == ix.codes[codes[i]][:7] {
				j++
			}
		}
		out = append(out, codes[i:j:j])
		i = j
	}
	return out
}
