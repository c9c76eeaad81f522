package codeset

import (
	"strconv"
	"strings"

	"chartcode/internal/coding"
)

// form is a phrase that a cell stands for: %s is the site or substance as the
// table reads, main term first; %r the same as one speaks, last modifier first.
type form struct {
	text      string
	wordsOnly bool // another form of the column stands for it
}

// The columns of the neoplasm and drug tables, from column 2. The first form of
// a column is the one that references are resolved by (see Link).
//
// Those of the neoplasm table follow the Alphabetic Index: cancer and carcinoma
// of a site are its malignant neoplasm, metastasis to it the secondary one; a
// tumor without more is the unspecified one. An overdose whose intent is not
// named is coded as accidental (ICD-10-CM Official Guidelines, I.C.19.e.5.b,
// paraphrased).
var (
	neoplasmColumns = [][]form{
		{{"malignant neoplasm of %s", false}, {"%r cancer", false}, {"%r carcinoma", true}},
		{{"secondary malignant neoplasm of %s", false}, {"metastasis to %r", false}},
		{{"carcinoma in situ of %s", false}},
		{{"benign neoplasm of %s", false}, {"benign %r tumor", true}},
		{{"neoplasm of uncertain behavior of %s", false}},
		{{"neoplasm of unspecified behavior of %s", false}, {"%r tumor", false}, {"%r neoplasm", true}},
	}
	drugColumns = [][]form{
		{{"poisoning by %s, accidental", false}, {"overdose of %s", false}},
		{{"poisoning by %s, intentional self-harm", false}},
		{{"poisoning by %s, assault", true}},
		{{"poisoning by %s, undetermined", true}},
		{{"adverse effect of %s", false}},
		{{"underdosing of %s", false}},
	}
)

// tableReader makes terms of the cells of a table.
type tableReader struct {
	content *Content
	columns [][]form
	kind    coding.TermKind
	find    *resolver
	root    *entry // neoplasm: the one main term, which is no part of a site
	counts  map[string]int
}

// readTable reads the neoplasm or drug table: terms for each cell with a code.
// A row without cells that refers to another row has that row's.
//
// Details count: main_terms, nested_terms, cells, cells_with_code, see,
// see_followed, see_unresolved, see_also.
func (c *Content) readTable(m member) error {
	x := &tableReader{content: c, columns: drugColumns, kind: coding.TermDrug, counts: map[string]int{
		"nested_terms": 0, "cells": 0, "cells_with_code": 0, "see": 0, "see_followed": 0, "see_unresolved": 0, "see_also": 0,
	}}
	var mains []*entry
	err := readXML(m, "ICD10CM.index", map[string]bool{"mainTerm": true}, func(n *node) error {
		mains = append(mains, entryOf(n, nil))
		return nil
	})
	if err != nil {
		return err
	}
	if c.Release.Kind == KindNeoplasm {
		x.columns, x.kind = neoplasmColumns, coding.TermNeoplasm
		if len(mains) != 1 {
			return &Error{File: m.name, Reason: "a neoplasm table has one main term"}
		}
		x.root = mains[0]
	}
	x.counts["main_terms"] = len(mains)
	x.find = newResolver(mains)
	for _, e := range mains {
		if err := x.walk(m, e); err != nil {
			return err
		}
	}
	if x.counts["cells"] == 0 {
		return &Error{File: m.name, Reason: "there is no table cell in it"}
	}
	c.Release.Rows = x.counts["main_terms"] + x.counts["nested_terms"]
	for k, v := range x.counts {
		c.Release.Details[k] = v
	}
	return nil
}

func (x *tableReader) walk(m member, e *entry) error {
	for _, k := range e.node.kids {
		switch k.name {
		case "cell":
			x.counts["cells"]++
			if col, err := strconv.Atoi(k.attr("col")); err != nil || col < 2 || col-2 >= len(x.columns) {
				return &Error{m.name, k.line, "a cell is of none of the table's columns"}
			}
			if _, ok := plainCode(k.text); ok {
				x.counts["cells_with_code"]++
			}
		case "see":
			x.counts["see"]++
		case "seeAlso":
			x.counts["see_also"]++
		}
	}
	source := e
	if see := e.node.textOf("see"); see != "" {
		for hop := 0; source != nil && source.node.kid("cell") == nil && hop < maxHops; hop++ {
			if source = x.row(source.node.textOf("see")); source == e {
				source = nil
			}
		}
		if source != nil && source.node.kid("cell") != nil {
			x.counts["see_followed"]++
		} else {
			x.counts["see_unresolved"]++
			x.content.Lines = append(x.content.Lines, Line{Kind: LineUnresolved, Text: x.about(e), See: see})
		}
	}
	if source != nil {
		x.terms(e, source)
	}
	for _, k := range e.kids {
		x.counts["nested_terms"]++
		if err := x.walk(m, k); err != nil {
			return err
		}
	}
	return nil
}

// anySite is what the neoplasm table's root stands for.
const anySite = "unspecified site"

// row finds the row that a reference names; of a salt that has none, that of
// its substance: fluoxetine for "Fluoxetine hydrochloride".
func (x *tableReader) row(target string) *entry {
	if e := x.find.find(target); e != nil || x.root != nil {
		return e
	}
	if i := strings.LastIndexByte(target, ' '); i > 0 && !strings.Contains(target, ",") {
		return x.find.find(target[:i])
	}
	return nil
}

// about is the site or substance of a row, as the table reads.
func (x *tableReader) about(e *entry) string {
	if e == x.root {
		return anySite
	}
	var parts []string
	for _, p := range e.path() {
		if p != x.root {
			parts = append(parts, p.title)
		}
	}
	return phrase(parts)
}

// spoken is the same last modifier first, of alternatives the first: "fourth
// ventricle" for "ventricle, ventricular, fourth".
func (x *tableReader) spoken(e *entry) string {
	if e == x.root {
		return anySite
	}
	var parts []string
	for ; e != nil && e != x.root; e = e.up {
		first, _, _ := strings.Cut(e.title, ",")
		parts = append(parts, first)
	}
	return strings.Join(parts, " ")
}

func (x *tableReader) terms(e, source *entry) {
	about, spoken := x.about(e), x.spoken(e)
	for _, k := range source.node.kids {
		if k.name != "cell" {
			continue
		}
		col, err := strconv.Atoi(k.attr("col"))
		code, ok := plainCode(k.text)
		if err != nil || !ok || col < 2 || col-2 >= len(x.columns) {
			continue
		}
		for _, f := range x.columns[col-2] {
			text := strings.NewReplacer("%s", about, "%r", spoken).Replace(f.text)
			x.content.Terms = append(x.content.Terms, coding.Term{Text: text, Kind: x.kind, Code: code, WordsOnly: f.wordsOnly})
		}
	}
}
