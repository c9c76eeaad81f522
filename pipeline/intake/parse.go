package intake

import (
	"bytes"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"chartcode/internal/coding"
)

const (
	// MaxBodyBytes is the largest body: a text of 1 MiB written entirely in
	// escapes fits.
	MaxBodyBytes = 8 << 20
	// MaxFieldChars is the largest number of characters of a field other than
	// text and note_id. The contract names no limit; without one a field could
	// be too long for a database index and its note would return for ever.
	MaxFieldChars = 512
	// MaxSourceChars is the largest number of characters of a source.
	MaxSourceChars = 64
)

var bom = []byte("\xef\xbb\xbf")

// Parse reads one note. subjectSource is the source token of the subject or
// path that the body came by, "" when there is none. The note has its defaults:
// source "default", priority 5. A body without a source has the default one,
// which must equal subjectSource as any other must.
//
// The error is always an *Error: no later attempt with these bytes can succeed.
func Parse(body []byte, subjectSource string) (coding.Note, error) {
	if len(body) > MaxBodyBytes {
		return coding.Note{}, fail(BodyTooLarge, "The body must not be larger than 8 MiB.")
	}
	if !utf8.Valid(body) {
		return coding.Note{}, fail(InvalidUTF8, "The body must be UTF-8; convert it from its own encoding first.")
	}
	p := parser{scanner: scanner{b: bytes.TrimPrefix(body, bom)}, seen: make(map[string]bool, 16)}
	if err := p.parse(); err != nil {
		return coding.Note{}, err
	}
	if err := complete(&p.note, subjectSource); err != nil {
		return coding.Note{}, err
	}
	return p.note, nil
}

// complete checks what must be there and sets defaults.
func complete(n *coding.Note, subjectSource string) error {
	if n.Source == "" {
		n.Source = coding.DefaultSource
	}
	if subjectSource != "" && subjectSource != n.Source {
		return fail(SourceMismatch, "The source in the body must equal the source that the note was sent under.")
	}
	if n.NoteID == "" {
		return fail(MissingNoteID, "The note needs a note_id of 1 to 128 characters.")
	}
	if n.Text == "" {
		return fail(EmptyText, "The note needs a text.")
	}
	if n.Priority == 0 {
		n.Priority = coding.PriorityUsual
	}
	return nil
}

type parser struct {
	scanner
	note coding.Note
	seen map[string]bool
}

func (p *parser) parse() error {
	p.space()
	if p.peek() != '{' {
		return errSyntax
	}
	if err := p.object(p.field); err != nil {
		return err
	}
	p.space()
	if p.pos != len(p.b) {
		return fail(InvalidJSON, "Nothing may follow the JSON object of the note.")
	}
	return nil
}

// once fails on the second appearance of a known field: which of the two is
// meant cannot be known.
func (p *parser) once(path string) error {
	if p.seen[path] {
		return fail(InvalidJSON, "Each field of the note may be given only once.")
	}
	p.seen[path] = true
	return nil
}

func (p *parser) field(name string) error {
	set, known := fields[name]
	if !known {
		return p.skip(1)
	}
	if err := p.once(name); err != nil {
		return err
	}
	if p.word("null") {
		return nil
	}
	return set(p)
}

// fields holds the known fields, named exactly.
var fields = map[string]func(p *parser) error{
	"note_id":      (*parser).noteID,
	"source":       (*parser).source,
	"text":         (*parser).text,
	"setting":      (*parser).setting,
	"priority":     (*parser).priority,
	"due_at":       (*parser).dueAt,
	"encounter_id": func(p *parser) error { return p.short("encounter_id", &p.note.EncounterID) },
	"payer":        func(p *parser) error { return p.short("payer", &p.note.Payer) },
	"specialty":    func(p *parser) error { return p.short("specialty", &p.note.Specialty) },
	"note_type":    func(p *parser) error { return p.short("note_type", &p.note.NoteType) },
	"service_date": func(p *parser) error { return p.date("service_date", &p.note.ServiceDate) },
	"admit_date":   func(p *parser) error { return p.date("admit_date", &p.note.AdmitDate) },
	"author":       func(p *parser) error { return p.person("author", &p.note.Author) },
	"attending":    func(p *parser) error { return p.person("attending", &p.note.Attending) },
	"patient":      (*parser).patient,
}

// clean is the error for what a string decoded with flaws may not hold.
func clean(flaws flaw) error {
	if flaws&flawSurrogate != 0 {
		return fail(LoneSurrogate, "The body must not hold half of a surrogate pair; mend its \\u escapes.")
	}
	if flaws&flawNUL != 0 {
		return errNUL
	}
	return nil
}

// stringValue decodes a string value; wrong is the error for a value of another type.
func (p *parser) stringValue(wrong *Error) (string, error) {
	if p.peek() != '"' {
		if err := p.skip(1); err != nil { // broken JSON is the better reason
			return "", err
		}
		return "", wrong
	}
	v, flaws, err := p.str()
	if err != nil {
		return "", err
	}
	return v, clean(flaws)
}

