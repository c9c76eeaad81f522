package recheck

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"chartcode/internal/codeset"
	"chartcode/internal/coding"
	"chartcode/internal/store"
	"chartcode/pipeline/validate"
)

// Store keeps items and code sets; store.Store has these methods.
type Store interface {
	Releases(ctx context.Context) ([]coding.Release, error)
	DueItems(ctx context.Context, periods []store.EditionPeriod, undated string) ([]int64, error)
	ItemEdition(ctx context.Context, id int64) (edition string, on coding.Date, found bool, err error)
	CheckItems(ctx context.Context, ids []int64, check func(ctx context.Context, v *store.CheckView) ([]coding.CheckResult, error)) (written int, err error)
}

// Progress is told how long work goes on.
type Progress interface {
	Step(text string)
	Update(done, total int)
}

// Config is what a Checker needs.
type Config struct {
	Store  Store
	Logger *slog.Logger
	Batch  int           // items read and written at once; 50 when 0
	Every  time.Duration // between two looks of Run; 15 s when 0
}

// Checker looks codes up again. It is safe for concurrent use, also by several
// processes.
type Checker struct {
	cfg       Config
	validator *validate.Validator
}

// New checks the configuration.
func New(cfg Config) (*Checker, error) {
	if cfg.Store == nil || cfg.Logger == nil {
		return nil, errors.New("recheck: a store and a logger are needed")
	}
	if cfg.Batch <= 0 {
		cfg.Batch = 50
	}
	if cfg.Every <= 0 {
		cfg.Every = 15 * time.Second
	}
	// Only codes that a table lacks are shown to it, so no rule data are needed.
	v, err := validate.New(validate.Config{})
	if err != nil {
		return nil, fmt.Errorf("recheck: %w", err)
	}
	return &Checker{cfg: cfg, validator: v}, nil
}

// Due checks every item that is due, and gives how many it brought up to date.
// It ends when none is left, or when those that are left were changed by
// somebody at every one of several attempts; they stay due. progress may be nil.
func (c *Checker) Due(ctx context.Context, progress Progress) (done int, err error) {
	for stalled := 0; stalled < attempts; {
		ids, err := c.due(ctx)
		if err != nil || len(ids) == 0 {
			return done, err
		}
		if progress != nil {
			progress.Step("Checking open items against the releases")
		}
		before, looked := done, 0
		for batch := range slices.Chunk(ids, c.cfg.Batch) {
			n, err := c.cfg.Store.CheckItems(ctx, batch, c.check)
			if err != nil {
				return done, fmt.Errorf("recheck: %w", err)
			}
			done += n
			looked += len(batch)
			if progress != nil {
				progress.Update(looked, len(ids))
			}
		}
		if stalled++; done > before {
			stalled = 0
		}
	}
	return done, nil
}

// attempts is how often an item is tried that others change meanwhile.
const attempts = 5

// due lists the items that are due.
func (c *Checker) due(ctx context.Context) ([]int64, error) {
	list, err := c.cfg.Store.Releases(ctx)
	if err != nil {
		return nil, fmt.Errorf("recheck: %w", err)
	}
	releases := codeset.Releases(list)
	var periods []store.EditionPeriod
	for _, p := range releases.Periods() {
		periods = append(periods, store.EditionPeriod{From: p.From, To: p.To, Edition: p.Edition})
	}
	ids, err := c.cfg.Store.DueItems(ctx, periods, releases.Edition(coding.Date{}))
	if err != nil {
		return nil, fmt.Errorf("recheck: %w", err)
	}
	return ids, nil
}

// Item checks one item if it is due.
func (c *Checker) Item(ctx context.Context, id int64) error {
	for range attempts {
		list, err := c.cfg.Store.Releases(ctx)
		if err != nil {
			return fmt.Errorf("recheck: %w", err)
		}
		edition, on, found, err := c.cfg.Store.ItemEdition(ctx, id)
		if err != nil {
			return fmt.Errorf("recheck: %w", err)
		}
		if !found || edition == codeset.Releases(list).Edition(on) {
			return nil
		}
		if _, err := c.cfg.Store.CheckItems(ctx, []int64{id}, c.check); err != nil {
			return fmt.Errorf("recheck: %w", err)
		}
	}
	return nil
}

