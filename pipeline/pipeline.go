// Package pipeline is what happens to a note: the chain of stages
//
//	intake -> segment -> retrieve -> rank -> validate
//
// in one process, each stage a package below this one, a note and its document
// passed from stage to stage as values. This package calls them in order and
// makes the suggestion set; it knows no SQL, no NATS and no HTTP, and asks for
// what it needs through the small interfaces it declares.
//
// The delivery contract. A note comes at least once. Whoever calls Process on a
// delivery stores the set together with the worklist item and the announcement
// in one transaction and acknowledges after the commit. Process has no effect
// outside its result, so calling it again for the same note is safe. Errors
// tell what becomes of the delivery: nil is acknowledged; an error with
// Reason() string is permanent and goes to the dead-letter stream; any other
// error is temporary and the delivery comes back.
//
// Process never fails because of an LLM: a note whose ranking fails is ranked
// by the local ranker and marked degraded.
package pipeline

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"sort"
	"strings"
	"time"

	"chartcode/internal/codeset"
	"chartcode/internal/coding"
	"chartcode/internal/tracing"
	"chartcode/pipeline/rank"
	"chartcode/pipeline/retrieve"
	"chartcode/pipeline/segment"
	"chartcode/pipeline/validate"
)

// Version names the pipeline's edition in suggestion sets; what follows the
// plus sign there is a hash over everything configured that decides an answer.
const Version = "2026.1"

// DefaultCandidates is how many candidates the ranker is given.
const DefaultCandidates = 400

// Ranker orders candidates and decides which are shown.
type Ranker interface {
	// Name is name@version.
	Name() string
	// Rank returns suggestions, best first.
	Rank(ctx context.Context, in rank.Input) (rank.Output, error)
}

// Knowledge gives what is known on a date of service.
type Knowledge interface {
	// At gives the code tables for a date of service (zero: none given) of the
	// systems asked for, with the notices that this choice calls for.
	At(ctx context.Context, systems []coding.System, date coding.Date) (Tables, error)
}

// Tables are the code tables that hold on one date.
type Tables struct {
	Main      *codeset.Table // ICD-10-CM; nil when none is loaded
	Releases  map[coding.System]string
	Notices   []coding.Notice
	Retriever *retrieve.Retriever
	Local     Ranker // the local ranker by the models that Retriever has
	Validator *validate.Validator
	Tabular   rank.Tabular // notes for an LLM's prompt; nil: none are shown
	ID        string       // identifies the files behind it
	Edition   string       // names, by content, the releases that hold on the date: codeset.Releases.Edition
}

// Config says what a pipeline is made of.
type Config struct {
	Knowledge  Knowledge
	Ranker     Ranker // nil: the local ranker, which also ranks where Ranker fails
	Style      coding.Style
	Systems    []coding.System
	Candidates int    // given to the ranker; 0: DefaultCandidates
	Shown      int    // candidates kept in the set, 0: none
	Explain    bool   // suggestions of the local ranker say what spoke for and against them
	Settings   string // what else decides the answer, such as an LLM's model and parameters
	Now        func() time.Time
	Observe    Observer // hears of stages; may be nil
}

// Observer hears of each stage of each note, from several goroutines. A code is
// "" when all was well; ctx is that of the note.
type Observer interface {
	StageBegan(ctx context.Context, stage string)
	StageEnded(ctx context.Context, stage, code string, took time.Duration)
}

// deaf hears nothing.
type deaf struct{}

func (deaf) StageBegan(context.Context, string)                        {}
func (deaf) StageEnded(context.Context, string, string, time.Duration) {}

// Pipeline processes notes; it is safe for concurrent use.
type Pipeline struct{ cfg Config }

// New checks the configuration.
func New(cfg Config) (*Pipeline, error) {
	if cfg.Knowledge == nil {
		return nil, errors.New("pipeline: Knowledge is required")
	}
	switch cfg.Style {
	case "":
		cfg.Style = coding.Billing
	case coding.Billing, coding.Mentions:
	default:
		return nil, fmt.Errorf("pipeline: coding style must be billing or mentions")
	}
	if len(cfg.Systems) == 0 {
		cfg.Systems = []coding.System{coding.ICD10CM}
	}
	if cfg.Candidates <= 0 {
		cfg.Candidates = DefaultCandidates
	}
	cfg.Candidates = max(cfg.Candidates, cfg.Shown)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Observe == nil {
		cfg.Observe = deaf{}
	}
	return &Pipeline{cfg: cfg}, nil
}

