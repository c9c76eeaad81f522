package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"chartcode/internal/codeset"
	"chartcode/internal/coding"
	"chartcode/internal/embedding"
	"chartcode/internal/learned"
)

func (d *doctor) checkCodeSets(ctx context.Context) {
	const check = "code sets"
	if !d.known {
		d.warn(check, "not looked at: the database is not ready", "see PostgreSQL", nil)
		return
	}
	releases, err := d.store.Releases(ctx)
	if err != nil {
		d.fail(check, err.Error(), "check the database")
		return
	}
	line, starter := codeSetLine(releases)
	if line == "" {
		d.fail(check, "no code set is loaded", "chartcode codeset import FILE; demo and suggest load one by themselves")
		return
	}
	year, month, day := time.Now().In(d.cfg.Timezone).Date()
	_, notices, valid := codeset.Releases(releases).Pick(coding.ICD10CM, coding.NewDate(year, month, day))
	kinds := map[string]int{}
	for _, r := range releases {
		kinds[r.Kind]++
	}
	var lacking []string
	for _, k := range []string{codeset.KindTabular, codeset.KindIndex} {
		if kinds[k] == 0 {
			lacking = append(lacking, k)
		}
	}
	found := fmt.Sprintf("%s, %d releases and files loaded", line, len(releases))
	details := map[string]any{"releases": len(releases), "starter": starter, "kinds": kinds}
	switch {
	case starter:
		d.warn(check, found, "load the official files for the full table: chartcode codeset fetch, then codeset import", details)
	case !valid:
		d.warn(check, found, "no release holds today: chartcode codeset import the one that does", details)
	case len(lacking) > 0:
		d.warn(check, found, "import these files too, which find and check codes: "+strings.Join(lacking, ", "), details)
	case len(notices) > 0:
		d.warn(check, found, "the release of today is not loaded: "+notices[0].Message, details)
	default:
		d.ok(check, found, details)
	}
	d.ranks = true
}

// checkVectors looks at the vectors of the model that is set, and names others.
func (d *doctor) checkVectors(ctx context.Context) {
	const check = "vectors"
	if !d.ranks {
		d.warn(check, "not looked at: no code set is loaded", "see code sets", nil)
		return
	}
	d.progress.Step("Counting vectors")
	models, err := d.vectorModels(ctx)
	if err != nil {
		d.fail(check, err.Error(), "check the database")
		return
	}
	var lines []string
	var set, used vectorModel
	for _, m := range models {
		lines = append(lines, m.line())
		if m.Set {
			set = m
		}
		if m.InUse {
			used = m
		}
	}
	found := strings.Join(lines, "; ")
	details := map[string]any{"models": models}
	if used.Name == "" {
		d.ranks = false
		d.fail(check, found, "no vectors can be searched: chartcode codeset vectors --fill makes them")
		return
	}
	state, err := d.store.VectorState(ctx, used.Name)
	switch {
	case err != nil:
		d.fail(check, err.Error(), "check the database")
	case !state.Index:
		d.fail(check, found+"; their index is missing", "chartcode codeset vectors --fill makes it")
	case !set.Ready:
		d.warn(check, found, "serve, work and demo complete the new ones while they run; chartcode codeset vectors --fill does it now", details)
	case set.Missing > 0:
		d.warn(check, found, "chartcode codeset vectors --fill makes the missing ones", details)
	case len(models) > 1:
		d.warn(check, found, "chartcode codeset vectors --prune removes those that are not used", details)
	default:
		d.ok(check, found, details)
	}
}

// checkModels reads the local models as the pipeline does.
func (d *doctor) checkModels(ctx context.Context) {
	const check = "local models"
	models, err := learned.Default()
	if err != nil {
		d.fail(check, err.Error(), "the program is damaged: install it again")
		return
	}
	local, err := embedding.NewLocal()
	if err != nil {
		d.fail(check, err.Error(), "the program is damaged: install it again")
		return
	}
	ranker := fmt.Sprintf("ranker local@%d of the program", models.Version)
	details := map[string]any{"program": models.Version, "embedding": local.Name(), "learned": 0}
	if err := fitting(models); err != nil {
		d.fail(check, err.Error(), "the program is damaged: install it again")
		return
	}
	if d.known {
		version, from, err := d.store.ActiveRankerModel(ctx)
		if err == nil && version != 0 {
			details["learned"] = version
			ranker = fmt.Sprintf("ranker local@%d, learned here, used since %s", version, from.In(d.cfg.Timezone).Format(time.DateOnly))
			if models, err = d.learnedModels(ctx, version); err != nil {
				d.fail(check, ranker+": "+err.Error(), "the program's own are used instead; chartcode learn makes new ones")
				return
			}
		}
		if err != nil {
			d.fail(check, err.Error(), "check the database")
			return
		}
	}
	found := fmt.Sprintf("%s, embedding %s; they fit this program's features", ranker, local.Name())
	if set, err := d.embedderName(); err == nil && models.Record.Vectors != "" && models.Record.Vectors != set {
		d.warn(check, found, fmt.Sprintf("they were trained with the vectors of %s, and those of %s are set: measure with chartcode eval what that costs", models.Record.Vectors, set), details)
		return
	}
	d.ok(check, found, details)
}
