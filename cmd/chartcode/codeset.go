package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"chartcode/internal/codeset"
	"chartcode/internal/coding"
)

func codesetCommand(o *options) *cobra.Command {
	cmd := &cobra.Command{Use: "codeset", Short: "Import, fetch, list, compare and search code sets"}
	var ro codeset.ReadOptions
	var system, from string
	imp := &cobra.Command{
		Use:   "import FILE...",
		Short: "Load release files, from zip or plain",
		Long: `Loads release files of any kinds at once; kind, system and version come from what a
file holds, else from its name or its member's in a zip. Each file is one
transaction: a broken one changes nothing, the others are loaded all the same, and
the exit status is 3. The same file again does nothing; a corrected one replaces
its release. The codes of items that are not finished are looked up again where a
release changed: their pages show what is no longer valid and what may stand in its
place.

Files that are known:
  ICD-10-CM    order file (icd10cm-order-2026.txt), tabular list, Alphabetic Index,
               index to external causes, neoplasm and drug tables (XML)
  ICD-10-PCS   order file (icd10pcs_order_2026.txt)
  HCPCS        Level II as CMS publishes it (HCPC2024_JUL_ANWEB.txt) or as CSV
               (hcpcs-level2-2024-07.csv)
  CMS and MCE  CMS-HCC mapping (code, hcc_v28; cms-hcc-v28-2026.csv), Medicare Code
               Editor (code, edit_group, edit; mce-v41.1-2024.csv), codes exempt from
               present-on-admission reporting (POAexemptCodesFY26.txt)

Any other table of codes, such as a licensed CPT file, is a CSV: UTF-8, commas,
a header with these columns in any order, other columns are ignored.
  code                the code (that of ICD-10-CM with or without its dot)
  description         its title; also long_description, long_title, title, long, name
  short_description   a short title, may be left out; also short_title, short
  billable            1 or 0 (true/false, yes/no), may be left out: all are billable
cpt-2026.csv says system and version by its name; of another name give --system,
--version, and --effective-from where the version is not a year or a month.`,
		Example: "  chartcode codeset import icd10cm-2026.zip icd10cm-index-2025.zip\n" +
			"  chartcode codeset import our-codes.csv --system CPT --version 2026",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var ok bool
			if ro.System, ok = systemNamed(system); !ok && system != "" {
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
	cmd.AddCommand(imp, list, codesetSearchCommand(o), codesetShowCommand(o), codesetUnresolvedCommand(o), codesetDiffCommand(o), codesetFetchCommand(o), codesetVectorsCommand(o))
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
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if len(results) == 0 && !onlyFiles(wrong) {
		return databaseError(wrong)
	}
	checked, err := a.recheckDue(ctx)
	if err != nil {
		return err
	}
	if len(results) > 0 {
		if err := loader.Embed(ctx); err != nil {
			return databaseError(err)
		}
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

// onlyFiles reports whether an error joins nothing but what is wrong with files.
func onlyFiles(err error) bool {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return !slices.ContainsFunc(joined.Unwrap(), func(e error) bool { return !onlyFiles(e) })
	}
	var e *codeset.Error
	return err == nil || errors.As(err, &e)
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
