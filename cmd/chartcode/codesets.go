package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"chartcode/internal/catalog"
	"chartcode/internal/codeset"
	"chartcode/internal/coding"
	"chartcode/internal/learned"
	"chartcode/internal/recheck"
	"chartcode/internal/store"
)

// codesetFolders are where release files are looked for when
// CHARTCODE_CODESETS is not set.
var codesetFolders = []string{"codesets", "../shared/codesets"}

// codesetFolder is the folder with release files; empty when there is none.
func (a *app) codesetFolder() (string, error) {
	if dir := a.cfg.Codesets; dir != "" {
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			return "", fmt.Errorf("CHARTCODE_CODESETS names %s, which is no folder that can be read", dir)
		}
		return dir, nil
	}
	for _, dir := range codesetFolders {
		if info, err := os.Stat(dir); err == nil && info.IsDir() {
			return dir, nil
		}
	}
	return "", nil
}

// newCatalog gives the code tables of the database to the pipeline.
func (a *app) newCatalog(ctx context.Context) (*catalog.Catalog, error) {
	embedder, err := a.wantedEmbedder(ctx)
	if err != nil {
		return nil, err
	}
	models, err := learned.Default()
	if err != nil {
		return nil, err
	}
	var source catalog.Source = a.store
	if a.cfg.LLMLimits.RecordDir != "" || a.cfg.LLMLimits.ReplayDir != "" {
		source = exactly{a.store}
	}
	return catalog.New(catalog.Config{Source: source, Embedder: embedder, Vectors: a.store, Other: a.otherEmbedder, Models: models, Learned: a.store, Logger: a.log})
}

// exactly searches every vector. Which terms the graph of vectors finds differs a
// little from one database to another that was loaded from the same files, for it is
// built with random numbers; what is recorded on one must be found on the other.
type exactly struct{ *store.Store }

// SearchVectors reads all vectors.
func (e exactly) SearchVectors(ctx context.Context, model string, vecs [][]float32, k int) ([][]coding.VectorHit, error) {
	return e.SearchVectorsExact(ctx, model, vecs, k)
}

func (a *app) newLoader(ctx context.Context) (*catalog.Loader, error) {
	embedder, err := a.embedder(ctx)
	if err != nil {
		return nil, err
	}
	return &catalog.Loader{DB: a.store, Embedder: embedder, Progress: a.progress}, nil
}

// ensureCodes loads what is missing for notes of the given dates: the newest
// ICD-10-CM release of the folder and each one that a date needs, with the
// tabular, index and table files beside them; the starter set where there are
// no files and nothing is loaded. Terms get vectors, and these their index.
func (a *app) ensureCodes(ctx context.Context, dates []coding.Date) error {
	if err := a.loadCodes(ctx, dates); err != nil {
		return err
	}
	return a.embedTerms(ctx)
}

// loadCodes is ensureCodes without the vectors.
func (a *app) loadCodes(ctx context.Context, dates []coding.Date) error {
	loaded, err := a.store.Releases(ctx)
	if err != nil {
		return databaseError(err)
	}
	folder, err := a.codesetFolder()
	if err != nil {
		return err
	}
	loader := &catalog.Loader{DB: a.store, Progress: a.progress} // makes no vectors
	var wanted []string
	if folder != "" {
		if wanted, err = wantedFiles(folder, loaded, dates); err != nil {
			return err
		}
	}
	if len(wanted) > 0 {
		if _, err := loader.ImportFiles(ctx, wanted, codeset.ReadOptions{}); err != nil {
			return err
		}
	} else if !slices.ContainsFunc(loaded, func(r coding.Release) bool { return codeset.HoldsCodes(r.Kind) }) {
		starter, err := codeset.Starter()
		if err != nil {
			return err
		}
		if _, err := loader.Import(ctx, starter); err != nil {
			return err
		}
	}
	_, err = a.recheckDue(ctx)
	return err
}

// recheckDue looks the codes of unfinished items up again whose releases have
// changed, and gives the number of those items.
func (a *app) recheckDue(ctx context.Context) (int, error) {
	checker, err := a.newChecker()
	if err != nil {
		return 0, err
	}
	n, err := checker.Due(ctx, a.progress)
	return n, databaseError(err)
}

func (a *app) newChecker() (*recheck.Checker, error) {
	return recheck.New(recheck.Config{Store: a.store, Logger: a.log})
}

// wantedFiles chooses the files of a folder with ICD-10-CM releases that are
// not loaded and are needed.
func wantedFiles(folder string, loaded []coding.Release, dates []coding.Date) ([]string, error) {
	files, err := codeset.Discover(folder)
	if err != nil {
		return nil, err
	}
	have := map[string]bool{}
	for _, r := range loaded {
		have[r.ID] = true
	}
	var all codeset.Releases
	described := map[string][]coding.Release{}
	for _, path := range files {
		rels, err := codeset.Describe(path)
		if err != nil {
			return nil, err
		}
		described[path] = rels
		all = append(all, rels...)
	}
	need := map[string]bool{}
	for _, date := range append([]coding.Date{{}}, dates...) {
		if r, _, ok := all.Pick(coding.ICD10CM, date); ok {
			need[r.ID] = true
		}
	}
	var wanted []string
	for _, path := range files {
		for _, r := range described[path] {
			if r.System == coding.ICD10CM && !have[r.ID] && (need[r.ID] || termKind(r.Kind)) {
				wanted = append(wanted, path)
				break
			}
		}
	}
	return wanted, nil
}

// termKind reports whether a kind of file gives terms or rules to whatever
// release holds.
func termKind(kind string) bool {
	switch kind {
	case codeset.KindTabular, codeset.KindIndex, codeset.KindEIndex, codeset.KindNeoplasm, codeset.KindDrug,
		codeset.KindHCC, codeset.KindMCE, codeset.KindPOA:
		return true
	}
	return false
}

// codeSetLine names the loaded code set as pages and status show it.
func codeSetLine(releases []coding.Release) (line string, starter bool) {
	rel, _, ok := codeset.Releases(releases).Pick(coding.ICD10CM, coding.Date{})
	if !ok {
		return "", false
	}
	starter = rel.Kind == codeset.KindStarter
	name := fmt.Sprintf("%s %s", rel.System, rel.Version)
	if starter {
		name = "starter set of " + name
	}
	return fmt.Sprintf("%s, %s billable codes", name, coding.Thousands(rel.Billable)), starter
}

var errNoCodes = errors.New("no code set is loaded; import one with chartcode codeset import FILE")
