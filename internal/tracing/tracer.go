package tracing

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Kind says on which side of a boundary a step is.
type Kind = trace.SpanKind

// The kinds.
const (
	Server   = trace.SpanKindServer
	Producer = trace.SpanKindProducer
	Consumer = trace.SpanKindConsumer
)

// Tracer begins traces. A nil Tracer begins none.
type Tracer struct {
	provider *sdktrace.TracerProvider
	tracer   trace.Tracer
}

// Variables are the OTEL_* variables that decide whether and where traces are
// exported; what else the OpenTelemetry SDK knows works too.
func Variables() []string {
	return []string{"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
		"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_RESOURCE_ATTRIBUTES", "OTEL_SDK_DISABLED", "OTEL_SERVICE_NAME", "OTEL_TRACES_EXPORTER",
		"OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG"}
}

// Config is for SetUp.
type Config struct {
	Getenv  func(string) string // os.Getenv; the exporter reads the process's environment itself
	Role    string              // of this process, such as serve
	Version string
	Logger  *slog.Logger
}

// SetUp gives the tracer that the OTEL_* variables ask for, nil when they ask for
// none. Its errors name the variable that is wrong.
func SetUp(ctx context.Context, cfg Config) (*Tracer, error) {
	on, err := wanted(cfg.Getenv)
	if err != nil || !on {
		return nil, err
	}
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_ENDPOINT or another OTEL_EXPORTER_OTLP variable cannot be used: %w", err)
	}
	otel.SetErrorHandler(&complaints{log: cfg.Logger})
	about := []attribute.KeyValue{attribute.String("service.version", cfg.Version), attribute.String("chartcode.role", cfg.Role)}
	if cfg.Getenv("OTEL_SERVICE_NAME") == "" && !strings.Contains(cfg.Getenv("OTEL_RESOURCE_ATTRIBUTES"), "service.name=") {
		about = append(about, attribute.String("service.name", "chartcode-"+cfg.Role))
	}
	named, err := resource.Merge(resource.Default(), resource.NewSchemaless(about...))
	if err != nil {
		return nil, fmt.Errorf("OTEL_RESOURCE_ATTRIBUTES cannot be used: %w", err)
	}
	return NewTracer(sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(named))), nil
}

// NewTracer begins traces with a provider of the SDK.
func NewTracer(p *sdktrace.TracerProvider) *Tracer {
	return &Tracer{provider: p, tracer: p.Tracer(scope)}
}

// wanted reads whether traces are to be exported.
func wanted(getenv func(string) string) (bool, error) {
	if strings.EqualFold(getenv("OTEL_SDK_DISABLED"), "true") {
		return false, nil
	}
	switch exporter := getenv("OTEL_TRACES_EXPORTER"); exporter {
	case "none":
		return false, nil
	case "":
		if getenv("OTEL_EXPORTER_OTLP_ENDPOINT") == "" && getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") == "" {
			return false, nil
		}
	case "otlp":
	default:
		return false, fmt.Errorf("OTEL_TRACES_EXPORTER must be otlp or none")
	}
	for _, name := range []string{"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"} {
		if p := getenv(name); p != "" {
			if p != "http/protobuf" {
				return false, fmt.Errorf("%s must be http/protobuf: that is what chartcode speaks, on port 4318 by convention", name)
			}
			break
		}
	}
	return true, nil
}

// Begin begins a step where a trace may begin: of the trace that ctx is in, or of
// a new one.
func (t *Tracer) Begin(ctx context.Context, name string, kind Kind) (context.Context, Span) {
	if t == nil {
		return ctx, Span{}
	}
	ctx, s := t.tracer.Start(ctx, name, trace.WithSpanKind(kind))
	if !s.IsRecording() {
		return ctx, Span{}
	}
	return ctx, Span{s}
}

// Close exports what is still to be exported.
func (t *Tracer) Close(ctx context.Context) error {
	if t == nil {
		return nil
	}
	return t.provider.Shutdown(ctx)
}

// complaints logs what the SDK complains about, not more than once a minute:
// a collector that is away is no reason to fill a log.
type complaints struct {
	log  *slog.Logger
	last atomic.Int64
}

// Handle takes one complaint.
func (c *complaints) Handle(err error) {
	now := time.Now().Unix()
	if last := c.last.Load(); now-last < 60 || !c.last.CompareAndSwap(last, now) {
		return
	}
	c.log.Warn("traces cannot be exported", "cause", err.Error())
}
