package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"chartcode/internal/coding"
	"chartcode/internal/presence"
)

// status is what `status --json` prints: a public contract.
type status struct {
	Ready          bool             `json:"ready"`
	Reason         string           `json:"reason,omitempty"`
	Codesets       []coding.Release `json:"codesets"`
	Notes          noteCounts       `json:"notes"`
	SuggestionSets int              `json:"suggestion_sets"`
	LLM            *llmStatus       `json:"llm,omitempty"`
	Vectors        []vectorModel    `json:"vectors"`
	Intake         intakeStatus     `json:"intake"`
	Workers        int              `json:"workers"` // alive
}

// intakeStatus is whether workers take notes.
type intakeStatus struct {
	Paused bool       `json:"paused"`
	Since  *time.Time `json:"since,omitempty"`
	By     string     `json:"by,omitempty"`
}

type noteCounts struct {
	Received int    `json:"received"`
	Items    int    `json:"items"`
	Dead     uint64 `json:"dead"`
	InFlight uint64 `json:"in_flight"`
}

func statusCommand(o *options) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "status",
		Short:   "Show what is loaded, received and waiting",
		Example: "  chartcode status --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			a, err := o.newApp(false)
			if err != nil {
				return err
			}
			defer a.close(false)
			if err := a.openStore(cmd.Context(), checkSchema, 4); err != nil {
				return err
			}
			if err := a.openBus(cmd.Context()); err != nil {
				return err
			}
			s, err := a.status(cmd.Context())
			if err != nil {
				return err
			}
			if asJSON {
				enc := json.NewEncoder(os.Stdout)
				return enc.Encode(s)
			}
			s.print()
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return cmd
}

func (a *app) status(ctx context.Context) (status, error) {
	releases, err := a.store.Releases(ctx)
	if err != nil {
		return status{}, databaseError(err)
	}
	counts, err := a.store.Counts(ctx)
	if err != nil {
		return status{}, databaseError(err)
	}
	inFlight, dead, err := a.bus.Counts(ctx)
	if err != nil {
		return status{}, err
	}
	s := status{Codesets: releases, SuggestionSets: counts.SuggestionSets,
		Notes: noteCounts{Received: counts.NotesReceived, Items: counts.Items, Dead: dead, InFlight: inFlight}}
	if s.Codesets == nil {
		s.Codesets = []coding.Release{}
	}
	if s.LLM, err = a.llmStatus(ctx); err != nil {
		return status{}, err
	}
	if s.Vectors, err = a.vectorModels(ctx); err != nil {
		return status{}, err
	}
	in, err := a.store.Intake(ctx)
	if err != nil {
		return status{}, databaseError(err)
	}
	if s.Intake.Paused = in.Paused; in.Paused {
		s.Intake.Since, s.Intake.By = &in.At, in.By
	}
	if s.Workers, err = a.store.AliveWorkers(ctx, presence.AliveFor); err != nil {
		return status{}, databaseError(err)
	}
	s.Ready, s.Reason, err = a.codesReady(ctx, releases)
	return s, err
}

// codesReady reports whether suggestions can be made: a code table is loaded
// and the terms' vectors stand.
func (a *app) codesReady(ctx context.Context, releases []coding.Release) (bool, string, error) {
	line, _ := codeSetLine(releases)
	if line == "" {
		return false, errNoCodes.Error(), nil
	}
	ready, err := a.store.ReadyModels(ctx)
	if err != nil {
		return false, "", databaseError(err)
	}
	if len(ready) == 0 { // those of another model serve until the ones of the model that is set are complete
		return false, "the terms' vectors are not ready yet", nil
	}
	return true, "", nil
}

func (s status) print() {
	ready := "ready"
	if !s.Ready {
		ready = "not ready: " + s.Reason
	}
	fmt.Println(ready)
	fmt.Printf("notes received %d, worklist items %d, suggestion sets %d, waiting %d, dead letters %d\n",
		s.Notes.Received, s.Notes.Items, s.SuggestionSets, s.Notes.InFlight, s.Notes.Dead)
	fmt.Printf("workers alive: %d\n", s.Workers)
	if s.Intake.Paused {
		fmt.Printf("the intake is paused by %s since %s: no notes are taken until an administrator resumes it on the page /system\n", s.Intake.By, s.Intake.Since.Local().Format(time.DateTime))
	}
	if l := s.LLM; l != nil {
		fmt.Printf("LLM today: %d calls, %d tokens in and %d out, %.2f US dollars", l.Calls, l.PromptTokens, l.CompletionTokens, l.SpentUSD)
		if l.BudgetUSD > 0 {
			fmt.Printf(" of %.2f", l.BudgetUSD)
		}
		fmt.Println()
	}
	for _, m := range s.Vectors {
		fmt.Println("embedding model " + m.line())
	}
	for _, r := range s.Codesets {
		fmt.Printf("  %-24s %-10s %-9s %8d rows %7d billable, from %s\n", r.ID, r.System, r.Kind, r.Rows, r.Billable, r.EffectiveFrom)
	}
}
