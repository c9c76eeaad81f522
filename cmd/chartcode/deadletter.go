package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"chartcode/internal/bus"
	"chartcode/pipeline/intake"
)

func deadletterCommand(o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "deadletter",
		Short: "Read, repair and replay notes that could not succeed",
	}
	var asJSON bool
	var limit int
	list := &cobra.Command{
		Use: "list", Short: "List dead letters, oldest first", Args: cobra.NoArgs,
		Example: "  chartcode deadletter list --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withBus(cmd.Context(), o, func(a *app) error { return a.listDead(cmd.Context(), limit, asJSON) })
		},
	}
	list.Flags().BoolVar(&asJSON, "json", false, "one JSON object a line")
	list.Flags().IntVar(&limit, "limit", 1000, "at most so many")
	show := &cobra.Command{
		Use: "show NUMBER", Short: "Write the original bytes to standard output (they may hold patient text)", Args: cobra.ExactArgs(1),
		Example: "  chartcode deadletter show 7 > note.json",
		RunE: func(cmd *cobra.Command, args []string) error {
			seq, err := deadNumber(args[0])
			if err != nil {
				return err
			}
			return withBus(cmd.Context(), o, func(a *app) error {
				d, err := a.bus.GetDead(cmd.Context(), seq)
				if err != nil {
					return err
				}
				_, err = os.Stdout.Write(d.Body)
				return err
			})
		},
	}
	var bodyFile string
	replay := &cobra.Command{
		Use: "replay NUMBER", Short: "Send a dead letter to the workers again", Args: cobra.ExactArgs(1),
		Example: "  chartcode deadletter replay 7 --body repaired.json",
		RunE: func(cmd *cobra.Command, args []string) error {
			seq, err := deadNumber(args[0])
			if err != nil {
				return err
			}
			repaired, err := repairedNote(bodyFile)
			if err != nil {
				return err
			}
			return withBus(cmd.Context(), o, func(a *app) error {
				if err := a.bus.ReplayDead(cmd.Context(), seq, repaired); err != nil {
					return err
				}
				fmt.Printf("dead letter %d was sent to the workers\n", seq)
				return nil
			})
		},
	}
	replay.Flags().StringVar(&bodyFile, "body", "", "file with the repaired note to send instead of the original bytes")
	cmd.AddCommand(list, show, replay)
	return cmd
}

func deadNumber(s string) (uint64, error) {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil || n == 0 {
		return 0, usagef("%q is no number of a dead letter; see chartcode deadletter list", s)
	}
	return n, nil
}

func repairedNote(file string) (*bus.Submission, error) {
	if file == "" {
		return nil, nil
	}
	body, err := os.ReadFile(file)
	if err != nil {
		return nil, openError(file, err)
	}
	note, err := intake.Parse(body, "")
	if err != nil {
		return nil, fmt.Errorf("%s is still not a valid note: %w", file, err)
	}
	return &bus.Submission{Source: note.Source, Priority: note.Priority, NoteID: note.NoteID, Body: body}, nil
}

// withBus runs f with a connection to NATS.
func withBus(ctx context.Context, o *options, f func(a *app) error) error {
	a, err := o.newApp(false)
	if err != nil {
		return err
	}
	defer a.close(false)
	if err := a.openBus(ctx); err != nil {
		return err
	}
	err = f(a)
	if errors.Is(err, bus.ErrNoDeadLetter) {
		return bus.ErrNoDeadLetter
	}
	return err
}

// deadLine is a dead letter without its body.
type deadLine struct {
	Number   uint64    `json:"number"`
	Source   string    `json:"source"`
	Reason   string    `json:"reason"`
	Stage    string    `json:"stage"`
	Attempts int       `json:"attempts"`
	Received time.Time `json:"received"`
	Died     time.Time `json:"died"`
	Bytes    int       `json:"bytes"`
}

func (a *app) listDead(ctx context.Context, limit int, asJSON bool) error {
	list, err := a.bus.ListDead(ctx, limit, 0)
	if err != nil {
		return err
	}
	enc := json.NewEncoder(os.Stdout)
	w := tabwriter.NewWriter(os.Stdout, 2, 8, 2, ' ', 0)
	if !asJSON {
		if len(list) == 0 {
			fmt.Println("no dead letters")
			return nil
		}
		fmt.Fprintln(w, "NUMBER\tSOURCE\tREASON\tSTAGE\tATTEMPTS\tRECEIVED\tBYTES")
	}
	for _, d := range list {
		if asJSON {
			if err := enc.Encode(deadLine{d.Seq, d.Source, d.Reason, d.Stage, d.Attempts, d.Received, d.Died, d.Size}); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%d\t%s\t%d\n", d.Seq, d.Source, d.Reason, d.Stage, d.Attempts, d.Received.Local().Format(time.DateTime), d.Size)
	}
	return w.Flush()
}
