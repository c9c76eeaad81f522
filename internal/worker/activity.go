package worker

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"chartcode/internal/bus"
	"chartcode/internal/coding"
	"chartcode/internal/tracing"
)

// Measure hears of stages and notes, from several goroutines; metrics.Notes does.
type Measure interface {
	Stage(ctx context.Context, stage, code string, took time.Duration)
	Degraded(reason string)
	InProgress(change int)
}

// Activity is what a worker process is doing. It is an Observer of package
// pipeline, and safe for use by several goroutines.
type Activity struct {
	to   Measure
	done atomic.Int64
	mu   sync.Mutex
	jobs map[*job]struct{}
}

type job struct {
	coding.ProcessJob
	since time.Time // it is in its stage
}

type jobKey struct{}

// NewActivity gives one of a process that does nothing yet. To may be nil.
func NewActivity(to Measure) *Activity {
	if to == nil {
		to = deaf{}
	}
	return &Activity{to: to, jobs: map[*job]struct{}{}}
}

// begin enters a delivery; what it returns ends it.
func (a *Activity) begin(ctx context.Context, d bus.Delivery) (context.Context, func()) {
	j := &job{coding.ProcessJob{Seq: d.Seq, Stage: "intake", Attempt: d.Attempt}, time.Now()}
	a.mu.Lock()
	a.jobs[j] = struct{}{}
	a.mu.Unlock()
	a.to.InProgress(1)
	return context.WithValue(ctx, jobKey{}, j), func() {
		a.to.InProgress(-1)
		a.done.Add(1)
		a.mu.Lock()
		delete(a.jobs, j)
		a.mu.Unlock()
	}
}

// Now gives the notes in hand, the one longest in its stage first, and how many deliveries were
// done since the start.
func (a *Activity) Now() (jobs []coding.ProcessJob, done int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for j := range a.jobs {
		one := j.ProcessJob
		one.Lasted = time.Since(j.since)
		jobs = append(jobs, one)
	}
	slices.SortFunc(jobs, func(x, y coding.ProcessJob) int { return cmp.Compare(y.Lasted, x.Lasted) })
	return jobs, a.done.Load()
}

// StageBegan notes which stage a note is in.
func (a *Activity) StageBegan(ctx context.Context, stage string) {
	if j, ok := ctx.Value(jobKey{}).(*job); ok {
		a.mu.Lock()
		j.Stage, j.since = stage, time.Now()
		a.mu.Unlock()
	}
}

// StageEnded measures a stage.
func (a *Activity) StageEnded(ctx context.Context, stage, code string, took time.Duration) {
	a.to.Stage(ctx, stage, code, took)
}

func (a *Activity) degraded(reason string) { a.to.Degraded(reason) }

// stage runs one of the worker's own stages.
func (a *Activity) stage(ctx context.Context, name string, run func(ctx context.Context) error) error {
	a.StageBegan(ctx, name)
	inside, span := tracing.Start(ctx, name)
	began := time.Now()
	err := run(inside)
	span.End(err)
	a.StageEnded(ctx, name, tracing.Reason(err), time.Since(began))
	return err
}

// deaf hears nothing.
type deaf struct{}

func (deaf) Stage(context.Context, string, string, time.Duration) {}
func (deaf) Degraded(string)                                      {}
func (deaf) InProgress(int)                                       {}
