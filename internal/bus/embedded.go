package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// EmbeddedConfig is for StartEmbedded.
type EmbeddedConfig struct {
	StoreDir string // where JetStream keeps its files; made when missing
	Port     int    // on the loopback address; 0 takes a free one
	Logger   *slog.Logger
}

// Embedded is a NATS server inside this process, on the loopback address only,
// with JetStream on disk: each message is on the disk before it is confirmed.
type Embedded struct {
	cfg  EmbeddedConfig
	port int
	stop chan struct{}
	done chan struct{}
	once sync.Once

	mu  sync.Mutex
	srv *server.Server
}

const (
	startTimeout = 30 * time.Second // recovery of a large store takes its time
	loopback     = "127.0.0.1"
	// storeLimit is what JetStream may use: in effect the disk alone limits it.
	// The server's own default is a share of what is free when it starts, which
	// would stay when the disk was nearly full then.
	storeLimit = 1 << 46
)

// StartEmbedded starts the server and returns when it takes connections. A
// taken port and a folder that cannot be written are one clear error each.
func StartEmbedded(cfg EmbeddedConfig) (*Embedded, error) {
	if cfg.StoreDir == "" || cfg.Logger == nil || cfg.Port < 0 {
		return nil, errors.New("bus: StoreDir and Logger are required, and Port must not be negative")
	}
	if err := os.MkdirAll(cfg.StoreDir, 0o700); err != nil {
		return nil, fmt.Errorf("the NATS folder cannot be made: %w", err)
	}
	removeProbes(cfg.StoreDir)
	if cfg.Port != 0 {
		var lc net.ListenConfig
		l, err := lc.Listen(context.Background(), "tcp", net.JoinHostPort(loopback, strconv.Itoa(cfg.Port)))
		if err != nil {
			return nil, fmt.Errorf("port %d for NATS cannot be used (%w); choose another or end what uses it", cfg.Port, err)
		}
		_ = l.Close()
	}
	e := &Embedded{cfg: cfg, port: cfg.Port, stop: make(chan struct{}), done: make(chan struct{})}
	srv, err := e.launch()
	if err != nil {
		return nil, err
	}
	e.srv = srv
	if addr, ok := srv.Addr().(*net.TCPAddr); ok {
		e.port = addr.Port // restarts keep it, so that clients find it
	}
	go e.supervise()
	return e, nil
}

func (e *Embedded) launch() (*server.Server, error) {
	port := e.port
	if port == 0 {
		port = server.RANDOM_PORT
	}
	srv, err := server.NewServer(&server.Options{
		ServerName: "chartcode", Host: loopback, Port: port,
		JetStream: true, StoreDir: e.cfg.StoreDir, SyncAlways: true, JetStreamMaxStore: storeLimit,
		MaxPayload: MaxPayload, MaxPending: 16 * MaxPayload,
		NoSigs: true,
	})
	if err != nil {
		return nil, fmt.Errorf("the embedded NATS server cannot be set up: %w", err)
	}
	log := &serverLog{log: e.cfg.Logger}
	srv.SetLoggerV2(log, false, false, false)
	started := make(chan struct{})
	go func() {
		srv.Start()
		close(started)
	}()
	// A server that failed to start waits for nothing; it only says so.
	ready := false
	for end := time.Now().Add(startTimeout); !ready && log.fatal() == "" && time.Now().Before(end); {
		ready = srv.ReadyForConnections(100 * time.Millisecond)
	}
	if !ready || !srv.JetStreamEnabled() {
		srv.Shutdown()
		<-started
		if why := log.fatal(); why != "" {
			return nil, fmt.Errorf("the embedded NATS server did not start: %s", why)
		}
		return nil, errors.New("the embedded NATS server did not start; see the log")
	}
	return srv, nil
}

// URL is where clients connect.
func (e *Embedded) URL() string {
	return "nats://" + net.JoinHostPort(loopback, strconv.Itoa(e.port))
}

// Shutdown ends the server; what it has confirmed is on the disk. It may be
// called more than once.
func (e *Embedded) Shutdown() {
	e.once.Do(func() { close(e.stop) })
	<-e.done
}

const (
	checkEvery   = time.Second
	illChecks    = 3 // in a row, before the server is restarted
	restartsMax  = time.Minute
	probeBytes   = 2 * MaxPayload
	probePattern = "probe-*.tmp"
)

// supervise watches JetStream. On a full disk the server stops storing until it
// is restarted; this does that as soon as the folder can be written again.
func (e *Embedded) supervise() {
	defer close(e.done)
	ill, wait := 0, checkEvery
	for {
		select {
		case <-e.stop:
			e.shutdown()
			return
		case <-time.After(wait):
		}
		if e.healthy() {
			if ill >= illChecks {
				e.cfg.Logger.Info("the embedded NATS server stores notes again")
			}
			ill, wait = 0, checkEvery
			continue
		}
		if ill++; ill < illChecks {
			continue
		}
		if ill == illChecks {
			e.cfg.Logger.Error("the embedded NATS server cannot store notes; is the disk full? It goes on by itself when there is room", "folder", e.cfg.StoreDir)
		}
		if err := writable(e.cfg.StoreDir); err != nil {
			continue
		}
		if err := e.restart(); err != nil {
			e.cfg.Logger.Error("the embedded NATS server could not be restarted; trying again", "cause", err.Error())
		}
		wait = min(2*wait, restartsMax)
	}
}

func (e *Embedded) healthy() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.srv != nil && e.srv.Running() && e.srv.Healthz(&server.HealthzOptions{}).Error == ""
}

func (e *Embedded) restart() error {
	e.shutdown()
	srv, err := e.launch()
	if err != nil {
		return err
	}
	e.mu.Lock()
	e.srv = srv
	e.mu.Unlock()
	return nil
}

func (e *Embedded) shutdown() {
	e.mu.Lock()
	srv := e.srv
	e.srv = nil
	e.mu.Unlock()
	if srv != nil {
		srv.Shutdown()
		srv.WaitForShutdown()
	}
}

// writable reports whether there is room for two of the largest messages.
func writable(dir string) (err error) {
	f, err := os.CreateTemp(dir, probePattern)
	if err != nil {
		return err
	}
	defer func() {
		_ = f.Close()
		_ = os.Remove(f.Name())
	}()
	block := make([]byte, 1<<20)
	for range probeBytes / len(block) {
		if _, err := f.Write(block); err != nil {
			return err
		}
	}
	return f.Sync()
}

// removeProbes clears what a killed process left behind.
func removeProbes(dir string) {
	names, _ := filepath.Glob(filepath.Join(dir, probePattern))
	for _, n := range names {
		_ = os.Remove(n)
	}
}
