package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"chartcode/internal/coding"
	"chartcode/internal/config"
	"chartcode/internal/inorder"
	"chartcode/pipeline/intake"
)

type suggestOptions struct {
	pipelineOptions
	systemNames string
	out         string
}

func suggestCommand(o *options) *cobra.Command {
	var so suggestOptions
	cmd := &cobra.Command{
		Use:   "suggest FILE|-",
		Short: "Notes in, suggestions out, without a queue",
		Long: `Reads notes as JSON lines and writes one suggestion set for each, in the same
order. A line that is no valid note gives {"line":N,"note_id":null,"error":"..."},
and the command ends with status 3. It needs no other command before it: the
database is started and code sets are loaded as needed.

Settings:
` + config.Help(),
		Example: `  chartcode suggest notes.jsonl --candidates 50 --out suggestions.jsonl
  chartcode suggest notes.jsonl --ranker llm --llm-model gpt-4.1-mini --llm-record recordings
  chartcode suggest notes.jsonl --ranker llm --llm-replay recordings`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := so.check(); err != nil {
				return err
			}
			return runSuggest(cmd.Context(), o, so, args[0])
		},
	}
	f := cmd.Flags()
	f.StringVar(&so.ranker, "ranker", "", "local or llm; by default llm if one is configured")
	f.StringVar(&so.style, "coding-style", string(coding.Billing), "billing: as for a bill; mentions: every mention")
	f.StringVar(&so.systemNames, "systems", string(coding.ICD10CM), "code systems")
	f.IntVar(&so.candidates, "candidates", 0, "how many candidates of retrieval to show")
	f.BoolVar(&so.explain, "explain", false, "add to each suggestion of the local ranker what spoke for and against it")
	o.addLLMFlags(cmd)
	f.StringVar(&so.out, "out", "", "file to write instead of standard output")
	return cmd
}

func (o *suggestOptions) check() error {
	if !slices.Contains([]string{"", "local", "llm"}, o.ranker) {
		return usagef("--ranker is local or llm")
	}
	if !slices.Contains([]string{string(coding.Billing), string(coding.Mentions)}, o.style) {
		return usagef("--coding-style is billing or mentions")
	}
	if o.candidates < 0 || o.candidates > 1000 {
		return usagef("--candidates is a number from 0 to 1000")
	}
	for _, name := range strings.Split(o.systemNames, ",") {
		system := coding.System(strings.TrimSpace(name))
		if system != coding.ICD10CM {
			return usagef("--systems %s: suggestions are made for ICD-10-CM", name)
		}
		o.systems = append(o.systems, system)
	}
	return nil
}

// suggestInput is one line of the input: a note, or why it is none.
type suggestInput struct {
	line int
	note coding.Note
	err  error
}

func runSuggest(ctx context.Context, o *options, so suggestOptions, file string) error {
	a, err := o.newApp(false)
	if err != nil {
		return err
	}
	defer a.close(false)
	if err := a.checkLLM(so.pipelineOptions); err != nil {
		return err
	}
	inputs, err := readNotes(file)
	if err != nil {
		return err
	}
	var dates []coding.Date
	for _, in := range inputs {
		if in.err == nil && !in.note.ServiceDate.IsZero() {
			dates = append(dates, in.note.ServiceDate)
		}
	}
	if err := a.openStore(ctx, migrateSchema, 2*runtime.NumCPU()+2); err != nil {
		return err
	}
	if err := a.ensureCodes(ctx, dates); err != nil {
		return err
	}
	knowledge, err := a.newCatalog(ctx)
	if err != nil {
		return err
	}
	p, err := a.newPipeline(knowledge, so.pipelineOptions)
	if err != nil {
		return err
	}

	out := io.Writer(os.Stdout)
	var file2 *os.File
	if so.out != "" {
		if file2, err = os.Create(so.out); err != nil {
			return fmt.Errorf("cannot write %s: %w", so.out, errors.Unwrap(err))
		}
		defer file2.Close()
		out = file2
	}
	w := bufio.NewWriter(out)
	bad, err := a.suggestAll(ctx, p, inputs, w, a.workers(so.pipelineOptions))
	if err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("the suggestions could not be written to their end: %w", err)
	}
	if file2 != nil {
		if err := file2.Close(); err != nil {
			return fmt.Errorf("the suggestions could not be written to their end: %w", err)
		}
	}
	if bad > 0 {
		return partialf("%d of %d notes are not valid; see the lines with an error", bad, len(inputs))
	}
	return nil
}

// readNotes reads a JSONL file, or standard input for "-".
func readNotes(file string) ([]suggestInput, error) {
	r := io.Reader(os.Stdin)
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, openError(file, err)
		}
		defer f.Close()
		r = f
	}
	return parseNotes(r, file)
}

// parseNotes reads notes as JSON lines; name says what is read.
func parseNotes(r io.Reader, name string) ([]suggestInput, error) {
	var inputs []suggestInput
	for line, err := range intake.ReadLines(r) {
		if err != nil {
			return nil, fmt.Errorf("%s cannot be read to its end: %w", name, err)
		}
		in := suggestInput{line: line.Number}
		in.note, in.err = intake.Parse(line.Body, "")
		inputs = append(inputs, in)
	}
	return inputs, nil
}

func openError(file string, err error) error {
	var pe *os.PathError
	if errors.As(err, &pe) {
		return fmt.Errorf("%s cannot be read: %w", file, pe.Err)
	}
	return fmt.Errorf("%s cannot be read: %w", file, err)
}

// suggestError is what is written for a line that is no valid note.
type suggestError struct {
	Line   int     `json:"line"`
	NoteID *string `json:"note_id"`
	Error  string  `json:"error"`
}

// suggestAll processes the inputs, several at once, and writes the results in
// the order of the input. It stops at the first error that is not a note's.
func (a *app) suggestAll(ctx context.Context, p processor, inputs []suggestInput, w *bufio.Writer, workers int) (bad int, err error) {
	a.progress.Step("Suggesting codes")
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	err = inorder.Each(ctx, 0, len(inputs), workers, func(ctx context.Context, i int) (any, error) {
		in := &inputs[i]
		if in.err == nil {
			set, err := p.Process(ctx, in.note)
			if err != nil {
				return nil, databaseError(err)
			}
			return set, nil
		}
		return suggestError{Line: in.line, Error: in.err.Error()}, nil
	}, func(i int, v any) error {
		if inputs[i].err != nil {
			bad++
		}
		if err := enc.Encode(v); err != nil {
			return fmt.Errorf("the suggestions could not be written: %w", err)
		}
		a.progress.Update(i+1, len(inputs))
		return nil
	})
	if err != nil {
		return bad, err
	}
	a.progress.done()
	return bad, nil
}
