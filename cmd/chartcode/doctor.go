package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"chartcode/internal/catalog"
	"chartcode/internal/config"
	"chartcode/internal/metrics"
)

// The verdicts of a check.
const (
	checkOK      = "ok"
	checkWarning = "warning" // it works, and something should be known or done
	checkFailed  = "failed"
)

// checked is what one check found. It holds no key and nothing of a note but
// doctor's own invented one.
type checked struct {
	Check   string         `json:"check"`
	Status  string         `json:"status"`
	Found   string         `json:"found"`
	Do      string         `json:"do,omitempty"`
	Details map[string]any `json:"details,omitempty"`
}

// diagnosis is what `doctor --json` prints.
type diagnosis struct {
	Status string    `json:"status"` // the worst of the checks
	Checks []checked `json:"checks"`
}

// doctor checks one thing after the other; each check uses what those before it
// opened, and says so when that is not there.
type doctor struct {
	*app
	cfgErr    error
	out       io.Writer // each line as soon as it is known; nil: none
	found     []checked
	known     bool // the schema is this program's, so that code sets can be looked at
	knowledge *catalog.Catalog
	ranks     bool // suggestions can be made with what is loaded
}

func doctorCommand(o *options) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check settings, servers, code sets, models and endpoints, and say what to do",
		Long: `Checks what chartcode needs and prints one line for each: ok, warning or failed, what
was found, and what to do. It changes nothing, and works while others run on the same
data directory. A private PostgreSQL that is there is started for the time of the
check, as every command does it; NATS and workers are not.

The LLM and embedding endpoints are asked small questions, and the LLM ranks a short
invented note the way real ones are ranked, without the cache: that costs some 10,000
tokens for each endpoint. Nothing of the site's notes is sent. The exit status is 1
when something failed.`,
		Example: "  chartcode doctor\n  chartcode doctor --json | jq '.checks[] | select(.status != \"ok\")'",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d := o.newDoctor(os.Stdout)
			defer d.close(false)
			if asJSON {
				d.out = nil
			}
			d.examine(cmd.Context())
			if err := cmd.Context().Err(); err != nil {
				return err
			}
			result := d.diagnosis()
			if asJSON {
				enc := json.NewEncoder(os.Stdout)
				enc.SetIndent("", "  ")
				if err := enc.Encode(result); err != nil {
					return err
				}
			}
			if result.Status == checkFailed {
				return errors.New("something failed; see the lines with \"failed\"")
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	o.addLLMFlags(cmd)
	return cmd
}

// newDoctor is newApp, for which wrong settings are no end.
func (o *options) newDoctor(out io.Writer) *doctor {
	cfg, err := config.Read(o.getenv)
	if o.dataDir != "" {
		cfg.DataDir = o.dataDir
	}
	if o.codesets != "" {
		cfg.Codesets = o.codesets
	}
	level := slog.LevelError // what matters is in the findings
	if o.verbose {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	return &doctor{app: &app{cfg: cfg, log: log, progress: newProgress(false), metrics: metrics.New(version, "doctor")}, cfgErr: err, out: out}
}

// examine makes all checks.
func (d *doctor) examine(ctx context.Context) {
	d.checkConfiguration()
	if d.cfgErr != nil {
		return // with half of the settings everything else would be about another site
	}
	for _, check := range []func(context.Context){
		d.checkDataDirectory, d.checkPostgres, d.checkNATS, d.checkCodeSets, d.checkVectors, d.checkModels, d.checkEmbedding, d.checkEndpoints,
	} {
		check(ctx)
		d.progress.done()
		if ctx.Err() != nil {
			return
		}
	}
}

// say takes a finding down, and prints it.
func (d *doctor) say(c checked) {
	d.found = append(d.found, c)
	if d.out == nil {
		return
	}
	d.progress.done()
	line := fmt.Sprintf("%-8s %-15s %s", c.Status, c.Check, c.Found)
	if c.Do != "" {
		line += "; " + c.Do
	}
	fmt.Fprintln(d.out, line)
}

func (d *doctor) ok(check, found string, details map[string]any) {
	d.say(checked{Check: check, Status: checkOK, Found: found, Details: details})
}

func (d *doctor) warn(check, found, do string, details map[string]any) {
	d.say(checked{Check: check, Status: checkWarning, Found: found, Do: do, Details: details})
}

func (d *doctor) fail(check, found, do string) {
	d.say(checked{Check: check, Status: checkFailed, Found: found, Do: do})
}

// diagnosis gives all findings with the worst verdict.
func (d *doctor) diagnosis() diagnosis {
	r := diagnosis{Status: checkOK, Checks: d.found}
	order := []string{checkOK, checkWarning, checkFailed}
	for _, c := range d.found {
		if slices.Index(order, c.Status) > slices.Index(order, r.Status) {
			r.Status = c.Status
		}
	}
	return r
}

// brief is a duration as people read it.
func brief(took time.Duration) string {
	if took < time.Second {
		return took.Round(time.Millisecond).String()
	}
	return took.Round(100 * time.Millisecond).String()
}
