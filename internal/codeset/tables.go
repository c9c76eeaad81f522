package codeset

import (
	"strconv"
	"strings"

	"chartcode/internal/coding"
)

// The columns of the neoplasm and drug tables, from column 2, as the phrases
// that a cell stands for; %s is the site or substance.
var (
	neoplasmColumns = [][]string{
		{"malignant neoplasm of %s", "%s carcinoma", "%s cancer"},
		{"secondary malignant neoplasm of %s", "metastasis to %s"},
		{"carcinoma in situ of %s"},
		{"benign neoplasm of %s"},
		{"neoplasm of uncertain behavior of %s"},
		{"neoplasm of unspecified behavior of %s", "%s mass neoplasm unspecified"},
	}
	drugColumns = [][]string{
		{"poisoning by %s, accidental"},
		{"poisoning by %s, intentional self-harm"},
		{"poisoning by %s, assault"},
		{"poisoning by %s, undetermined"},
		{"adverse effect of %s"},
		{"underdosing of %s"},
	}
)

// readTable reads the neoplasm or drug table: a term for each cell with a code.
func (c *Content) readTable(m member) error {
	columns, kind, skip := drugColumns, coding.TermDrug, 0
	if c.Release.Kind == KindNeoplasm {
		columns, kind, skip = neoplasmColumns, coding.TermNeoplasm, 1
	}
	counts := map[string]int{"cells": 0, "cells_with_code": 0}
	var walk func(n *node, path []string)
	walk = func(n *node, path []string) {
		title, _ := titleOf(n)
		path = append(path[:len(path):len(path)], title)
		about := strings.TrimSpace(strings.Join(path[min(skip, len(path)):], " "))
		for _, k := range n.kids {
			switch k.name {
			case "term":
				counts["nested_terms"]++
				walk(k, path)
			case "cell":
				counts["cells"]++
				col, err := strconv.Atoi(k.attrs["col"])
				code, ok := plainCode(k.text)
				if err != nil || !ok || col < 2 || col-2 >= len(columns) {
					continue
				}
				counts["cells_with_code"]++
				if about == "" {
					continue
				}
				for _, phrase := range columns[col-2] {
					c.Terms = append(c.Terms, coding.Term{Text: strings.ReplaceAll(phrase, "%s", about), Kind: kind, Code: code})
				}
			}
		}
	}
	err := parseXML(m, "ICD10CM.index", func(n *node, _ int) error {
		counts["main_terms"]++
		walk(n, nil)
		return nil
	}, map[string]bool{"mainTerm": true})
	if err != nil {
		return err
	}
	if counts["cells"] == 0 {
		return &Error{File: m.name, Reason: "there is no table cell in it"}
	}
	c.Release.Rows = counts["main_terms"] + counts["nested_terms"]
	for k, v := range counts {
		c.Release.Details[k] = v
	}
	return nil
}
