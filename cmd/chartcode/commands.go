package main

import "github.com/spf13/cobra"

// commands are the subcommands, in the order of the help text.
func commands(o *options) []*cobra.Command {
	return []*cobra.Command{
		demoCommand(o), serveCommand(o), workCommand(o), submitCommand(o), suggestCommand(o), statusCommand(o),
		codesetCommand(o), evalCommand(o), learnCommand(o), benchCommand(o), deadletterCommand(o), userCommand(o), tokenCommand(o), migrateCommand(o), auditCommand(o), exportCommand(o), metricsCommand(o), simulateCommand(o), doctorCommand(o),
	}
}
