package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"chartcode/internal/coding"
	"chartcode/internal/store"
)

// vectorModel is an embedding model as status and codeset vectors show it.
type vectorModel struct {
	Name    string `json:"name"`
	Dims    int    `json:"dims"`
	Vectors int    `json:"vectors"`
	Missing int    `json:"missing"` // texts without one
	Ready   bool   `json:"ready"`   // complete and indexed once
	Set     bool   `json:"set"`     // the one of the settings
	InUse   bool   `json:"in_use"`  // searched by a program that has these settings
}

func (m vectorModel) line() string {
	s := fmt.Sprintf("%s: %s vectors", m.Name, coding.Thousands(m.Vectors))
	if m.Dims > 0 {
		s += fmt.Sprintf(" of %d dimensions", m.Dims)
	}
	if m.Missing > 0 {
		s += fmt.Sprintf(", %s missing", coding.Thousands(m.Missing))
	}
	switch {
	case m.InUse && m.Set:
		s += ", in use"
	case m.InUse:
		s += ", in use until those of the model that is set are complete"
	case m.Set:
		s += ", set and not complete yet"
	default:
		s += ", not used"
	}
	return s
}

// vectorModels lists the models that have vectors, and the one that is set.
func (a *app) vectorModels(ctx context.Context) ([]vectorModel, error) {
	set, others, err := a.otherVectors(ctx)
	if err != nil {
		return nil, err
	}
	known, err := a.store.EmbeddingModels(ctx)
	if err != nil {
		return nil, databaseError(err)
	}
	if !slices.ContainsFunc(known, func(m store.EmbeddingModel) bool { return m.Name == set }) {
		known = append(known, store.EmbeddingModel{Name: set})
	}
	list := []vectorModel{}
	for _, m := range known {
		if m.Vectors == 0 && m.Name != set {
			continue // removed
		}
		missing, err := a.store.CountTextsWithoutVector(ctx, m.Name)
		if err != nil {
			return nil, databaseError(err)
		}
		v := vectorModel{Name: m.Name, Dims: m.Dims, Vectors: m.Vectors, Missing: missing, Ready: !m.ReadyAt.IsZero(), Set: m.Name == set}
		v.InUse = v.Set && v.Ready || len(others) > 0 && m.Name == others[0]
		list = append(list, v)
	}
	return list, nil
}

func codesetVectorsCommand(o *options) *cobra.Command {
	var asJSON, fill, prune bool
	var remove string
	cmd := &cobra.Command{
		Use:   "vectors",
		Short: "Show, complete and remove the terms' vectors of embedding models",
		Long: `Terms have a vector of each embedding model that was ever set. When another model
is set (CHARTCODE_EMBED_MODEL, or none for the local one), serve, work and demo go on
with the vectors of before, make the new ones beside them, and change over when all
are there and indexed; --fill does it at once and waits. What was made stays when the
server fails or the program is stopped. Afterwards --prune removes those of all
other models, and --remove those of one, which is how to have them made again.`,
		Example: "  chartcode codeset vectors\n  CHARTCODE_EMBED_MODEL=... chartcode codeset vectors --fill\n  CHARTCODE_EMBED_MODEL=... chartcode codeset vectors --prune",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			a, err := o.newApp(fill)
			if err != nil {
				return err
			}
			defer a.close(false)
			ctx := cmd.Context()
			if err := a.openStore(ctx, checkSchema, 4); err != nil {
				return err
			}
			if fill {
				if err := a.embedTerms(ctx); err != nil {
					return databaseError(err)
				}
				a.progress.done()
			}
			if prune || remove != "" {
				if err := a.removeVectors(ctx, remove); err != nil {
					return err
				}
			}
			list, err := a.vectorModels(ctx)
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(os.Stdout).Encode(list)
			}
			for _, m := range list {
				fmt.Println(m.line())
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&fill, "fill", false, "make the missing vectors of the model that is set, and their index")
	cmd.Flags().BoolVar(&prune, "prune", false, "remove the vectors of all models but the one that is set")
	cmd.Flags().StringVar(&remove, "remove", "", "remove the vectors of this model")
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	cmd.MarkFlagsMutuallyExclusive("prune", "remove")
	return cmd
}

// removeVectors removes those of one model; without a name those of all but the
// one that is set, if its own are complete.
func (a *app) removeVectors(ctx context.Context, name string) error {
	list, err := a.vectorModels(ctx)
	if err != nil {
		return err
	}
	for _, m := range list {
		if name == "" && m.Set && (!m.Ready || m.Missing > 0) {
			return fmt.Errorf("the vectors of %s are not complete: nothing was removed; chartcode codeset vectors --fill completes them", m.Name)
		}
	}
	if name != "" && !slices.ContainsFunc(list, func(m vectorModel) bool { return m.Name == name }) {
		return usagef("there are no vectors of %s; see chartcode codeset vectors", name)
	}
	for _, m := range list {
		if m.Vectors == 0 || name == "" && m.Set || name != "" && m.Name != name {
			continue
		}
		n, err := a.store.RemoveVectors(ctx, m.Name)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return databaseError(err)
		}
		fmt.Fprintf(os.Stderr, "removed %s vectors of %s\n", coding.Thousands(n), m.Name)
	}
	return nil
}
