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

	"chartcode/internal/coding"
	"chartcode/internal/tracing"
)

// Endpoint is an OpenAI-compatible server. It is unset when Model and BaseURL are empty.
type Endpoint struct {
	BaseURL    string
	APIKey     string
	Model      string
	APIVersion string // of Azure
	Timeout    time.Duration
}

// Configured reports whether calls can be made: a model is named.
func (e Endpoint) Configured() bool { return e.Model != "" }

// Config holds every setting; see Variables for where each comes from.
type Config struct {
	DatabaseURL string // empty: the private PostgreSQL
	NATSURL     string // empty: the embedded server
	DataDir     string // empty: the user's data directory
	HTTPAddr    string
	MetricsAddr string // of `work`; empty: none
	PprofAddr   string // on the loopback address; empty: none
	LogFormat   string // text or json; empty: text
	LogLevel    string // debug, info, warn or error; empty: warn
	// ReadyLag is how long the oldest note may wait before /readyz says no; 0: it never
	// does because of that.
	ReadyLag    time.Duration
	Codesets    string // folder of release files; empty: looked for
	LLM         Endpoint
	LLMSteps    string   // all or choose; empty: all
	Prompts     string   // folder of files that take the place of prompts; empty: none
	LLMFallback Endpoint // asked when LLM fails as a whole
	LLMLimits   LLMLimits
	Embed       Endpoint
	// EmbedPrevious is asked for the model that is replaced, whose name the database
	// knows, until the vectors of Embed's are complete; without BaseURL Embed's server is.
	EmbedPrevious Endpoint
	Timezone      *time.Location
	WorkDays      [7]bool // by time.Weekday
	ServiceLevels coding.ServiceLevels
	// AcceptAllFrom is the confidence from which a coder may accept all suggestions of
	// an item at once; above 1 never.
	AcceptAllFrom float64
	// PracticeRate is how many plainly wrong suggestions are seeded into practice notes
	// for each suggestion.
	PracticeRate float64
}

