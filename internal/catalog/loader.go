package catalog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"chartcode/internal/codeset"
	"chartcode/internal/coding"
	"chartcode/internal/store"
	"chartcode/pipeline/retrieve"
)

// Database is where code sets are kept.
type Database interface {
	ImportReleases(ctx context.Context, in ...store.ReleaseImport) (changed []bool, err error)
	Releases(ctx context.Context) ([]coding.Release, error)
	ReleaseSHA256(ctx context.Context, id string) (string, error)
	ReleaseTerms(ctx context.Context, system coding.System, id string) ([]coding.Term, error)
	Lines(ctx context.Context, releaseID string) ([]json.RawMessage, error)
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
// stores each file in one transaction: all of its releases or none. Tables and
// indexes of earlier imports count too, in whichever order they come. It goes on
// after a file that cannot be read or stored; the error then joins what was
// wrong, a *codeset.Error for what is wrong with a file. Vectors are not made;
// see Embed.
func (l *Loader) ImportFiles(ctx context.Context, paths []string, o codeset.ReadOptions) ([]Result, error) {
	var files [][]*codeset.Content
	var all []*codeset.Content
	var wrong []error
	for _, path := range paths {
		l.step("Reading %s", codeset.BaseName(path))
		read, err := codeset.ReadFile(path, o)
		if err != nil {
			wrong = append(wrong, err)
			continue
		}
		files = append(files, read)
		all = append(all, read...)
	}
	again, known, err := l.linkable(ctx, all)
	if err != nil {
		return nil, errors.Join(append(wrong, err)...)
	}
	codeset.Link(append(all, again...), known)
	for _, c := range again {
		files = append(files, []*codeset.Content{c})
	}
	var done []Result
	for i, contents := range files {
		results, err := l.store(ctx, contents)
		files[i] = nil // stored: its memory can go
		switch {
		case ctx.Err() != nil:
			return done, errors.Join(append(wrong, ctx.Err())...)
		case err != nil:
			wrong = append(wrong, err)
		case i >= len(files)-len(again) && !results[0].Changed: // nobody asked for it
		default:
			done = append(done, results...)
		}
	}
	return done, errors.Join(wrong...)
}

// linkable gives what the database adds to contents for codeset.Link: where
// there are indexes, the terms of tables that came before; where there are
// tables, the indexes that came before.
func (l *Loader) linkable(ctx context.Context, contents []*codeset.Content) (indexes []*codeset.Content, known []coding.Term, err error) {
	var needTables, needIndexes bool
	here := map[string]bool{}
	for _, c := range contents {
		here[c.Release.ID] = true
		needTables = needTables || codeset.IsIndex(c.Release.Kind)
		needIndexes = needIndexes || codeset.IsLookupTable(c.Release.Kind)
	}
	if !needTables && !needIndexes {
		return nil, nil, nil
	}
	releases, err := l.DB.Releases(ctx)
	if err != nil {
		return nil, nil, err
	}
	slices.SortStableFunc(releases, func(a, b coding.Release) int { return b.EffectiveFrom.Time().Compare(a.EffectiveFrom.Time()) })
	for _, r := range releases {
		index := needIndexes && codeset.IsIndex(r.Kind)
		if here[r.ID] || !index && !codeset.IsLookupTable(r.Kind) {
			continue
		}
		terms, err := l.DB.ReleaseTerms(ctx, r.System, r.ID)
		if err != nil {
			return nil, nil, err
		}
		if !index {
			known = append(known, terms...)
			continue
		}
		c, err := l.stored(ctx, r, terms)
		if err != nil {
			return nil, nil, err
		}
		indexes = append(indexes, c)
	}
	return indexes, known, nil
}

// stored gives an index of the database as it was read from its file.
func (l *Loader) stored(ctx context.Context, r coding.Release, terms []coding.Term) (*codeset.Content, error) {
	sha, err := l.DB.ReleaseSHA256(ctx, r.ID)
	if err != nil {
		return nil, err
	}
	rows, err := l.DB.Lines(ctx, r.ID)
	if err != nil {
		return nil, err
	}
	lines := make([]codeset.Line, len(rows))
	for i, row := range rows {
		if lines[i], err = codeset.ParseLine(row); err != nil {
			return nil, fmt.Errorf("%s: %w", r.ID, err)
		}
	}
	return codeset.Unlinked(r, sha, terms, lines), nil
}

// Import stores one release.
func (l *Loader) Import(ctx context.Context, c *codeset.Content) (Result, error) {
	results, err := l.store(ctx, []*codeset.Content{c})
	if err != nil {
		return Result{}, err
	}
	return results[0], nil
}

// store stores the releases of one file in one transaction.
func (l *Loader) store(ctx context.Context, contents []*codeset.Content) ([]Result, error) {
	in := make([]store.ReleaseImport, len(contents))
	names := make([]string, len(contents))
	for i, c := range contents {
		names[i] = c.Release.ID
		in[i] = store.ReleaseImport{Release: c.Release, SHA256: c.SHA256, Codes: c.Codes, Terms: c.Terms}
		for _, line := range c.Lines {
			b, err := json.Marshal(line)
			if err != nil {
				return nil, fmt.Errorf("%s: a rule line cannot be stored: %w", c.Release.ID, err)
			}
			in[i].Lines = append(in[i].Lines, b)
		}
	}
	what := strings.Join(names, ", ")
	l.step("Loading %s", what)
	changed, err := l.DB.ImportReleases(ctx, in...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	results := make([]Result, len(contents))
	for i, c := range contents {
		results[i] = Result{Release: c.Release, Changed: changed[i]}
	}
	return results, nil
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
