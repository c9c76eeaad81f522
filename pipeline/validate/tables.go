package validate

import (
	"embed"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"

	"chartcode/internal/codeset"
)

//go:embed tables/*.csv
var tableFiles embed.FS

// codeGroup is a set of codes of one of the tables.
type codeGroup struct {
	refs, except  []codeset.Ref
	name, section string
}

func (g *codeGroup) holds(code string) bool {
	return matchesAny(g.refs, code) && !matchesAny(g.except, code)
}

func matchesAny(refs []codeset.Ref, code string) bool {
	for _, r := range refs {
		if r.Match(code) {
			return true
		}
	}
	return false
}

// inGroups gives the group that holds code, or nil.
func inGroups(groups []codeGroup, code string) *codeGroup {
	for i := range groups {
		if groups[i].holds(code) {
			return &groups[i]
		}
	}
	return nil
}

// signRow is a sign with the diagnoses that it belongs to.
type signRow struct {
	sign      []codeset.Ref
	name      string
	diagnoses []codeset.Ref
}

// combinationRow is a pair of codes for which there is one.
type combinationRow struct {
	a, b             []codeset.Ref
	instead, section string
}

func (v *Validator) readTables() error {
	if err := eachTableRow("first_listed.csv", 2, func(f []string) error {
		refs, err := refsOf(f[0])
		if err != nil {
			return err
		}
		except, err := refsOf(f[1])
		v.firstOnly = append(v.firstOnly, codeGroup{refs: refs, except: except})
		return err
	}); err != nil {
		return err
	}
	if err := eachTableRow("confirmed_only.csv", 3, func(f []string) error {
		refs, err := refsOf(f[0])
		v.confirmed = append(v.confirmed, codeGroup{refs: refs, name: f[1], section: f[2]})
		return err
	}); err != nil {
		return err
	}
	if err := eachTableRow("signs.csv", 3, func(f []string) error {
		sign, err := refsOf(f[0])
		if err != nil {
			return err
		}
		diagnoses, err := refsOf(f[2])
		v.signs = append(v.signs, signRow{sign, f[1], diagnoses})
		return err
	}); err != nil {
		return err
	}
	return eachTableRow("combinations.csv", 4, func(f []string) error {
		a, err := refsOf(f[0])
		if err != nil {
			return err
		}
		b, err := refsOf(f[1])
		v.combined = append(v.combined, combinationRow{a, b, f[2], f[3]})
		return err
	})
}

// eachTableRow gives the rows of a table below its header.
func eachTableRow(name string, fields int, f func([]string) error) error {
	file, err := tableFiles.Open("tables/" + name)
	if err != nil {
		return err
	}
	defer file.Close()
	r := csv.NewReader(file)
	r.Comment = '#'
	r.FieldsPerRecord = fields
	rows, err := r.ReadAll()
	if err != nil {
		return fmt.Errorf("validate: %s: %w", name, err)
	}
	for _, row := range rows[1:] {
		if err := f(row); err != nil {
			return fmt.Errorf("validate: %s: %w", name, err)
		}
	}
	return nil
}

// refsOf reads sets of codes divided by blanks: I10, J12-J18.
func refsOf(s string) ([]codeset.Ref, error) {
	var out []codeset.Ref
	for f := range strings.FieldsSeq(s) {
		from, to, ranged := strings.Cut(f, "-")
		if !codeShaped(from) || ranged && !codeShaped(to) {
			return nil, fmt.Errorf("%q is no code or range", f)
		}
		out = append(out, codeset.Ref{From: from, To: to})
	}
	return slices.Clip(out), nil
}

func codeShaped(s string) bool {
	return len(s) >= 3 && s[0] >= 'A' && s[0] <= 'Z' && s[1] >= '0' && s[1] <= '9' && (len(s) == 3 || s[3] == '.' && len(s) > 4)
}
