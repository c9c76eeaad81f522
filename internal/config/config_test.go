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
