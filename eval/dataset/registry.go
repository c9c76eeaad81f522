package dataset

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// About is what is recorded of a dataset that was added.
type About struct {
	Name    string    `json:"name"`
	SHA256  string    `json:"sha256"` // of the file of notes
	Notes   int       `json:"notes"`
	Codes   int       `json:"codes"`
	Licence string    `json:"licence"`
	Gold    string    `json:"gold"`    // how the codes were made
	Edition string    `json:"edition"` // of the codes
	Chosen  string    `json:"chosen"`  // how the notes were chosen
	Added   time.Time `json:"added"`
}

// Registry keeps datasets in a folder.
type Registry struct{ dir string }

// NewRegistry keeps datasets in dir, which is made when the first is added.
func NewRegistry(dir string) Registry { return Registry{dir} }

// The errors of the registry.
var (
	ErrName   = errors.New("a dataset's name has 1 to 64 letters, digits, dots, dashes and underscores, and begins with a letter or digit")
	ErrExists = errors.New("a dataset of this name is there with other notes; choose another name")
	ErrNone   = errors.New("there is no dataset of this name, and no such file")
)

var nameForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

const (
	notesFile = "notes.jsonl"
	aboutFile = "about.json"
)

// Add keeps notes (JSON lines) under about.Name. Adding the same notes again
// does nothing. It fills in hash and counts.
func (r Registry) Add(notes []byte, about About) (About, error) {
	if !nameForm.MatchString(about.Name) {
		return about, ErrName
	}
	about.SHA256 = Hash(notes)
	if old, err := r.About(about.Name); err == nil {
		if old.SHA256 != about.SHA256 {
			return about, ErrExists
		}
		return old, nil
	}
	if err := os.MkdirAll(r.dir, 0o700); err != nil {
		return about, fmt.Errorf("make the folder of datasets: %w", err)
	}
	// The folder gets its name when all is in it.
	part, err := os.MkdirTemp(r.dir, ".adding-")
	if err != nil {
		return about, fmt.Errorf("make a dataset's folder: %w", err)
	}
	defer os.RemoveAll(part) //nolint:errcheck // what was added has moved away; what was not may stay
	if err := os.WriteFile(filepath.Join(part, notesFile), notes, 0o600); err != nil {
		return about, fmt.Errorf("write a dataset: %w", err)
	}
	d, err := Read(filepath.Join(part, notesFile))
	if err != nil {
		return about, err
	}
	about.Notes, about.Codes = len(d.Notes), 0
	for i := range d.Notes {
		about.Codes += len(d.Notes[i].Codes)
	}
	b, err := json.MarshalIndent(about, "", "  ")
	if err != nil {
		return about, fmt.Errorf("describe a dataset: %w", err)
	}
	if err := os.WriteFile(filepath.Join(part, aboutFile), append(b, '\n'), 0o600); err != nil {
		return about, fmt.Errorf("write a dataset: %w", err)
	}
	if err := os.Rename(part, filepath.Join(r.dir, about.Name)); err != nil {
		return about, fmt.Errorf("add a dataset: %w", err)
	}
	return about, nil
}

// About gives the record of a dataset.
func (r Registry) About(name string) (About, error) {
	var a About
	if !nameForm.MatchString(name) {
		return a, ErrName
	}
	b, err := os.ReadFile(filepath.Join(r.dir, name, aboutFile))
	if errors.Is(err, fs.ErrNotExist) {
		return a, ErrNone
	}
	if err != nil {
		return a, fmt.Errorf("read a dataset's record: %w", err)
	}
	if err := json.Unmarshal(b, &a); err != nil {
		return a, fmt.Errorf("read a dataset's record: %w", err)
	}
	return a, nil
}

// List gives the records of all datasets, by name.
func (r Registry) List() ([]About, error) {
	entries, err := os.ReadDir(r.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list datasets: %w", err)
	}
	out := []About{}
	for _, e := range entries {
		if !e.IsDir() || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		a, err := r.About(e.Name())
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b About) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// Find gives the file of notes of a name that was added, or of a path, and its
// record; of a file that was not added it holds name, hash and count alone.
func (r Registry) Find(nameOrPath string) (path string, about About, err error) {
	if nameForm.MatchString(nameOrPath) {
		if about, err = r.About(nameOrPath); err == nil {
			path = filepath.Join(r.dir, nameOrPath, notesFile)
		} else if !errors.Is(err, ErrNone) {
			return "", about, err
		}
	}
	if path == "" {
		path = nameOrPath
	}
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", about, fmt.Errorf("%s: %w", nameOrPath, ErrNone)
	}
	if err != nil {
		return "", about, fmt.Errorf("read a dataset: %w", err)
	}
	hash := Hash(b)
	if about.SHA256 != "" && about.SHA256 != hash {
		return "", about, fmt.Errorf("%s: the notes are not those that were added: their hash differs", nameOrPath)
	}
	if about.SHA256 == "" {
		about = About{Name: strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)), SHA256: hash, Notes: bytes.Count(b, []byte("\n"))}
	}
	return path, about, nil
}

// Hash is the hex SHA-256 of a dataset's file.
func Hash(notes []byte) string {
	sum := sha256.Sum256(notes)
	return hex.EncodeToString(sum[:])
}
