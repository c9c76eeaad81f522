package main

import "github.com/spf13/cobra"

func evalCommand(o *options) *cobra.Command {
	return &cobra.Command{Use: "eval", Short: "Measure accuracy"}
}
