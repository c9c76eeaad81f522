package main

import (
	"context"
	"errors"

	"chartcode/internal/catalog"
	"chartcode/internal/learned"
	"chartcode/internal/store"
	"chartcode/pipeline/rank"
	"chartcode/pipeline/retrieve"
)

// fitting says why models cannot be used by this program's features; nil: they can.
func fitting(m *learned.Models) error {
	if err := retrieve.Fits(m); err != nil {
		return err
	}
	_, err := rank.NewLocal(rank.LocalConfig{Models: m})
	return err
}

// learnedModels reads models that were learned here.
func (a *app) learnedModels(ctx context.Context, version int) (*learned.Models, error) {
	file, err := a.store.RankerModelFile(ctx, version)
	if err != nil {
		return nil, databaseError(err)
	}
	return catalog.ReadModels(file)
}

// storedVectors gives some vectors of a model; none of a model that has none.
func (a *app) storedVectors(ctx context.Context, name string) ([]store.StoredVector, error) {
	list, err := a.store.SomeVectors(ctx, name, embedTerms)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return list, databaseError(err)
}
