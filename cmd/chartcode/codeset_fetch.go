package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"chartcode/internal/codeset"
	"chartcode/internal/coding"
	"chartcode/internal/fetch"
)

// fetchFlags are the flags of `codeset fetch`.
type fetchFlags struct {
	out, url string
	load     bool
}

func codesetFetchCommand(o *options) *cobra.Command {
	var f fetchFlags
	cmd := &cobra.Command{
		Use:   "fetch SYSTEM VERSION",
		Short: "Download a release from CMS",
		Long: `Downloads the official files of a release over HTTPS into the folder of
CHARTCODE_CODESETS (or --out; else ./codesets) and prints the SHA-256 of each. A
download that was cut off goes on where it stopped. SYSTEM is ICD-10-CM, ICD-10-PCS
or HCPCS; VERSION is 2026, or 2024-07 for HCPCS.

The addresses follow the shape in which CMS publishes; it changes names now and
then. Where one is not found, look the file up on the page of CMS and give its
address with --url.`,
		Example: "  chartcode codeset fetch ICD-10-CM 2027 --import\n" +
			"  chartcode codeset fetch HCPCS 2026-04 --url https://www.cms.gov/files/zip/april-2026-alpha-numeric-hcpcs-file.zip",
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			system, ok := systemNamed(args[0])
			if !ok {
				return usagef("SYSTEM is one of ICD-10-CM, ICD-10-PCS, HCPCS, CPT")
			}
			files := []fetch.File{{What: "release", URL: f.url}}
			if f.url == "" {
				var err error
				if files, err = fetch.Addresses(system, args[1]); err != nil {
					return usagef("%v", err)
				}
			}
			return runFetch(cmd.Context(), o, system, args[1], files, f)
		},
	}
	cmd.Flags().StringVar(&f.out, "out", "", "folder to write into")
	cmd.Flags().StringVar(&f.url, "url", "", "address of the file, instead of those that are known")
	cmd.Flags().BoolVar(&f.load, "import", false, "import what was downloaded")
	return cmd
}

// systemNamed finds a system however its name is written: icd10cm, ICD-10-CM.
func systemNamed(name string) (coding.System, bool) {
	fold := func(s string) string {
		return strings.ToLower(strings.NewReplacer("-", "", "_", "", " ", "").Replace(s))
	}
	for _, s := range coding.Systems() {
		if fold(string(s)) == fold(name) {
			return s, true
		}
	}
	return "", false
}

func runFetch(ctx context.Context, o *options, system coding.System, version string, files []fetch.File, f fetchFlags) error {
	a, err := o.newApp(true)
	if err != nil {
		return err
	}
	defer a.close(false)
	dir := f.out
	if dir == "" {
		dir = a.cfg.Codesets
	}
	if dir == "" {
		dir = codesetFolders[0]
	}
	var got []string
	var wrong []error
	for _, file := range files {
		a.progress.Step("Downloading the " + file.What)
		r, err := fetch.Download(ctx, fetch.Config{URL: file.URL, Dir: dir, Notify: func(done, total int64) { a.progress.Update(int(done), int(total)) }})
		a.progress.done()
		if err == nil {
			fmt.Printf("%s  %s\n", r.SHA256, r.Path)
			if err = describeFetched(r.Path, system, version); err == nil {
				got = append(got, r.Path)
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			wrong = append(wrong, err)
		}
	}
	if len(got) == 0 {
		return errors.Join(wrong...)
	}
	if f.load {
		err = runImport(ctx, o, got, codeset.ReadOptions{})
	} else {
		fmt.Println("to load it: chartcode codeset import " + strings.Join(quoted(got), " "))
	}
	if len(wrong) > 0 {
		return partialf("%w", errors.Join(append(wrong, err)...))
	}
	return err
}

// describeFetched says what a file holds, and complains where that is not what
// was asked for.
func describeFetched(path string, system coding.System, version string) error {
	rels, err := codeset.Describe(path)
	if err != nil {
		return err
	}
	if len(rels) == 0 {
		return fmt.Errorf("%s holds no code-set file that is known", path)
	}
	var ids []string
	for _, r := range rels {
		ids = append(ids, r.ID)
	}
	fmt.Printf("  holds %s\n", strings.Join(ids, ", "))
	tables := slices.DeleteFunc(rels, func(r coding.Release) bool { return !codeset.HoldsCodes(r.Kind) })
	if len(tables) > 0 && !slices.ContainsFunc(tables, func(r coding.Release) bool { return r.System == system && r.Version == version }) {
		fmt.Fprintf(os.Stderr, "note: %s holds %s, not %s %s\n", path, tables[0].ID, system, version)
	}
	return nil
}

// quoted makes paths fit for a shell.
func quoted(paths []string) []string {
	out := make([]string, len(paths))
	for i, p := range paths {
		if out[i] = p; strings.ContainsAny(p, " '\"()$&;") {
			out[i] = "'" + strings.ReplaceAll(p, "'", `'\''`) + "'"
		}
	}
	return out
}
