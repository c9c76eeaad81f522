package intake

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

func TestReadLines(t *testing.T) {
	long := strings.Repeat("x", 200<<10) // beyond the buffer, beyond bufio.Scanner
	in := "\xef\xbb\xbf{1}\r\n\n   \r\n{4}\n" + long + "\r\n{6}"
	var got []string
	for line, err := range ReadLines(iotest.HalfReader(strings.NewReader(in))) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprint(line.Number, " ", string(line.Body)))
	}
	if diff := cmp.Diff([]string{"1 {1}", "4 {4}", "5 " + long, "6 {6}"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestReadLinesOverTheLimitAreRefusedAndTheNextIsRead(t *testing.T) {
	fits := `{"note_id":"a","text":"b"}` + strings.Repeat(" ", MaxBodyBytes-26)
	in := io.MultiReader(strings.NewReader(fits+"\r\n"+fits+"   \r\n"), strings.NewReader(strings.Repeat("y", 3*MaxBodyBytes)+"\n"), strings.NewReader(`{"note_id":"z","text":"b"}`))
	var got []string
	for line, err := range ReadLines(in) {
		if err != nil {
			t.Fatal(err)
		}
		note, err := Parse(line.Body, "")
		var e *Error
		if errors.As(err, &e) {
			got = append(got, fmt.Sprint(line.Number, " ", e.Code))
		} else {
			got = append(got, fmt.Sprint(line.Number, " ", note.NoteID))
		}
		if cap(line.Body) > 4*MaxBodyBytes {
			t.Errorf("line %d takes %d bytes of memory", line.Number, cap(line.Body))
		}
	}
	if diff := cmp.Diff([]string{"1 a", "2 body_too_large", "3 body_too_large", "4 z"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestReadLinesReportsAReadErrorLast(t *testing.T) {
	broken := errors.New("disk gone")
	var lines int
	var last error
	for line, err := range ReadLines(io.MultiReader(strings.NewReader("{1}\n"), iotest.ErrReader(broken))) {
		if last = err; err == nil {
			lines += line.Number
		}
	}
	if lines != 1 || !errors.Is(last, broken) {
		t.Errorf("lines %d, error %v", lines, last)
	}
}

func TestTextNote(t *testing.T) {
	note, err := TextNote("/some/where/visit 7.a.TXT", []byte("\xef\xbb\xbfHe has\r\ngout."))
	if err != nil || note.NoteID != "visit 7.a" || note.Text != "He has\r\ngout." || note.Source != "default" || note.Priority != 5 {
		t.Errorf("got %+v, %v", note, err)
	}
	for _, c := range []struct{ path, content, reason string }{
		{"a.txt", "", EmptyText},
		{"a.txt", "\xef\xbb\xbf", EmptyText},
		{"a.txt", "a\x00b", NULCharacter},
		{"a.txt", "\xff\xfea\x00", InvalidUTF8},
		{"a.txt", strings.Repeat("x", 1<<20+1), TextTooLong},
		{".txt", "b", MissingNoteID},
		{"a\tb.txt", "b", InvalidNoteID},
		{"\xff.txt", "b", InvalidNoteID},
		{strings.Repeat("n", 129) + ".txt", "b", InvalidNoteID},
	} {
		_, err := TextNote(c.path, []byte(c.content))
		var e *Error
		if !errors.As(err, &e) || e.Code != c.reason {
			t.Errorf("%q: got %v, want %s", c.path, err, c.reason)
		}
	}
}
