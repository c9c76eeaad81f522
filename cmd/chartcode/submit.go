package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"

	"github.com/spf13/cobra"

	"chartcode/internal/bus"
	"chartcode/pipeline/intake"
)

func submitCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "submit FILE...",
		Short: "Publish notes for the workers",
		Long: `Publishes notes to NATS: JSON lines, or one .txt file a note (its name is the
note_id). Submitting the same file again adds nothing. A line that is no valid
note is not sent and told on standard error; the command then ends with status 3.`,
		Example: "  chartcode submit notes.jsonl letter.txt",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runSubmit(cmd.Context(), o, args)
		},
	}
}

func runSubmit(ctx context.Context, o *options, files []string) error {
	a, err := o.newApp(false)
	if err != nil {
		return err
	}
	defer a.close(false)
	for _, file := range files {
		if _, err := os.Stat(file); err != nil {
			return openError(file, err)
		}
	}
	if err := a.openBus(ctx); err != nil {
		return err
	}
	t, err := a.submitFiles(ctx, files)
	if err != nil {
		return err
	}
	fmt.Printf("submitted %d notes (%d of them had been submitted moments before), %d not valid, %d failed\n", t.sent.Load(), t.duplicate.Load(), t.bad, t.failed.Load())
	switch {
	case t.failed.Load() > 0:
		return fmt.Errorf("%d notes were not confirmed by NATS; submit the files again, nothing is added twice", t.failed.Load())
	case t.bad > 0:
		return partialf("%d notes are not valid and were not sent", t.bad)
	}
	return nil
}

// tally counts what became of submitted notes.
type tally struct {
	sent, duplicate, failed atomic.Int64
	bad                     int
}

// submitFiles sends every valid note of the files.
func (a *app) submitFiles(ctx context.Context, files []string) (*tally, error) {
	t := &tally{}
	s, err := a.bus.Submitter(bus.SubmitterConfig{Done: func(_ int, duplicate bool, err error) {
		switch {
		case errors.Is(err, bus.ErrTooLarge), errors.Is(err, bus.ErrInvalidSource):
			t.failed.Add(1)
		case err != nil:
			t.failed.Add(1)
			a.log.Warn("a note was not confirmed", "error", err)
		default:
			t.sent.Add(1)
			if duplicate {
				t.duplicate.Add(1)
			}
		}
		a.progress.Update(int(t.sent.Load()), 0)
	}})
	if err != nil {
		return nil, err
	}
	defer s.Wait()
	for _, file := range files {
		a.progress.Step("Submitting " + file)
		send := a.submitLines
		if strings.HasSuffix(strings.ToLower(file), ".txt") {
			send = a.submitText
		}
		if err := send(ctx, s, t, file); err != nil {
			return nil, err
		}
	}
	s.Wait()
	a.progress.done()
	return t, nil
}

// refuse tells of an input that is no valid note, by its place only.
func (t *tally) refuse(place string, err error) {
	t.bad++
	fmt.Fprintf(os.Stderr, "%s: %v\n", place, err)
}

func (a *app) submitLines(ctx context.Context, s *bus.Submitter, t *tally, file string) error {
	f, err := os.Open(file)
	if err != nil {
		return openError(file, err)
	}
	defer f.Close()
	for line, err := range intake.ReadLines(f) {
		if err != nil {
			return fmt.Errorf("%s cannot be read to its end: %w", file, err)
		}
		note, err := intake.Parse(line.Body, "")
		if err != nil {
			t.refuse(fmt.Sprintf("%s, line %d", file, line.Number), err)
			continue
		}
		body := append([]byte(nil), line.Body...)
		if err := s.Submit(ctx, bus.Submission{Source: note.Source, Priority: note.Priority, NoteID: note.NoteID, Body: body}); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) submitText(ctx context.Context, s *bus.Submitter, t *tally, file string) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return openError(file, err)
	}
	note, err := intake.TextNote(file, content)
	if err != nil {
		t.refuse(file, err)
		return nil
	}
	body, err := json.Marshal(note)
	if err != nil {
		return err
	}
	return s.Submit(ctx, bus.Submission{Source: note.Source, Priority: note.Priority, NoteID: note.NoteID, Body: body})
}
