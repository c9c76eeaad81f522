package catalog

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"chartcode/pipeline"
	"chartcode/pipeline/retrieve"
)

// Vectors says which embedding models have vectors that can be searched.
type Vectors interface {
	// ReadyModels names them, the one that became ready last first.
	ReadyModels(ctx context.Context) ([]string, error)
}

// serving is the embedding model that is used, as last looked up.
type serving struct {
	mu       sync.Mutex
	checked  time.Time
	embedder retrieve.Embedder
}

// ErrNoVectors is returned while only embedding models that cannot be asked have
// vectors. It is a pipeline.ErrNoCodes: nothing can be suggested yet, and that is
// no note's fault.
var ErrNoVectors = fmt.Errorf("the terms have no vectors yet: %w", pipeline.ErrNoCodes)

// embedder gives the wanted embedder as soon as its vectors stand, and until then
// one whose vectors do; nil where none is wanted. It looks again after the time
// Fresh, so that running workers change over by themselves.
func (c *Catalog) embedder(ctx context.Context) (retrieve.Embedder, error) {
	if c.cfg.Vectors == nil || c.cfg.Embedder == nil {
		return c.cfg.Embedder, nil
	}
	s := &c.serving
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.embedder != nil && c.cfg.Now().Sub(s.checked) < c.cfg.Fresh {
		return s.embedder, nil
	}
	ready, err := c.cfg.Vectors.ReadyModels(ctx)
	if err != nil {
		return nil, err
	}
	e := c.choose(ctx, ready, s.embedder)
	if e == nil {
		return nil, ErrNoVectors
	}
	if s.embedder != nil && s.embedder.Name() != e.Name() {
		c.cfg.Logger.Warn("another embedding model is in use from now on", "model", e.Name(), "before", s.embedder.Name())
	}
	s.embedder, s.checked = e, c.cfg.Now()
	return e, nil
}

// choose takes the wanted embedder, else the one that is used, else the first of
// the others that can be had, of those that are ready. Where none is, the wanted
// one's vectors, though they still grow or lost their index, are better than
// nothing; nil when there are others that cannot be asked.
func (c *Catalog) choose(ctx context.Context, ready []string, now retrieve.Embedder) retrieve.Embedder {
	wanted := c.cfg.Embedder
	if len(ready) == 0 || slices.Contains(ready, wanted.Name()) {
		return wanted
	}
	if now != nil && slices.Contains(ready, now.Name()) {
		return now
	}
	for _, name := range ready {
		if c.cfg.Other == nil {
			break
		}
		e, err := c.cfg.Other(ctx, name)
		if err == nil {
			return e
		}
		c.cfg.Logger.Warn("the vectors of an embedding model cannot be used meanwhile", "model", name, "error", err)
	}
	return nil
}
