package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"chartcode/eval"
	"chartcode/internal/learned"
)

func evalEvidenceCommand(o *options) *cobra.Command {
	var dataset, places string
	var misled bool
	cmd := &cobra.Command{
		Use:   "evidence",
		Short: "Measure how well places that support a code are told from others",
		Long: `Compares what retrieval thinks of places in notes with what people said of them
who read them, and fits the weights of that judgement again. What was counted in
coded notes leaves out the note that a place stands in. The fitted weights are
printed, not used: those of the program are in pipeline/retrieve/ground.go.`,
		Example: "  chartcode eval evidence --misled",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			judged, err := eval.ReadPlaces(places)
			if err != nil {
				return openError(places, err)
			}
			models, err := learned.Default()
			if err != nil {
				return err
			}
			return o.measure(cmd.Context(), func(ctx context.Context, a *app, m *measured) error {
				data, err := m.data(dataset)
				if err != nil {
					return err
				}
				rep, err := data.Evidence(ctx, models, judged)
				a.progress.done()
				if err == nil {
					if misled {
						fmt.Println(rep.MisledText())
					}
					fmt.Print(rep.Text())
				}
				return err
			})
		},
	}
	cmd.Flags().StringVar(&dataset, "dataset", defaultDataset(), "the notes, as JSON lines")
	cmd.Flags().StringVar(&places, "places", defaultLabels("evidence-places.jsonl"), "the places that were judged")
	cmd.Flags().BoolVar(&misled, "misled", false, "also list the likeliest places that do not support their code")
	return cmd
}
