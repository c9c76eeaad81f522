package llm

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"
)

var (
	errAnswerTooLarge = errors.New("answer too large")
	errRedirect       = errors.New("redirected")
)

const maxHeaderBytes = 64 << 10

// maxAnswerBytes is far above any answer asked for.
const maxAnswerBytes = 4 << 20

// exchange is what the transport saw of one call; go-openai's errors carry no
// headers.
type exchange struct {
	status     int
	retryAfter time.Duration // 0: not said
	requests   window        // as the rate-limit headers tell it
	tokens     window
}

type exchangeKey struct{}

// transport notes status, Retry-After and rate limits and cuts off endless answers.
type transport struct {
	base http.RoundTripper
	now  func() time.Time
}

func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := t.base.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if x, ok := req.Context().Value(exchangeKey{}).(*exchange); ok {
		x.status = res.StatusCode
		x.retryAfter = retryAfter(res.Header, t.now())
		x.requests, x.tokens = limits(res.Header, "requests", t.now()), limits(res.Header, "tokens", t.now())
	}
	res.Body = &cappedBody{ReadCloser: res.Body, left: maxAnswerBytes}
	return res, nil
}

// cappedBody fails where io.LimitReader would pretend that the answer ended.
type cappedBody struct {
	io.ReadCloser
	left int
}

func (b *cappedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errAnswerTooLarge
	}
	n, err := b.ReadCloser.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// retryAfter reads the header as seconds or as a date (RFC 9110, 10.2.3). A date
// is measured against the server's own clock where it tells it: clocks differ.
func retryAfter(h http.Header, now time.Time) time.Duration {
	v := h.Get("Retry-After")
	if v == "" {
		return 0
	}
	if s, err := strconv.ParseFloat(v, 64); err == nil {
		if !(s > 0) {
			return 0
		}
		return time.Duration(min(s, 1e6) * float64(time.Second))
	}
	at, err := http.ParseTime(v)
	if err != nil {
		return 0
	}
	if server, err := http.ParseTime(h.Get("Date")); err == nil {
		now = server
	}
	return max(at.Sub(now), 0)
}

// httpClient follows no redirect: a note goes where it was configured to go and
// nowhere else.
func httpClient(connections int) *http.Client {
	base := http.DefaultTransport.(*http.Transport).Clone()
	base.MaxIdleConns, base.MaxIdleConnsPerHost = connections, connections
	base.MaxResponseHeaderBytes = maxHeaderBytes
	return &http.Client{
		Transport:     &transport{base: base, now: time.Now},
		CheckRedirect: func(*http.Request, []*http.Request) error { return errRedirect },
	}
}

func withExchange(ctx context.Context) (context.Context, *exchange) {
	x := &exchange{}
	return context.WithValue(ctx, exchangeKey{}, x), x
}
