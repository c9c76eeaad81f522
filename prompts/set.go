package prompts

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
)

// The versions that are used.
const (
	ExtractVersion = "v2"
	ChooseVersion  = "v2"
	RepairVersion  = "v2"
)

// Set holds the prompts of the chain that asks an LLM about a note.
type Set struct {
	Extract *Template
	Choose  *Template
	Repair  *Template
}

// LoadSet reads the versions that are used and fills each once, so that what
// cannot be filled is known before the first note.
func LoadSet(fsys fs.FS) (*Set, error) {
	var s Set
	note := Note{Fence: "NOTE-0", Sections: []Section{{1, "assessment", "Text."}}, Part: 1, Parts: 1, Setting: "outpatient"}
	items := []ChooseItem{{Number: 1, Description: "d", Kind: "condition", Assertion: "present", Quote: `"q"`, Candidates: []Candidate{{1, "A00", "t", ""}}}}
	for _, t := range []struct {
		task, version string
		to            **Template
		data          any
	}{
		{"extract", ExtractVersion, &s.Extract, ExtractData{note}},
		{"choose", ChooseVersion, &s.Choose, ChooseData{Note: note, Items: items}},
		{"repair", RepairVersion, &s.Repair, RepairData{Note: note, Items: items}},
	} {
		tmpl, err := Load(fsys, t.task, t.version)
		if err != nil {
			return nil, err
		}
		p, err := tmpl.Render(t.data)
		if err != nil {
			return nil, fmt.Errorf("prompt %s %s: %s names something that it is not given", t.task, t.version, userFile)
		}
		if p.System == "" || !strings.Contains(p.User, note.Sections[0].Text) || !strings.Contains(p.User, note.Fence+" ends") {
			return nil, fmt.Errorf("prompt %s %s: it needs a system text, and the note between its fences in %s", t.task, t.version, userFile)
		}
		*t.to = tmpl
	}
	return &s, nil
}

// SHA256 is a hash over all files of the set.
func (s *Set) SHA256() string {
	h := sha256.New()
	for _, t := range []*Template{s.Extract, s.Choose, s.Repair} {
		fmt.Fprintf(h, "%s %s\n", t.task, t.sha)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Overlay gives the embedded prompts with the files of a folder in the place of
// those of the same path, such as choose/v2/system.txt. A file that takes the
// place of none is an error, for it would be without effect; names that begin
// with a dot and *.md are left alone.
func Overlay(dir string) (fs.FS, error) {
	over := os.DirFS(dir)
	info, err := os.Stat(dir)
	if err != nil || !info.IsDir() {
		return nil, fmt.Errorf("prompts: %s is no folder", dir)
	}
	err = fs.WalkDir(over, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return fmt.Errorf("prompts: %s cannot be read", path.Join(dir, name))
		case name != "." && strings.HasPrefix(path.Base(name), "."):
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.IsDir() || path.Ext(name) == ".md":
			return nil
		}
		if _, err := fs.Stat(embedded, name); err != nil {
			return fmt.Errorf("prompts: %s takes the place of no prompt of the program (those are TASK/VERSION/%s, %s and %s)", path.Join(dir, name), systemFile, userFile, schemaFile)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return overlay{over, embedded}, nil
}

type overlay struct{ over, under fs.FS }

func (o overlay) Open(name string) (fs.File, error) {
	f, err := o.over.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return o.under.Open(name)
	}
	return f, err
}
