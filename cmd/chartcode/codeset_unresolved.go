package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"chartcode/internal/codeset"
	"chartcode/internal/coding"
	"chartcode/internal/store"
)

// unresolved is a reference that leads nowhere, or a note that could not be
// read, as `codeset unresolved --json` gives it.
type unresolved struct {
	Release string `json:"release"`
	Kind    string `json:"kind"`           // index, eindex, neoplasm, drug, tabular
	Code    string `json:"code,omitempty"` // tabular: where the note stands
	Text    string `json:"text"`           // the entry's phrase, or the note
	See     string `json:"see,omitempty"`  // what the entry refers to
}

func codesetUnresolvedCommand(o *options) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "unresolved [RELEASE]",
		Short: "List references of indexes and tabular lists that lead nowhere",
		Long: `Lists what could not be followed in the files that are loaded, or in one release:
entries of an index or a table whose "see" names nothing that is there, and notes
of a tabular list that name codes in a way that was not understood. The number of
each is in "chartcode codeset list --json".`,
		Example: "  chartcode codeset unresolved icd10cm-index-2025",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			a, err := o.newApp(false)
			if err != nil {
				return err
			}
			defer a.close(false)
			ctx := cmd.Context()
			if err := a.openStore(ctx, checkSchema, 2); err != nil {
				return err
			}
			releases, err := a.store.Releases(ctx)
			if err != nil {
				return databaseError(err)
			}
			found := []unresolved{}
			known := false
			for _, r := range releases {
				if len(args) > 0 && r.ID != args[0] {
					continue
				}
				known = true
				lines, err := a.unresolvedOf(cmd, r)
				if err != nil {
					return err
				}
				found = append(found, lines...)
			}
			if !known && len(args) > 0 {
				return usagef("there is no release %s; chartcode codeset list names those that are loaded", args[0])
			}
			return printUnresolved(found, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return cmd
}

func (a *app) unresolvedOf(cmd *cobra.Command, r coding.Release) ([]unresolved, error) {
	rows, err := a.store.Lines(cmd.Context(), r.ID)
	if errors.Is(err, store.ErrNotFound) { // replaced meanwhile
		return nil, nil
	}
	if err != nil {
		return nil, databaseError(err)
	}
	var out []unresolved
	for _, row := range rows {
		l, err := codeset.ParseLine(row)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.ID, err)
		}
		if l.Unresolved() {
			out = append(out, unresolved{Release: r.ID, Kind: r.Kind, Code: l.Code, Text: l.Text, See: l.See})
		}
	}
	return out, nil
}

func printUnresolved(found []unresolved, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(os.Stdout).Encode(found)
	}
	w := tabwriter.NewWriter(os.Stdout, 2, 8, 2, ' ', 0)
	for i, u := range found {
		if i == 0 {
			fmt.Fprintln(w, "RELEASE\tENTRY OR NOTE\tSEE")
		}
		text := u.Text
		if u.Code != "" {
			text = u.Code + ": " + text
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", u.Release, text, u.See)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Printf("%d unresolved\n", len(found))
	return nil
}
