package fetch

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// DefaultLimit is more than any official file has; the largest is under 20 MB.
const DefaultLimit = 256 << 20

// stallTime is how long a server may send nothing.
const stallTime = 60 * time.Second

// Config says what to download.
type Config struct {
	// URL is https. Plain http is taken only of this machine (a mirror on the
	// loopback interface), and never in a redirect.
	URL    string
	Dir    string                  // the folder to write into; it is made if it is missing
	Limit  int64                   // bytes; DefaultLimit when 0
	Client *http.Client            // its transport is used; nil: the usual one
	Notify func(done, total int64) // may be nil; total <= 0: unknown
}

// Result is a file that was downloaded.
type Result struct {
	Path    string
	Size    int64
	SHA256  string // hex, of the file
	Resumed bool   // a part was there from before
}

// Download brings a file into the folder under the last part of its address.
// What a cut connection left is kept beside it (.part) and continued, in this
// call or a later one, if the server still has the same file; otherwise it
// starts anew. Errors are for people and name the host and the file.
func Download(ctx context.Context, cfg Config) (Result, error) {
	d, err := newDownload(cfg)
	if err != nil {
		return Result{}, err
	}
	if err := os.MkdirAll(cfg.Dir, 0o755); err != nil {
		return Result{}, fmt.Errorf("the folder %s cannot be made: %w", cfg.Dir, err)
	}
	resumed := false
	for {
		before := d.have()
		resumed = resumed || before > 0
		err := d.attempt(ctx)
		if err == nil {
			break
		}
		// A cut is no reason to give up while something comes.
		var cut *cutError
		if !errors.As(err, &cut) || ctx.Err() != nil || d.have() <= before {
			return Result{}, err
		}
	}
	r, err := d.finish()
	r.Resumed = resumed
	return r, err
}

// cutError is a connection that ended early; what came is kept.
type cutError struct {
	name string
	err  error
}

func (e *cutError) Error() string {
	return fmt.Sprintf("the connection ended before %s was whole; run the command again to go on where it stopped (%v)", e.name, e.err)
}

func (e *cutError) Unwrap() error { return e.err }

type download struct {
	cfg    Config
	url    *url.URL
	name   string
	file   string // where it will stand
	part   string
	note   string // what the part is a part of
	client *http.Client
}

// partNote is kept beside a part, so that it is only continued with the same file.
type partNote struct {
	URL          string `json:"url"`
	ETag         string `json:"etag,omitempty"`
	LastModified string `json:"last_modified,omitempty"`
}

// validator is what If-Range asks by; a weak tag does not promise the same bytes.
func (p partNote) validator() string {
	if p.ETag != "" && !strings.HasPrefix(p.ETag, "W/") {
		return p.ETag
	}
	return p.LastModified
}