// ErrNoCodes is returned when no ICD-10-CM code table is loaded: temporary,
// for one can be imported.
var ErrNoCodes = errors.New("no ICD-10-CM code set is loaded")

// Process makes the suggestion set of one note.
func (p *Pipeline) Process(ctx context.Context, note coding.Note) (coding.SuggestionSet, error) {
	tables, err := p.cfg.Knowledge.At(ctx, p.cfg.Systems, note.ServiceDate)
	if err != nil {
		return coding.SuggestionSet{}, fmt.Errorf("code tables: %w", err)
	}
	if tables.Main == nil {
		return coding.SuggestionSet{}, ErrNoCodes
	}
	set := coding.SuggestionSet{
		Schema: 1, NoteID: note.NoteID, Source: note.Source, NoteSHA256: note.SHA256(),
		Releases: tables.Releases, CodingStyle: p.cfg.Style, Edition: tables.Edition,
		Notices: append([]coding.Notice{}, tables.Notices...),
	}

	var addressed []coding.Span
	var doubtful []rank.Doubtful
	var doc *coding.Document
	set.Timings.Segment, _ = p.stage(ctx, "segment", func(context.Context) error {
		addressed = rank.AddressedToModel(note.Text)
		read := withoutText(note, addressed)
		doubtful = rank.DoubtfulPassages(read.Text)
		doc = segment.Segment(read)
		return nil
	})
	set.Setting = doc.Setting
	if doc.Assumed {
		set.Notices = append(set.Notices, coding.Notice{Code: coding.NoticeSettingAssumed,
			Message: fmt.Sprintf("The note does not name its setting; it was read as %s.", doc.Setting)})
	}
	note.Setting = doc.Setting
	if len(addressed) > 0 {
		set.Notices = append(set.Notices, addressedNotice(len(addressed)))
		doc.Scopes = without(doc.Scopes, addressed)
	}
	if len(doubtful) > 0 {
		set.Notices = append(set.Notices, doubtfulNotice(doubtful))
	}

	var candidates []coding.Candidate
	set.Timings.Retrieve, err = p.stage(ctx, "retrieve", func(ctx context.Context) (err error) {
		candidates, err = tables.Retriever.Retrieve(ctx, doc, tables.Main, retrieve.Options{Limit: p.cfg.Candidates, Style: p.cfg.Style})
		return err
	})
	if err != nil {
		return coding.SuggestionSet{}, fmt.Errorf("retrieve: %w", err)
	}
	doc.Text = note.Text // of which evidence is cut

	in := rank.Input{Note: note, Doc: doc, Style: p.cfg.Style, Candidates: candidates, Table: tables.Main, Explain: p.cfg.Explain, Addressed: addressed, Doubtful: doubtful}
	began := time.Now()
	ranker, out, err := p.rank(ctx, &set, tables, in)
	if err != nil {
		return coding.SuggestionSet{}, err
	}
	set.Timings.Rank = milliseconds(time.Since(began))
	out.Suggestions = rank.WarnDoubtful(out.Suggestions, doubtful)
	set.Ranker, set.Model, set.PromptSHA256, set.Usage = ranker.Name(), out.Model, out.PromptSHA256, out.Usage

	var checked validate.Output
	set.Timings.Validate, _ = p.stage(ctx, "validate", func(context.Context) error {
		checked = tables.Validator.Validate(validate.Input{Note: note, Doc: doc, Table: tables.Main, Style: p.cfg.Style, Suggestions: out.Suggestions})
		return nil
	})

	for _, r := range checked.Removed {
		set.Removed = append(set.Removed, r.Code)
	}
	set.Suggestions = fill(checked.Suggestions, candidates)
	set.Candidates = []coding.Candidate{}
	if n := min(p.cfg.Shown, len(candidates)); n > 0 {
		set.Candidates = candidates[:n]
	}
	set.Pipeline = p.version(tables)
	set.SetID = setID(set)
	set.CreatedAt = p.cfg.Now().UTC()
	return set, nil
}

