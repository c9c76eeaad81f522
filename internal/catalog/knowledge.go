package catalog

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"chartcode/internal/codeset"
	"chartcode/internal/coding"
	"chartcode/internal/learned"
	"chartcode/pipeline"
	"chartcode/pipeline/rank"
	"chartcode/pipeline/retrieve"
	"chartcode/pipeline/validate"
)

// Source is where code sets are read from.
type Source interface {
	Releases(ctx context.Context) ([]coding.Release, error)
	Codes(ctx context.Context, releaseID string) ([]coding.Code, error)
	Terms(ctx context.Context, systems ...coding.System) ([]coding.Term, error)
	Lines(ctx context.Context, releaseID string) ([]json.RawMessage, error)
	retrieve.Searcher
}

// Learned is where models that were learned here are kept.
type Learned interface {
	// ActiveRankerModel is the version of the models that are used; 0: those of
	// the program.
	ActiveRankerModel(ctx context.Context) (version int, from time.Time, err error)
	RankerModelFile(ctx context.Context, version int) ([]byte, error)
}

// Config is what a Catalog needs.
type Config struct {
	Source   Source
	Embedder retrieve.Embedder // the one that is wanted
	// Vectors says whose vectors stand; nil: always those of Embedder.
	Vectors Vectors
	// Other gives the embedder of another model by its name, which is used while
	// the wanted one's vectors are made; nil: there is none.
	Other   func(ctx context.Context, name string) (retrieve.Embedder, error)
	Models  *learned.Models // those of the program; they may be missing where only rules are asked for
	Learned Learned         // nil: Models are always used
	Logger  *slog.Logger    // told of learned models that cannot be used, and of another embedding model; nil: nobody is
	// Fresh is how long the list of releases is believed before it is read
	// again, and which models are used, so that a change reaches running workers;
	// 15 s when 0.
	Fresh time.Duration
	Now   func() time.Time // time.Now when nil
}

// Catalog gives the pipeline its code tables. It is safe for concurrent use.
type Catalog struct {
	cfg Config

	mu      sync.Mutex
	checked time.Time
	current *edition

	ranking ranking
	serving serving
}

// edition is what was loaded for one list of releases, each part at its first use.
type edition struct {
	key      string
	releases codeset.Releases

	mu        sync.Mutex
	retriever *retrieve.Retriever
	local     *rank.Local // by the same models
	models    *learned.Models
	embedder  retrieve.Embedder // of the retriever
	validator *validate.Validator
	tabular   *tabular // loaded with the validator
	tables    map[string]*codeset.Table
}

