package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"chartcode/internal/codeset"
	"chartcode/internal/coding"
	"chartcode/internal/store"
)

// diffFormats are how `codeset diff` writes.
var diffFormats = map[string]func(io.Writer, codesetDiff) error{"table": diffTable, "csv": diffCSV, "json": diffJSON}

// codesetDiff is what `codeset diff --format json` gives.
type codesetDiff struct {
	Old     string                     `json:"old"` // ids of the releases
	New     string                     `json:"new"`
	Counts  map[codeset.ChangeKind]int `json:"counts"`
	Changes []codeset.Change           `json:"changes"`
}

func codesetDiffCommand(o *options) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "Compare two releases of a code system",
		Long: `Lists the codes that were added, deleted, retitled, made a header (and so may no
longer be billed) or made billable from one release to another, after the number of
each. OLD and NEW are releases that are loaded, by id, or release files, which
need not be loaded. With --format csv the numbers go to standard error.`,
		Example: "  chartcode codeset diff icd10cm-2025 icd10cm-2026\n  chartcode codeset diff icd10cm-2026 ./icd10cm-2027.zip --format csv",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			write, ok := diffFormats[format]
			if !ok {
				return usagef("--format is one of table, csv, json")
			}
			a, err := o.newApp(false)
			if err != nil {
				return err
			}
			defer a.close(false)
			before, old, err := a.codesOf(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			after, current, err := a.codesOf(cmd.Context(), args[1])
			if err != nil {
				return err
			}
			if before.System != after.System {
				return usagef("%s is of %s and %s of %s; only releases of one system can be compared", before.ID, before.System, after.ID, after.System)
			}
			d := codesetDiff{Old: before.ID, New: after.ID, Changes: codeset.Compare(old, current)}
			d.Counts = codeset.Count(d.Changes)
			return write(os.Stdout, d)
		},
	}
	cmd.Flags().StringVar(&format, "format", "table", "table, csv or json")
	return cmd
}

// codesOf gives the codes of a release, named by its id or by its file.
func (a *app) codesOf(ctx context.Context, name string) (coding.Release, []coding.Code, error) {
	if _, err := os.Stat(name); err == nil {
		return codesInFile(name)
	}
	if a.store == nil {
		if err := a.openStore(ctx, checkSchema, 2); err != nil {
			return coding.Release{}, nil, err
		}
	}
	releases, err := a.store.Releases(ctx)
	if err != nil {
		return coding.Release{}, nil, databaseError(err)
	}
	for _, r := range releases {
		if r.ID != name {
			continue
		}
		if !codeset.HoldsCodes(r.Kind) {
			return r, nil, usagef("%s holds no table of codes", name)
		}
		codes, err := a.store.Codes(ctx, r.ID)
		if errors.Is(err, store.ErrNotFound) { // removed meanwhile
			break
		}
		return r, codes, databaseError(err)
	}
	return coding.Release{}, nil, usagef("%s is neither a file nor a release that is loaded; chartcode codeset list names those", name)
}

func codesInFile(path string) (coding.Release, []coding.Code, error) {
	contents, err := codeset.ReadFile(path, codeset.ReadOptions{})
	if err != nil {
		return coding.Release{}, nil, err
	}
	var found *codeset.Content
	for _, c := range contents {
		if !codeset.HoldsCodes(c.Release.Kind) {
			continue
		}
		if found != nil {
			return coding.Release{}, nil, usagef("%s holds several releases; give a file with one", codeset.BaseName(path))
		}
		found = c
	}
	if found == nil {
		return coding.Release{}, nil, usagef("%s holds no table of codes", codeset.BaseName(path))
	}
	return found.Release, found.Codes, nil
}

// diffNames name the changes for people.
var diffNames = map[codeset.ChangeKind]string{
	codeset.Added: "added", codeset.Deleted: "deleted", codeset.Retitled: "retitled",
	codeset.MadeHeader: "made header", codeset.MadeBillable: "made billable",
}

func diffTable(to io.Writer, d codesetDiff) error {
	w := tabwriter.NewWriter(to, 2, 8, 2, ' ', 0)
	fmt.Fprintf(w, "from %s to %s\n\n", d.Old, d.New)
	for _, k := range codeset.ChangeKinds() {
		fmt.Fprintf(w, "%s\t%s\n", diffNames[k], coding.Thousands(d.Counts[k]))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	last := codeset.ChangeKind("")
	for _, c := range d.Changes {
		if c.Kind != last {
			last = c.Kind
			if err := w.Flush(); err != nil {
				return err
			}
			fmt.Fprintf(to, "\n%s\n", diffNames[c.Kind])
		}
		switch c.Kind {
		case codeset.Retitled:
			fmt.Fprintf(w, "  %s\t%s\n\twas: %s\n", c.Code, c.NewTitle, c.OldTitle)
		case codeset.Deleted:
			fmt.Fprintf(w, "  %s\t%s\n", c.Code, c.OldTitle)
		default:
			title := c.NewTitle
			if c.Kind == codeset.Added && !c.Billable {
				title += " (header)"
			}
			fmt.Fprintf(w, "  %s\t%s\n", c.Code, title)
		}
	}
	return w.Flush()
}

func diffCSV(to io.Writer, d codesetDiff) error {
	fmt.Fprintf(os.Stderr, "from %s to %s:", d.Old, d.New)
	for i, k := range codeset.ChangeKinds() {
		if i > 0 {
			fmt.Fprint(os.Stderr, ",")
		}
		fmt.Fprintf(os.Stderr, " %d %s", d.Counts[k], diffNames[k])
	}
	fmt.Fprintln(os.Stderr)
	w := csv.NewWriter(to)
	rows := [][]string{{"change", "code", "billable", "old_title", "new_title"}}
	for _, c := range d.Changes {
		billable := 0
		if c.Billable {
			billable = 1
		}
		rows = append(rows, []string{string(c.Kind), c.Code, strconv.Itoa(billable), c.OldTitle, c.NewTitle})
	}
	return w.WriteAll(rows)
}

func diffJSON(to io.Writer, d codesetDiff) error {
	if d.Changes == nil {
		d.Changes = []codeset.Change{}
	}
	return json.NewEncoder(to).Encode(d)
}