// Run checks what is due now and then until ctx ends, so that what another
// process imported, left half done or stored meanwhile is seen to.
func (c *Checker) Run(ctx context.Context) {
	for {
		n, err := c.Due(ctx, nil)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			c.cfg.Logger.Warn("checking items against the releases waits", "error", err)
		case n > 0:
			c.cfg.Logger.Info("items were checked against the releases", "items", n)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(c.cfg.Every):
		}
	}
}

// check gives the results for the items of a view.
func (c *Checker) check(ctx context.Context, v *store.CheckView) ([]coding.CheckResult, error) {
	releases := codeset.Releases(v.Releases)
	tables, err := tablesFor(ctx, v, releases)
	if err != nil {
		return nil, err
	}
	var out []coding.CheckResult
	for _, it := range v.Items {
		edition := releases.Edition(it.ServiceDate)
		if it.Edition == edition {
			continue
		}
		body, invalid := c.Compare(it, tables)
		r := coding.CheckResult{Item: it.ID, Version: it.Version, Was: it.Edition, Edition: edition, Invalid: invalid}
		news, err := isNews(body, it.Last)
		if err != nil {
			return nil, err
		}
		if news {
			r.Body, r.Content = &body, it.Content
		}
		out = append(out, r)
	}
	return out, nil
}

// isNews reports whether a check says other than the last one, or, without one,
// says anything.
func isNews(body coding.CheckBody, last *coding.ReleaseCheck) (bool, error) {
	if last == nil {
		return len(body.Codes) > 0 || len(body.Sets) > 0, nil
	}
	a, err := json.Marshal(body)
	if err != nil {
		return false, fmt.Errorf("recheck: %w", err)
	}
	b, err := json.Marshal(last.CheckBody)
	return string(a) != string(b), err
}

// tablesFor reads the codes that the items of a view need: their own, and where
// one is missing or a header, its category and the codes of its title.
func tablesFor(ctx context.Context, v *store.CheckView, releases codeset.Releases) (Tables, error) {
	own := map[string][]string{}            // release -> codes
	names := map[string][]named{}           // release -> codes with titles
	byID := map[string]coding.Release{}     // those picked
	rows := map[string][]coding.Code{}      // release -> codes read
	titled := map[[2]string][]coding.Code{} // release, title -> codes
	for _, it := range v.Items {
		for _, n := range namesOf(it) {
			if rel, _, ok := releases.Pick(n.System, it.ServiceDate); ok {
				byID[rel.ID] = rel
				own[rel.ID] = append(own[rel.ID], n.Code)
				names[rel.ID] = append(names[rel.ID], n)
			}
		}
	}
	for id, codes := range own {
		slices.Sort(codes)
		found, err := v.Codes(ctx, id, slices.Compact(codes))
		if err != nil {
			return Tables{}, err
		}
		there := map[string]coding.Code{}
		for _, c := range found {
			there[c.Code] = c
		}
		var prefixes, titles []string
		for _, n := range names[id] {
			c, ok := there[n.Code]
			if ok && c.Billable {
				continue
			}
			prefixes = append(prefixes, coding.Category(n.Code))
			if !ok && n.title != "" {
				titles = append(titles, strings.ToLower(n.title))
			}
		}
		slices.Sort(prefixes)
		for _, prefix := range slices.Compact(prefixes) {
			below, err := v.Below(ctx, id, prefix)
			if err != nil {
				return Tables{}, err
			}
			for _, c := range below {
				there[c.Code] = c
			}
		}
		for _, c := range there {
			rows[id] = append(rows[id], c)
		}
		if len(titles) == 0 {
			continue
		}
		slices.Sort(titles)
		same, err := v.Titled(ctx, id, slices.Compact(titles))
		if err != nil {
			return Tables{}, err
		}
		for _, c := range same {
			key := [2]string{id, strings.ToLower(c.Title)}
			titled[key] = append(titled[key], c)
		}
	}
	tables := map[string]*codeset.Table{}
	for id, codes := range rows {
		tables[id] = codeset.NewTable(byID[id], codes)
	}
	return Tables{
		Releases: releases,
		Of:       func(id string) *codeset.Table { return tables[id] },
		Titled:   func(id, title string) []coding.Code { return titled[[2]string{id, strings.ToLower(title)}] },
	}, nil
}
