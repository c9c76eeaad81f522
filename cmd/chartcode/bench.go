package main

import "github.com/spf13/cobra"

// benchCommand measures parts of the program on this machine. Each part is a
// subcommand in a file of its own (bench_index.go, bench_retrieve.go, bench_llm.go).
func benchCommand(o *options) *cobra.Command {
	cmd := &cobra.Command{Use: "bench", Short: "Measure parts of the program on this machine"}
	cmd.AddCommand(benchIndexCommand(o), benchRetrieveCommand(o), benchLLMCommand(o))
	return cmd
}
