package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"chartcode/internal/catalog"
	"chartcode/internal/config"
	"chartcode/internal/embedding"
	"chartcode/internal/store"
	"chartcode/pipeline/retrieve"
)

// openAIBaseURL is asked where a model but no server is named.
const openAIBaseURL = "https://api.openai.com/v1"

func embedServer(e config.Endpoint) embedding.OpenAIConfig {
	return embedding.OpenAIConfig{BaseURL: cmp.Or(e.BaseURL, openAIBaseURL), APIKey: e.APIKey, Model: e.Model, Timeout: e.Timeout}
}

// embedder is the model that texts are to be embedded by: a configured server's,
// which is asked once, or the local one.
func (a *app) embedder(ctx context.Context) (catalog.Embedder, error) {
	if a.embed != nil {
		return a.embed, nil
	}
	e, err := a.newEmbedder(ctx)
	if err == nil {
		a.embed = e
	}
	return e, err
}

func (a *app) newEmbedder(ctx context.Context) (catalog.Embedder, error) {
	if a.cfg.Embed.Configured() {
		return embedding.NewOpenAI(ctx, embedServer(a.cfg.Embed))
	}
	return embedding.NewLocal()
}

// wantedEmbedder is embedder for searching alone. Its server is asked at once
// only if its vectors are searched at once: while another model's still are, a
// server that does not answer does no harm yet.
func (a *app) wantedEmbedder(ctx context.Context) (retrieve.Embedder, error) {
	if a.embed != nil || !a.cfg.Embed.Configured() {
		return a.embedder(ctx)
	}
	name, others, err := a.otherVectors(ctx)
	if err != nil {
		return nil, err
	}
	if len(others) == 0 {
		return a.embedder(ctx)
	}
	a.log.Warn("the vectors of the embedding model that is set are not complete: those of another are searched until they are",
		"set", name, "complete", strings.Join(others, ", "))
	return embedding.Unasked(embedServer(a.cfg.Embed))
}

// embedderName names the model that is set; no server is asked.
func (a *app) embedderName() (string, error) {
	if a.cfg.Embed.Configured() {
		return embedding.ServerPrefix + a.cfg.Embed.Model, nil
	}
	e, err := a.embedder(context.Background())
	if err != nil {
		return "", err
	}
	return e.Name(), nil
}

// otherVectors names the models whose vectors can be searched while those of the
// model that is set cannot; none when they can.
func (a *app) otherVectors(ctx context.Context) (set string, others []string, err error) {
	if set, err = a.embedderName(); err != nil {
		return "", nil, err
	}
	ready, err := a.store.ReadyModels(ctx)
	if err != nil || slices.Contains(ready, set) {
		return set, nil, databaseError(err)
	}
	return set, ready, nil
}

// otherEmbedder gives a model that is not the one that is set: the local one, or
// one of the server of before.
func (a *app) otherEmbedder(ctx context.Context, name string) (retrieve.Embedder, error) {
	if model, ok := strings.CutPrefix(name, embedding.ServerPrefix); ok {
		e := a.cfg.EmbedPrevious
		if e.BaseURL == "" {
			e = a.cfg.Embed
		}
		e.Model, e.Timeout = model, a.cfg.Embed.Timeout
		if e.BaseURL == "" && e.APIKey == "" {
			return nil, fmt.Errorf("it needs a server: set CHARTCODE_EMBED_PREVIOUS_BASE_URL")
		}
		return embedding.NewOpenAI(ctx, embedServer(e))
	}
	local, err := embedding.NewLocal()
	if err != nil {
		return nil, err
	}
	if local.Name() != name {
		return nil, fmt.Errorf("this program has another local model, %s", local.Name())
	}
	return local, nil
}

const (
	fillCheck = 30 * time.Second // while there is nothing to do
	fillWait  = time.Minute      // after a failure; doubled each time
	fillMost  = 15 * time.Minute
)

// fillVectors makes, beside the work, the vectors of the model that is set, while
// those of another are searched. The catalog changes over when they are complete.
func (a *app) fillVectors(ctx context.Context) error {
	wait := fillWait
	for {
		next := fillCheck
		if err := a.fillBeside(ctx); err != nil && ctx.Err() == nil {
			a.log.Warn("the vectors of the embedding model that is set could not be completed: those of before stay in use; trying again",
				"in", wait.String(), "error", err)
			next, wait = wait, min(2*wait, fillMost)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(next):
		}
	}
}

func (a *app) fillBeside(ctx context.Context) error {
	_, others, err := a.otherVectors(ctx)
	if err != nil || len(others) == 0 {
		return err
	}
	e, err := a.newEmbedder(ctx)
	if err != nil {
		return err
	}
	p := newProgress(true)
	loader := &catalog.Loader{DB: a.store, Embedder: e, Progress: p}
	if err := loader.Embed(ctx); err != nil {
		p.abandon()
		return err
	}
	p.done()
	fmt.Fprintf(os.Stderr, "the vectors of %s are complete and will be used within moments; chartcode codeset vectors --prune removes the others\n", e.Name())
	return nil
}

// embedOrStandIn gives terms their vectors, unless those of another model can
// serve meanwhile: then fillVectors does it beside the work.
func (a *app) embedOrStandIn(ctx context.Context) error {
	_, others, err := a.otherVectors(ctx)
	if err != nil {
		return err
	}
	for _, name := range others {
		state, err := a.store.VectorState(ctx, name)
		if err != nil {
			return databaseError(err)
		}
		if state.Missing > 0 {
			continue
		}
		if _, err := a.otherEmbedder(ctx, name); err == nil {
			return nil
		}
	}
	return a.embedTerms(ctx)
}

// embedTerms gives each term a vector of the model that is set.
func (a *app) embedTerms(ctx context.Context) error {
	loader, err := a.newLoader(ctx)
	if err != nil {
		return err
	}
	return loader.Embed(ctx)
}

var _ catalog.Vectors = (*store.Store)(nil)
