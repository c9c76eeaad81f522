package main

import (
	"context"
	"fmt"
	"math"
	"time"

	"chartcode/internal/catalog"
)

const (
	embedTexts = 100
	embedTerms = 5
	// Half precision alone costs less than 0.001.
	embedSame = 0.99
)

// checkEmbedding asks the model that is set for vectors, and holds stored ones
// against fresh ones: a server may have changed the model behind a name.
func (d *doctor) checkEmbedding(ctx context.Context) {
	const check = "embeddings"
	d.progress.Step("Asking for embeddings")
	began := time.Now()
	e, err := d.embedder(ctx)
	if err != nil {
		do := "check CHARTCODE_EMBED_BASE_URL, CHARTCODE_EMBED_MODEL and the key"
		if _, others, err := d.otherVectorsKnown(ctx); err == nil && len(others) > 0 {
			do += "; until it answers the vectors of " + others[0] + " stay in use"
		}
		d.fail(check, d.cfg.Embed.Model+": "+failureOf(err), do)
		return
	}
	first := time.Since(began)
	texts := make([]string, embedTexts)
	for i := range texts {
		texts[i] = fmt.Sprintf("invented finding number %d of the left knee", i)
	}
	began = time.Now()
	if _, err := e.Embed(ctx, texts); err != nil {
		d.fail(check, d.cfg.Embed.Model+": "+failureOf(err), "one text was embedded and a hundred were not: look at the server's limits")
		return
	}
	took := time.Since(began)
	found := fmt.Sprintf("%s, %d dimensions, %d texts in %s", e.Name(), e.Dims(), embedTexts, brief(took))
	details := map[string]any{"model": e.Name(), "dims": e.Dims(), "first_ms": first.Milliseconds(), "hundred_ms": took.Milliseconds(), "server": d.cfg.Embed.Configured()}
	if !d.known {
		d.ok(check, found, details)
		return
	}
	least, n, err := d.likeStored(ctx, e)
	switch {
	case err != nil:
		d.fail(check, found+"; "+failureOf(err), "vectors of another length are stored by this name: chartcode codeset vectors --remove "+e.Name()+", then --fill")
	case n == 0:
		d.ok(check, found+", none stored yet", details)
	case least < embedSame:
		details["least_cosine"] = least
		d.say(checked{Check: check, Status: checkFailed, Found: fmt.Sprintf("%s; stored vectors of %d terms differ from fresh ones (cosine down to %.3f)", found, n, least),
			Do: "another model answers by the same name: chartcode codeset vectors --remove " + e.Name() + ", then --fill", Details: details})
	default:
		details["least_cosine"] = least
		d.ok(check, fmt.Sprintf("%s, those of %d stored terms are the same", found, n), details)
	}
}

// otherVectorsKnown is otherVectors where the database can be asked.
func (d *doctor) otherVectorsKnown(ctx context.Context) (set string, others []string, err error) {
	if !d.known {
		return "", nil, nil
	}
	return d.otherVectors(ctx)
}

// likeStored embeds some terms again and gives the least cosine between a stored
// vector and the fresh one, and how many were compared.
func (d *doctor) likeStored(ctx context.Context, e catalog.Embedder) (least float64, n int, err error) {
	stored, err := d.storedVectors(ctx, e.Name())
	if err != nil || len(stored) == 0 {
		return 0, 0, err
	}
	texts := make([]string, len(stored))
	for i, s := range stored {
		texts[i] = s.Text
	}
	fresh, err := e.Embed(ctx, texts)
	if err != nil {
		return 0, 0, err
	}
	least = 1
	for i, s := range stored {
		if len(s.Vector) != len(fresh[i]) {
			return 0, 0, fmt.Errorf("the stored vectors have %d dimensions", len(s.Vector))
		}
		least = min(least, cosine(s.Vector, fresh[i]))
	}
	return least, len(stored), nil
}

// cosine is 0 for a vector of zeros.
func cosine(a, b []float32) float64 {
	var ab, aa, bb float64
	for i := range a {
		ab += float64(a[i]) * float64(b[i])
		aa += float64(a[i]) * float64(a[i])
		bb += float64(b[i]) * float64(b[i])
	}
	if aa == 0 || bb == 0 {
		return 0
	}
	return ab / math.Sqrt(aa*bb)
}
