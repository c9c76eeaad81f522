// Package starter holds the starter set: a few thousand frequently used
// ICD-10-CM codes with the everyday names that clinicians and patients use for
// them, written by hand. A site without official code-set files works with it
// until it has some.
//
// The set is embedded in the program. The package reads it and nothing else:
// no files, no database, no network. What the set is and how its codes were
// chosen stands at the head of starter.csv.
package starter

import (
	_ "embed"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Version is the ICD-10-CM release that codes and titles are taken from.
const Version = "2026"

// MaxNames is the largest number of names of one code.
const MaxNames = 6

// nameSeparator divides the names of a code.
const nameSeparator = "|"

//go:embed starter.csv
var file string

// Row is one billable code of the starter set.
type Row struct {
	Code  string   // with its dot, as E11.9
	Title string   // the official long title
	Names []string // everyday names, 0 to MaxNames, without the title
}

// Error says which line of a starter set is wrong, and why.
type Error struct {
	Line   int // counted from 1; 0: the file as a whole
	Reason string
}

func (e *Error) Error() string {
	if e.Line == 0 {
		return "starter set: " + e.Reason
	}
	return fmt.Sprintf("starter set, line %d: %s", e.Line, e.Reason)
}

// CSV returns the embedded file as it is in the repository.
func CSV() []byte { return []byte(file) }

// Read returns the embedded set, in the order of the codes.
func Read() ([]Row, error) { return Parse(strings.NewReader(file)) }

// header is the first line that is no comment.
var header = []string{"code", "title", "names"}

// codeShape is a code of ICD-10-CM with its dot. Whether it exists and is
// billable only the full table can say.
var codeShape = regexp.MustCompile(`^[A-Z][0-9][0-9A-Z](\.[0-9A-Z]{1,4})?$`)

// Parse reads a starter set: UTF-8 CSV with the columns code, title and names
// (names separated by "|"), comment lines that start with "#", rows in rising
// order of the codes. It returns an *Error at the first line that breaks a rule:
// a code without its shape, twice or out of order, no title, a name that is
// empty, repeated anywhere in the set (case aside), or only the title again.
// Errors of the reader itself are wrapped.
func Parse(r io.Reader) ([]Row, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("starter set: %w", err)
	}
	if !utf8.Valid(data) {
		return nil, &Error{Reason: "it is not UTF-8 text"}
	}
	in := csv.NewReader(strings.NewReader(string(data)))
	in.Comment = '#'
	in.FieldsPerRecord = len(header)

	first, err := in.Read()
	switch {
	case errors.Is(err, io.EOF):
		return nil, &Error{Reason: "it is empty"}
	case err != nil:
		return nil, csvError(err)
	case !slices.Equal(first, header):
		return nil, lineError(in, "the columns must be "+strings.Join(header, ","))
	}

	var rows []Row
	owner := map[string]string{} // folded name to its code
	for {
		record, err := in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, csvError(err)
		}
		row, reason := parseRow(record)
		if reason == "" && len(rows) > 0 && row.Code <= rows[len(rows)-1].Code {
			reason = "code " + row.Code + " is there twice or out of order"
		}
		if reason == "" {
			reason = claim(owner, row)
		}
		if reason != "" {
			return nil, lineError(in, reason)
		}
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		return nil, &Error{Reason: "there is no code in it"}
	}
	return rows, nil
}

// parseRow checks one record by itself. The reason is empty if all is well.
func parseRow(record []string) (row Row, reason string) {
	row = Row{Code: record[0], Title: record[1]}
	if record[2] != "" {
		row.Names = strings.Split(record[2], nameSeparator)
	}
	switch {
	case !codeShape.MatchString(row.Code):
		return row, "the first column is no ICD-10-CM code with its dot"
	case !plain(row.Title):
		return row, "the title of " + row.Code + " is empty, or has spaces around it or control characters in it"
	case len(row.Names) > MaxNames:
		return row, fmt.Sprintf("%s has %d names; at most %d are allowed", row.Code, len(row.Names), MaxNames)
	}
	for i, name := range row.Names {
		switch {
		case !plain(name):
			return row, fmt.Sprintf("name %d of %s is empty, or has spaces around it or control characters in it", i+1, row.Code)
		case fold(name) == fold(row.Title):
			return row, fmt.Sprintf("name %d of %s is its title again", i+1, row.Code)
		}
	}
	return row, ""
}

// claim enters the names of a row into owner. The reason is empty unless a
// name is taken already.
func claim(owner map[string]string, row Row) (reason string) {
	for _, name := range row.Names {
		key := fold(name)
		if other, taken := owner[key]; taken {
			return fmt.Sprintf("the name %q of %s is already a name of %s", name, row.Code, other)
		}
		owner[key] = row.Code
	}
	return ""
}

// fold makes names comparable: case does not tell two names apart.
func fold(s string) string { return strings.ToLower(s) }

// plain reports whether s is text that can be shown as it is.
func plain(s string) bool {
	return s != "" && s == strings.TrimSpace(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// lineError places a reason at the record read last.
func lineError(in *csv.Reader, reason string) error {
	line, _ := in.FieldPos(0)
	return &Error{Line: line, Reason: reason}
}

// csvError turns an error of the CSV reader into one of ours.
func csvError(err error) error {
	var bad *csv.ParseError
	if !errors.As(err, &bad) {
		return fmt.Errorf("starter set: %w", err)
	}
	if errors.Is(bad.Err, csv.ErrFieldCount) {
		return &Error{Line: bad.Line, Reason: fmt.Sprintf("there must be %d columns", len(header))}
	}
	return &Error{Line: bad.Line, Reason: "it is no valid CSV: " + bad.Err.Error()}
}