func (p *parser) noteID() error {
	wrong := fail(InvalidNoteID, "The note_id must be a string of 1 to 128 characters without control characters.")
	v, err := p.stringValue(wrong)
	if err != nil {
		return err
	}
	if utf8.RuneCountInString(v) > coding.MaxNoteIDChars || strings.ContainsFunc(v, unicode.IsControl) {
		return wrong
	}
	p.note.NoteID = v
	return nil
}

func (p *parser) source() error {
	wrong := fail(InvalidSource, "The source must be 1 to 64 letters, digits, hyphens or underscores.")
	v, err := p.stringValue(wrong)
	if err != nil {
		return err
	}
	if !ValidSource(v) {
		return wrong
	}
	p.note.Source = v
	return nil
}

// ValidSource reports whether s is [A-Za-z0-9_-]{1,64}.
func ValidSource(s string) bool {
	if s == "" || len(s) > MaxSourceChars {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-') {
			return false
		}
	}
	return true
}

func (p *parser) text() error {
	v, err := p.stringValue(fail(InvalidField, "The text must be a string."))
	if err != nil {
		return err
	}
	if len(v) > coding.MaxTextBytes {
		return errTextTooLong
	}
	p.note.Text = v
	return nil
}

var errTextTooLong = fail(TextTooLong, "The text must not be longer than 1 MiB; split the note.")

func (p *parser) setting() error {
	wrong := fail(InvalidSetting, "The setting must be inpatient, outpatient, professional or emergency.")
	v, err := p.stringValue(wrong)
	if err != nil {
		return err
	}
	s := coding.Setting(v)
	if v != "" && !s.Valid() {
		return wrong
	}
	p.note.Setting = s
	return nil
}

func (p *parser) priority() error {
	wrong := fail(InvalidPriority, "The priority must be a whole number from 1 to 9.")
	c := p.peek()
	if c != '-' && (c < '0' || c > '9') {
		if err := p.skip(1); err != nil {
			return err
		}
		return wrong
	}
	literal, err := p.number()
	if err != nil {
		return err
	}
	// 5, 5.0 and 5e0 are one number to JSON.
	v, err := strconv.ParseFloat(literal, 64)
	if err != nil || v != float64(int(v)) || v < coding.PriorityMin || v > coding.PriorityMax {
		return wrong
	}
	p.note.Priority = int(v)
	return nil
}

func (p *parser) dueAt() error {
	wrong := fail(InvalidDate, "The due_at must be a time such as 2026-03-14T10:00:00Z.")
	v, err := p.stringValue(wrong)
	if err != nil || v == "" {
		return err
	}
	t, terr := time.Parse(time.RFC3339, v)
	if terr != nil || t.UTC().Year() < 2 || t.UTC().Year() > 9999 {
		return wrong
	}
	p.note.DueAt = t
	return nil
}

func (p *parser) date(name string, to *coding.Date) error {
	wrong := fail(InvalidDate, "The "+name+" must be a calendar date such as 2026-03-14.")
	v, err := p.stringValue(wrong)
	if err != nil {
		return err
	}
	d, derr := coding.ParseDate(v)
	// The years 0 and 1 cannot be told from no date everywhere it is stored.
	if derr != nil || v != "" && d.Time().Year() < 2 {
		return wrong
	}
	*to = d
	return nil
}

func (p *parser) short(name string, to *string) error {
	wrong := fail(InvalidField, "The "+name+" must be a string of at most 512 characters.")
	v, err := p.stringValue(wrong)
	if err != nil {
		return err
	}
	if utf8.RuneCountInString(v) > MaxFieldChars {
		return wrong
	}
	*to = v
	return nil
}

// members reads an object whose known members are set by the functions.
func (p *parser) members(name string, set map[string]func() error) error {
	if p.peek() != '{' {
		if err := p.skip(1); err != nil {
			return err
		}
		return fail(InvalidField, "The "+name+" must be an object.")
	}
	return p.object(func(member string) error {
		f, known := set[member]
		if !known {
			return p.skip(2)
		}
		if err := p.once(name + "." + member); err != nil {
			return err
		}
		if p.word("null") {
			return nil
		}
		return f()
	})
}

func (p *parser) person(name string, to *coding.Person) error {
	return p.members(name, map[string]func() error{
		"id":   func() error { return p.short(name+" id", &to.ID) },
		"name": func() error { return p.short(name+" name", &to.Name) },
	})
}

func (p *parser) patient() error {
	to := &p.note.Patient
	return p.members("patient", map[string]func() error{
		"id":         func() error { return p.short("patient id", &to.ID) },
		"sex":        func() error { return p.short("patient sex", &to.Sex) },
		"birth_date": func() error { return p.date("patient birth_date", &to.BirthDate) },
	})
}
