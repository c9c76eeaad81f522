package datadir

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// TestMain lets the test binary play one of several processes on one data directory: it carries out the
// commands that it reads and answers each with a line.
func TestMain(m *testing.M) {
	if path := os.Getenv("DATADIR_TEST_PATH"); path != "" {
		player := &player{path: path}
		input := bufio.NewScanner(os.Stdin)
		for input.Scan() {
			answer, err := player.do(strings.Fields(input.Text()))
			if err != nil {
				answer = "error " + err.Error()
			}
			fmt.Println(answer)
		}
		os.Exit(0)
	}
	code := m.Run()
	cluster.Remove()
	os.Exit(code)
}

// player is what such a process has.
type player struct {
	path string
	dir  *Dir
	url  string
	conn *nats.Conn
}

func (p *player) do(command []string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	switch command[0] {
	case "open":
		var err error
		p.dir, err = Open(ctx, Config{Path: p.path, PostgresSettings: map[string]string{"fsync": "off"}})
		return "ok", err
	case "postgres":
		var err error
		p.url, err = p.dir.Postgres(ctx)
		return "ok", err
	case "write":
		return "ok", p.write(ctx)
	case "count":
		return p.count(ctx)
	case "nats":
		address, owned, err := p.dir.NATS(ctx, startNATS)
		if err != nil {
			return "", err
		}
		p.conn, err = nats.Connect(address, nats.MaxReconnects(-1), nats.ReconnectWait(20*time.Millisecond))
		return map[bool]string{true: "owned", false: "shared"}[owned], err
	case "publish":
		return "ok", p.publish(ctx)
	case "messages":
		return p.messages(ctx)
	case "reset":
		err := p.dir.Reset(ctx)
		if errors.Is(err, ErrInUse) {
			return "in use", nil
		}
		return "ok", err
	case "close", "force":
		if p.conn != nil {
			p.conn.Close()
		}
		return "ok", p.dir.Close(ctx, command[0] == "force")
	}
	return "", fmt.Errorf("unknown command %q", command)
}

// write adds a row, as long as it takes: the database may be being started again.
func (p *player) write(ctx context.Context) error {
	return p.retry(ctx, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, "CREATE TABLE IF NOT EXISTS kept (n int)")
		if err == nil {
			_, err = conn.Exec(ctx, "INSERT INTO kept VALUES (1)")
		}
		return err
	})
}

func (p *player) count(ctx context.Context) (string, error) {
	count := -1
	err := p.retry(ctx, func(conn *pgx.Conn) error {
		return conn.QueryRow(ctx, "SELECT count(*) FROM kept").Scan(&count)
	})
	return strconv.Itoa(count), err
}

func (p *player) retry(ctx context.Context, do func(*pgx.Conn) error) error {
	for {
		conn, err := pgx.Connect(ctx, p.url)
		if err == nil {
			err = do(conn)
			_ = conn.Close(ctx)
		}
		if err == nil || ctx.Err() != nil {
			return err
		}
		time.Sleep(pollEvery)
	}
}

// publish stores a message durably, as long as it takes.
func (p *player) publish(ctx context.Context) error {
	js, err := jetstream.New(p.conn)
	if err != nil {
		return err
	}
	for {
		attempt, cancel := context.WithTimeout(ctx, 2*time.Second)
		_, err := js.CreateOrUpdateStream(attempt, jetstream.StreamConfig{Name: "S", Subjects: []string{"s"}})
		if err == nil {
			_, err = js.Publish(attempt, "s", []byte("m"))
		}
		cancel()
		if err == nil || ctx.Err() != nil {
			return err
		}
	}
}

func (p *player) messages(ctx context.Context) (string, error) {
	js, err := jetstream.New(p.conn)
	if err != nil {
		return "", err
	}
	for {
		attempt, cancel := context.WithTimeout(ctx, 2*time.Second)
		stream, err := js.Stream(attempt, "S")
		cancel()
		if err == nil {
			return strconv.FormatUint(stream.CachedInfo().State.Msgs, 10), nil
		}
		if ctx.Err() != nil {
			return "", err
		}
	}
}

// startNATS starts a real server, at the previous address if there is one.
func startNATS(_ context.Context, store, previous string) (string, func(context.Context) error, error) {
	port := server.RANDOM_PORT
	if parsed, err := url.Parse(previous); err == nil && parsed.Port() != "" {
		port, _ = strconv.Atoi(parsed.Port())
	}
	running, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: port, JetStream: true, StoreDir: store, NoSigs: true, NoLog: true, SyncAlways: true,
	})
	if err != nil {
		return "", nil, err
	}
	running.Start()
	if !running.ReadyForConnections(30 * time.Second) {
		return "", nil, errors.New("NATS does not start")
	}
	stop := func(context.Context) error {
		running.Shutdown()
		running.WaitForShutdown()
		return nil
	}
	return running.ClientURL(), stop, nil
}
