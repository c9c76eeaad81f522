package llm

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"chartcode/internal/coding"
)

func testLogger() *slog.Logger { return slog.New(slog.DiscardHandler) }

func newHTTP(t *testing.T, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func serveAny(t *testing.T, status int) string {
	return newHTTP(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
}

func replaying(t *testing.T, dir string, change ...func(*Config)) *Client {
	t.Helper()
	cfg := Config{ReplayDir: dir, Logger: testLogger()}
	for _, f := range change {
		f(&cfg)
	}
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestRecordAndReplay(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "recordings")
	answer := `{"codes":[ "` + secret + `", "<b> & ü" ]}`
	live := clientFor(t, serve(t, says(answer), fails(400, "context_length_exceeded"), fails(500, "oops")).URL, func(c *Config) { c.RecordDir = dir })
	for i, code := range []string{"", TooLong, Unavailable} {
		if _, _, err := live.Ask(t.Context(), numbered(i)); codeOf(err) != code {
			t.Fatalf("question %d: %v", i, err)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Fatalf("%d files, %v: one failure passes and is not recorded", len(entries), err)
	}
	before := map[string][]byte{}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		info, _ := e.Info()
		if bytes.Contains(data, []byte(secret)) || bytes.Contains(data, []byte("Bearer")) || bytes.Contains(data, []byte("127.0.0.1")) || info.Mode().Perm() != 0o600 {
			t.Errorf("mode %v, %s", info.Mode(), data)
		}
		if !bytes.Contains(data, []byte("\n  \"question\": {\n")) {
			t.Errorf("not pretty: %s", data)
		}
		before[e.Name()] = data
	}
	again := replaying(t, dir)
	if again.Model() != "test-model" {
		t.Errorf("the model is %s", again.Model())
	}
	got, usage, err := again.Ask(t.Context(), prompt)
	var a, b any
	if err != nil || json.Unmarshal(got, &a) != nil || json.Unmarshal([]byte(strings.ReplaceAll(answer, secret, "[key]")), &b) != nil || !equal(a, b) {
		t.Errorf("%s, %v", got, err)
	}
	if want := (coding.Usage{Calls: 1, PromptTokens: 100, CachedTokens: 40, CompletionTokens: 7}); usage != want {
		t.Errorf("usage %+v", usage)
	}
	if _, _, err := again.Ask(t.Context(), numbered(1)); codeOf(err) != TooLong {
		t.Errorf("the failure is replayed as %v", err)
	}
	ctx := WithNote(t.Context())
	if Missed(ctx) != nil {
		t.Error("missed before anything was asked")
	}
	_, _, err = again.Ask(ctx, numbered(2))
	var miss *Miss
	hash := QuestionOf("test-model", 0, numbered(2)).Hash()
	if !errors.As(err, &miss) || miss.Hash != hex.EncodeToString(hash[:]) || !strings.Contains(err.Error(), miss.Hash) || !strings.Contains(err.Error(), "--llm-record") || strings.Contains(err.Error(), marker) {
		t.Errorf("a miss: %v", err)
	}
	if got := Missed(ctx); got == nil || got.Error() != err.Error() {
		t.Errorf("the note does not know of it: %v", got)
	}
	// Writing what was read changes nothing: files are stable.
	for name, data := range before {
		r, err := ReadRecording(data, strings.TrimSuffix(name, ".json"))
		if err != nil {
			t.Fatal(err)
		}
		if err := WriteRecording(dir, r); err != nil {
			t.Fatal(err)
		}
		if now, _ := os.ReadFile(filepath.Join(dir, name)); !bytes.Equal(now, data) {
			t.Errorf("changed to %s", now)
		}
	}
}

func equal(a, b any) bool {
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	return bytes.Equal(x, y)
}

// Each part of a question makes another hash; the schema's white space does not.
func TestTheHashCoversTheQuestion(t *testing.T) {
	q := QuestionOf("m", 0, prompt)
	seen := map[[32]byte]bool{q.Hash(): true}
	for _, change := range []func(*Question){
		func(q *Question) { q.Model += "x" }, func(q *Question) { q.MaxTokens++ }, func(q *Question) { q.Task += "x" },
		func(q *Question) { q.System += "x" }, func(q *Question) { q.User += "x" }, func(q *Question) { q.Schema = json.RawMessage(`{}`) },
		func(q *Question) { q.System, q.User = q.System+q.User, "" },
	} {
		other := q
		change(&other)
		if seen[other.Hash()] {
			t.Errorf("the same hash for %+v", other)
		}
		seen[other.Hash()] = true
	}
	spaced := q
	var b bytes.Buffer
	_ = json.Indent(&b, q.Schema, "", "   ")
	spaced.Schema = b.Bytes()
	if spaced.Hash() != q.Hash() {
		t.Error("white space in the schema makes another hash")
	}
}

func TestRecordingsThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	q := QuestionOf("m", 0, prompt)
	of := q.Hash()
	hash := hex.EncodeToString(of[:])
	for name, data := range map[string]string{
		"not JSON": "{", "another hash": `{"hash":"` + hash + `","question":{"model":"m"},"answer":{}}`,
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, hash+".json"), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := New(Config{ReplayDir: dir, Logger: testLogger()}); err == nil {
			t.Errorf("%s: a folder without a usable recording was taken", name)
		}
		ctx := WithNote(t.Context())
		_, _, err := replaying(t, dir, func(c *Config) { c.Model = "m" }).Ask(ctx, prompt)
		if err == nil || !strings.Contains(err.Error(), hash) || Missed(ctx) == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	dir := t.TempDir()
	for _, model := range []string{"a", "b"} {
		if err := WriteRecording(dir, Recording{Question: QuestionOf(model, 0, prompt), Answer: json.RawMessage(`{}`)}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := New(Config{ReplayDir: dir, Logger: testLogger()}); err == nil || !strings.Contains(err.Error(), "a, b") {
		t.Errorf("several models: %v", err)
	}
}

func FuzzReadRecording(f *testing.F) {
	q := QuestionOf("m", 0, prompt)
	of := q.Hash()
	hash := hex.EncodeToString(of[:])
	good, _ := json.Marshal(Recording{Hash: hash, Question: q, Answer: json.RawMessage(`{}`)})
	f.Add(good)
	f.Add([]byte(`{"hash":"` + hash + `"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := ReadRecording(data, hash)
		if err == nil && r.Question.Hash() != of {
			t.Error("another question was taken")
		}
	})
}
