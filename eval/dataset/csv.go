package dataset

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"chartcode/internal/coding"
)

// ErrCSV is returned for a table that is no dataset.
var ErrCSV = errors.New("not a dataset: a CSV file needs a head line with note_id, text and codes; codes are separated by spaces, commas or semicolons")

// csvColumns are the columns that are read; others are left.
var csvColumns = []string{"note_id", "source", "patient_id", "sex", "birth_date", "setting", "specialty", "note_type", "service_date", "admit_date", "text", "codes", "acceptable", "first", "split"}

// FromCSV turns a table with one note a row into JSON lines. The columns are
// note_id, text and codes, and any of source, patient_id, sex, birth_date,
// setting, specialty, note_type, service_date, admit_date (dates as 2026-03-14),
// acceptable and first (codes), split. Codes are ICD-10-CM, with or without dot.
func FromCSV(r io.Reader) ([]byte, error) {
	in := csv.NewReader(r)
	in.FieldsPerRecord = -1
	head, err := in.Read()
	if err != nil {
		return nil, ErrCSV
	}
	at := map[string]int{}
	for i, name := range head {
		if name = strings.ToLower(strings.TrimSpace(strings.TrimPrefix(name, "\ufeff"))); slices.Contains(csvColumns, name) {
			at[name] = i
		}
	}
	for _, need := range []string{"note_id", "text", "codes"} {
		if _, ok := at[need]; !ok {
			return nil, ErrCSV
		}
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	for {
		row, err := in.Read()
		if errors.Is(err, io.EOF) {
			return out.Bytes(), nil
		}
		line, _ := in.FieldPos(0)
		if err != nil {
			return nil, fmt.Errorf("line %d: the quotes of the CSV are not closed or misplaced", line)
		}
		field := func(name string) string {
			if i, ok := at[name]; ok && i < len(row) {
				return strings.TrimSpace(row[i])
			}
			return ""
		}
		note := map[string]any{"note_id": field("note_id"), "text": row[min(at["text"], len(row)-1)], "patient": patient(field)}
		for _, name := range []string{"source", "setting", "specialty", "note_type", "service_date", "admit_date", "split"} {
			if v := field(name); v != "" {
				note[name] = v
			}
		}
		codes := []map[string]any{}
		for _, tier := range []struct{ column, tier string }{{"codes", TierRequired}, {"acceptable", TierAcceptable}} {
			for _, code := range codeList(field(tier.column)) {
				codes = append(codes, map[string]any{"system": coding.ICD10CM, "code": code, "tier": tier.tier})
			}
		}
		note["codes"] = codes
		if first := codeList(field("first")); len(first) > 0 {
			note["first"] = first
		}
		if err := enc.Encode(note); err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
	}
}

func patient(field func(string) string) map[string]string {
	p := map[string]string{}
	for name, column := range map[string]string{"id": "patient_id", "sex": "sex", "birth_date": "birth_date"} {
		if v := field(column); v != "" {
			p[name] = v
		}
	}
	return p
}

func codeList(s string) []string {
	var out []string
	for _, code := range strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(" \t\r\n,;|", r) }) {
		out = append(out, coding.DotCode(strings.ToUpper(code)))
	}
	return out
}
