package localpg

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// TestMain lets the test binary play another user who tries to connect.
func TestMain(m *testing.M) {
	if url := os.Getenv("LOCALPG_TEST_CONNECT"); url != "" {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		conn, err := pgx.Connect(ctx, url)
		cancel()
		if err != nil {
			os.Stdout.WriteString("refused")
			os.Exit(0)
		}
		_ = conn.Close(context.Background())
		os.Stdout.WriteString("connected")
		os.Exit(0)
	}
	code := m.Run()
	cluster.Remove()
	os.Exit(code)
}

// connectAs tries to connect as another user, in another process.
func connectAs(t *testing.T, uid, gid int, url string) string {
	t.Helper()
	// Test binaries lie in folders that others may not read.
	binary, err := os.CreateTemp("/tmp", "localpg-test-*")
	if err != nil {
		t.Fatal(err)
	}
	defer os.Remove(binary.Name())
	content, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := binary.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := binary.Chmod(0o755); err != nil {
		t.Fatal(err)
	}
	if err := binary.Close(); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), binary.Name())
	cmd.Dir, cmd.Env = "/", []string{"LOCALPG_TEST_CONNECT=" + url}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// asRoot ends a test that is about what root does for another user.
func asRoot(t *testing.T) account {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root runs the server as another user")
	}
	service, err := serviceAccount()
	if err != nil {
		t.Fatal(err)
	}
	return service
}

func TestPrivateFolderOfRoot(t *testing.T) {
	service := asRoot(t)
	private, err := os.MkdirTemp("/tmp", "localpg-private-*") // mode 0700, as mktemp -d makes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(private) })
	server := start(t, filepath.Join(private, "a", "b"))

	info, err := os.Stat(private)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm()&0o007 != 0 {
		t.Errorf("the folder's mode is %v: everybody may pass", info.Mode())
	}
	owner, err := os.Stat(server.data)
	if err != nil {
		t.Fatal(err)
	}
	if uid := int(owner.Sys().(*syscall.Stat_t).Uid); uid != service.uid {
		t.Errorf("the data belong to user %d, want %d", uid, service.uid)
	}
	if out, err := service.command(t.Context(), "ls", private).CombinedOutput(); err == nil {
		t.Errorf("the database's user may list the folder: %s", out)
	}
	if got := query[int](t, server, "SELECT 1"); got != 1 {
		t.Errorf("SELECT 1 = %d", got)
	}
}

// TestPrivateFolderWithoutAccessLists: where the file system has none, passing is granted by the mode.
func TestPrivateFolderWithoutAccessLists(t *testing.T) {
	service := asRoot(t)
	private := filepath.Join(mount(t, "ramfs", "mode=700"), "private")
	if err := os.Mkdir(private, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := grantPass(private, service.uid); err == nil {
		t.Fatal("this file system has access lists, so the test shows nothing")
	}
	server := start(t, filepath.Join(private, "database"))
	if got := query[int](t, server, "SELECT 1"); got != 1 {
		t.Errorf("SELECT 1 = %d", got)
	}
	if info, err := os.Stat(private); err != nil || info.Mode().Perm() != 0o701 {
		t.Errorf("mode %v, %v; want 0701", info.Mode(), err)
	}
}

func TestOtherUsersAreRefused(t *testing.T) {
	service := asRoot(t)
	server := start(t, t.TempDir())
	if got := connectAs(t, 0, 0, server.URL()); got != "connected" {
		t.Fatalf("root is %s", got)
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.Atoi(nobody.Uid)
	if got := connectAs(t, uid, uid, server.URL()); got != "refused" {
		t.Errorf("user nobody is %s", got)
	}
	// Other programs may run as the user that the server borrows: those reach the socket.
	if got := connectAs(t, service.uid, service.gid, server.URL()); got != "refused" {
		t.Errorf("the server's own user is %s", got)
	}
}

func TestRestoredByRoot(t *testing.T) {
	service := asRoot(t)
	dir := t.TempDir()
	server := start(t, dir)
	exec1(t, server, "CREATE TABLE kept (n int); INSERT INTO kept VALUES (3)")
	if err := server.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("chown", "-R", "0:0", server.data).CombinedOutput(); err != nil {
		t.Fatalf("%s", out)
	}
	again := start(t, dir)
	if got := query[int](t, again, "SELECT n FROM kept"); got != 3 || again.account.uid != service.uid {
		t.Errorf("kept = %d, user %d", got, again.account.uid)
	}
}

func TestOrdinaryUser(t *testing.T) {
	asRoot(t)
	// The same tests as an ordinary user: only root can arrange that.
	binary, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	home, err := os.MkdirTemp("/tmp", "localpg-user-*")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(home) })
	program := filepath.Join(home, "test")
	if err := os.WriteFile(program, binary, 0o755); err != nil {
		t.Fatal(err)
	}
	games, err := user.Lookup("games") // a user with a name that nothing runs as
	if err != nil {
		games, err = user.Lookup("nobody")
	}
	if err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.Atoi(games.Uid)
	gid, _ := strconv.Atoi(games.Gid)
	if err := os.Chown(home, uid, gid); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, "-test.v", "-test.run", "^(TestStartAndRestart|TestRecoversFromKill|TestAdoptByMany)$")
	cmd.Dir = home
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "TMPDIR=" + home}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if n := bytes.Count(out, []byte("\n--- PASS: Test")); n != 3 {
		t.Errorf("%d tests passed as user %s, want 3:\n%s", n, games.Username, out)
	}
}

