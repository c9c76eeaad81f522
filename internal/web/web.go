package web

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"time"

	"chartcode/internal/auth"
	"chartcode/internal/coding"
	"chartcode/internal/review"
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
}

// Config is what the web needs. Submit, Known, Parse, Ready and Metrics may be
// nil: what rests on them is then not routed.
type Config struct {
	Auth    *auth.Service
	Review  *review.Service
	Logger  *slog.Logger
	Submit  Submitter
	Known   KnownNotes
	Parse   func(body []byte) (coding.Note, error) // errors have Reason() string
	Ready   func(ctx context.Context) Readiness
	Alive   func(ctx context.Context) error
	Metrics http.Handler
	Now     func() time.Time // time.Now when nil
	Zone    *time.Location   // of the dates on pages; UTC when nil
	Version string
}

type server struct {
	Config
	pages map[string]*template.Template
	mux   *http.ServeMux
}

// New parses the templates and gives the handler of everything.
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
	s := &server{Config: cfg, mux: http.NewServeMux()}
	var err error
	if s.pages, err = parsePages(s.Zone); err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	static, err := fs.Sub(staticFiles, "static")
	if err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	s.mux.Handle("GET /static/", http.StripPrefix("/static/", cached(http.FileServerFS(static))))
	s.routes()
	crossOrigin := http.NewCrossOriginProtection()
	return s.logged(secured(crossOrigin.Handler(s.mux))), nil
}
