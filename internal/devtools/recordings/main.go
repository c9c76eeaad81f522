// Command recordings turns the answers that people wrote for the sample notes into recordings of an LLM: it answers
// as a server would, with the numbers that each prompt shows, and runs a command that records.
//
//	recordings COMMAND ARG...
//
// The command finds the server in CHARTCODE_LLM_BASE_URL and runs with the starter set in an empty data directory,
// so that its prompts are the same everywhere. It is a tool of the repository and no part of the program.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"chartcode/internal/llmtest"
	"chartcode/samples"
)

// model names the answers' author in recordings.
const model = "hand-written"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "recordings:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, command []string) error {
	if len(command) == 0 {
		return errors.New("give the command that records")
	}
	answers, err := llmtest.Written(samples.Notes(), samples.Answers())
	if err != nil {
		return err
	}
	server := llmtest.New(answers)
	defer server.Close()
	dir, err := os.MkdirTemp("", "recordings-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // of a folder for temporary files
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.Env = append(os.Environ(), "CHARTCODE_LLM_BASE_URL="+server.URL, "CHARTCODE_LLM_MODEL="+model, "CHARTCODE_LLM_API_KEY=none",
		"CHARTCODE_LLM_CACHE_DAYS=0", "CHARTCODE_LLM_STEPS=", "CHARTCODE_PROMPTS=", "CHARTCODE_DATA_DIR="+dir, "CHARTCODE_CODESETS="+dir)
	return cmd.Run()
}
