package embedding

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"time"

	openai "github.com/sashabaranov/go-openai"
)

// OpenAIConfig says which server embeds.
type OpenAIConfig struct {
	BaseURL string // such as https://host/v1
	APIKey  string
	Model   string
	Timeout time.Duration // of one request; default 30 s
	Batch   int           // texts in one request; default 256
	Wait    time.Duration // before the first repetition, doubled each time; default 500 ms
	Client  *http.Client  // default: a client of its own
}

// OpenAI embeds through a server that speaks the OpenAI protocol. It is safe
// for concurrent use.
type OpenAI struct {
	cfg    OpenAIConfig
	client *openai.Client
	dims   int
}

// ErrServer is returned when the embedding server does not answer as it
// should. The error says the kind of failure; the server's words are left out,
// as they can quote the text.
var ErrServer = errors.New("the embedding server did not answer; check CHARTCODE_EMBED_BASE_URL, CHARTCODE_EMBED_MODEL and the key")

// Limits of one answer: 2048 texts of 4096 numbers in JSON stay below.
const (
	answerLimit = 256 << 20
	tries       = 4
)

// NewOpenAI asks the server once, to see that it answers and how long its
// vectors are.
func NewOpenAI(ctx context.Context, c OpenAIConfig) (*OpenAI, error) {
	e, err := Unasked(c)
	if err != nil {
		return nil, err
	}
	v, err := e.Embed(ctx, []string{"diabetes"})
	if err != nil {
		return nil, err
	}
	e.dims = len(v[0])
	return e, nil
}

// Unasked is NewOpenAI without the question: whether the server answers shows
// later, and Dims is 0.
func Unasked(c OpenAIConfig) (*OpenAI, error) {
	if c.BaseURL == "" || c.Model == "" {
		return nil, errors.New("set CHARTCODE_EMBED_BASE_URL and CHARTCODE_EMBED_MODEL to embed by a server")
	}
	c.Timeout = cmp.Or(c.Timeout, 30*time.Second)
	c.Batch = cmp.Or(c.Batch, 256)
	c.Wait = cmp.Or(c.Wait, 500*time.Millisecond)
	if c.Client == nil {
		c.Client = &http.Client{}
	}
	oc := openai.DefaultConfig(c.APIKey)
	oc.BaseURL = c.BaseURL
	oc.HTTPClient = limited{c.Client}
	return &OpenAI{cfg: c, client: openai.NewClientWithConfig(oc)}, nil
}

// ServerPrefix begins the names of models that a server embeds by.
const ServerPrefix = "openai:"

// Name is openai: and the model's name.
func (e *OpenAI) Name() string { return ServerPrefix + e.cfg.Model }

// Dims is the length of a vector; 0 where that was not asked.
func (e *OpenAI) Dims() int { return e.dims }

// Embed gives a unit vector for each text, in batches. It repeats what failed
// for a passing reason (429, 5xx, no connection) up to three times.
func (e *OpenAI) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	out := make([][]float32, 0, len(texts))
	for len(texts) > 0 {
		n := min(len(texts), e.cfg.Batch)
		v, err := e.batch(ctx, texts[:n])
		if err != nil {
			return nil, err
		}
		out = append(out, v...)
		texts = texts[n:]
	}
	return out, nil
}

func (e *OpenAI) batch(ctx context.Context, texts []string) ([][]float32, error) {
	wait := e.cfg.Wait
	for try := 1; ; try++ {
		v, err := e.ask(ctx, texts)
		if err == nil {
			return v, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		status, passing := statusOf(err)
		if !passing || try == tries {
			return nil, fmt.Errorf("%w (%s)", ErrServer, status)
		}
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			t.Stop()
			return nil, ctx.Err()
		case <-t.C:
		}
		wait *= 2
	}
}

// errShape is an answer of 200 that holds something else than was asked.
var errShape = errors.New("not one vector of equal length a text")

func (e *OpenAI) ask(ctx context.Context, texts []string) ([][]float32, error) {
	ctx, cancel := context.WithTimeout(ctx, e.cfg.Timeout)
	defer cancel()
	resp, err := e.client.CreateEmbeddings(ctx, openai.EmbeddingRequestStrings{Input: texts, Model: openai.EmbeddingModel(e.cfg.Model)})
	if err != nil {
		return nil, err
	}
	out := make([][]float32, len(texts))
	for _, d := range resp.Data {
		if d.Index < 0 || d.Index >= len(out) || len(d.Embedding) == 0 || (e.dims > 0 && len(d.Embedding) != e.dims) {
			return nil, errShape
		}
		out[d.Index] = normed(d.Embedding)
	}
	for _, v := range out {
		if v == nil || len(v) != len(out[0]) {
			return nil, errShape
		}
	}
	return out, nil
}

func normed(v []float32) []float32 {
	var n float64
	for _, x := range v {
		n += float64(x) * float64(x)
	}
	if n == 0 {
		return v
	}
	n = math.Sqrt(n)
	out := make([]float32, len(v))
	for i, x := range v {
		out[i] = float32(float64(x) / n)
	}
	return out
}

// statusOf says what kind of failure it was, without the server's words, and
// whether it may pass.
func statusOf(err error) (text string, passing bool) {
	var code int
	var api *openai.APIError
	var req *openai.RequestError
	switch {
	case errors.As(err, &api):
		code = api.HTTPStatusCode
	case errors.As(err, &req):
		code = req.HTTPStatusCode
	case errors.Is(err, errShape):
		return errShape.Error(), false
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time", true
	default:
		return "no connection, or no JSON", true
	}
	return fmt.Sprintf("HTTP status %d", code), code == http.StatusTooManyRequests || code >= 500
}

// limited caps what an answer may hold.
type limited struct{ client *http.Client }

func (l limited) Do(r *http.Request) (*http.Response, error) {
	resp, err := l.client.Do(r)
	if err == nil {
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(resp.Body, answerLimit), resp.Body}
	}
	return resp, err
}
