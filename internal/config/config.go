// Package config reads chartcode's settings from environment variables. Flags
// of the subcommands override them. It reads nothing else and touches nothing.
package config

import (
	"fmt"
	"math"
	"net"
	"net/url"
	"sort"
	"strconv"
	"strings"
	"time"
)

// Endpoint is an OpenAI-compatible server. It is unset when Model and BaseURL are empty.
type Endpoint struct {
	BaseURL string
	APIKey  string
	Model   string
	Timeout time.Duration
}

// Configured reports whether calls can be made: a model is named.
func (e Endpoint) Configured() bool { return e.Model != "" }

// Config holds every setting; see Variables for where each comes from.
type Config struct {
	DatabaseURL string // empty: the private PostgreSQL
	NATSURL     string // empty: the embedded server
	DataDir     string // empty: the user's data directory
	HTTPAddr    string
	Codesets    string // folder of release files; empty: looked for
	LLM         Endpoint
	Embed       Endpoint
	Timezone    *time.Location
	// AcceptAllFrom is the confidence from which a coder may accept all suggestions of
	// an item at once; above 1 never.
	AcceptAllFrom float64
}

type variable struct {
	name string
	help string
	set  func(c *Config, value string) error
}

var variables = []variable{
	{"CHARTCODE_DATABASE_URL", "PostgreSQL with pgvector; unset: a private one is started in the data directory",
		func(c *Config, v string) error { c.DatabaseURL = v; return checkURL(v, "postgres", "postgresql") }},
	{"CHARTCODE_NATS_URL", "NATS server with JetStream; unset: the embedded one",
		func(c *Config, v string) error { c.NATSURL = v; return nil }},
	{"CHARTCODE_DATA_DIR", "where the private PostgreSQL and the embedded NATS keep their data; unset: the user's data directory",
		func(c *Config, v string) error { c.DataDir = v; return nil }},
	{"CHARTCODE_HTTP_ADDR", "address of the web page and API, 127.0.0.1:8080 by default; port 0 takes a free one",
		func(c *Config, v string) error {
			c.HTTPAddr = v
			if _, _, err := net.SplitHostPort(v); err != nil {
				return fmt.Errorf("must be HOST:PORT")
			}
			return nil
		}},
	{"CHARTCODE_CODESETS", "folder with the official release files; unset: ./codesets, else the starter set",
		func(c *Config, v string) error { c.Codesets = v; return nil }},
	{"CHARTCODE_LLM_BASE_URL", "OpenAI-compatible server that ranks; OPENAI_BASE_URL is the fallback",
		func(c *Config, v string) error { c.LLM.BaseURL = v; return checkURL(v, "http", "https") }},
	{"CHARTCODE_LLM_API_KEY", "its key; OPENAI_API_KEY is the fallback",
		func(c *Config, v string) error { c.LLM.APIKey = v; return nil }},
	{"CHARTCODE_LLM_MODEL", "its model; unset: the local ranker",
		func(c *Config, v string) error { c.LLM.Model = v; return nil }},
	{"CHARTCODE_LLM_TIMEOUT", "longest wait for one answer, such as 90s or 30m; 2m by default",
		func(c *Config, v string) error {
			d, err := time.ParseDuration(v)
			if err != nil || d <= 0 {
				return fmt.Errorf("must be a duration such as 90s or 30m")
			}
			c.LLM.Timeout = d
			return nil
		}},
	{"CHARTCODE_EMBED_BASE_URL", "OpenAI-compatible server for embeddings; OPENAI_BASE_URL is the fallback",
		func(c *Config, v string) error { c.Embed.BaseURL = v; return checkURL(v, "http", "https") }},
	{"CHARTCODE_EMBED_API_KEY", "its key; OPENAI_API_KEY is the fallback",
		func(c *Config, v string) error { c.Embed.APIKey = v; return nil }},
	{"CHARTCODE_EMBED_MODEL", "its model; unset: the local embedding model",
		func(c *Config, v string) error { c.Embed.Model = v; return nil }},
	{"CHARTCODE_TIMEZONE", "the site's time zone, such as America/Chicago; the machine's by default",
		func(c *Config, v string) error {
			loc, err := time.LoadLocation(v)
			if err != nil {
				return fmt.Errorf("is not a known time zone")
			}
			c.Timezone = loc
			return nil
		}},
	{"CHARTCODE_ACCEPT_ALL_FROM", "confidence from which a coder may accept all suggestions at once, 0.9 by default; 2: never",
		func(c *Config, v string) error {
			from, err := strconv.ParseFloat(v, 64)
			if err != nil || !(from > 0) || math.IsInf(from, 0) {
				return fmt.Errorf("must be a number above 0")
			}
			c.AcceptAllFrom = from
			return nil
		}},
}

var fallbacks = map[string]string{
	"CHARTCODE_LLM_BASE_URL":   "OPENAI_BASE_URL",
	"CHARTCODE_LLM_API_KEY":    "OPENAI_API_KEY",
	"CHARTCODE_EMBED_BASE_URL": "OPENAI_BASE_URL",
	"CHARTCODE_EMBED_API_KEY":  "OPENAI_API_KEY",
}

// Variables names every environment variable that the program reads, sorted.
func Variables() []string {
	var names []string
	for _, v := range variables {
		names = append(names, v.name)
	}
	names = append(names, "OPENAI_API_KEY", "OPENAI_BASE_URL")
	sort.Strings(names)
	return names
}

// Help lists the variables with a line each, for help texts and the README.
func Help() string {
	var b strings.Builder
	for _, v := range variables {
		fmt.Fprintf(&b, "  %-26s %s\n", v.name, v.help)
	}
	return b.String()
}

// Read takes the settings from getenv, which has the signature of os.Getenv.
// An error names the variable and never its value, which may be a secret.
func Read(getenv func(string) string) (Config, error) {
	c := Config{HTTPAddr: "127.0.0.1:8080", Timezone: time.Local, AcceptAllFrom: 0.9}
	c.LLM.Timeout = 2 * time.Minute
	c.Embed.Timeout = time.Minute
	for _, v := range variables {
		value, from := getenv(v.name), v.name
		if other := fallbacks[v.name]; value == "" && other != "" {
			value, from = getenv(other), other
		}
		if value == "" {
			continue
		}
		if err := v.set(&c, value); err != nil {
			return Config{}, fmt.Errorf("%s %w", from, err)
		}
	}
	return c, nil
}

func checkURL(v string, schemes ...string) error {
	u, err := url.Parse(v)
	if err == nil {
		for _, s := range schemes {
			if u.Scheme == s {
				return nil
			}
		}
	}
	// A PostgreSQL address may also be written as key=value words.
	if schemes[0] == "postgres" && strings.Contains(v, "=") && !strings.Contains(v, "://") {
		return nil
	}
	return fmt.Errorf("must be an address that starts with %s://", schemes[0])
}
