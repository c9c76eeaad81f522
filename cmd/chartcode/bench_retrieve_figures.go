package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"slices"
)

// retrieveFigures is what `bench retrieve --json` gives. Times are in
// milliseconds.
type retrieveFigures struct {
	Style      string  `json:"style"`
	Notes      int     `json:"notes"`
	Bytes      int     `json:"bytes"`
	Processors int     `json:"processors"`
	Load       string  `json:"load_average"` // over 1, 5 and 15 minutes, at the start
	Peak       float64 `json:"peak_mb"`      // of this process, resident; 0 where the system does not tell

	Single struct {
		Notes    int                  `json:"notes"`
		Empty    quantiles            `json:"empty"`
		Raw      quantiles            `json:"raw"`
		Warm     quantiles            `json:"warm"`
		Stages   map[string]quantiles `json:"stages_empty"`
		RawShare float64              `json:"raw_share"` // of the sum of empty
	} `json:"one_at_a_time"`

	Workers   int       `json:"workers"`
	Sustained sustained `json:"sustained_empty"`
	Warm      sustained `json:"sustained_warm"`
	Raw       sustained `json:"sustained_raw"`
}

// quantiles of a time over notes.
type quantiles struct {
	Median float64 `json:"median"`
	P95    float64 `json:"p95"`
	Mean   float64 `json:"mean"`
}

func quantilesOf(ms []float64) quantiles {
	if len(ms) == 0 {
		return quantiles{}
	}
	slices.Sort(ms)
	var sum float64
	for _, v := range ms {
		sum += v
	}
	return quantiles{ms[len(ms)/2], ms[len(ms)*95/100], sum / float64(len(ms))}
}

// sustained is a run over all notes on several workers.
type sustained struct {
	PerSecond  float64 `json:"notes_per_second"`
	CPU        float64 `json:"cpu_ms_per_note"`        // of this process
	ServerCPU  float64 `json:"server_cpu_ms_per_note"` // of the private PostgreSQL; 0 of another
	Searches   float64 `json:"searches_per_note"`
	RoundTrips float64 `json:"round_trips_per_note"`
}

// per turns figures a question into figures a note.
func (s *sustained) per(questions, notes int) {
	if questions == 0 {
		return
	}
	x := float64(questions) / float64(notes)
	s.PerSecond /= x
	s.CPU *= x
	s.ServerCPU *= x
}

func (f *retrieveFigures) print(asJSON bool) error {
	if asJSON {
		return json.NewEncoder(os.Stdout).Encode(f)
	}
	fmt.Printf("%d notes of %d bytes on average, coding style %s\n", f.Notes, f.Bytes/f.Notes, f.Style)
	fmt.Printf("%s/%s, %d processors, load average at the start %s\n", runtime.GOOS, runtime.GOARCH, f.Processors, f.Load)
	s := &f.Single
	fmt.Printf("\none at a time, %d notes, in ms         median      p95     mean\n", s.Notes)
	row := func(name string, q quantiles) {
		fmt.Printf("  %-36s %8.1f %8.1f %8.1f\n", name, q.Median, q.P95, q.Mean)
	}
	row("nothing known of their mentions", s.Empty)
	for _, name := range []string{"segment", "retrieve", "rank", "validate"} {
		row("  "+name, s.Stages[name])
	}
	row("the same vectors alone", s.Raw)
	row("mentions known", s.Warm)
	fmt.Printf("  the vectors' search is %.0f%% of the time\n", 100*s.RawShare)
	fmt.Printf("\nsustained, %d workers    notes a second   times as fast as the first   searches a note   round trips a note   CPU ms a note   PostgreSQL's\n", f.Workers)
	line := func(name string, v sustained) {
		fmt.Printf("  %-22s %14.1f %28.2f %17.1f %20.2f %15.1f %14.1f\n", name, v.PerSecond, v.PerSecond/f.Sustained.PerSecond, v.Searches, v.RoundTrips, v.CPU, v.ServerCPU)
	}
	line("nothing known at first", f.Sustained)
	line("mentions known", f.Warm)
	line("the same vectors alone", f.Raw)
	if s := &f.Sustained; s.ServerCPU > 0 {
		fmt.Printf("\n%.1f ms of a processor a note: were both programs alone on the %d processors, %.0f notes a second at most\n",
			s.CPU+s.ServerCPU, f.Processors, 1000*float64(f.Processors)/(s.CPU+s.ServerCPU))
	}
	if f.Peak > 0 {
		fmt.Printf("\npeak memory of this process, without PostgreSQL: %.0f MB\n", f.Peak)
	}
	return nil
}
