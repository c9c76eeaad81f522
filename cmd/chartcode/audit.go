package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"chartcode/internal/audit"
)

func auditCommand(o *options) *cobra.Command {
	cmd := &cobra.Command{Use: "audit", Short: "Check the audit trail, and draw finished reviews to be coded again"}
	var known, file, export string
	verify := &cobra.Command{
		Use:   "verify",
		Short: "Check that no event was changed, removed or put in between",
		Long: `Recomputes the hash chain of the audit trail, in the database or, with --file, of
an export, without a database. Keep the head that it prints in another place: with
--head it shows that everything up to there is still as it was.`,
		Example: "  chartcode audit verify --head 3f9a...",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if file != "" {
				f, err := os.Open(file)
				if err != nil {
					return openError(file, err)
				}
				defer f.Close()
				r, err := audit.VerifyFile(f, known)
				return auditVerdict(r, err)
			}
			return withTrail(cmd, o, func(t *audit.Trail) error {
				if _, err := t.Seal(cmd.Context()); err != nil {
					return err
				}
				if export != "" {
					return exportTrail(cmd, t, export)
				}
				r, err := t.Verify(cmd.Context(), known)
				return auditVerdict(r, err)
			})
		},
	}
	verify.Flags().StringVar(&known, "head", "", "head of an earlier verification, which must still be in the chain")
	verify.Flags().StringVar(&file, "file", "", "an export to check instead of the database")
	verify.Flags().StringVar(&export, "export", "", "write the chain to this file, to be checked elsewhere")
	cmd.AddCommand(verify, auditSampleCommand(o))
	return cmd
}

func withTrail(cmd *cobra.Command, o *options, f func(t *audit.Trail) error) error {
	a, err := o.newApp(false)
	if err != nil {
		return err
	}
	defer a.close(false)
	if err := a.openStore(cmd.Context(), checkSchema, 3); err != nil {
		return err
	}
	t, err := audit.New(audit.Config{Store: a.store, Logger: a.log})
	if err != nil {
		return err
	}
	return databaseError(f(t))
}

func exportTrail(cmd *cobra.Command, t *audit.Trail, path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return openError(path, err)
	}
	n, err := t.Export(cmd.Context(), f)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	fmt.Printf("%d events written to %s\n", n, path)
	return nil
}

func auditVerdict(r audit.Report, err error) error {
	if err != nil {
		return err
	}
	if !r.OK() {
		return fmt.Errorf("the audit trail is not intact: %s (link %d)", r.Problem, r.BadSeq)
	}
	fmt.Printf("intact: %d events, head %s\n", r.Links, r.HeadText())
	return nil
}
