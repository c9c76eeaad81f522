package catalog

import (
	"context"
	"sync"
	"time"

	"chartcode/internal/learned"
	"chartcode/pipeline/rank"
	"chartcode/pipeline/retrieve"
)

// ranking is which models are used, as last looked up.
type ranking struct {
	mu      sync.Mutex
	checked time.Time
	version int
	models  *learned.Models
}

// models gives the models that are used now, or were within the time Fresh.
// Learned ones that this program cannot use, for they were made by another
// version of it, are reported once and the program's own take their place.
func (c *Catalog) models(ctx context.Context) (*learned.Models, error) {
	if c.cfg.Learned == nil {
		return c.cfg.Models, nil
	}
	r := &c.ranking
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.models != nil && c.cfg.Now().Sub(r.checked) < c.cfg.Fresh {
		return r.models, nil
	}
	version, _, err := c.cfg.Learned.ActiveRankerModel(ctx)
	if err != nil {
		return nil, err
	}
	if r.models == nil || r.version != version {
		models := c.cfg.Models
		if version != 0 {
			file, err := c.cfg.Learned.RankerModelFile(ctx, version)
			if err != nil {
				return nil, err
			}
			if models, err = ReadModels(file); err != nil {
				c.cfg.Logger.Error("the learned models cannot be used; those of the program are used instead; run chartcode learn to make new ones",
					"models", version, "error", err)
				models = c.cfg.Models
			}
		}
		r.version, r.models = version, models
	}
	r.checked = c.cfg.Now()
	return r.models, nil
}

// ReadModels reads a model file and checks that retrieval and ranking of this
// program can use it.
func ReadModels(file []byte) (*learned.Models, error) {
	m, err := learned.Read(file)
	if err != nil {
		return nil, err
	}
	if err := retrieve.Fits(m); err != nil {
		return nil, err
	}
	if _, err := rank.NewLocal(rank.LocalConfig{Models: m}); err != nil {
		return nil, err
	}
	return m, nil
}
