// Command chartcode proposes medical codes for clinical notes: workers take
// notes from NATS, retrieve and rank candidate codes, and write suggestions to
// a queue for human review. Each subcommand is a role or a tool; this package
// is the only place where the parts are wired together.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// version is set by the linker from the repository's tag.
var version = "dev"

// Exit statuses, the same for every subcommand.
const (
	exitGood    = 0
	exitFailed  = 1 // could not run
	exitUsage   = 2 // wrong usage
	exitPartial = 3 // done, but some inputs were bad
	exitUnclear = 4 // gates: cannot tell
)

// exitError carries the status with which the program ends.
type exitError struct {
	status int
	err    error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// usagef says that the command was called wrongly.
func usagef(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

// partialf says that the work was done but some inputs were bad.
func partialf(format string, args ...any) error {
	return &exitError{exitPartial, fmt.Errorf(format, args...)}
}

func main() {
	os.Exit(run(os.Args[1:]))
}

func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root := newRoot()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitGood
	}
	var ee *exitError
	status := exitFailed
	if errors.As(err, &ee) {
		status = ee.status
	} else if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = errors.New("interrupted")
	}
	fmt.Fprintln(os.Stderr, "chartcode: "+err.Error())
	return status
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "chartcode",
		Short: "AI-assisted medical coding suggestions for human review",
		Long: `chartcode reads clinical notes and proposes medical codes for people to accept or
reject. Start with "chartcode demo": everything in one process, on one machine.`,
		Version:       version,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("there is no subcommand %q; see chartcode --help", args[0])
			}
			return cmd.Help()
		},
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%s; see %s --help", err, cmd.CommandPath())
	})
	o := &options{}
	root.PersistentPreRun = func(cmd *cobra.Command, _ []string) {
		o.role = strings.ReplaceAll(strings.TrimPrefix(cmd.CommandPath(), root.Name()+" "), " ", "-")
	}
	o.addFlags(root)
	root.AddCommand(commands(o)...)
	markUsage(root)
	return root
}

// markUsage makes complaints about a command's arguments end with the status
// for wrong usage.
func markUsage(cmd *cobra.Command) {
	if check := cmd.Args; check != nil {
		cmd.Args = func(c *cobra.Command, args []string) error {
			if err := check(c, args); err != nil {
				return usagef("%s; see %s --help", err, c.CommandPath())
			}
			return nil
		}
	}
	if cmd.HasSubCommands() && cmd.RunE == nil && cmd.HasParent() {
		cmd.Args = cobra.ArbitraryArgs
		cmd.RunE = func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("there is no subcommand %q; see %s --help", args[0], c.CommandPath())
			}
			return c.Help()
		}
	}
	for _, sub := range cmd.Commands() {
		markUsage(sub)
	}
}
