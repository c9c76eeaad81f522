package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"chartcode/internal/auth"
	"chartcode/internal/coding"
	"chartcode/internal/export"
	"chartcode/internal/store"
)

// exportOptions say what is written, and as what.
type exportOptions struct {
	format, source, from, to, out string
	items                         []int64
	notes                         []string
}

func exportCommand(o *options) *cobra.Command {
	var x exportOptions
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write what coders decided as CSV, JSON or a FHIR R4 Bundle",
		Long: `Writes the codes of finished items in the order in which they were finished. Days
are the site's (CHARTCODE_TIMEZONE) and count by when an item was finished last.
With --item it writes single items, and with --note those that hold these notes,
also unfinished ones: what nobody has decided on yet is then marked as provisional.
A note is looked for in --source, without it in "default". The output holds patient
data; the audit trail says that it was written.`,
		Example: `  chartcode export --format csv --from 2026-03-01 --to 2026-03-31 --out march.csv
  chartcode export --format fhir --source north
  chartcode export --format json --item 42
  chartcode export --format fhir --source north --note D-1001`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			a, err := o.newApp(false)
			if err != nil {
				return err
			}
			defer a.close(false)
			from, to, err := x.period(a.cfg.Timezone)
			if err != nil {
				return err
			}
			if err := a.openStore(cmd.Context(), checkSchema, 3); err != nil {
				return err
			}
			return a.export(cmd.Context(), x, from, to)
		},
	}
	cmd.Flags().StringVar(&x.format, "format", string(export.JSON), "csv, json or fhir")
	cmd.Flags().StringVar(&x.from, "from", "", "first `day`, such as 2026-03-01; without it from the beginning")
	cmd.Flags().StringVar(&x.to, "to", "", "last `day`; without it until now")
	cmd.Flags().StringVar(&x.source, "source", "", "items of this source only")
	cmd.Flags().Int64SliceVar(&x.items, "item", nil, "`number` of an item; may be repeated")
	cmd.Flags().StringArrayVar(&x.notes, "note", nil, "`id` of a note of --source, for the item that holds it; may be repeated")
	cmd.Flags().StringVar(&x.out, "out", "", "`file` to write, which must not exist; standard output without it")
	return cmd
}

// period checks the flags and gives the days that are meant, the end exclusive.
func (x exportOptions) period(zone *time.Location) (from, to time.Time, err error) {
	switch export.Format(x.format) {
	case export.CSV, export.JSON, export.FHIR:
	default:
		return from, to, usagef("--format: %s", export.ErrFormat)
	}
	if single := len(x.items) > 0 || len(x.notes) > 0; single && (x.from != "" || x.to != "") || len(x.items) > 0 && x.source != "" {
		return from, to, usagef("--item goes with none of --from, --to and --source, --note with neither --from nor --to")
	}
	return daysOf(x.from, x.to, zone)
}

// daysOf reads a first and a last day, each of which may be missing, and gives when
// they begin and, exclusive, end.
func daysOf(first, last string, zone *time.Location) (from, to time.Time, err error) {
	from, to = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	if first != "" {
		if from, err = time.ParseInLocation(time.DateOnly, first, zone); err != nil {
			return from, to, usagef("--from must be a day such as 2026-03-01")
		}
	}
	if last != "" {
		if to, err = time.ParseInLocation(time.DateOnly, last, zone); err != nil {
			return from, to, usagef("--to must be a day such as 2026-03-31")
		}
		to = to.AddDate(0, 0, 1)
	}
	return from, to, nil
}

func (a *app) export(ctx context.Context, x exportOptions, from, to time.Time) (err error) {
	for _, note := range x.notes {
		source := cmp.Or(x.source, coding.DefaultSource)
		id, err := a.store.ItemHoldingNote(ctx, source, note)
		switch {
		case errors.Is(err, store.ErrNotFound):
			return fmt.Errorf("--note: source %q has no such note", source)
		case err != nil:
			return databaseError(err)
		case !slices.Contains(x.items, id):
			x.items = append(x.items, id)
		}
	}
	out := io.Writer(os.Stdout)
	if x.out != "" {
		f, err := os.OpenFile(x.out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return openError(x.out, err)
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		out = f
	}
	// Nothing is written that is not on record.
	ev := coding.AuditEvent{At: time.Now().UTC(), Actor: auth.ByConsole, Action: "export." + x.format, Target: x.target()}
	if err := a.store.AppendAudit(ctx, ev); err != nil {
		return databaseError(err)
	}
	records := a.store.ReviewedItems(ctx, from, to, x.source)
	if len(x.items) > 0 {
		records = a.records(ctx, x.items)
	}
	p := newProgress(false)
	p.Step("writing items")
	defer p.done()
	n := 0
	entries := func(yield func(export.Entry, error) bool) {
		for r, err := range records {
			if err != nil {
				yield(export.Entry{}, err)
				return
			}
			n++
			p.Update(n, len(x.items))
			if !yield(export.Of(r), nil) {
				return
			}
		}
	}
	b := bufio.NewWriter(out)
	if _, err := export.Write(b, export.Format(x.format), entries); err != nil {
		return databaseError(err)
	}
	return b.Flush()
}

// target says for the audit trail what was meant: numbers of items or a period
// and source.
func (x exportOptions) target() string {
	if len(x.items) > 0 {
		return fmt.Sprint("items ", x.items)
	}
	text := ""
	for _, part := range []struct{ name, value string }{{"source", x.source}, {"from", x.from}, {"to", x.to}} {
		if part.value != "" {
			text += " " + part.name + " " + part.value
		}
	}
	if text == "" {
		return "all"
	}
	return text[1:]
}

// records gives single items.
func (a *app) records(ctx context.Context, ids []int64) iter.Seq2[coding.ItemRecord, error] {
	return func(yield func(coding.ItemRecord, error) bool) {
		for _, id := range ids {
			r, found, err := a.store.ItemRecord(ctx, id, nil)
			if err == nil && !found {
				err = errors.New("there is no item " + strconv.FormatInt(id, 10))
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}
