package runs

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"chartcode/eval/measure"
	"chartcode/internal/filelock"
)

// The files of a run.
const (
	runFile        = "run.json"
	predictionFile = "predictions.jsonl"
	tookFile       = "took.jsonl"
	codesFile      = "codes.json"
	scoresFile     = "scores.json"
	lockFile       = "lock"
)

// The errors of the store.
var (
	ErrNone       = errors.New("there is no such run")
	ErrBroken     = errors.New("the run's files do not belong together")
	ErrUnfinished = errors.New("the run is not finished; go on with chartcode eval run --resume and its id")
	ErrBusy       = errors.New("another process works on this run")
)

// Store keeps runs in a folder.
type Store struct{ dir string }

// NewStore keeps runs in dir, which is made with the first.
func NewStore(dir string) Store { return Store{dir} }

var idForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)

// Path is the folder of a run: of its id, or of a path to such a folder.
func (s Store) Path(idOrPath string) (string, error) {
	for _, p := range []string{filepath.Join(s.dir, idOrPath), idOrPath} {
		if p != idOrPath && !idForm.MatchString(idOrPath) {
			continue
		}
		if _, err := os.Stat(filepath.Join(p, runFile)); err == nil {
			return p, nil
		}
	}
	return "", fmt.Errorf("%s: %w", idOrPath, ErrNone)
}

// Get reads run.json.
func (s Store) Get(idOrPath string) (Run, error) {
	path, err := s.Path(idOrPath)
	if err != nil {
		return Run{}, err
	}
	var r Run
	return r, readJSON(filepath.Join(path, runFile), &r)
}

// List gives all runs, newest first.
func (s Store) List() ([]Run, error) {
	entries, err := os.ReadDir(s.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list runs: %w", err)
	}
	out := []Run{}
	for _, e := range entries {
		if !e.IsDir() || !idForm.MatchString(e.Name()) {
			continue
		}
		r, err := s.Get(e.Name())
		if errors.Is(err, ErrNone) {
			continue // killed before it began
		}
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b Run) int { return strings.Compare(b.Started.String()+b.ID, a.Started.String()+a.ID) })
	return out, nil
}

// Unfinished gives the newest run of a configuration that did not come to its
// end; ok is false where there is none.
func (s Store) Unfinished(c *Config) (run Run, ok bool, err error) {
	identity, err := c.Identity()
	if err != nil {
		return Run{}, false, err
	}
	all, err := s.List()
	if err != nil {
		return Run{}, false, err
	}
	for _, r := range all {
		if r.Identity == identity && !r.Done() {
			return r, true, nil
		}
	}
	return Run{}, false, nil
}

// Create makes the folder of a new run; path is where the notes are.
func (s Store) Create(c Config, path string, now time.Time) (Run, error) {
	identity, err := c.Identity()
	if err != nil {
		return Run{}, err
	}
	name := regexp.MustCompile(`[^A-Za-z0-9._-]+`).ReplaceAllString(c.Dataset.Name, "-")
	base := now.UTC().Format("20060102T150405Z") + "-" + strings.Trim(name[:min(len(name), 60)], "-.") + "-" + c.Ranker
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return Run{}, fmt.Errorf("make the folder of runs: %w", err)
	}
	for n := 1; ; n++ {
		id := base
		if n > 1 {
			id = fmt.Sprintf("%s-%d", base, n)
		}
		err := os.Mkdir(filepath.Join(s.dir, id), 0o700)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return Run{}, fmt.Errorf("make a run's folder: %w", err)
		}
		r := Run{Schema: 1, ID: id, Identity: identity, Config: c, Path: path, Started: now.UTC()}
		return r, s.put(&r)
	}
}

func (s Store) put(r *Run) error {
	path := filepath.Join(s.dir, r.ID)
	return writeJSON(filepath.Join(path, runFile), r)
}

// Predictions reads a finished run's predictions and what they took, in the
// order of its notes.
func (s Store) Predictions(idOrPath string) ([]Prediction, []Took, error) {
	path, err := s.Path(idOrPath)
	if err != nil {
		return nil, nil, err
	}
	r, err := s.Get(idOrPath)
	if err != nil {
		return nil, nil, err
	}
	if !r.Done() {
		return nil, nil, ErrUnfinished
	}
	predictions, err := readLines[Prediction](filepath.Join(path, predictionFile))
	if err != nil {
		return nil, nil, err
	}
	took, err := readLines[Took](filepath.Join(path, tookFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // a stored baseline has none
		return nil, nil, err
	}
	if len(predictions) != len(r.Config.NoteIDs) || len(took) > 0 && len(took) != len(predictions) {
		return nil, nil, ErrBroken
	}
	for i := range predictions {
		if predictions[i].NoteID != r.Config.NoteIDs[i] || len(took) > 0 && took[i].NoteID != r.Config.NoteIDs[i] {
			return nil, nil, ErrBroken
		}
	}
	return predictions, took, nil
}

// Titles gives what the codes of a run are called.
func (s Store) Titles(idOrPath string) (map[string]Title, error) {
	path, err := s.Path(idOrPath)
	if err != nil {
		return nil, err
	}
	out := map[string]Title{}
	err = readJSON(filepath.Join(path, codesFile), &out)
	if errors.Is(err, fs.ErrNotExist) {
		return out, nil
	}
	return out, err
}

// Scores gives the figures that were kept; ok is false where there are none.
func (s Store) Scores(idOrPath string) (scores measure.Scores, ok bool, err error) {
	path, err := s.Path(idOrPath)
	if err != nil {
		return scores, false, err
	}
	err = readJSON(filepath.Join(path, scoresFile), &scores)
	if errors.Is(err, fs.ErrNotExist) {
		return scores, false, nil
	}
	return scores, err == nil, err
}

// PutScores keeps the figures of a run.
func (s Store) PutScores(idOrPath string, scores *measure.Scores) error {
	path, err := s.Path(idOrPath)
	if err != nil {
		return err
	}
	return writeJSON(filepath.Join(path, scoresFile), scores)
}

// lock keeps others from working on a run.
func lock(path string) (*filelock.Lock, error) {
	l, err := filelock.Try(filepath.Join(path, lockFile), filelock.Exclusive)
	if errors.Is(err, filelock.ErrHeld) {
		return nil, ErrBusy
	}
	return l, err
}

func readJSON(path string, to any) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read a run: %w", err)
	}
	if err := json.Unmarshal(b, to); err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(path), ErrBroken)
	}
	return nil
}

// writeJSON replaces a file as a whole.
func writeJSON(path string, v any) error {
	b, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return fmt.Errorf("write a run: %w", err)
	}
	if err := os.WriteFile(path+".part", append(b, '\n'), 0o600); err != nil {
		return fmt.Errorf("write a run: %w", err)
	}
	if err := os.Rename(path+".part", path); err != nil {
		return fmt.Errorf("write a run: %w", err)
	}
	return nil
}

func readLines[T any](path string) ([]T, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read a run: %w", err)
	}
	defer f.Close()
	var out []T
	r := bufio.NewReader(f)
	for {
		b, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read a run: %w", err)
		}
		var v T
		if json.Unmarshal(b, &v) != nil {
			return nil, ErrBroken
		}
		out = append(out, v)
	}
}
