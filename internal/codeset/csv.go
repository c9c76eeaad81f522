package codeset

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strings"

	"chartcode/internal/coding"
)

// eachRow gives the rows of a CSV file below its header, with their lines.
func eachRow(m member, f func(line int, col columns, row []string) error) error {
	if err := m.checkText(); err != nil {
		return err
	}
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(m.data, []byte("\ufeff"))))
	r.ReuseRecord = true
	var col columns
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		var pe *csv.ParseError
		switch {
		case errors.As(err, &pe) && errors.Is(pe.Err, csv.ErrFieldCount):
			return &Error{m.name, pe.Line, "it has more or fewer columns than the header"}
		case errors.As(err, &pe):
			return &Error{m.name, pe.Line, "it is no valid CSV: " + pe.Err.Error()}
		case err != nil:
			return damaged(m.name)
		}
		line, _ := r.FieldPos(0)
		if col == nil {
			col = columnsOf(row)
			continue
		}
		for i := range row {
			row[i] = strings.TrimSpace(row[i])
		}
		if err := f(line, col, row); err != nil {
			return err
		}
	}
	return nil
}

// readCodesCSV reads a table of codes: columns code and a title, if there are
// any also a short title and billable (1/0, true/false, yes/no; all are without
// the column).
func (c *Content) readCodesCSV(m member) error {
	seen := map[string]int{}
	shape := codeShape[c.Release.System]
	err := eachRow(m, func(line int, col columns, row []string) error {
		code := strings.ToUpper(row[col["code"]])
		plain := code
		if c.Release.System == coding.ICD10CM {
			plain = coding.UndotCode(code)
			code = coding.DotCode(plain)
		}
		if shape == nil || !shape.MatchString(plain) {
			return &Error{m.name, line, "the column code holds no code of " + string(c.Release.System)}
		}
		if _, twice := seen[code]; twice {
			return &Error{m.name, line, "the code " + code + " is there a second time"}
		}
		title := row[col.title()]
		if title == "" {
			return &Error{m.name, line, "the code " + code + " has no title"}
		}
		out := coding.Code{System: c.Release.System, Code: code, Title: title, Billable: true}
		if i := col.short(); i >= 0 {
			out.Short = row[i]
		}
		if i := col.of("billable", "valid"); i >= 0 {
			value, ok := yesNo(row[i])
			if !ok {
				return &Error{m.name, line, "the column billable holds neither 1 nor 0"}
			}
			out.Billable = value
		}
		seen[code] = len(c.Codes)
		c.Codes = append(c.Codes, out)
		return nil
	})
	if err != nil {
		return err
	}
	if len(c.Codes) == 0 {
		return &Error{File: m.name, Reason: "there is no code in it"}
	}
	c.finishCodes(seen)
	return nil
}

func yesNo(s string) (value, ok bool) {
	switch strings.ToLower(s) {
	case "1", "true", "yes", "y":
		return true, true
	case "0", "false", "no", "n":
		return false, true
	}
	return false, false
}

// readLinesCSV reads what is said of codes: their HCC categories or their edits.
func (c *Content) readLinesCSV(m member) error {
	shape := codeShape[coding.ICD10CM]
	codes := map[string]bool{}
	err := eachRow(m, func(n int, col columns, row []string) error {
		code := coding.UndotCode(strings.ToUpper(row[col["code"]]))
		if !shape.MatchString(code) {
			return &Error{m.name, n, "the column code holds no code of ICD-10-CM"}
		}
		l := Line{Code: coding.DotCode(code), Kind: LineHCC}
		if c.Release.Kind == KindMCE {
			l.Kind, l.Group, l.Text = LineMCE, row[col["edit_group"]], row[col["edit"]]
		} else {
			i := col.of("hcc")
			if i < 0 {
				i = col.withPrefix("hcc_v")
			}
			l.Text = row[i]
		}
		if l.Text == "" {
			return &Error{m.name, n, "the code " + l.Code + " has no " + c.Release.Kind}
		}
		codes[l.Code] = true
		c.Lines = append(c.Lines, l)
		return nil
	})
	if err != nil {
		return err
	}
	return c.finishLines(m, len(codes))
}

// readPOA reads the list of codes that are exempt from present-on-admission
// reporting: order, code with its dot and title, divided by tabs.
func (c *Content) readPOA(m member) error {
	if err := m.checkText(); err != nil {
		return err
	}
	shape := codeShape[coding.ICD10CM]
	seen := map[string]bool{}
	text := strings.TrimPrefix(string(m.data), "\ufeff")
	for n := 1; text != ""; n++ {
		var line string
		line, text, _ = strings.Cut(text, "\n")
		line = strings.TrimRight(line, "\r \t")
		if n == 1 || line == "" {
			continue
		}
		fields := strings.Split(line, "\t")
		if len(fields) < 2 {
			return &Error{m.name, n, "it has fewer than two columns"}
		}
		code := coding.UndotCode(strings.TrimSpace(fields[1]))
		if !shape.MatchString(code) {
			return &Error{m.name, n, "the second column holds no code of ICD-10-CM"}
		}
		if seen[code] {
			return &Error{m.name, n, "the code " + coding.DotCode(code) + " is there a second time"}
		}
		seen[code] = true
		c.Lines = append(c.Lines, Line{Code: coding.DotCode(code), Kind: LinePOAExempt})
	}
	return c.finishLines(m, len(seen))
}

func (c *Content) finishLines(m member, codes int) error {
	if len(c.Lines) == 0 {
		return &Error{File: m.name, Reason: "there is no code in it"}
	}
	c.Release.Rows = len(c.Lines)
	c.Release.Details["codes"] = codes
	return nil
}
