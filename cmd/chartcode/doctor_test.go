package main

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	natsd "github.com/nats-io/nats-server/v2/server"

	"chartcode/internal/config"
	"chartcode/internal/llmtest"
	"chartcode/internal/metrics"
	"chartcode/internal/store/storetest"
)

// doctorServer speaks the protocol for all that doctor asks: small questions,
// which a server that enforces schemas answers by them, and the invented note.
func doctorServer(t *testing.T, schemas, bound bool) *httptest.Server {
	t.Helper()
	ranks := llmtest.Handler(llmtest.Gold{Of: func(string) *llmtest.Known {
		return &llmtest.Known{First: doctorFirst, Codes: []llmtest.KnownCode{
			{Code: doctorFirst, Quotes: []string{"Type 2 diabetes mellitus without complications"}, Description: "Type 2 diabetes mellitus without complications", Kind: "diagnosis", Assertion: "present", Confidence: 0.95},
			{Code: doctorAlso, Quotes: []string{"Essential hypertension"}, Description: "Essential (primary) hypertension", Kind: "diagnosis", Assertion: "present", Confidence: 0.9},
		}}
	}}, func(llmtest.Question) {})
	return serveDoctor(t, func(w http.ResponseWriter, r *http.Request, body string) {
		var q struct {
			Messages []struct{ Content string } `json:"messages"`
			Format   struct {
				Type string `json:"type"`
			} `json:"response_format"`
		}
		switch err := json.Unmarshal([]byte(body), &q); {
		case err != nil || len(q.Messages) != 2:
			http.Error(w, "bad request", http.StatusBadRequest)
		case q.Format.Type == "json_schema" && !schemas:
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"error":{"message":"response_format json_schema is not supported"}}`)
		case strings.Contains(q.Messages[1].Content, "NOTE-"):
			r.Body = io.NopCloser(strings.NewReader(body))
			ranks.ServeHTTP(w, r)
		case strings.Contains(q.Messages[0].Content, "plain English") && !bound:
			llmSays("The sky is blue.")(w, r, llmCall{})
		default:
			llmSays(`{"colours":["red","green"]}`)(w, r, llmCall{})
		}
	})
}

// serveDoctor lists one model and lets answer do the rest; a wrong key is refused.
func serveDoctor(t *testing.T, answer func(w http.ResponseWriter, r *http.Request, body string)) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch {
		case r.Header.Get("Authorization") != "Bearer sk-"+marker:
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"error":{"message":"wrong key `+r.Header.Get("Authorization")+`"}}`)
		case strings.HasSuffix(r.URL.Path, "/models"):
			_, _ = io.WriteString(w, `{"data":[{"id":"some-model"}]}`)
		case !strings.Contains(string(body), "some-model"):
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"error":{"message":"no such model"}}`)
		default:
			answer(w, r, string(body))
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// examined runs doctor with settings and gives its findings by check. What it
// prints and logs is searched for the marker, which the key holds.
func examined(t *testing.T, cfg config.Config) map[string]checked {
	t.Helper()
	cfg.Timezone = time.UTC
	out := newWatched()
	d := &doctor{out: out, app: &app{cfg: cfg, log: slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: slog.LevelDebug})),
		progress: newProgress(false), metrics: metrics.New(version, "test")}}
	defer d.close(false)
	d.examine(t.Context())
	got := map[string]checked{}
	for _, c := range d.found {
		got[c.Check] = c
	}
	b, err := json.Marshal(d.diagnosis())
	if err != nil {
		t.Fatal(err)
	}
	_, _ = out.Write(b)
	if strings.Contains(out.String(), marker) || strings.Contains(out.String(), "metformin") {
		t.Error("a key or text of the note was printed or logged")
	}
	return got
}

// verdict fails unless a check ended as wanted and its line holds all of the words.
func verdict(t *testing.T, got map[string]checked, check, status string, words ...string) {
	t.Helper()
	c, ok := got[check]
	line := c.Found + "; " + c.Do
	if !ok || c.Status != status || slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(line, w) }) {
		t.Errorf("%s: %s: %s, want %s with %q", check, c.Status, line, status, words)
	}
	if c.Status != checkOK && c.Do == "" {
		t.Errorf("%s is %s and does not say what to do", check, c.Status)
	}
}

func TestDoctor(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	base := config.Config{DatabaseURL: l.url, NATSURL: newNATS(t), LLM: config.Endpoint{APIKey: "sk-" + marker, Model: "some-model", Timeout: 10 * time.Second},
		LLMLimits: config.LLMLimits{Concurrency: 2, CacheDays: 30, Prices: "some-model=1/2"}}
	with := func(s *httptest.Server, change func(*config.Config)) config.Config {
		c := base
		c.LLM.BaseURL = s.URL + "/v1"
		if change != nil {
			change(&c)
		}
		return c
	}
	healthy := doctorServer(t, true, true)

	t.Run("Healthy", func(t *testing.T) {
		got := examined(t, with(healthy, func(c *config.Config) { c.LLMFallback = c.LLM; c.LLMFallback.BaseURL = healthy.URL + "/v1" }))
		verdict(t, got, "PostgreSQL", checkOK, "pgvector", "chartcode_app")
		verdict(t, got, "NATS", checkWarning, "max_payload 8 MiB", "NOTES", "workers")
		verdict(t, got, "code sets", checkWarning, "starter set")
		verdict(t, got, "vectors", checkOK, "local@1", "in use")
		verdict(t, got, "local models", checkOK)
		verdict(t, got, "embeddings", checkOK, "256 dimensions", "5 stored terms are the same")
		for _, check := range []string{"LLM", "LLM fallback"} {
			verdict(t, got, check, checkOK, "some-model", "enforces the JSON schema", "tokens a second", "1 and 2 US dollars")
			verdict(t, got, check+" ranking", checkOK, "chooses E11.9,", "I10")
		}
	})
	t.Run("Faults", func(t *testing.T) {
		verdict(t, examined(t, with(healthy, func(c *config.Config) { c.LLM.APIKey = "sk-other" })), "LLM", checkFailed, "refuses the key", "401")
		verdict(t, examined(t, with(healthy, func(c *config.Config) { c.LLM.Model = "another"; c.LLMLimits.Prices = "" })), "LLM", checkFailed, "does not list the model")
		verdict(t, examined(t, with(healthy, func(c *config.Config) {
			c.LLMFallback = c.LLM
			c.LLMFallback.APIKey = "sk-other"
		})), "LLM fallback", checkFailed, "CHARTCODE_LLM_FALLBACK_API_KEY")
		slow := serveDoctor(t, func(_ http.ResponseWriter, r *http.Request, _ string) { <-r.Context().Done() })
		verdict(t, examined(t, with(slow, func(c *config.Config) { c.LLM.Timeout = 100 * time.Millisecond })), "LLM", checkFailed, "in time", "CHARTCODE_LLM_TIMEOUT")

		got := examined(t, with(doctorServer(t, false, false), func(c *config.Config) { c.LLMLimits.Prices = "" }))
		verdict(t, got, "LLM", checkWarning, "knows no JSON schema", "json_object", "CHARTCODE_LLM_PRICES")
		verdict(t, got, "LLM ranking", checkOK, "chooses E11.9,", "I10")
		got = examined(t, with(doctorServer(t, true, false), nil))
		verdict(t, got, "LLM", checkWarning, "does not enforce")

		poor := serveDoctor(t, func(w http.ResponseWriter, r *http.Request, body string) {
			if strings.Contains(body, "NOTE-") {
				llmSays(`{"items":[],"first":0}`)(w, r, llmCall{})
				return
			}
			llmSays(`{"colours":["red"]}`)(w, r, llmCall{})
		})
		verdict(t, examined(t, with(poor, nil)), "LLM ranking", checkFailed, "chooses nothing", "E11.9 first")
	})
	t.Run("Servers", func(t *testing.T) {
		got := examined(t, config.Config{DatabaseURL: storetest.EmptyURL(t), NATSURL: smallNATS(t)})
		verdict(t, got, "PostgreSQL", checkFailed, "chartcode migrate")
		verdict(t, got, "NATS", checkFailed, "max_payload")
		verdict(t, got, "code sets", checkWarning, "not looked at")
		got = examined(t, config.Config{DatabaseURL: "postgres://someone:" + marker + "@127.0.0.1:1/none", NATSURL: "nats://u:" + marker + "@127.0.0.1:1"})
		verdict(t, got, "PostgreSQL", checkFailed, "not available")
		verdict(t, got, "NATS", checkFailed, "127.0.0.1:1")
		got = examined(t, config.Config{DatabaseURL: storetest.MigratedURL(t), DataDir: t.TempDir()})
		verdict(t, got, "NATS", checkWarning, "does not run")
		verdict(t, got, "code sets", checkFailed, "codeset import")
	})
	t.Run("Embeddings", func(t *testing.T) {
		c := base
		c.LLM = config.Endpoint{}
		c.Embed = config.Endpoint{BaseURL: healthy.URL, APIKey: "sk-other", Model: "some-model", Timeout: 5 * time.Second}
		got := examined(t, c)
		verdict(t, got, "embeddings", checkFailed, "401", "local@1 stay in use")
		verdict(t, got, "vectors", checkWarning, "openai:some-model: 0 vectors", "in use until", "--fill")
		verdict(t, got, "local models", checkWarning, "trained with the vectors of local@1")
	})
}

// smallNATS is a server as it comes, without the setting that notes need.
func smallNATS(t *testing.T) string {
	t.Helper()
	s, err := natsd.NewServer(&natsd.Options{Host: "127.0.0.1", Port: natsd.RANDOM_PORT, NoSigs: true, NoLog: true, JetStream: true, StoreDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	go s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(time.Minute) {
		t.Fatal("the server does not start")
	}
	return s.ClientURL()
}

// A site's vectors are made beside the old ones while the server fails at first,
// and stored vectors that the server does not give any more are noticed.
func TestDoctorSeesAnotherModelBehindTheName(t *testing.T) {
	t.Parallel()
	url := storetest.EmptyURL(t)
	small := newSite(t, "CHARTCODE_DATABASE_URL="+url)
	if _, code := small.runProgram(plain, "codeset", "import", small.file("icd10cm-order-2026.txt", smallOrder("J9811"))); code != exitGood {
		t.Fatalf("import ended with %d", code)
	}
	shift := 0
	s := serveDoctor(t, func(w http.ResponseWriter, _ *http.Request, body string) {
		var q struct {
			Input []string `json:"input"`
		}
		_ = json.Unmarshal([]byte(body), &q)
		var data []map[string]any
		for i, text := range q.Input {
			v := make([]float32, 6)
			for j, b := range []byte(text) {
				v[(int(b)*(j+1)+shift)%6] += float32(j%3) + 0.1
			}
			data = append(data, map[string]any{"index": i, "embedding": v})
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"data": data})
	})
	cfg := config.Config{DatabaseURL: url, NATSURL: newNATS(t), Embed: config.Endpoint{BaseURL: s.URL, APIKey: "sk-" + marker, Model: "some-model", Timeout: 5 * time.Second}}
	site := &app{cfg: cfg, log: slog.New(slog.NewTextHandler(newWatched(), &slog.HandlerOptions{Level: slog.LevelDebug})), progress: newProgress(false)}
	if err := site.openStore(t.Context(), migrateSchema, rolesConns); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(site.store.Close)
	releases, err := site.store.Releases(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if ready, _, err := site.codesReady(t.Context(), releases); err != nil || !ready {
		t.Errorf("the vectors of before do not serve: %v, %v", ready, err)
	}
	if err := site.fillBeside(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	got := examined(t, cfg)
	verdict(t, got, "vectors", checkWarning, "openai:some-model", "6 dimensions, in use", "local@1", "--prune")
	verdict(t, got, "embeddings", checkOK, "6 dimensions", "are the same")
	shift = 1
	verdict(t, examined(t, cfg), "embeddings", checkFailed, "differ from fresh ones", "--remove openai:some-model")
	if err := site.removeVectors(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	verdict(t, examined(t, cfg), "vectors", checkOK, "in use")
}

// The fields of doctor --json.
func TestDoctorJSON(t *testing.T) {
	t.Parallel()
	d := &doctor{app: &app{}}
	d.ok("a", "fine", map[string]any{"n": 1})
	d.warn("b", "odd", "look", nil)
	got, err := json.Marshal(d.diagnosis())
	if err != nil {
		t.Fatal(err)
	}
	want := `{"status":"warning","checks":[{"check":"a","status":"ok","found":"fine","details":{"n":1}},{"check":"b","status":"warning","found":"odd","do":"look"}]}`
	if string(got) != want {
		t.Errorf("got %s", got)
	}
	d.fail("c", "broken", "mend")
	if d.diagnosis().Status != checkFailed {
		t.Error("what failed does not count")
	}
}
