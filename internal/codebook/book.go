package codebook

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"chartcode/internal/codeset"
	"chartcode/internal/coding"
)

// Source is where code sets are read from.
type Source interface {
	Releases(ctx context.Context) ([]coding.Release, error)
	ReleaseSHA256(ctx context.Context, id string) (string, error)
	Codes(ctx context.Context, releaseID string) ([]coding.Code, error)
	Terms(ctx context.Context, systems ...coding.System) ([]coding.Term, error)
	Lines(ctx context.Context, releaseID string) ([]json.RawMessage, error)
	// CodeInReleases gives what each release of a system says of a code, by release id.
	CodeInReleases(ctx context.Context, system coding.System, code string) (map[string]coding.Code, error)
	TermsOfCodes(ctx context.Context, system coding.System, codes []string) ([]coding.Term, error)
}

// Config is what a Book needs.
type Config struct {
	Source Source
	// Fresh is how long the list of releases is believed before it is read
	// again; 15 s when 0.
	Fresh time.Duration
	Now   func() time.Time // time.Now when nil
}

// Book looks codes up. It is safe for concurrent use.
type Book struct {
	cfg Config

	mu      sync.Mutex
	checked time.Time
	current *edition
}

// edition is what was loaded for one list of releases.
type edition struct {
	key      string
	releases codeset.Releases

	mu      sync.Mutex
	tables  map[string]*codeset.Table
	indexes map[string]*Index
	recent  []string // release ids of indexes, the latest used last
	rules   *rules
}

// maxIndexes is how many releases can be searched by words without loading them
// again. Each takes some 50 MB with its table.
const maxIndexes = 3

// loadTime is how long loading a release may take.
const loadTime = 2 * time.Minute

// ErrNotLoaded means that no code table of the system is loaded.
var ErrNotLoaded = errors.New("no code table of this system is loaded")

// New checks the configuration; nothing is loaded yet.
func New(cfg Config) (*Book, error) {
	if cfg.Source == nil {
		return nil, errors.New("codebook: a source is needed")
	}
	if cfg.Fresh == 0 {
		cfg.Fresh = 15 * time.Second
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Book{cfg: cfg}, nil
}

// Query is what is looked for.
type Query struct {
	Text   string        // a code, its beginning with or without the dot, or words
	System coding.System // ICD-10-CM when empty
	Date   coding.Date   // of service; zero means the newest release
	Limit  int
}

// Result is what was found, in the release that holds on the date.
type Result struct {
	Release coding.Release  `json:"release"`
	Notices []coding.Notice `json:"notices"`
	Codes   []Hit           `json:"codes"`
}

// Search finds codes by code or words, best first. Words may be in any order,
// the last one may be a beginning; abbreviations, everyday names and slight
// misspellings count. The error is ErrNotLoaded if the system has no table.
func (b *Book) Search(ctx context.Context, q Query) (Result, error) {
	e, rel, notices, err := b.pick(ctx, q.System, q.Date)
	if err != nil {
		return Result{}, err
	}
	x, err := e.index(ctx, b.cfg.Source, rel)
	if err != nil {
		return Result{}, err
	}
	r := Result{Release: rel, Notices: notices, Codes: x.Search(q.Text, q.Limit)}
	if r.Codes == nil {
		r.Codes = []Hit{}
	}
	return r, nil
}

// Prepare begins to load what a search needs, so that whoever is about to type
// need not wait. If that fails, the search will say so.
func (b *Book) Prepare(ctx context.Context, system coding.System, date coding.Date) {
	e, rel, _, err := b.pick(ctx, system, date)
	if err != nil {
		return
	}
	ctx = context.WithoutCancel(ctx)
	go func() { _, _ = e.index(ctx, b.cfg.Source, rel) }()
}

// Releases gives the releases of a system that hold codes, the newest first;
// those of all systems when it is empty.
func (b *Book) Releases(ctx context.Context, system coding.System) ([]coding.Release, error) {
	e, err := b.edition(ctx)
	if err != nil {
		return nil, err
	}
	var out []coding.Release
	for _, s := range coding.Systems() {
		if s == system || system == "" {
			out = append(out, e.history(s)...)
		}
	}
	return out, nil
}

// history gives the releases of a system that hold codes, the newest first. The
// starter set counts only where there is nothing else.
func (e *edition) history(system coding.System) []coding.Release {
	var out []coding.Release
	full := false
	for _, r := range e.releases {
		if r.System == system && codeset.HoldsCodes(r.Kind) {
			out = append(out, r)
			full = full || r.Kind != codeset.KindStarter
		}
	}
	if full {
		out = slices.DeleteFunc(out, func(r coding.Release) bool { return r.Kind == codeset.KindStarter })
	}
	slices.SortStableFunc(out, func(a, b coding.Release) int { return b.EffectiveFrom.Time().Compare(a.EffectiveFrom.Time()) })
	return out
}

// pick chooses the release that holds on a date. That no date was given is no
// matter here.
func (b *Book) pick(ctx context.Context, system coding.System, date coding.Date) (*edition, coding.Release, []coding.Notice, error) {
	e, err := b.edition(ctx)
	if err != nil {
		return nil, coding.Release{}, nil, err
	}
	rel, notices, ok := e.releases.Pick(cmp.Or(system, coding.ICD10CM), date)
	if !ok {
		return nil, coding.Release{}, nil, ErrNotLoaded
	}
	if date.IsZero() || notices == nil {
		notices = []coding.Notice{}
	}
	return e, rel, notices, nil
}

// edition gives what belongs to the releases that are loaded now.
func (b *Book) edition(ctx context.Context) (*edition, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.current != nil && b.cfg.Now().Sub(b.checked) < b.cfg.Fresh {
		return b.current, nil
	}
	releases, err := b.cfg.Source.Releases(ctx)
	if err != nil {
		return nil, err
	}
	var key strings.Builder
	for _, r := range releases {
		sha, err := b.cfg.Source.ReleaseSHA256(ctx, r.ID)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&key, "%s %s\n", r.ID, sha)
	}
	if b.current == nil || b.current.key != key.String() {
		b.current = &edition{key: key.String(), releases: releases, tables: map[string]*codeset.Table{}, indexes: map[string]*Index{}}
	}
	b.checked = b.cfg.Now()
	return b.current, nil
}

