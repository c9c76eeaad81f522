package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"chartcode/internal/tracing"
)

var (
	// ErrUnreachable: no server answers at the address.
	ErrUnreachable = errors.New("the NATS server cannot be reached")
	// ErrMaxPayload: the server accepts too small messages only.
	ErrMaxPayload = errors.New("the NATS server's max_payload is too small")
	// ErrNoJetStream: the server runs without JetStream.
	ErrNoJetStream = errors.New("the NATS server has no JetStream")
)

// Config says where the server is.
type Config struct {
	URL    string // nats://HOST:PORT, several separated by commas
	Name   string // shown by the server's tools; "chartcode" by default
	Logger *slog.Logger
	Tracer *tracing.Tracer // nil: nobody follows notes
}

// Bus is a connection to JetStream. It reconnects for ever; it is safe for
// concurrent use.
type Bus struct {
	nc    *nats.Conn
	js    jetstream.JetStream
	log   *slog.Logger
	trace *tracing.Tracer
}

const (
	connectTimeout = 5 * time.Second
	pingInterval   = 10 * time.Second // a silent connection is given up after three of these
	ackTimeout     = 5 * time.Second  // for the server to confirm that a message is stored
)

// Connect makes one attempt to reach the server, then keeps the connection. It
// fails with ErrUnreachable, or with ErrMaxPayload when the server does not
// accept messages of 8 MiB.
func Connect(ctx context.Context, cfg Config) (*Bus, error) {
	if cfg.URL == "" || cfg.Logger == nil {
		return nil, errors.New("bus: URL and Logger are required")
	}
	if cfg.Name == "" {
		cfg.Name = "chartcode"
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	nc, err := nats.Connect(cfg.URL, options(cfg)...)
	if err != nil {
		return nil, fmt.Errorf("%w at %s (%s); start it or mend the address", ErrUnreachable, hosts(cfg.URL), reasonOf(err))
	}
	if got := nc.MaxPayload(); got < MaxPayload {
		nc.Close()
		return nil, fmt.Errorf("%w: it is %d bytes; set max_payload to 8MB in the server's configuration", ErrMaxPayload, got)
	}
	js, err := jetstream.New(nc, jetstream.WithPublishAsyncTimeout(ackTimeout), jetstream.WithDefaultTimeout(ackTimeout))
	if err != nil {
		nc.Close()
		return nil, fmt.Errorf("bus: %w", err)
	}
	return &Bus{nc: nc, js: js, log: cfg.Logger, trace: cfg.Tracer}, nil
}

func options(cfg Config) []nats.Option {
	log := cfg.Logger
	return []nats.Option{
		nats.Name(cfg.Name),
		nats.Timeout(connectTimeout),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(500 * time.Millisecond),
		nats.ReconnectJitter(250*time.Millisecond, time.Second),
		nats.PingInterval(pingInterval),
		nats.MaxPingsOutstanding(2),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				log.Warn("connection to NATS lost; reconnecting", "cause", reasonOf(err))
			}
		}),
		nats.ReconnectHandler(func(nc *nats.Conn) {
			log.Info("connected to NATS again", "server", nc.ConnectedServerName())
			if got := nc.MaxPayload(); got < MaxPayload {
				log.Error("the NATS server's max_payload is too small; set it to 8MB", "bytes", got)
			}
		}),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			log.Warn("NATS reports a problem", "cause", reasonOf(err))
		}),
	}
}

// hosts names the servers of a URL list without user, password or token.
func hosts(list string) string {
	var names []string
	for _, s := range strings.Split(list, ",") {
		s = strings.TrimSpace(s)
		if !strings.Contains(s, "://") {
			s = "nats://" + s
		}
		if u, err := url.Parse(s); err == nil && u.Host != "" {
			names = append(names, u.Host)
		}
	}
	if len(names) == 0 {
		return "the given address"
	}
	return strings.Join(names, ", ")
}

// reasonOf is the text of a client error without an address, which may hold a
// password.
func reasonOf(err error) string {
	var ue *url.Error
	if errors.As(err, &ue) {
		return "the address cannot be read"
	}
	return err.Error()
}

// Close ends the connection. What was published without waiting may be lost;
// every method of this package waits.
func (b *Bus) Close() { b.nc.Close() }

const healthTimeout = 2 * time.Second

// Healthy reports whether the server is connected and the NOTES stream answers,
// within two seconds.
func (b *Bus) Healthy(ctx context.Context) error {
	if !b.nc.IsConnected() {
		return ErrUnreachable
	}
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	_, err := b.stream(ctx, StreamNotes)
	return err
}
