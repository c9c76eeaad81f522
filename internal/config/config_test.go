package config_test

import (
	"strings"
	"testing"
	"time"

	"chartcode/internal/config"
)

func env(m map[string]string) func(string) string { return func(k string) string { return m[k] } }

func TestDefaults(t *testing.T) {
	c, err := config.Read(env(nil))
	if err != nil {
		t.Fatal(err)
	}
	if c.HTTPAddr != "127.0.0.1:8080" || c.LLM.Configured() || c.Embed.Configured() || c.LLM.Timeout != 2*time.Minute {
		t.Errorf("defaults: %+v", c)
	}
}

func TestOpenAIFallbacks(t *testing.T) {
	c, err := config.Read(env(map[string]string{
		"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": "https://llm.example/v1",
		"CHARTCODE_LLM_MODEL": "m", "CHARTCODE_EMBED_BASE_URL": "https://embed.example/v1",
	}))
	if err != nil {
		t.Fatal(err)
	}
	if c.LLM.APIKey != "k" || c.LLM.BaseURL != "https://llm.example/v1" || !c.LLM.Configured() {
		t.Errorf("LLM: %+v", c.LLM)
	}
	if c.Embed.BaseURL != "https://embed.example/v1" || c.Embed.APIKey != "k" || c.Embed.Configured() {
		t.Errorf("Embed: %+v", c.Embed)
	}
}

func TestBadValuesNameTheVariableNotTheValue(t *testing.T) {
	for name, value := range map[string]string{
		"CHARTCODE_DATABASE_URL": "mysql://secret",
		"CHARTCODE_HTTP_ADDR":    "secret",
		"CHARTCODE_LLM_TIMEOUT":  "secret",
		"CHARTCODE_LLM_BASE_URL": "secret",
		"OPENAI_BASE_URL":        "secret",
		"CHARTCODE_TIMEZONE":     "secret/secret",
		"CHARTCODE_WORKDAYS":     "mon,secret",

		"CHARTCODE_SERVICE_LEVEL": "24,secret",

		"CHARTCODE_METRICS_ADDR":          "secret",
		"CHARTCODE_PPROF_ADDR":            "0.0.0.0:6060", // not on the loopback address
		"CHARTCODE_LOG":                   "secret",
		"CHARTCODE_LOG_LEVEL":             "secret",
		"CHARTCODE_READY_LAG":             "-1m",
		"CHARTCODE_LLM_DEADLINE":          "-1s",
		"CHARTCODE_LLM_CONCURRENCY":       "0",
		"CHARTCODE_LLM_RPM":               "secret",
		"CHARTCODE_LLM_TPM":               "1e9secret",
		"CHARTCODE_LLM_DAILY_BUDGET_USD":  "NaN",
		"CHARTCODE_LLM_CACHE_DAYS":        "-1",
		"CHARTCODE_LLM_FALLBACK_BASE_URL": "ftp://secret",
	} {
		_, err := config.Read(env(map[string]string{name: value}))
		if err == nil || !strings.HasPrefix(err.Error(), name+" ") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestVariablesAreSortedAndWhole(t *testing.T) {
	names := strings.Join(config.Variables(), " ")
	for _, n := range []string{"CHARTCODE_DATABASE_URL", "CHARTCODE_NATS_URL", "CHARTCODE_DATA_DIR", "CHARTCODE_HTTP_ADDR", "CHARTCODE_CODESETS", "CHARTCODE_LLM_MODEL", "CHARTCODE_EMBED_MODEL", "CHARTCODE_TIMEZONE", "OPENAI_API_KEY"} {
		if !strings.Contains(names, n) {
			t.Errorf("%s is missing from %s", n, names)
		}
	}
}

func TestLLMLimits(t *testing.T) {
	c, err := config.Read(env(map[string]string{
		"CHARTCODE_LLM_MODEL": "m", "CHARTCODE_LLM_BASE_URL": "https://x.openai.azure.com", "CHARTCODE_LLM_API_VERSION": "2024-10-21",
		"CHARTCODE_LLM_FALLBACK_MODEL": "n", "CHARTCODE_LLM_FALLBACK_BASE_URL": "http://localhost:8000/v1", "CHARTCODE_LLM_FALLBACK_API_KEY": "k",
		"CHARTCODE_LLM_DEADLINE": "1h", "CHARTCODE_LLM_CONCURRENCY": "7", "CHARTCODE_LLM_RPM": "60", "CHARTCODE_LLM_TPM": "90000",
		"CHARTCODE_LLM_DAILY_BUDGET_USD": "7.50", "CHARTCODE_LLM_PRICES": "m=1/2", "CHARTCODE_LLM_CACHE_DAYS": "0", "CHARTCODE_LLM_RECORD": "r",
	}))
	if err != nil {
		t.Fatal(err)
	}
	want := config.LLMLimits{Deadline: time.Hour, Concurrency: 7, RequestsPerMinute: 60, TokensPerMinute: 90000, DailyBudgetUSD: 7.5, Prices: "m=1/2", RecordDir: "r"}
	if c.LLMLimits != want || c.LLM.APIVersion != "2024-10-21" || c.LLMFallback != (config.Endpoint{BaseURL: "http://localhost:8000/v1", APIKey: "k", Model: "n"}) {
		t.Errorf("%+v %+v", c.LLMLimits, c.LLMFallback)
	}
	if c, _ := config.Read(env(nil)); c.LLMLimits != (config.LLMLimits{Concurrency: 64, CacheDays: 30}) {
		t.Errorf("defaults: %+v", c.LLMLimits)
	}
}

func TestSettingsThatDoNotAgree(t *testing.T) {
	for missing, vars := range map[string]map[string]string{
		"CHARTCODE_LLM_FALLBACK_MODEL ":       {"CHARTCODE_LLM_MODEL": "m", "CHARTCODE_LLM_FALLBACK_BASE_URL": "http://secret"},
		"CHARTCODE_LLM_FALLBACK_MODEL needs":  {"CHARTCODE_LLM_FALLBACK_MODEL": "secret"},
		"CHARTCODE_LLM_API_VERSION needs":     {"CHARTCODE_LLM_MODEL": "m", "CHARTCODE_LLM_API_VERSION": "secret"},
		"CHARTCODE_LLM_FALLBACK_API_VERSION ": {"CHARTCODE_LLM_MODEL": "m", "CHARTCODE_LLM_FALLBACK_MODEL": "m", "CHARTCODE_LLM_FALLBACK_API_VERSION": "secret"},
	} {
		if _, err := config.Read(env(vars)); err == nil || !strings.HasPrefix(err.Error(), missing) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", missing, err)
		}
	}
}

func TestNoFlagForAKey(t *testing.T) {
	var names []string
	for _, f := range config.LLMFlags() {
		names = append(names, f.Name)
	}
	all := " " + strings.Join(names, " ") + " "
	for _, want := range []string{" llm-model ", " llm-base-url ", " llm-record ", " llm-replay ", " llm-daily-budget-usd ", " llm-fallback-model ", " prompts "} {
		if !strings.Contains(all, want) {
			t.Errorf("there is no flag%sin%s", want, all)
		}
	}
	if strings.Contains(all, "key") {
		t.Errorf("a key can be given by a flag: %s", all)
	}
}
