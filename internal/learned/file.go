package learned

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"

	"chartcode/internal/coding"
	"chartcode/internal/gbdt"
)

//go:embed models.zip
var modelsFile []byte

// ErrModels is returned for a model file that cannot be used.
var ErrModels = errors.New("the ranker's model file is damaged or of another version")

// Default gives the models that are part of the program, which are read once: nobody
// may change them.
var Default = sync.OnceValues(func() (*Models, error) { return Read(modelsFile) })

// A file is a zip archive. What people read is in models.json; numbers without end, which
// as JSON took a third of a second of each start, are files beside it, in a
// folder for each style: trees as gbdt writes them, counts as lines (see counts.go).
// Nothing is compressed: unpacking took three quarters of the time under the race detector,
// and a database or a repository compresses by itself.
const (
	headFile   = "models.json"
	maxMember  = 64 << 20 // bytes
	treesEnd   = ".gbdt"
	countsEnd  = ".tsv"
	zipBegins  = "PK\x03\x04"
	gzipBegins = "\x1f\x8b"
)

// trees and counts give the parts of a style that are files of their own, by name.
func (s *StyleModels) trees() map[string]**gbdt.Model {
	return map[string]**gbdt.Model{"order": &s.Order, "rank": &s.Rank, "evidence": &s.Evidence, "first": &s.First, "lead": &s.Lead}
}

func (s *StyleModels) counts() map[string]**Memory {
	return map[string]**Memory{"memory": &s.Memory, "practice": &s.Practice}
}

// Read reads a model file, also one in the form of before: gzipped JSON.
func Read(b []byte) (*Models, error) {
	var m *Models
	var err error
	switch {
	case bytes.HasPrefix(b, []byte(zipBegins)):
		m, err = readZip(b)
	case bytes.HasPrefix(b, []byte(gzipBegins)):
		m, err = readJSON(b)
	default:
		return nil, ErrModels
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrModels, err)
	}
	if m.Version <= 0 || len(m.Styles) == 0 {
		return nil, ErrModels
	}
	for _, s := range m.Styles {
		if s == nil {
			return nil, ErrModels
		}
		for _, c := range s.counts() {
			if *c != nil {
				(*c).Ready()
			}
		}
	}
	return m, nil
}

func readJSON(b []byte) (*Models, error) {
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(z, maxMember))
	if err != nil {
		return nil, err
	}
	m := new(Models)
	return m, json.Unmarshal(text, m)
}

func readZip(b []byte) (*Models, error) {
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil, err
	}
	members := make(map[string]*zip.File, len(z.File))
	for _, f := range z.File {
		members[f.Name] = f
	}
	head, err := member(members, headFile)
	if err != nil {
		return nil, err
	}
	m := new(Models)
	if err := json.Unmarshal(head, m); err != nil {
		return nil, err
	}
	for name, s := range m.Styles {
		if s == nil {
			continue
		}
		for part, to := range s.trees() {
			b, err := member(members, string(name)+"/"+part+treesEnd)
			if err != nil {
				return nil, err
			}
			if b == nil {
				continue
			}
			*to = new(gbdt.Model)
			if err := (*to).UnmarshalBinary(b); err != nil {
				return nil, err
			}
		}
		for part, to := range s.counts() {
			b, err := member(members, string(name)+"/"+part+countsEnd)
			if err != nil {
				return nil, err
			}
			if b == nil {
				continue
			}
			if *to, err = readCountsFile(string(b)); err != nil {
				return nil, err
			}
		}
	}
	return m, nil
}

// member unpacks a file of the archive; nil if it is not there.
func member(all map[string]*zip.File, name string) ([]byte, error) {
	f := all[name]
	if f == nil {
		return nil, nil
	}
	if f.UncompressedSize64 > maxMember {
		return nil, errors.New("a part is too large")
	}
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	b := make([]byte, f.UncompressedSize64)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, err
	}
	// The checksum is compared at the end.
	if n, err := r.Read(make([]byte, 1)); n > 0 || !errors.Is(err, io.EOF) {
		return nil, errors.New("a part is longer than it says, or damaged")
	}
	return b, nil
}

// Bytes writes the models in their file's form; the same models give the same
// bytes.
func (m *Models) Bytes() ([]byte, error) {
	files := map[string][]byte{}
	head := *m
	head.Styles = make(map[coding.Style]*StyleModels, len(m.Styles))
	for name, s := range m.Styles {
		rest := *s
		for part, model := range rest.trees() {
			if *model == nil {
				continue
			}
			b, err := (*model).MarshalBinary()
			if err != nil {
				return nil, err
			}
			files[string(name)+"/"+part+treesEnd], *model = b, nil
		}
		for part, counts := range rest.counts() {
			if *counts != nil {
				files[string(name)+"/"+part+countsEnd], *counts = (*counts).file(), nil
			}
		}
		head.Styles[name] = &rest
	}
	var err error
	if files[headFile], err = json.MarshalIndent(head, "", " "); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(files[name]); err != nil {
			return nil, err
		}
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
