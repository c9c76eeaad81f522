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
	CountTextsWithoutVector(ctx context.Context, model string) (int, error)
	TextsWithoutVector(ctx context.Context, model string, afterID int64, limit int) ([]store.Text, error)
	PutVectors(ctx context.Context, model string, rows []store.TextVector) error
	EnsureVectorIndex(ctx context.Context, model string, dims int, progress func(done, total int64)) error
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

// ImportFiles reads each file and stores its releases, each release in one
// transaction of its own. It goes on after a file that cannot be read; the
// error then joins what was wrong. Vectors are not made; see Embed.
func (l *Loader) ImportFiles(ctx context.Context, paths []string, o codeset.ReadOptions) ([]Result, error) {
	var done []Result
	var wrong []error
	for _, path := range paths {
		l.step("Reading %s", codeset.BaseName(path))
		contents, err := codeset.ReadFile(path, o)
		if err != nil {
			wrong = append(wrong, err)
			continue
		}
		for _, c := range contents {
			r, err := l.Import(ctx, c)
			if err != nil {
				return done, errors.Join(append(wrong, err)...)
			}
			done = append(done, r)
		}
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

// embedBatch is how many texts are embedded and stored at once.
const embedBatch = 20000

// Embed gives each text that has none a vector of the embedder's model, and
// makes the vectors' index if it is missing.
func (l *Loader) Embed(ctx context.Context) error {
	model := l.Embedder.Name()
	total, err := l.DB.CountTextsWithoutVector(ctx, model)
	if err != nil {
		return err
	}
	if total > 0 {
		l.step("Embedding %d terms", total)
	}
	var after int64
	for done := 0; ; {
		texts, err := l.DB.TextsWithoutVector(ctx, model, after, embedBatch)
		if err != nil {
			return err
		}
		if len(texts) == 0 {
			break
		}
		words := make([]string, len(texts))
		for i, t := range texts {
			words[i] = t.Text
		}
		vectors, err := l.Embedder.Embed(ctx, words)
		if err != nil {
			return fmt.Errorf("embed terms: %w", err)
		}
		rows := make([]store.TextVector, len(texts))
		for i, t := range texts {
			rows[i] = store.TextVector{TextID: t.ID, Embedding: vectors[i]}
		}
		if err := l.DB.PutVectors(ctx, model, rows); err != nil {
			return err
		}
		after = texts[len(texts)-1].ID
		done += len(texts)
		l.update(done, total)
	}
	l.step("Indexing the terms' vectors")
	return l.DB.EnsureVectorIndex(ctx, model, l.Embedder.Dims(), func(done, total int64) { l.update(int(done), int(total)) })
}