var fileName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9 ._()-]{0,120}$`)

func newDownload(cfg Config) (*download, error) {
	u, err := url.Parse(cfg.URL)
	switch {
	case err != nil || u.Host == "":
		return nil, errors.New("that is no address; one begins with https://")
	case u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())):
		return nil, fmt.Errorf("%s is not asked over %s; give an address that begins with https://", u.Host, u.Scheme)
	case u.User != nil:
		return nil, errors.New("an address with a user name or password in it is not used")
	}
	d := &download{cfg: cfg, url: u, name: path.Base(u.Path)}
	if !fileName.MatchString(d.name) {
		return nil, fmt.Errorf("the address does not end in the name of a file: %s%s", u.Host, u.Path)
	}
	if d.cfg.Limit == 0 {
		d.cfg.Limit = DefaultLimit
	}
	d.file = filepath.Join(cfg.Dir, d.name)
	d.part, d.note = d.file+".part", d.file+".part.json"
	d.client = &http.Client{CheckRedirect: checkRedirect}
	if cfg.Client != nil {
		d.client.Transport = cfg.Client.Transport
	}
	return d, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

var errPlainRedirect = errors.New("it leads on to an address without https")

func checkRedirect(r *http.Request, via []*http.Request) error {
	switch {
	case r.URL.Scheme != "https":
		return errPlainRedirect
	case len(via) >= 10:
		return errors.New("it leads on and on")
	}
	return nil
}

// have is how many bytes came so far.
func (d *download) have() int64 {
	info, err := os.Stat(d.part)
	if err != nil {
		return 0
	}
	return info.Size()
}

func (d *download) noted() partNote {
	var n partNote
	b, err := os.ReadFile(d.note)
	if err != nil || json.Unmarshal(b, &n) != nil || n.URL != d.url.String() {
		return partNote{}
	}
	return n
}

// forget throws the part away.
func (d *download) forget() {
	_ = os.Remove(d.part)
	_ = os.Remove(d.note)
}

func (d *download) attempt(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stall := time.AfterFunc(stallTime, cancel)
	defer stall.Stop()

	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url.String(), nil)
	if err != nil {
		return fmt.Errorf("the address cannot be asked for: %w", err)
	}
	req.Header.Set("User-Agent", "chartcode")
	req.Header.Set("Accept-Encoding", "identity") // sizes and ranges are those of the file
	from := int64(0)
	if v := d.noted().validator(); v != "" && d.have() > 0 {
		from = d.have()
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", from))
		req.Header.Set("If-Range", v)
	}
	resp, err := d.client.Do(req)
	if err != nil {
		return d.unreachable(err)
	}
	defer resp.Body.Close()

	total := resp.ContentLength
	switch resp.StatusCode {
	case http.StatusOK:
		from = 0
	case http.StatusPartialContent:
		start, of, ok := contentRange(resp.Header.Get("Content-Range"))
		if !ok || start != from || from == 0 || changed(d.noted(), resp.Header) {
			return d.anew(ctx, resp, from)
		}
		total = of
	case http.StatusRequestedRangeNotSatisfiable: // the part is as long as the file, or longer
		return d.anew(ctx, resp, from)
	default:
		return d.refused(resp)
	}
	if total > d.cfg.Limit {
		return d.tooLarge()
	}
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") {
		return d.webPage()
	}
	if from == 0 {
		if err := d.begin(resp.Header); err != nil {
			return err
		}
	}
	return d.receive(resp.Body, from, total, func() { stall.Reset(stallTime) })
}

// anew throws away a part that the server cannot continue, and starts again.
func (d *download) anew(ctx context.Context, resp *http.Response, from int64) error {
	if from == 0 {
		return d.refused(resp)
	}
	resp.Body.Close()
	d.forget()
	return d.attempt(ctx)
}

// begin empties the part and notes what it will be a part of.
func (d *download) begin(h http.Header) error {
	d.forget()
	b, err := json.Marshal(partNote{URL: d.url.String(), ETag: h.Get("ETag"), LastModified: h.Get("Last-Modified")})
	if err == nil {
		err = os.WriteFile(d.note, b, 0o644)
	}
	if err != nil {
		return fmt.Errorf("%s cannot be written: %w", d.note, err)
	}
	return nil
}

func changed(was partNote, h http.Header) bool {
	return was.ETag != "" && h.Get("ETag") != "" && was.ETag != h.Get("ETag")
}

// headSize is how much of a file is looked at to tell a web page.
const headSize = 512

func (d *download) receive(body io.Reader, from, total int64, alive func()) error {
	f, err := os.OpenFile(d.part, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return fmt.Errorf("%s cannot be written: %w", d.part, err)
	}
	defer f.Close()
	in := bufio.NewReaderSize(body, headSize)
	if from == 0 {
		if head, _ := in.Peek(headSize); len(head) > 0 && !d.looksRight(head) {
			return d.webPage()
		}
	}
	done := from
	buf := make([]byte, 64<<10)
	for {
		n, readErr := in.Read(buf)
		if n > 0 {
			alive()
			if done+int64(n) > d.cfg.Limit {
				return d.tooLarge()
			}
			if _, err := f.Write(buf[:n]); err != nil {
				return fmt.Errorf("%s cannot be written: %w", d.part, err)
			}
			done += int64(n)
			if d.cfg.Notify != nil {
				d.cfg.Notify(done, total)
			}
		}
		switch {
		case readErr == nil:
		case !errors.Is(readErr, io.EOF):
			return &cutError{d.name, readErr}
		case total >= 0 && done != total:
			return &cutError{d.name, io.ErrUnexpectedEOF}
		case done == 0:
			return fmt.Errorf("%s sent nothing for %s", d.url.Host, d.name)
		default:
			return f.Close()
		}
	}
}

// looksRight tells a web page, with which servers answer for what they do not
// have, from a file.
func (d *download) looksRight(head []byte) bool {
	if strings.EqualFold(path.Ext(d.name), ".zip") {
		return bytes.HasPrefix(head, []byte("PK"))
	}
	text := bytes.ToLower(bytes.TrimSpace(bytes.TrimPrefix(head, []byte("\ufeff"))))
	return !bytes.HasPrefix(text, []byte("<!doctype html")) && !bytes.HasPrefix(text, []byte("<html"))
}

// finish puts the whole file in its place.
func (d *download) finish() (Result, error) {
	f, err := os.Open(d.part)
	if err != nil {
		return Result{}, fmt.Errorf("%s cannot be read: %w", d.part, err)
	}
	defer f.Close()
	sum := sha256.New()
	size, err := io.Copy(sum, f)
	if err == nil {
		err = os.Rename(d.part, d.file)
	}
	if err != nil {
		return Result{}, fmt.Errorf("%s cannot be put in its place: %w", d.file, err)
	}
	d.forget()
	return Result{Path: d.file, Size: size, SHA256: hex.EncodeToString(sum.Sum(nil))}, nil
}

func (d *download) tooLarge() error {
	d.forget()
	return fmt.Errorf("%s at %s is larger than %d MB, which no code-set file is", d.name, d.url.Host, d.cfg.Limit>>20)
}

func (d *download) webPage() error {
	d.forget()
	return fmt.Errorf("%s answered with a web page, not with %s; look up the file's address there and give it with --url", d.url.Host, d.name)
}

func (d *download) refused(resp *http.Response) error {
	if resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusGone {
		return fmt.Errorf("%s has no %s (status %d); look up the file's address there and give it with --url", d.url.Host, d.name, resp.StatusCode)
	}
	return fmt.Errorf("%s does not give %s (status %d)", d.url.Host, d.name, resp.StatusCode)
}

func (d *download) unreachable(err error) error {
	var ue *url.Error
	if errors.As(err, &ue) {
		err = ue.Err
	}
	if errors.Is(err, errPlainRedirect) {
		return fmt.Errorf("%s was not fetched from %s: %w", d.name, d.url.Host, err)
	}
	return fmt.Errorf("%s cannot be reached for %s: %w", d.url.Host, d.name, err)
}

// contentRange reads "bytes 100-199/200"; the total is -1 when unknown.
func contentRange(s string) (start, total int64, ok bool) {
	s, found := strings.CutPrefix(s, "bytes ")
	span, of, cut := strings.Cut(s, "/")
	first, _, dash := strings.Cut(span, "-")
	if !found || !cut || !dash {
		return 0, 0, false
	}
	start, err := strconv.ParseInt(first, 10, 64)
	if err != nil {
		return 0, 0, false
	}
	if of == "*" {
		return start, -1, true
	}
	total, err = strconv.ParseInt(of, 10, 64)
	return start, total, err == nil
}