// New checks the configuration; nothing is loaded yet.
func New(cfg Config) (*Catalog, error) {
	if cfg.Source == nil {
		return nil, fmt.Errorf("catalog: a source is needed")
	}
	if cfg.Fresh == 0 {
		cfg.Fresh = 15 * time.Second
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Catalog{cfg: cfg}, nil
}

// At gives the tables for a date of service; see pipeline.Knowledge.
func (c *Catalog) At(ctx context.Context, systems []coding.System, date coding.Date) (pipeline.Tables, error) {
	e, err := c.edition(ctx, c.cfg.Fresh)
	if err != nil || e == nil {
		return pipeline.Tables{}, err
	}
	t := pipeline.Tables{Releases: map[coding.System]string{}, ID: e.key, Edition: e.releases.Edition(date)}
	if t.Retriever, t.Local, err = c.retrieval(ctx, e); err != nil {
		return pipeline.Tables{}, err
	}
	if name := t.Retriever.Vectors(); c.cfg.Vectors != nil && name != c.cfg.Embedder.Name() {
		t.ID += " " + name // what the wanted model would find may differ
	}
	if t.Validator, err = c.validation(ctx, e); err != nil {
		return pipeline.Tables{}, err
	}
	for _, system := range systems {
		rel, notices, ok := e.releases.Pick(system, date)
		t.Notices = append(t.Notices, notices...)
		if !ok {
			continue
		}
		table, err := e.table(ctx, c.cfg.Source, rel)
		if err != nil {
			return pipeline.Tables{}, err
		}
		t.Releases[system] = rel.Version
		if system == coding.ICD10CM {
			t.Main = table
			t.Tabular = e.notes().of(table)
		}
	}
	return t, nil
}

// Ready loads what suggestions need, and reports whether it is there.
func (c *Catalog) Ready(ctx context.Context) (releases []coding.Release, ok bool, err error) {
	e, err := c.edition(ctx, c.cfg.Fresh)
	if err != nil || e == nil {
		return nil, false, err
	}
	if _, _, err := c.retrieval(ctx, e); err != nil {
		return nil, false, err
	}
	if _, err := c.validation(ctx, e); err != nil {
		return nil, false, err
	}
	return e.releases, true, nil
}

// edition gives what belongs to the releases that are loaded now, or were within
// the time fresh; nil without an ICD-10-CM table.
func (c *Catalog) edition(ctx context.Context, fresh time.Duration) (*edition, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.current != nil && c.cfg.Now().Sub(c.checked) < fresh {
		return c.current, nil
	}
	releases, err := c.cfg.Source.Releases(ctx)
	if err != nil {
		return nil, err
	}
	key := keyOf(releases)
	if c.current == nil || c.current.key != key {
		c.current = load(releases, key)
	}
	c.checked = c.cfg.Now()
	return c.current, nil
}

// keyOf identifies the releases and their content.
func keyOf(releases []coding.Release) string {
	ids := make([]string, 0, len(releases))
	for _, r := range releases {
		ids = append(ids, r.ID+":"+r.SHA256)
	}
	return pipeline.ReleaseIDs(ids)
}

func load(releases []coding.Release, key string) *edition {
	if !slices.ContainsFunc(releases, func(r coding.Release) bool { return r.System == coding.ICD10CM && codeset.HoldsCodes(r.Kind) }) {
		return nil
	}
	return &edition{key: key, releases: releases, tables: map[string]*codeset.Table{}}
}

// retrieval gives retriever and local ranker by the models that are used now,
// loaded at their first use: checking codes by the rules needs none.
func (c *Catalog) retrieval(ctx context.Context, e *edition) (*retrieve.Retriever, *rank.Local, error) {
	models, err := c.models(ctx)
	if err != nil {
		return nil, nil, err
	}
	embedder, err := c.embedder(ctx)
	if err != nil {
		return nil, nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.retriever != nil && e.embedder != embedder {
		e.retriever, e.embedder = e.retriever.WithEmbedder(embedder), embedder
	}
	if e.retriever != nil && e.models == models {
		return e.retriever, e.local, nil
	}
	local, err := rank.NewLocal(rank.LocalConfig{Models: models})
	if err != nil {
		return nil, nil, err
	}
	var r *retrieve.Retriever
	if e.retriever != nil {
		r, err = e.retriever.With(models)
	} else {
		var terms []coding.Term
		if terms, err = c.cfg.Source.Terms(ctx, coding.ICD10CM); err != nil {
			return nil, nil, err
		}
		rc := retrieve.Config{Terms: terms, Models: models}
		if embedder != nil {
			rc.Embedder, rc.Searcher = embedder, c.cfg.Source
		}
		r, err = retrieve.New(rc)
	}
	if err != nil {
		return nil, nil, err
	}
	e.retriever, e.local, e.models, e.embedder = r, local, models, embedder
	return r, local, nil
}

// validation gives the validator, loaded at its first use.
func (c *Catalog) validation(ctx context.Context, e *edition) (*validate.Validator, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.validator != nil {
		return e.validator, nil
	}
	rules, err := c.rules(ctx, e.releases)
	if err != nil {
		return nil, err
	}
	if e.validator, err = validate.New(rules); err != nil {
		return nil, err
	}
	e.tabular = tabularNotes(rules.Lines)
	return e.validator, nil
}

// notes are those of the tabular list; the validator was asked for before.
func (e *edition) notes() *tabular {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.tabular
}

// table gives the code table of a release, loaded at its first use.
func (e *edition) table(ctx context.Context, source Source, rel coding.Release) (*codeset.Table, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if t := e.tables[rel.ID]; t != nil {
		return t, nil
	}
	codes, err := source.Codes(ctx, rel.ID)
	if err != nil {
		return nil, err
	}
	t := codeset.NewTable(rel, codes)
	e.tables[rel.ID] = t
	return t, nil
}

// rules gives the rule lines of the newest file of each kind that holds some, and
// of each year's HCC mapping.
func (c *Catalog) rules(ctx context.Context, releases []coding.Release) (validate.Config, error) {
	var cfg validate.Config
	newest := map[string]*coding.Release{codeset.KindTabular: &cfg.Tabular, codeset.KindMCE: &cfg.MCE, codeset.KindPOA: &cfg.POA}
	for _, r := range releases {
		if at := newest[r.Kind]; at != nil && (at.ID == "" || at.EffectiveFrom.Before(r.EffectiveFrom)) {
			*at = r
		}
		if r.Kind == codeset.KindHCC {
			lines, err := c.lines(ctx, r)
			if err != nil {
				return cfg, err
			}
			cfg.HCC = append(cfg.HCC, validate.HCCMapping{Release: r, Lines: lines})
		}
	}
	for _, r := range []coding.Release{cfg.Tabular, cfg.MCE, cfg.POA} {
		lines, err := c.lines(ctx, r)
		if err != nil {
			return cfg, err
		}
		cfg.Lines = append(cfg.Lines, lines...)
	}
	return cfg, nil
}

// lines gives the rule lines of a release; none of the zero release.
func (c *Catalog) lines(ctx context.Context, r coding.Release) ([]codeset.Line, error) {
	if r.ID == "" {
		return nil, nil
	}
	rows, err := c.cfg.Source.Lines(ctx, r.ID)
	if err != nil {
		return nil, err
	}
	out := make([]codeset.Line, len(rows))
	for i, row := range rows {
		if out[i], err = codeset.ParseLine(row); err != nil {
			return nil, fmt.Errorf("%s: %w", r.ID, err)
		}
	}
	return out, nil
}