// LLMLimits bound what the LLM is used for. 0 is no limit, or the client's default.
type LLMLimits struct {
	Deadline          time.Duration // of one note
	Concurrency       int           // calls in flight
	RequestsPerMinute int
	TokensPerMinute   int
	DailyBudgetUSD    float64
	Prices            string // a file, or prices in place; see package llm
	CacheDays         int    // 0: answers are not kept
	RecordDir         string
	ReplayDir         string
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
	{"CHARTCODE_METRICS_ADDR", "address of the metrics of a worker without web page, such as 127.0.0.1:9464; unset: none",
		func(c *Config, v string) error {
			c.MetricsAddr = v
			if _, _, err := net.SplitHostPort(v); err != nil {
				return fmt.Errorf("must be HOST:PORT")
			}
			return nil
		}},
	{"CHARTCODE_PPROF_ADDR", "address of Go's profiles, on the loopback address only, such as 127.0.0.1:6060; unset: none",
		func(c *Config, v string) error {
			c.PprofAddr = v
			host, _, err := net.SplitHostPort(v)
			if ip := net.ParseIP(host); err != nil || host != "localhost" && (ip == nil || !ip.IsLoopback()) {
				return fmt.Errorf("must be HOST:PORT on the loopback address, such as 127.0.0.1:6060: profiles hold memory, and that holds notes")
			}
			return nil
		}},
	{"CHARTCODE_LOG", "text or json: the form of the log on standard error; text by default",
		func(c *Config, v string) error {
			c.LogFormat = v
			if v != "text" && v != "json" {
				return fmt.Errorf("must be text or json")
			}
			return nil
		}},
	{"CHARTCODE_LOG_LEVEL", "debug, info (a line for each note), warn or error; warn by default",
		func(c *Config, v string) error {
			c.LogLevel = v
			if v != "debug" && v != "info" && v != "warn" && v != "error" {
				return fmt.Errorf("must be debug, info, warn or error")
			}
			return nil
		}},
	{"CHARTCODE_READY_LAG", "how long the oldest note may wait before /readyz answers 503, such as 30m; unset: any time",
		func(c *Config, v string) error {
			d, err := time.ParseDuration(v)
			if err != nil || d <= 0 {
				return fmt.Errorf("must be a duration such as 30m or 2h")
			}
			c.ReadyLag = d
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
	{"CHARTCODE_LLM_STEPS", "all: it reads the note, then chooses codes; choose: it only chooses, for small models; all by default",
		func(c *Config, v string) error {
			c.LLMSteps = v
			if v != "all" && v != "choose" {
				return fmt.Errorf("must be all or choose")
			}
			return nil
		}},
	{"CHARTCODE_PROMPTS", "folder of files that take the place of the program's prompts, such as choose/v2/system.txt",
		func(c *Config, v string) error { c.Prompts = v; return nil }},
	{"CHARTCODE_LLM_API_VERSION", "for Azure: its api-version, such as 2024-10-21; the model is then the name of the deployment",
		func(c *Config, v string) error { c.LLM.APIVersion = v; return nil }},
	{"CHARTCODE_LLM_FALLBACK_BASE_URL", "server that is asked when the first one fails as a whole",
		func(c *Config, v string) error { c.LLMFallback.BaseURL = v; return checkURL(v, "http", "https") }},
	{"CHARTCODE_LLM_FALLBACK_API_KEY", "its key",
		func(c *Config, v string) error { c.LLMFallback.APIKey = v; return nil }},
	{"CHARTCODE_LLM_FALLBACK_MODEL", "its model; unset: there is no second server",
		func(c *Config, v string) error { c.LLMFallback.Model = v; return nil }},
	{"CHARTCODE_LLM_FALLBACK_API_VERSION", "its api-version, for Azure",
		func(c *Config, v string) error { c.LLMFallback.APIVersion = v; return nil }},
	{"CHARTCODE_LLM_DEADLINE", "longest time that one note may wait for the LLM, retries included; 3 times CHARTCODE_LLM_TIMEOUT by default",
		func(c *Config, v string) error {
			d, err := time.ParseDuration(v)
			if err != nil || d <= 0 {
				return fmt.Errorf("must be a duration such as 5m or 2h")
			}
			c.LLMLimits.Deadline = d
			return nil
		}},
	{"CHARTCODE_LLM_CONCURRENCY", "calls in flight from one process, 64 by default",
		func(c *Config, v string) error { return count(&c.LLMLimits.Concurrency, v, 1, 10_000) }},
	{"CHARTCODE_LLM_RPM", "requests a minute from one process; unset: what the server's rate-limit headers say",
		func(c *Config, v string) error { return count(&c.LLMLimits.RequestsPerMinute, v, 1, 1_000_000_000) }},
	{"CHARTCODE_LLM_TPM", "tokens a minute from one process; unset: what the server's rate-limit headers say",
		func(c *Config, v string) error { return count(&c.LLMLimits.TokensPerMinute, v, 1, 1_000_000_000) }},
	{"CHARTCODE_LLM_DAILY_BUDGET_USD", "US dollars a day for all processes on one database, after which notes are ranked locally; unset: no limit",
		func(c *Config, v string) error {
			usd, err := strconv.ParseFloat(v, 64)
			if err != nil || !(usd > 0 && usd <= 1e9) {
				return fmt.Errorf("must be an amount above 0, such as 25 or 7.50")
			}
			c.LLMLimits.DailyBudgetUSD = usd
			return nil
		}},
	{"CHARTCODE_LLM_PRICES", "US dollars per million tokens: MODEL=INPUT/OUTPUT or MODEL=INPUT/CACHED/OUTPUT, separated by commas, or a CSV file",
		func(c *Config, v string) error { c.LLMLimits.Prices = v; return nil }},
	{"CHARTCODE_LLM_CACHE_DAYS", "how long answers are kept in the database, which spares asking again; 30 by default, 0: not at all",
		func(c *Config, v string) error { return count(&c.LLMLimits.CacheDays, v, 0, 3650) }},
	{"CHARTCODE_LLM_RECORD", "folder for a record of each question and answer: they hold note text",
		func(c *Config, v string) error { c.LLMLimits.RecordDir = v; return nil }},
	{"CHARTCODE_LLM_REPLAY", "folder of such records, from which alone answers are taken; no server and no key are needed",
		func(c *Config, v string) error { c.LLMLimits.ReplayDir = v; return nil }},
	{"CHARTCODE_EMBED_BASE_URL", "OpenAI-compatible server for embeddings; OPENAI_BASE_URL is the fallback",
		func(c *Config, v string) error { c.Embed.BaseURL = v; return checkURL(v, "http", "https") }},
	{"CHARTCODE_EMBED_API_KEY", "its key; OPENAI_API_KEY is the fallback",
		func(c *Config, v string) error { c.Embed.APIKey = v; return nil }},
	{"CHARTCODE_EMBED_MODEL", "its model; unset: the local embedding model",
		func(c *Config, v string) error { c.Embed.Model = v; return nil }},
	{"CHARTCODE_EMBED_PREVIOUS_BASE_URL", "while another model is set: the server of the one before; unset: the same server",
		func(c *Config, v string) error { c.EmbedPrevious.BaseURL = v; return checkURL(v, "http", "https") }},
	{"CHARTCODE_EMBED_PREVIOUS_API_KEY", "its key",
		func(c *Config, v string) error { c.EmbedPrevious.APIKey = v; return nil }},
	{"CHARTCODE_TIMEZONE", "the site's time zone, such as America/Chicago; the machine's by default",
		func(c *Config, v string) error {
			loc, err := time.LoadLocation(v)
			if err != nil {
				return fmt.Errorf("is not a known time zone")
			}
			c.Timezone = loc
			return nil
		}},
	{"CHARTCODE_WORKDAYS", "days on which people work, mon,tue,wed,thu,fri by default: service levels and the forecast go by them",
		func(c *Config, v string) error {
			days, ok := workDays(v)
			c.WorkDays = days
			if !ok {
				return fmt.Errorf("must be days such as mon,tue,wed,thu,fri")
			}
			return nil
		}},
	{"CHARTCODE_SERVICE_LEVEL", "hours of working days within which encounters are to be finished, 24 by default, with exceptions such as 24,*/emergency=4,north/inpatient=48",
		func(c *Config, v string) (err error) { c.ServiceLevels, err = coding.ParseServiceLevels(v); return err }},
	{"CHARTCODE_ACCEPT_ALL_FROM", "confidence from which a coder may accept all suggestions at once, 0.9 by default; 2: never",
		func(c *Config, v string) error {
			from, err := strconv.ParseFloat(v, 64)
			if err != nil || !(from > 0) || math.IsInf(from, 0) {
				return fmt.Errorf("must be a number above 0")
			}
			c.AcceptAllFrom = from
			return nil
		}},
	{"CHARTCODE_PRACTICE_RATE", "plainly wrong suggestions seeded into practice notes for each suggestion, 0.15 by default",
		func(c *Config, v string) error {
			rate, err := strconv.ParseFloat(v, 64)
			if err != nil || !(rate >= 0 && rate <= 1) {
				return fmt.Errorf("must be a number from 0 to 1")
			}
			c.PracticeRate = rate
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
	names = append(names, tracing.Variables()...)
	sort.Strings(names)
	return names
}

// Help lists the variables with a line each, for help texts and the README.
func Help() string {
	var b strings.Builder
	for _, v := range variables {
		fmt.Fprintf(&b, "  %-34s %s\n", v.name, v.help)
	}
	return b.String()
}

// Flag is a flag that overrides a variable.
type Flag struct{ Name, Variable, Help string }

// LLMFlags are the flags of the commands that may use an LLM: one for each of its
// variables but the keys, which a list of processes would show, and one for its prompts.
func LLMFlags() []Flag {
	const prefix = "CHARTCODE_LLM_"
	var flags []Flag
	for _, v := range variables {
		if v.name == "CHARTCODE_PROMPTS" {
			flags = append(flags, Flag{"prompts", v.name, v.help})
		}
		if rest, ok := strings.CutPrefix(v.name, prefix); ok && !strings.HasSuffix(rest, "API_KEY") {
			flags = append(flags, Flag{"llm-" + strings.ToLower(strings.ReplaceAll(rest, "_", "-")), v.name, v.help})
		}
	}
	return flags
}

// Read takes the settings from getenv, which has the signature of os.Getenv.
// An error names the variable and never its value, which may be a secret.
func Read(getenv func(string) string) (Config, error) {
	c := Config{HTTPAddr: "127.0.0.1:8080", Timezone: time.Local, AcceptAllFrom: 0.9, PracticeRate: 0.15}
	c.WorkDays, _ = workDays("mon,tue,wed,thu,fri")
	c.LLM.Timeout = 2 * time.Minute
	c.LLMLimits.Concurrency = 64
	c.LLMLimits.CacheDays = 30
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
	return c, c.agree()
}

// agree checks settings against each other.
func (c Config) agree() error {
	switch f := c.LLMFallback; {
	case f.Model == "" && (f.BaseURL != "" || f.APIKey != "" || f.APIVersion != ""):
		return fmt.Errorf("CHARTCODE_LLM_FALLBACK_MODEL is missing: the other CHARTCODE_LLM_FALLBACK settings do nothing without it")
	case f.Model != "" && !c.LLM.Configured():
		return fmt.Errorf("CHARTCODE_LLM_FALLBACK_MODEL needs CHARTCODE_LLM_MODEL: it is asked when that fails")
	case c.LLM.APIVersion != "" && c.LLM.BaseURL == "":
		return fmt.Errorf("CHARTCODE_LLM_API_VERSION needs CHARTCODE_LLM_BASE_URL, such as https://NAME.openai.azure.com")
	case f.APIVersion != "" && f.BaseURL == "":
		return fmt.Errorf("CHARTCODE_LLM_FALLBACK_API_VERSION needs CHARTCODE_LLM_FALLBACK_BASE_URL, such as https://NAME.openai.azure.com")
	}
	return nil
}

// count reads a whole number.
func count(to *int, v string, least, most int) error {
	n, err := strconv.Atoi(v)
	if err != nil || n < least || n > most {
		return fmt.Errorf("must be a whole number from %d to %d", least, most)
	}
	*to = n
	return nil
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

// workDays reads days of the week, by the first three letters of their names.
func workDays(text string) (days [7]bool, ok bool) {
	for name := range strings.SplitSeq(text, ",") {
		name = strings.ToLower(strings.TrimSpace(name))
		found := false
		for d := time.Sunday; d <= time.Saturday; d++ {
			if name == strings.ToLower(d.String()[:3]) {
				days[d], found = true, true
			}
		}
		if !found {
			return days, false
		}
	}
	return days, true
}
