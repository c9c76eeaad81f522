package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func migrateCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:     "migrate",
		Short:   "Bring the database's schema up to date",
		Long:    "Applies the migrations that are missing, as the user of CHARTCODE_DATABASE_URL, who\nmust own the schema. Several at once do no harm: one works, the others wait.",
		Example: "  CHARTCODE_DATABASE_URL=postgres://owner@db/chartcode chartcode migrate",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			a, err := o.newApp(true)
			if err != nil {
				return err
			}
			defer a.close(false)
			if err := a.openStore(cmd.Context(), migrateSchema, 2); err != nil {
				return err
			}
			applied, _, err := a.store.Version(cmd.Context())
			if err != nil {
				return databaseError(err)
			}
			fmt.Printf("the schema is up to date, at migration %d\n", applied)
			return nil
		},
	}
}
