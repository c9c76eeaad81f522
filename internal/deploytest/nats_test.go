package deploytest

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// TestNATSConfig runs a server with the settings of the deployment, only elsewhere.
func TestNATSConfig(t *testing.T) {
	t.Setenv("NATS_TOKEN", "0123456789abcdef")
	options, err := server.ProcessConfigFile(filepath.Join(root, "deploy", "nats.conf"))
	if err != nil {
		t.Fatal(err)
	}
	if !options.SyncAlways || options.HTTPHost != "127.0.0.1" {
		t.Errorf("sync always: %v, monitoring on %q", options.SyncAlways, options.HTTPHost)
	}
	options.Host, options.Port, options.HTTPPort = "127.0.0.1", server.RANDOM_PORT, 0
	options.StoreDir, options.NoSigs, options.NoLog = t.TempDir(), true, true
	running, err := server.NewServer(options)
	if err != nil {
		t.Fatal(err)
	}
	running.Start()
	t.Cleanup(func() { running.Shutdown(); running.WaitForShutdown() })
	if !running.ReadyForConnections(time.Minute) {
		t.Fatal("the server does not start")
	}
	if conn, err := nats.Connect(running.ClientURL()); err == nil {
		conn.Close()
		t.Error("a client without the token is let in")
	}
	// As in docker-compose.yml: the token stands where a user's name would.
	conn, err := nats.Connect(strings.Replace(running.ClientURL(), "nats://", "nats://0123456789abcdef@", 1))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if got := conn.MaxPayload(); got != 8<<20 {
		t.Errorf("max_payload is %d, want 8 MiB", got)
	}
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "S", Subjects: []string{"s"}, Storage: jetstream.FileStorage}); err != nil {
		t.Fatal(err)
	}
	if _, err := js.Publish(t.Context(), "s", make([]byte, 7<<20)); err != nil {
		t.Errorf("a message of 7 MiB is refused: %v", err)
	}
}

// TestNATSVersion: production runs the version that the tests run.
func TestNATSVersion(t *testing.T) {
	image := parse(t).Services["nats"].Image
	version := strings.TrimSuffix(strings.TrimPrefix(image, "nats:"), "-alpine")
	if !strings.Contains(read(t, "go.mod"), "github.com/nats-io/nats-server/v2 v"+version) {
		t.Errorf("the image is %s, which is not the version in go.mod", image)
	}
}
