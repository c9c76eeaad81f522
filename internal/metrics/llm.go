package metrics

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"chartcode/internal/coding"
)

// LLM are the metrics of what is asked of LLMs by this process, and what was
// spent by all. It is an Observer of package llm.
type LLM struct {
	calls    *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	tokens   *prometheus.CounterVec
	cost     prometheus.Counter
	answers  *prometheus.CounterVec
	choices  *prometheus.CounterVec
	quotes   *prometheus.CounterVec
	inFlight prometheus.Gauge
	breaker  *prometheus.GaugeVec
	spent    prometheus.Gauge
	// Budget is what may be spent on a day; 0 without a limit.
	Budget prometheus.Gauge
}

func newLLM(registry *prometheus.Registry) *LLM {
	registered := promauto.With(registry)
	m := &LLM{
		calls: registered.NewCounterVec(prometheus.CounterOpts{
			Name: "chartcode_llm_calls_total", Help: "HTTP calls to LLM endpoints, by endpoint (primary, fallback) and result: ok, or a code such as llm_timeout.",
		}, []string{"endpoint", "result"}),
		seconds: registered.NewHistogramVec(prometheus.HistogramOpts{
			Name: "chartcode_llm_call_seconds", Help: "Time of an HTTP call to an LLM endpoint.",
			Buckets: []float64{0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120, 300, 900, 1800},
		}, []string{"endpoint"}),
		tokens: registered.NewCounterVec(prometheus.CounterOpts{
			Name: "chartcode_llm_tokens_total", Help: "Tokens as LLM endpoints count them, by kind: prompt, cached (of prompt: served from the provider's cache), completion.",
		}, []string{"endpoint", "kind"}),
		cost: registered.NewCounter(prometheus.CounterOpts{
			Name: "chartcode_llm_cost_usd_total", Help: "Cost of this process's LLM calls by the table of prices, in US dollars; 0 for models without a price.",
		}),
		answers: registered.NewCounterVec(prometheus.CounterOpts{
			Name: "chartcode_llm_answers_total", Help: "Questions to an LLM, by where the answer came from (endpoint, cache, shared: the same question was under way, replay) and result: ok, or a code.",
		}, []string{"source", "result"}),
		choices: registered.NewCounterVec(prometheus.CounterOpts{
			Name: "chartcode_llm_choices_total", Help: "Codes in the answers of LLMs, by what became of them: held (a quote of the note supports it), or dropped as not_offered, repeated, or without_evidence.",
		}, []string{"result"}),
		quotes: registered.NewCounterVec(prometheus.CounterOpts{
			Name: "chartcode_llm_quotes_total", Help: "Quotes in the answers of LLMs, by how they were found in the note: exact, tolerant, near, reformatted; or why they count for nothing: missing, unsupported, unrelated, addressed.",
		}, []string{"result"}),
		inFlight: registered.NewGauge(prometheus.GaugeOpts{
			Name: "chartcode_llm_in_flight", Help: "LLM calls under way in this process.",
		}),
		breaker: registered.NewGaugeVec(prometheus.GaugeOpts{
			Name: "chartcode_llm_breaker_open", Help: "1 while an LLM endpoint is not asked because it failed several times in a row.",
		}, []string{"endpoint"}),
		spent: registered.NewGauge(prometheus.GaugeOpts{
			Name: "chartcode_llm_spent_today_usd", Help: "Spent on the day of the last call by all processes, calls under way included; only with a budget.",
		}),
		Budget: registered.NewGauge(prometheus.GaugeOpts{
			Name: "chartcode_llm_daily_budget_usd", Help: "What may be spent on LLMs on one day; 0 without a limit.",
		}),
	}
	m.breaker.WithLabelValues("primary").Set(0)
	// Series begin at 0, so that their first event is a rise.
	m.calls.WithLabelValues("primary", "ok")
	m.seconds.WithLabelValues("primary")
	for _, kind := range []string{"prompt", "cached", "completion"} {
		m.tokens.WithLabelValues("primary", kind)
	}
	for _, source := range []string{"endpoint", "cache", "shared"} {
		m.answers.WithLabelValues(source, "ok")
	}
	for _, r := range []string{"held", "not_offered", "repeated", "without_evidence"} {
		m.choices.WithLabelValues(r)
	}
	m.quotes.WithLabelValues("exact")
	return m
}

func result(code string) string {
	if code == "" {
		return "ok"
	}
	return code
}

// LLMCall counts one HTTP call.
func (m *LLM) LLMCall(ctx context.Context, endpoint, code string, took time.Duration, u coding.Usage) {
	m.calls.WithLabelValues(endpoint, result(code)).Inc()
	observe(ctx, m.seconds.WithLabelValues(endpoint), took)
	for kind, n := range map[string]int{"prompt": u.PromptTokens, "cached": u.CachedTokens, "completion": u.CompletionTokens} {
		m.tokens.WithLabelValues(endpoint, kind).Add(float64(max(n, 0)))
	}
	m.cost.Add(max(u.CostUSD, 0))
}

// LLMAnswer counts one question.
func (m *LLM) LLMAnswer(source, code string) { m.answers.WithLabelValues(source, result(code)).Inc() }

// LLMChoices counts codes in answers.
func (m *LLM) LLMChoices(result string, n int) { m.choices.WithLabelValues(result).Add(float64(n)) }

// LLMQuotes counts quotes in answers.
func (m *LLM) LLMQuotes(result string, n int) { m.quotes.WithLabelValues(result).Add(float64(n)) }

// LLMInFlight counts calls under way.
func (m *LLM) LLMInFlight(change int) { m.inFlight.Add(float64(change)) }

// LLMBreaker says whether an endpoint is not asked.
func (m *LLM) LLMBreaker(endpoint string, open bool) {
	v := 0.0
	if open {
		v = 1
	}
	m.breaker.WithLabelValues(endpoint).Set(v)
}

// LLMSpent is what was spent on the day.
func (m *LLM) LLMSpent(usd float64) { m.spent.Set(usd) }
