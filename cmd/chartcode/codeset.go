package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"chartcode/internal/codeset"
	"chartcode/internal/coding"
)

func codesetCommand(o *options) *cobra.Command {
	cmd := &cobra.Command{Use: "codeset", Short: "Import, list and search code sets"}
	var ro codeset.ReadOptions
	var system, from string
	imp := &cobra.Command{
		Use:   "import FILE...",
		Short: "Load official release files, from zip or plain",
		Long: `Loads release files of any kinds at once; kind, system and version come from the
files' names. Each file is one transaction: a broken one changes nothing. The
same file again does nothing; a corrected one replaces its release. The codes of
items that are not finished are looked up again where a release changed: their
pages show what is no longer valid and what may stand in its place.`,
		Example: "  chartcode codeset import icd10cm-2026.zip icd10cm-index-2025.zip",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ro.System = coding.System(system)
			if system != "" && !ro.System.Valid() {
				return usagef("--system is one of ICD-10-CM, ICD-10-PCS, HCPCS, CPT")
			}
			var err error
			if ro.EffectiveFrom, err = coding.ParseDate(from); err != nil {
				return usagef("--effective-from is %v", err)
			}
			if len(args) > 1 && (system != "" || ro.Version != "" || from != "") {
				return usagef("--system, --version and --effective-from are for one file")
			}
			return runImport(cmd.Context(), o, args, ro)
		},
	}
	imp.Flags().StringVar(&system, "system", "", "code system of a file whose name says nothing")
	imp.Flags().StringVar(&ro.Version, "version", "", "its version")
	imp.Flags().StringVar(&from, "effective-from", "", "its first day, YYYY-MM-DD")
	var asJSON bool
	list := &cobra.Command{
		Use: "list", Short: "List what is loaded", Args: cobra.NoArgs,
		Example: "  chartcode codeset list --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			a, err := o.newApp(false)
			if err != nil {
				return err
			}
			defer a.close(false)
			if err := a.openStore(cmd.Context(), checkSchema, 2); err != nil {
				return err
			}
			releases, err := a.store.Releases(cmd.Context())
			if err != nil {
				return databaseError(err)
			}
			return printReleases(releases, asJSON)
		},
	}
	list.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	cmd.AddCommand(imp, list, codesetSearchCommand(o), codesetShowCommand(o))
	return cmd
}

func runImport(ctx context.Context, o *options, files []string, ro codeset.ReadOptions) error {
	a, err := o.newApp(false)
	if err != nil {
		return err
	}
	defer a.close(false)
	if err := a.openStore(ctx, migrateSchema, 4); err != nil {
		return err
	}
	loader, err := a.newLoader(ctx)
	if err != nil {
		return err
	}
	results, wrong := loader.ImportFiles(ctx, files, ro)
	if len(results) == 0 && wrong != nil {
		return wrong
	}
	checked, err := a.recheckDue(ctx)
	if err != nil {
		return err
	}
	if err := loader.Embed(ctx); err != nil {
		return databaseError(err)
	}
	a.progress.done()
	for _, r := range results {
		what := "loaded"
		if !r.Changed {
			what = "was there already"
		}
		fmt.Printf("%s %s: %d rows, %d billable, from %s\n", r.Release.ID, what, r.Release.Rows, r.Release.Billable, r.Release.EffectiveFrom)
	}
	if checked > 0 {
		fmt.Printf("open items checked against the releases: %d\n", checked)
	}
	if wrong != nil {
		return partialf("%w", wrong)
	}
	return nil
}

func printReleases(releases []coding.Release, asJSON bool) error {
	if asJSON {
		if releases == nil {
			releases = []coding.Release{}
		}
		return json.NewEncoder(os.Stdout).Encode(releases)
	}
	if len(releases) == 0 {
		fmt.Println("no code set is loaded; import one with chartcode codeset import FILE")
		return nil
	}
	w := tabwriter.NewWriter(os.Stdout, 2, 8, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tSYSTEM\tKIND\tVERSION\tFROM\tTO\tROWS\tBILLABLE")
	for _, r := range releases {
		to := r.EffectiveTo.String()
		if to == "" {
			to = "open"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%d\t%d\n", r.ID, r.System, r.Kind, r.Version, r.EffectiveFrom, to, r.Rows, r.Billable)
	}
	return w.Flush()
}
