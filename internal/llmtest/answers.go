package llmtest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
)

// noteLine is what is read of a note as it is submitted.
type noteLine struct {
	NoteID string `json:"note_id"`
	Text   string `json:"text"`
}

// answerLine is one note's answer as people write it.
type answerLine struct {
	NoteID string `json:"note_id"`
	First  string `json:"first"`
	Codes  []struct {
		Code        string  `json:"code"`
		Description string  `json:"description"`
		Quote       string  `json:"quote"`
		Confidence  float64 `json:"confidence"`
		Kind        string  `json:"kind"`
		Assertion   string  `json:"assertion"`
	} `json:"codes"`
}

// Written gives an answerer by answers that people wrote: notes and answers are
// JSON lines, found by note_id. The answers name codes and quotes; which numbers
// these have is read from each prompt, so a changed prompt needs no new answers.
func Written(notes, answers []byte) (Gold, error) {
	known := map[string]*Known{}
	err := lines(answers, func(b []byte) error {
		var a answerLine
		if err := json.Unmarshal(b, &a); err != nil {
			return err
		}
		k := &Known{First: a.First}
		for _, c := range a.Codes {
			k.Codes = append(k.Codes, KnownCode{Code: c.Code, Description: c.Description, Quotes: []string{c.Quote}, Kind: c.Kind, Assertion: c.Assertion, Confidence: c.Confidence})
		}
		known[a.NoteID] = k
		return nil
	})
	if err != nil {
		return Gold{}, fmt.Errorf("llmtest: answers: %w", err)
	}
	byText := map[string]*Known{}
	err = lines(notes, func(b []byte) error {
		var n noteLine
		if err := json.Unmarshal(b, &n); err != nil {
			return err
		}
		if k := known[n.NoteID]; k != nil {
			byText[Letters(n.Text)] = k
		}
		return nil
	})
	if err != nil {
		return Gold{}, fmt.Errorf("llmtest: notes: %w", err)
	}
	return Gold{Of: func(note string) *Known { return byText[Letters(note)] }}, nil
}

func lines(b []byte, f func([]byte) error) error {
	in := bufio.NewScanner(bytes.NewReader(b))
	in.Buffer(nil, 16<<20)
	for in.Scan() {
		if len(bytes.TrimSpace(in.Bytes())) == 0 {
			continue
		}
		if err := f(in.Bytes()); err != nil {
			return err
		}
	}
	return in.Err()
}

// Letters is what is left of a text without white space: a prompt shows a note by
// sections, whose ends it trims.
func Letters(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.IsControl(r) {
			return -1
		}
		return r
	}, text)
}