// loading is a context that outlives who asked first: who types on gives up one
// request after the other, and others may wait for the same.
func loading(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), loadTime)
}

// table gives the code table of a release, loaded at its first use.
func (e *edition) table(ctx context.Context, source Source, rel coding.Release) (*codeset.Table, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.tableLocked(ctx, source, rel)
}

func (e *edition) tableLocked(ctx context.Context, source Source, rel coding.Release) (*codeset.Table, error) {
	if t := e.tables[rel.ID]; t != nil {
		return t, nil
	}
	ctx, cancel := loading(ctx)
	defer cancel()
	codes, err := source.Codes(ctx, rel.ID)
	if err != nil {
		return nil, err
	}
	t := codeset.NewTable(rel, codes)
	e.tables[rel.ID] = t
	return t, nil
}

// index gives the words of a release, made at its first use.
func (e *edition) index(ctx context.Context, source Source, rel coding.Release) (*Index, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.recent = append(slices.DeleteFunc(e.recent, func(id string) bool { return id == rel.ID }), rel.ID)
	if x := e.indexes[rel.ID]; x != nil {
		return x, nil
	}
	table, err := e.tableLocked(ctx, source, rel)
	if err != nil {
		return nil, err
	}
	loadCtx, cancel := loading(ctx)
	defer cancel()
	terms, err := source.Terms(loadCtx, rel.System)
	if err != nil {
		return nil, err
	}
	if rel.System == coding.ICD10CM && !slices.ContainsFunc(terms, func(t coding.Term) bool { return t.Kind == coding.TermEveryday }) {
		// The everyday names come with the program: they help with any table.
		starter, err := codeset.Starter()
		if err != nil {
			return nil, err
		}
		terms = append(terms, starter.Terms...)
	}
	x := NewIndex(table, terms)
	e.indexes[rel.ID] = x
	if len(e.recent) > maxIndexes {
		old := e.recent[0]
		e.recent = e.recent[1:]
		delete(e.indexes, old)
		delete(e.tables, old)
	}
	return x, nil
}
