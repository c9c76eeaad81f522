package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"chartcode/internal/codebook"
	"chartcode/internal/coding"
)

// lookOptions are the flags of the commands that look codes up.
type lookOptions struct {
	systemName, day string
	asJSON          bool

	system coding.System
	date   coding.Date
}

func (lo *lookOptions) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&lo.systemName, "system", string(coding.ICD10CM), "ICD-10-CM, ICD-10-PCS, HCPCS or CPT")
	f.StringVar(&lo.day, "date", "", "date of service, YYYY-MM-DD, that picks the release; by default the newest")
	f.BoolVar(&lo.asJSON, "json", false, "as JSON")
}

func (lo *lookOptions) check() error {
	lo.system = coding.System(strings.ToUpper(lo.systemName))
	if !lo.system.Valid() {
		return usagef("--system is one of ICD-10-CM, ICD-10-PCS, HCPCS, CPT")
	}
	var err error
	if lo.date, err = coding.ParseDate(lo.day); err != nil {
		return usagef("--date is %v", err)
	}
	return nil
}

// look runs what looks codes up in the database.
func (lo *lookOptions) look(ctx context.Context, o *options, run func(*codebook.Book) error) error {
	if err := lo.check(); err != nil {
		return err
	}
	a, err := o.newApp(false)
	if err != nil {
		return err
	}
	defer a.close(false)
	if err := a.openStore(ctx, checkSchema, 3); err != nil {
		return err
	}
	book, err := codebook.New(codebook.Config{Source: a.store})
	if err != nil {
		return err
	}
	a.progress.Step("Loading the codes")
	err = run(book)
	a.progress.done()
	if errors.Is(err, codebook.ErrNotLoaded) {
		return fmt.Errorf("no code table of %s is loaded; import one with chartcode codeset import FILE", lo.system)
	}
	return databaseError(err)
}

func codesetSearchCommand(o *options) *cobra.Command {
	var lo lookOptions
	var limit int
	cmd := &cobra.Command{
		Use:   "search WORDS...",
		Short: "Find codes by a code, its beginning, or words",
		Long: `Finds codes by titles, inclusion terms, the Alphabetic Index and everyday names, best
first. A code may be typed without its dot, and not to its end; words may be in any
order, the last one a beginning; abbreviations and slight misspellings count. A
header says how many billable codes it leads to.`,
		Example: `  chartcode codeset search fx distal radius right
  chartcode codeset search E11.2 --date 2025-03-14
  chartcode codeset search wheelchair --system HCPCS --json`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			text := strings.TrimSpace(strings.Join(args, " "))
			if text == "" {
				return usagef("name a code or words to search for")
			}
			if limit < 1 || limit > 200 {
				return usagef("--limit is a number from 1 to 200")
			}
			return lo.look(cmd.Context(), o, func(book *codebook.Book) error {
				r, err := book.Search(cmd.Context(), codebook.Query{Text: text, System: lo.system, Date: lo.date, Limit: limit})
				if err != nil {
					return err
				}
				if lo.asJSON {
					return json.NewEncoder(os.Stdout).Encode(r)
				}
				return printHits(os.Stdout, r)
			})
		},
	}
	lo.addFlags(cmd)
	cmd.Flags().IntVar(&limit, "limit", 20, "at most so many")
	return cmd
}

func printHits(out io.Writer, r codebook.Result) error {
	fmt.Fprintf(out, "%s %s\n", r.Release.System, r.Release.Version)
	for _, n := range r.Notices {
		fmt.Fprintln(out, n.Message)
	}
	if len(r.Codes) == 0 {
		fmt.Fprintln(out, "no code fits; try fewer or other words")
		return nil
	}
	w := tabwriter.NewWriter(out, 2, 8, 2, ' ', 0)
	for _, h := range r.Codes {
		what := "billable"
		if !h.Billable {
			what = fmt.Sprintf("header of %d", h.Under)
		}
		title := h.Title
		if h.Matched != nil && h.Matched.Kind != coding.TermTitle {
			title += fmt.Sprintf(" [%s: %s]", h.Matched.Kind, h.Matched.Text)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", h.Code.Code, what, title)
	}
	return w.Flush()
}
