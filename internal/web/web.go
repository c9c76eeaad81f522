package web

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"time"

	"chartcode/eval/results"
	"chartcode/internal/auth"
	"chartcode/internal/coding"
	"chartcode/internal/health"
	"chartcode/internal/qa"
	"chartcode/internal/review"
	"chartcode/internal/tracing"
)

//go:embed templates/*.html
var templateFiles embed.FS

//go:embed static
var staticFiles embed.FS

// Submitter takes a note in, as a message on NATS does.
type Submitter interface {
	// Submit publishes the body of a note and returns when it is stored.
	Submit(ctx context.Context, note coding.Note, body []byte) error
}

// KnownNotes tells what was received before.
type KnownNotes interface {
	// NoteHash gives the hash of the current revision of a note.
	NoteHash(ctx context.Context, source, noteID string) (sha256 string, found bool, err error)
}

// Readiness is whether suggestions can be made, and what is loaded.
type Readiness struct {
	Ready    bool
	Reason   string // a sentence when not ready
	CodeSet  string // as the pages name it, such as "ICD-10-CM 2026, 74,719 billable codes"
	Starter  bool   // only the starter set is loaded
	Releases []coding.Release
	Parts    []health.Part // what it depends on, for /readyz
}

// Versions gives the number that rises with each change of an item.
type Versions interface {
	ItemVersion(ctx context.Context, id int64) (version int64, found bool, err error)
}

// Config is what the web needs. Auth, Review and Logger must be there. POST
// /api/v1/notes is routed when Submit, Known and Parse are there, the
// pages and the API for codes when Codes is, /readyz when Ready is, /metrics when
// Metrics is.
type Config struct {
	Auth   *auth.Service
	Review *review.Service
	Logger *slog.Logger

	// Changes tells open pages what changes; nil: they show it when they are loaded.
	// Versions, which goes with it, tells a page whether it has seen a change.
	Changes  review.Changes
	Versions Versions
	// Closing, when it is closed, ends what pages listen to, so that a server that
	// shuts down need not wait for them.
	Closing <-chan struct{}
	// Scopes, which may be nil, finds the stretches of a text in which something is
	// denied, or said of the family, so that pages mark them.
	Scopes func(text string, setting coding.Setting) []coding.Scope

	Submit Submitter
	Known  KnownNotes
	// Parse is intake's check of a note's body. An error that has the method
	// Reason() string says what is wrong with the body: its text, from behind
	// "reason: ", is shown to the sender. Any other counts as a failure here.
	Parse func(body []byte) (coding.Note, error)
	Codes Codes
	// Figures has the figures for managers; nil: no page for them.
	Figures Figures

	// Quality is behind the pages under /qa; nil: there are none. Results, which goes
	// with it, reads evaluation runs, and ItemOf finds the item of a note that is
	// there as it was; nil: none.
	Quality *qa.Service
	Results *results.Results
	ItemOf  func(ctx context.Context, note coding.Note) (item int64, found bool, err error)

	// Ready is asked for every page and must answer fast: keep its answer for a
	// moment. Pages show what is loaded, and say when suggestions cannot be made.
	Ready func(ctx context.Context) Readiness
	// Alive says whether the database answers, for /healthz.
	Alive   func(ctx context.Context) error
	Metrics http.Handler
	// System is behind the page for administrators, which is routed when it is there.
	System System
	// Observe hears of requests; may be nil. Tracer begins their traces; nil: none.
	Observe Observer
	Tracer  *tracing.Tracer

	Now     func() time.Time // time.Now when nil
	Zone    *time.Location   // of the times on pages; UTC when nil
	Version string           // of the program, for /healthz
}

type server struct {
	Config
	pages  map[string]*template.Template
	assets map[string]asset
	mux    *http.ServeMux
}

// New parses the templates and gives the handler of everything. It sets no
// timeouts: those belong to the http.Server that it is put into.
func New(cfg Config) (http.Handler, error) {
	if cfg.Auth == nil || cfg.Review == nil || cfg.Logger == nil {
		return nil, errors.New("web: Auth, Review and Logger are needed")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Zone == nil {
		cfg.Zone = time.UTC
	}
	if cfg.Observe == nil {
		cfg.Observe = deaf{}
	}
	s := &server{Config: cfg, mux: http.NewServeMux()}
	var err error
	if s.assets, err = loadAssets(); err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	if s.pages, err = s.parsePages(); err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	s.routes()
	crossOrigin := http.NewCrossOriginProtection()
	crossOrigin.SetDenyHandler(http.HandlerFunc(s.crossOrigin))
	return s.logged(secured(crossOrigin.Handler(s.mux))), nil
}
