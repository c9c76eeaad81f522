// Package prompts holds what is said to an LLM: for each task and version a
// folder with the system text, the template of the user text and the JSON schema
// of the answer, embedded and hashed. A change of words is a new version, so that
// the hash recorded with each suggestion set tells which words led to it.
//
// The system text comes first and never changes, so that a provider's prompt
// cache can serve it. A note is data: it stands between two lines that hold its
// fence, a word that its author cannot know (see Fence), and everything that
// comes from outside goes through the templates as text.
//
// The package reads its own files only and imports nothing of ours.
package prompts

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"text/template"
)

//go:embed extract choose repair
var embedded embed.FS

// Embedded holds the versions that the program comes with.
func Embedded() fs.FS { return embedded }

// The files of a version.
const (
	systemFile = "system.txt"
	userFile   = "user.tmpl"
	schemaFile = "schema.json"
)

// Prompt is one request, ready to be sent.
type Prompt struct {
	Task   string // names the schema
	System string
	User   string
	Schema json.RawMessage // of the answer
	SHA256 string          // of the version's files, not of this request
}

// Template is one version of a task's prompt.
type Template struct {
	task   string
	system string
	user   *template.Template
	schema json.RawMessage
	sha    string
}

// Load reads the version (v1, v2 ...) of a task from fsys.
func Load(fsys fs.FS, task, version string) (*Template, error) {
	h := sha256.New()
	read := func(name string) ([]byte, error) {
		data, err := fs.ReadFile(fsys, path.Join(task, version, name))
		if err != nil {
			return nil, fmt.Errorf("prompt %s %s: %w", task, version, err)
		}
		fmt.Fprintf(h, "%s %d\n", name, len(data))
		h.Write(data)
		return data, nil
	}
	t := &Template{task: task}
	system, err := read(systemFile)
	if err != nil {
		return nil, err
	}
	user, err := read(userFile)
	if err != nil {
		return nil, err
	}
	schema, err := read(schemaFile)
	if err != nil {
		return nil, err
	}
	if t.user, err = template.New(userFile).Option("missingkey=error").Parse(string(user)); err != nil {
		return nil, fmt.Errorf("prompt %s %s: %w", task, version, err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, schema); err != nil {
		return nil, fmt.Errorf("prompt %s %s: %s: %w", task, version, schemaFile, err)
	}
	t.system, t.schema = strings.TrimSpace(string(system)), compact.Bytes()
	t.sha = hex.EncodeToString(h.Sum(nil))
	return t, nil
}

// SHA256 is the hash of the version's files.
func (t *Template) SHA256() string { return t.sha }

// Render fills the user text.
func (t *Template) Render(data any) (Prompt, error) {
	var user strings.Builder
	if err := t.user.Execute(&user, data); err != nil {
		// The cause could quote the data.
		return Prompt{}, fmt.Errorf("prompt %s: the template does not fit its data", t.task)
	}
	return Prompt{Task: t.task, System: t.system, User: user.String(), Schema: t.schema, SHA256: t.sha}, nil
}

// Fence gives the word that marks where a note begins and ends. It is taken
// from a hash of the note, so a text cannot hold its own fence: its author would
// have to find a text with a given hash of 96 bits. That is as strong as a random
// word, since the only text that could misuse a fence is the one that it is made
// of, and the same note gives the same request, which can be cached and replayed. A
// secret of the site would add nothing to that and make records of one site of no
// use at another.
func Fence(text string) string {
	sum := sha256.Sum256([]byte("chartcode fence\n" + text))
	return "NOTE-" + strings.ToUpper(hex.EncodeToString(sum[:12]))
}
