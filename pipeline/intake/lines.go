package intake

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"iter"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"

	"chartcode/internal/coding"
)

// Line is one line of a JSONL file, without its line break.
type Line struct {
	Number int // from 1, blank lines counted
	Body   []byte
}

// keptOfLine is how much of a line is kept: more than any valid body, so that
// Parse refuses a longer one by itself and memory stays bounded.
const keptOfLine = MaxBodyBytes + 1

// ReadLines gives the lines of r that are not blank, of any length. LF and CRLF
// end a line; a byte order mark at the start is left out. Of a line longer than
// any body only so much is kept that Parse refuses it as too large. A Line is
// valid until the next is asked for; a read error comes last, with no line.
func ReadLines(r io.Reader) iter.Seq2[Line, error] {
	return func(yield func(Line, error) bool) {
		br := bufio.NewReaderSize(r, 64<<10)
		var body []byte
		for number := 1; ; number++ {
			body = body[:0]
			var err error
			for {
				var part []byte
				part, err = br.ReadSlice('\n')
				if room := keptOfLine + 2 - len(body); len(part) > room { // 2: the line break
					part = part[:room]
				}
				body = append(body, part...)
				if !errors.Is(err, bufio.ErrBufferFull) {
					break
				}
			}
			if number == 1 {
				body = bytes.TrimPrefix(body, bom)
			}
			line := bytes.TrimSuffix(bytes.TrimSuffix(body, []byte("\n")), []byte("\r"))
			if len(bytes.Trim(line, " \t\r")) > 0 && !yield(Line{Number: number, Body: line}, nil) {
				return
			}
			if err == io.EOF {
				return
			}
			if err != nil {
				yield(Line{}, err)
				return
			}
		}
	}
}

// TextNote makes a note of a plain text file: the note_id is the file's name
// without .txt, source and priority are the defaults. The text is kept
// byte for byte, but for a byte order mark. The error is always an *Error.
func TextNote(path string, content []byte) (coding.Note, error) {
	content = bytes.TrimPrefix(content, bom)
	switch {
	case len(content) > coding.MaxTextBytes:
		return coding.Note{}, errTextTooLong
	case !utf8.Valid(content):
		return coding.Note{}, fail(InvalidUTF8, "The file must be UTF-8; convert it from its own encoding first.")
	case bytes.IndexByte(content, 0) >= 0:
		return coding.Note{}, errNUL
	}
	id := filepath.Base(path)
	if ext := filepath.Ext(id); strings.EqualFold(ext, ".txt") {
		id = strings.TrimSuffix(id, ext)
	}
	if !utf8.ValidString(id) || utf8.RuneCountInString(id) > coding.MaxNoteIDChars || strings.ContainsFunc(id, unicode.IsControl) {
		return coding.Note{}, fail(InvalidNoteID, "The file's name is the note_id: at most 128 characters of UTF-8, no control characters.")
	}
	note := coding.Note{NoteID: id, Text: string(content)}
	if err := complete(&note, ""); err != nil {
		return coding.Note{}, err
	}
	return note, nil
}
