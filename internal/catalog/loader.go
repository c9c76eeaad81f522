package catalog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"chartcode/internal/codeset"
	"chartcode/internal/coding"
	"chartcode/internal/store"
	"chartcode/pipeline/retrieve"
)

// Database is where code sets are kept.
type Database interface {
	ImportRelease(ctx context.Context, in store.ReleaseImport) (changed bool, err error)
	FillVectors(ctx context.Context, cfg store.FillConfig) (added int, err error)
}

// Embedder gives texts their vectors; retrieval uses the same one.
type Embedder interface {
	retrieve.Embedder
	Dims() int
}

// Progress is told how long work goes on.
type Progress interface {
	Step(text string)       // the next piece of work begins
	Update(done, total int) // total <= 0: unknown
}

// Loader brings release files into the database.
type Loader struct {
	DB       Database
	Embedder Embedder
	Progress Progress // nil: nobody is told
}

// Result is what became of one release.
type Result struct {
	Release coding.Release
	Changed bool // false: the same content was there already
}

func (l *Loader) step(format string, args ...any) {
	if l.Progress != nil {
		l.Progress.Step(fmt.Sprintf(format, args...))
	}
}

func (l *Loader) update(done, total int) {
	if l.Progress != nil {
		l.Progress.Update(done, total)
	}
}

// ImportFiles reads the files, links indexes with the tables they refer to, and
// stores each release in one transaction of its own. It goes on after a file
// that cannot be read; the error then joins what was wrong. Vectors are not
// made; see Embed.
func (l *Loader) ImportFiles(ctx context.Context, paths []string, o codeset.ReadOptions) ([]Result, error) {
	var contents []*codeset.Content
	var wrong []error
	for _, path := range paths {
		l.step("Reading %s", codeset.BaseName(path))
		read, err := codeset.ReadFile(path, o)
		if err != nil {
			wrong = append(wrong, err)
			continue
		}
		contents = append(contents, read...)
	}
	codeset.Link(contents, nil)
	var done []Result
	for i, c := range contents {
		r, err := l.Import(ctx, c)
		if err != nil {
			return done, errors.Join(append(wrong, err)...)
		}
		done = append(done, r)
		contents[i] = nil // stored: its memory can go
	}
	return done, errors.Join(wrong...)
}

// Import stores one release.
func (l *Loader) Import(ctx context.Context, c *codeset.Content) (Result, error) {
	l.step("Loading %s", c.Release.ID)
	in := store.ReleaseImport{Release: c.Release, SHA256: c.SHA256, Codes: c.Codes, Terms: c.Terms}
	for _, line := range c.Lines {
		b, err := json.Marshal(line)
		if err != nil {
			return Result{}, fmt.Errorf("%s: a rule line cannot be stored: %w", c.Release.ID, err)
		}
		in.Lines = append(in.Lines, b)
	}
	changed, err := l.DB.ImportRelease(ctx, in)
	if err != nil {
		return Result{}, fmt.Errorf("%s: %w", c.Release.ID, err)
	}
	return Result{Release: c.Release, Changed: changed}, nil
}

// Embed gives each text that has none a vector of the embedder's model, and
// makes the vectors' index if it is missing. One process at a time does it.
func (l *Loader) Embed(ctx context.Context) error {
	l.step("Looking for terms without a vector")
	_, err := l.DB.FillVectors(ctx, store.FillConfig{
		Model: l.Embedder.Name(), Dims: l.Embedder.Dims(), Embed: l.Embedder.Embed, Progress: l.fillProgress(),
	})
	return err
}

// fillNames name the stages for people.
var fillNames = map[store.FillStage]string{store.FillEmbedding: "Embedding the terms", store.FillIndexing: "Indexing the terms' vectors"}

// fillProgress passes on how far the vectors are, as a step for each stage.
func (l *Loader) fillProgress() func(stage store.FillStage, done, total int64) {
	var at store.FillStage
	return func(stage store.FillStage, done, total int64) {
		if stage != at {
			at = stage
			l.step("%s", fillNames[stage])
		}
		l.update(int(done), int(total))
	}
}
