package validate

import (
	"embed"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"

	"chartcode/internal/codeset"
	"chartcode/internal/coding"
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

// contradictionRow is a pair of codes of which one says that the other is not so.
type contradictionRow struct {
	a, b             []codeset.Ref
	severity         coding.Severity
	message, section string
}

// acuteRow is a condition with a code for its acute and one for its chronic form.
type acuteRow struct{ acute, chronic []codeset.Ref }

// pregnancyRow is a condition with its codes of chapter 15.
type pregnancyRow struct {
	condition, chapter15 []codeset.Ref
	name                 string
}

func (v *Validator) readTables() error {
	for _, t := range []struct {
		name         string
		fields, refs int // columns, and how many of the first are sets of codes
		row          func(refs [][]codeset.Ref, f []string) error
	}{
		{"first_listed.csv", 2, 2, func(r [][]codeset.Ref, _ []string) error {
			v.firstOnly = append(v.firstOnly, codeGroup{refs: r[0], except: r[1]})
			return nil
		}},
		{"secondary_only.csv", 4, 2, func(r [][]codeset.Ref, f []string) error {
			v.secondaryOnly = append(v.secondaryOnly, codeGroup{refs: r[0], except: r[1], name: f[2], section: f[3]})
			return nil
		}},
		{"confirmed_only.csv", 3, 1, func(r [][]codeset.Ref, f []string) error {
			v.confirmed = append(v.confirmed, codeGroup{refs: r[0], name: f[1], section: f[2]})
			return nil
		}},
		{"signs.csv", 3, 1, func(r [][]codeset.Ref, f []string) error {
			diagnoses, err := refsOf(f[2])
			v.signs = append(v.signs, signRow{r[0], f[1], diagnoses})
			return err
		}},
		{"combinations.csv", 4, 2, func(r [][]codeset.Ref, f []string) error {
			v.combined = append(v.combined, combinationRow{r[0], r[1], f[2], f[3]})
			return nil
		}},
		{"contradictions.csv", 5, 2, func(r [][]codeset.Ref, f []string) error {
			severity := coding.Severity(f[2])
			if severity != coding.SeverityWarning && severity != coding.SeverityInformation {
				return fmt.Errorf("%q is no severity", f[2])
			}
			v.contradictions = append(v.contradictions, contradictionRow{r[0], r[1], severity, f[3], f[4]})
			return nil
		}},
		{"acute_chronic.csv", 2, 2, func(r [][]codeset.Ref, _ []string) error {
			v.acute = append(v.acute, acuteRow{r[0], r[1]})
			return nil
		}},
		{"pregnancy.csv", 3, 2, func(r [][]codeset.Ref, f []string) error {
			v.pregnancy = append(v.pregnancy, pregnancyRow{r[0], r[1], f[2]})
			return nil
		}},
	} {
		err := eachTableRow(t.name, t.fields, func(f []string) error {
			refs := make([][]codeset.Ref, t.refs)
			for i := range refs {
				var err error
				if refs[i], err = refsOf(f[i]); err != nil {
					return err
				}
			}
			return t.row(refs, f)
		})
		if err != nil {
			return err
		}
	}
	return nil
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