func TestRootOnAUsersFolder(t *testing.T) {
	asRoot(t)
	games, err := user.Lookup("games")
	if err != nil {
		t.Skip("no user games here")
	}
	uid, _ := strconv.Atoi(games.Uid)
	gid, _ := strconv.Atoi(games.Gid)
	dir := t.TempDir()
	server := start(t, dir)
	if err := server.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("chown", "-R", games.Uid+":"+games.Gid, server.data).CombinedOutput(); err != nil {
		t.Fatalf("%s", out)
	}
	again := start(t, dir)
	if again.account.uid != uid {
		t.Errorf("the server runs as user %d, want the data's owner %d", again.account.uid, uid)
	}
	if got := connectAs(t, uid, gid, again.URL()); got != "connected" {
		t.Errorf("the data's owner is %s", got)
	}
}

func TestQuoteAndRender(t *testing.T) {
	got := render(map[string]string{"b": "it's", "a": `back\slash`})
	if !strings.HasSuffix(got, "a = 'back\\\\slash'\nb = 'it''s'\n") {
		t.Errorf("render = %q", got)
	}
}

func TestSettingsFitTheMachine(t *testing.T) {
	for _, test := range []struct {
		memory, shm       uint64
		cpus              int
		buffers, maintain string
		workers           string
		dsm               string
	}{
		{24 << 30, 12 << 30, 2, "256MB", "1024MB", "1", ""},
		{1 << 30, 64 << 20, 1, "128MB", "128MB", "1", "mmap"},
		{64 << 30, 64 << 20, 16, "256MB", "1024MB", "4", "mmap"},
	} {
		got := settings(test.memory, test.shm, test.cpus)
		if got["shared_buffers"] != test.buffers || got["maintenance_work_mem"] != test.maintain ||
			got["max_parallel_maintenance_workers"] != test.workers || got["dynamic_shared_memory_type"] != test.dsm {
			t.Errorf("settings(%d) = %v", test.memory>>30, got)
		}
	}
}

func TestParseMajor(t *testing.T) {
	for text, want := range map[string]int{
		"postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)": 15,
		"postgres (PostgreSQL) 18beta1":                        18,
		"postgres":                                             0,
	} {
		if got := parseMajor(text); got != want {
			t.Errorf("parseMajor(%q) = %d, want %d", text, got, want)
		}
	}
}

func TestChoose(t *testing.T) {
	ctx := t.Context()
	real := installations(ctx)
	if len(real) == 0 {
		t.Fatal("no PostgreSQL found")
	}
	bare := installation{bin: t.TempDir(), major: real[0].major + 1} // newer, without pgvector
	if got, err := choose(ctx, append([]installation{bare}, real...), "d", 0); err != nil || got.bin == bare.bin {
		t.Errorf("choose = %v, %v; want the one with pgvector", got, err)
	}
	for _, test := range []struct {
		all   []installation
		major int
		says  string
	}{
		{nil, 0, "make setup"},
		{[]installation{bare}, 0, "has no pgvector: run 'make setup'"},
		{real, 9, "was made by PostgreSQL 9"},
	} {
		if _, err := choose(ctx, test.all, "d", test.major); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("choose(%v, %d) = %v, want %q", test.all, test.major, err, test.says)
		}
	}
}
