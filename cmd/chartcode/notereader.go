package main

import (
	"crypto/sha256"
	"sync"

	"chartcode/internal/coding"
	"chartcode/pipeline/segment"
)

// noteReader finds sections and scopes of notes for the pages. It keeps what it
// found for those read last, as each look and each decision asks for the same
// note again and a long one takes a tenth of a second.
type noteReader struct {
	mu     sync.Mutex
	known  map[noteKey]readNote
	recent []noteKey // the one that was read first comes first
}

type noteKey struct {
	sha     [sha256.Size]byte
	setting coding.Setting
}

type readNote struct {
	sections []coding.Section
	scopes   []coding.Scope
}

const keptNotes = 512

func (r *noteReader) sections(text string, setting coding.Setting) []coding.Section {
	return r.read(text, setting).sections
}

func (r *noteReader) scopes(text string, setting coding.Setting) []coding.Scope {
	return r.read(text, setting).scopes
}

func (r *noteReader) read(text string, setting coding.Setting) readNote {
	key := noteKey{sha256.Sum256([]byte(text)), setting}
	r.mu.Lock()
	n, ok := r.known[key]
	r.mu.Unlock()
	if ok {
		return n
	}
	doc := segment.Segment(coding.Note{Text: text, Setting: setting})
	n = readNote{doc.Sections, doc.Scopes}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.known[key]; ok {
		return n
	}
	if r.known == nil {
		r.known = make(map[noteKey]readNote)
	}
	r.known[key] = n
	if r.recent = append(r.recent, key); len(r.recent) > keptNotes {
		delete(r.known, r.recent[0])
		r.recent = append([]noteKey(nil), r.recent[1:]...)
	}
	return n
}