// rank asks the local ranker, which costs milliseconds, and then the configured
// one, which is given what the local one made of the note. When it fails, for a
// reason other than being told to stop, the local one's suggestions stand.
func (p *Pipeline) rank(ctx context.Context, set *coding.SuggestionSet, tables Tables, in rank.Input) (Ranker, rank.Output, error) {
	var local rank.Output
	_, err := p.stage(ctx, "rank_local", func(ctx context.Context) (err error) {
		local, err = tables.Local.Rank(ctx, in)
		return err
	})
	if err != nil {
		return nil, rank.Output{}, fmt.Errorf("rank: %w", err)
	}
	if p.cfg.Ranker == nil {
		return tables.Local, local, nil
	}
	in.Beside = rank.Beside{Finder: finder{tables, p.cfg.Style}, Tabular: tables.Tabular, Rules: checks{tables, in}, Chosen: local.Suggestions}
	in.Beside.Local, _ = tables.Local.(*rank.Local)
	var out rank.Output
	_, err = p.stage(ctx, "rank_llm", func(ctx context.Context) (err error) {
		out, err = p.cfg.Ranker.Rank(ctx, in)
		return err
	})
	if err == nil {
		return p.cfg.Ranker, out, nil
	}
	if ctx.Err() != nil {
		return nil, rank.Output{}, ctx.Err()
	}
	local.Usage = out.Usage // what the failed attempt cost
	reason := "llm_failed"
	var coded interface{ Reason() string }
	if errors.As(err, &coded) {
		reason = coded.Reason()
	}
	set.Degraded, set.DegradedReason = true, &reason
	return tables.Local, local, nil
}

// version is Version, a plus sign, and a hash of all that decides the answer.
func (p *Pipeline) version(t Tables) string {
	h := sha256.New()
	for _, s := range []string{cmp.Or(p.cfg.Ranker, t.Local).Name(), t.Local.Name(), string(p.cfg.Style), p.cfg.Settings, t.ID, fmt.Sprint(p.cfg.Systems, p.cfg.Candidates)} {
		fmt.Fprintf(h, "%d:%s", len(s), s)
	}
	return Version + "+" + hex.EncodeToString(h.Sum(nil))[:8]
}

// setID is the same for the same note, pipeline and ranker, so that an
// announcement made twice is known as one.
func setID(s coding.SuggestionSet) string {
	h := sha256.New()
	for _, v := range []string{s.Source, s.NoteID, s.NoteSHA256, s.Pipeline, s.Ranker} {
		fmt.Fprintf(h, "%d:%s", len(v), v)
	}
	return hex.EncodeToString(h.Sum(nil))[:32]
}

// fill makes arrays of what would be null in JSON, numbers the ranks, and says
// where retrieval had each code.
func fill(list []coding.Suggestion, candidates []coding.Candidate) []coding.Suggestion {
	at := make(map[coding.CodeKey]int, len(candidates))
	for _, c := range candidates {
		at[coding.CodeKey{System: c.System, Code: c.Code}] = c.Rank
	}
	out := make([]coding.Suggestion, len(list))
	for i, s := range list {
		s.Rank = i + 1
		s.RetrievalRank = at[coding.CodeKey{System: s.System, Code: s.Code}]
		if s.Evidence == nil {
			s.Evidence = []coding.Evidence{}
		}
		if s.Warnings == nil {
			s.Warnings = []coding.Finding{}
		}
		out[i] = s
	}
	return out
}

// ReleaseIDs joins what identifies files into one text, in an order of its own.
func ReleaseIDs(ids []string) string {
	ids = append([]string(nil), ids...)
	sort.Strings(ids)
	return strings.Join(ids, " ")
}

// stage runs one stage, a step in the note's trace, and gives the milliseconds
// that it took.
func (p *Pipeline) stage(ctx context.Context, name string, run func(ctx context.Context) error) (ms float64, err error) {
	p.cfg.Observe.StageBegan(ctx, name)
	inside, span := tracing.Start(ctx, name)
	began := time.Now()
	err = run(inside)
	took := time.Since(began)
	span.End(err)
	p.cfg.Observe.StageEnded(ctx, name, tracing.Reason(err), took)
	return milliseconds(took), err
}

// milliseconds are those of a time, to the microsecond.
func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
