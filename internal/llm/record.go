package llm

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
	"slices"
	"strings"

	"chartcode/internal/coding"
	"chartcode/prompts"
)

// Question is all of a request that decides its answer. Where it is asked, and
// in which shape, is no part of it.
type Question struct {
	Model     string          `json:"model"`
	MaxTokens int             `json:"max_tokens"`
	Task      string          `json:"task"`
	System    string          `json:"system"`
	User      string          `json:"user"`
	Schema    json.RawMessage `json:"schema"`
}

// QuestionOf is the question that a Client with the model asks by a prompt;
// maxTokens as in Config, 0 for its default.
func QuestionOf(model string, maxTokens int, p prompts.Prompt) Question {
	if maxTokens == 0 {
		maxTokens = defaultMaxTokens
	}
	return Question{Model: model, MaxTokens: maxTokens, Task: p.Task, System: p.System, User: p.User, Schema: p.Schema}
}

// Hash is over every field; each has its length before it.
func (q Question) Hash() [32]byte {
	h := sha256.New()
	schema := q.Schema
	var compact bytes.Buffer
	if json.Compact(&compact, schema) == nil {
		schema = compact.Bytes() // as a recording writes it with white space
	}
	for _, s := range []string{"chartcode llm 1", q.Model, fmt.Sprint(q.MaxTokens), q.Task, q.System, q.User, string(schema)} {
		fmt.Fprintf(h, "%d:%s", len(s), s)
	}
	return [32]byte(h.Sum(nil))
}

// Recording is a question with its answer, or with the failure that it always
// leads to. It holds no key, address or header.
type Recording struct {
	Hash     string          `json:"hash"` // of the question, hex; also the file's name
	Question Question        `json:"question"`
	Answer   json.RawMessage `json:"answer,omitempty"`
	Fault    string          `json:"fault,omitempty"` // the code of an Error
	Usage    coding.Usage    `json:"usage"`
	// Origin says where the answer is from when no model gave it, such as
	// "hand-written".
	Origin string `json:"origin,omitempty"`
}

// WriteRecording writes r, whose Hash it sets, to its file in dir, in place of
// what was there. The file is for its owner only, for it holds a note's text.
func WriteRecording(dir string, r Recording) error {
	hash := r.Question.Hash()
	r.Hash = hex.EncodeToString(hash[:])
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(r); err != nil {
		return fmt.Errorf("recording %s cannot be written as JSON", r.Hash)
	}
	return writeWhole(dir, r.Hash+".json", b.Bytes())
}

// writeWhole writes a file so that it is there whole or not at all.
func writeWhole(dir, name string, data []byte) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("the folder of recordings cannot be made: %w", cause(err))
	}
	f, err := os.CreateTemp(dir, ".recording-*")
	if err != nil {
		return fmt.Errorf("a recording cannot be written: %w", cause(err))
	}
	_, err = f.Write(data)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(dir, name))
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return fmt.Errorf("a recording cannot be written: %w", cause(err))
	}
	return nil
}

// cause is an error of the file system without the path.
func cause(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	var le *os.LinkError
	if errors.As(err, &le) {
		return le.Err
	}
	return err
}

// ReadRecording reads a recording and checks that it is what its name says.
func ReadRecording(data []byte, hash string) (Recording, error) {
	var r Recording
	if err := json.Unmarshal(data, &r); err != nil {
		return Recording{}, fmt.Errorf("recording %s is not valid JSON; record it again", hash)
	}
	of := r.Question.Hash()
	if r.Hash != hash || hex.EncodeToString(of[:]) != hash {
		return Recording{}, fmt.Errorf("recording %s was changed by hand: its question has another hash; record it again", hash)
	}
	if (len(r.Answer) == 0 || r.Answer[0] != '{') == (r.Fault == "") || r.Fault != "" && !Known(r.Fault) {
		return Recording{}, fmt.Errorf("recording %s has no usable answer; record it again", hash)
	}
	return r, nil
}

// Miss is a question that is not among the recordings that are replayed, or
// whose recording cannot be used.
type Miss struct {
	Hash, Task, Model string
	cause             error // why a recording that is there cannot be used
}

// Error says what to do.
func (m *Miss) Error() string {
	if m.cause != nil {
		return m.cause.Error()
	}
	return fmt.Sprintf("no recording %s (prompt %s, model %s) is in the folder that is replayed: "+
		"the note, its candidates, the prompt or the model changed since; record it again with --llm-record", m.Hash, m.Task, m.Model)
}

// replay finds the recording of a question.
func replay(dir string, q Question) (Recording, error) {
	of := q.Hash()
	hash := hex.EncodeToString(of[:])
	data, err := os.ReadFile(filepath.Join(dir, hash+".json"))
	if errors.Is(err, fs.ErrNotExist) {
		return Recording{}, &Miss{Hash: hash, Task: q.Task, Model: q.Model}
	}
	if err != nil {
		return Recording{}, fmt.Errorf("recording %s cannot be read: %w", hash, cause(err))
	}
	return ReadRecording(data, hash)
}

// RecordedModel is the model that the recordings in dir are of. It is an error
// when there are none, or of several models.
func RecordedModel(dir string) (string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", fmt.Errorf("the folder of recordings cannot be read: %w", cause(err))
	}
	var models []string
	for _, e := range entries {
		hash, ok := strings.CutSuffix(e.Name(), ".json")
		if !ok || len(hash) != 2*sha256.Size || e.IsDir() {
			continue
		}
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return "", fmt.Errorf("recording %s cannot be read: %w", hash, cause(err))
		}
		r, err := ReadRecording(data, hash)
		if err != nil {
			return "", err
		}
		if !slices.Contains(models, r.Question.Model) {
			models = append(models, r.Question.Model)
		}
	}
	switch len(models) {
	case 0:
		return "", errors.New("the folder holds no recordings; make them with --llm-record")
	case 1:
		return models[0], nil
	}
	slices.Sort(models)
	return "", fmt.Errorf("the recordings are of several models (%s); name one with CHARTCODE_LLM_MODEL", strings.Join(models, ", "))
}
