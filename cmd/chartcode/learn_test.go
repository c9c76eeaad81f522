package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"chartcode/eval"
	"chartcode/internal/auth"
	"chartcode/internal/catalog"
	"chartcode/internal/codeset"
	"chartcode/internal/coding"
	"chartcode/internal/embedding"
	"chartcode/internal/gbdt"
	"chartcode/internal/learned"
	"chartcode/internal/metrics"
	"chartcode/internal/review"
	"chartcode/internal/store"
	"chartcode/internal/store/storetest"
	"chartcode/pipeline"
	"chartcode/pipeline/retrieve"
)

// clinic is a site with a small code table, its pipeline and its people.
type clinic struct {
	t        *testing.T
	store    *store.Store
	app      *app
	m        *measured
	pipeline *pipeline.Pipeline
	review   *review.Service
	accounts *auth.Service
	coder    coding.User
	senior   coding.User
	clock    time.Time // of the catalog
	seq      uint64
}

var (
	plainNames  = []string{"Gout", "Asthma", "Migraine", "Psoriasis", "Glaucoma", "Anemia", "Epilepsy", "Eczema", "Measles", "Scurvy"}
	secretNames = []string{"zubrak", "yolpen", "krastin", "mavour", "drelli"} // no term has them
)

func plainCode(i int) string  { return fmt.Sprintf("E7%d", i) }
func secretCode(i int) string { return fmt.Sprintf("H1%d", i) }

func newClinic(t *testing.T) *clinic {
	t.Helper()
	ctx := t.Context()
	log := slog.New(slog.DiscardHandler)
	c := &clinic{t: t, store: storetest.New(t), clock: time.Now()}
	var b strings.Builder
	line := func(code, title string) { fmt.Fprintf(&b, "%05d %-7s 1 %-60s %s\n", b.Len()+1, code, title, title) }
	for i, name := range plainNames {
		line(plainCode(i), name)
	}
	for i := range len(secretNames) + 2 {
		line(secretCode(i), fmt.Sprintf("Condition number %d", 101+i))
	}
	path := filepath.Join(t.TempDir(), "icd10cm-order-2026.txt")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := (&catalog.Loader{DB: c.store}).ImportFiles(ctx, []string{path}, codeset.ReadOptions{}); err != nil {
		t.Fatal(err)
	}
	shipped, err := learned.Default()
	if err != nil {
		t.Fatal(err)
	}
	knowledge, err := catalog.New(catalog.Config{Source: c.store, Models: shipped, Learned: c.store, Now: func() time.Time { return c.clock }})
	if err != nil {
		t.Fatal(err)
	}
	if c.pipeline, err = pipeline.New(pipeline.Config{Knowledge: knowledge}); err != nil {
		t.Fatal(err)
	}
	if c.review, err = review.New(review.Config{Store: c.store, Logger: log}); err != nil {
		t.Fatal(err)
	}
	if c.accounts, err = auth.New(auth.Config{Store: c.store, Logger: log}); err != nil {
		t.Fatal(err)
	}
	for login, u := range map[string]*coding.User{"ann": &c.coder, "bea": &c.senior} {
		if *u, err = c.accounts.AddUser(ctx, auth.ByConsole, auth.NewUser{Login: login, Name: login, Role: coding.RoleCoder}); err != nil {
			t.Fatal(err)
		}
	}
	c.app = &app{log: log, progress: newProgress(false), metrics: metrics.New(version, "test"), store: c.store}
	if c.app.embed, err = embedding.NewLocal(); err != nil {
		t.Fatal(err)
	}
	releases, err := c.store.Releases(ctx)
	if err != nil {
		t.Fatal(err)
	}
	codes, err := c.store.Codes(ctx, releases[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	terms, err := c.store.Terms(ctx, coding.ICD10CM)
	if err != nil {
		t.Fatal(err)
	}
	r, err := retrieve.New(retrieve.Config{Terms: terms})
	if err != nil {
		t.Fatal(err)
	}
	c.m = &measured{c.app, r, codeset.NewTable(releases[0], codes), len(terms)}
	return c
}

// suggest gives what the workers would suggest for a note now.
func (c *clinic) suggest(note coding.Note) coding.SuggestionSet {
	c.t.Helper()
	set, err := c.pipeline.Process(c.t.Context(), note)
	if err != nil {
		c.t.Fatal(err)
	}
	return set
}

func encounter(id, text string) coding.Note {
	return coding.Note{NoteID: id, Source: "north", Setting: coding.Outpatient, ServiceDate: coding.NewDate(2026, 3, 14), Priority: coding.PriorityUsual, Text: text}
}

// code lets a note come in, and a coder give it exactly the codes, the first
// one first-listed.
func (c *clinic) code(by coding.User, note coding.Note, codes ...string) {
	c.t.Helper()
	ctx := c.t.Context()
	set := c.suggest(note)
	c.seq++
	if _, err := c.store.SaveResult(ctx, store.Result{Note: note, SHA256: note.SHA256(), ReceivedAt: time.Now(), StreamSeq: c.seq, Set: set}); err != nil {
		c.t.Fatal(err)
	}
	id, err := c.review.Next(ctx, by, coding.WorklistQuery{}, "")
	if err != nil {
		c.t.Fatal(err)
	}
	act := func(a review.Act) {
		c.t.Helper()
		if _, err := c.review.Decide(ctx, by, id, a); err != nil {
			c.t.Fatalf("%s %s: %v", a.Kind, a.Code.Code, err)
		}
	}
	key := func(code string) coding.CodeKey { return coding.CodeKey{System: coding.ICD10CM, Code: code} }
	var shown []string
	for _, s := range set.Suggestions {
		shown = append(shown, s.Code)
		kind := coding.Reject
		if slices.Contains(codes, s.Code) {
			kind = coding.Accept
		}
		act(review.Act{Kind: kind, Code: key(s.Code)})
	}
	for _, code := range codes {
		if !slices.Contains(shown, code) {
			act(review.Act{Kind: coding.Add, Code: key(code)})
		}
	}
	act(review.Act{Kind: coding.Finish, Confirm: true})
}

func visitText(plain, secret, denied int) string {
	return fmt.Sprintf("ASSESSMENT:\n1. %s.\n2. %s.\n\nPLAN:\nNo %s seen. Return in a month.\n", plainNames[plain], secretNames[secret], strings.ToLower(plainNames[denied]))
}

// month lets n notes come in and be coded; decide gives the codes.
func (c *clinic) month(name string, n int, decide func(rng *rand.Rand, plain, secret int) []string) {
	c.t.Helper()
	rng := rand.New(rand.NewPCG(7, 7))
	for i := range n {
		p, s := rng.IntN(len(plainNames)), rng.IntN(len(secretNames))
		note := encounter(fmt.Sprintf("%s-%d", name, i), visitText(p, s, (p+3)%len(plainNames)))
		note.Patient.ID = fmt.Sprintf("%s-%d", name, i/2)
		c.code(c.coder, note, decide(rng, p, s)...)
	}
}

func truly(_ *rand.Rand, plain, secret int) []string {
	return []string{plainCode(plain), secretCode(secret)}
}

func (c *clinic) options() learnOptions {
	small := gbdt.Params{Trees: 60, Leaves: 6, LearningRate: 0.1, Columns: 0.5, Sample: 0.8, L2: 5, MinRows: 8, Seed: 1}
	fit := eval.DefaultFit(coding.Billing)
	fit.NoMemory, fit.Counted, fit.Order = false, 5, small
	return learnOptions{style: "billing", margin: eval.DefaultMargin, least: 80, fit: fit, rank: small}
}

// learn runs the command and gives what it prints.
func (c *clinic) learn(lo learnOptions) (string, error) {
	c.t.Helper()
	var b bytes.Buffer
	err := c.m.learn(c.t.Context(), lo, &b)
	return b.String(), err
}

func (c *clinic) learned(want bool) string {
	c.t.Helper()
	out, err := c.learn(c.options())
	if err != nil || strings.Contains(out, "replaces") != want {
		c.t.Fatalf("replaced should be %v, %v:\n%s", want, err, out)
	}
	return out
}

// later lets the workers look again which models are used.
func (c *clinic) later() { c.clock = c.clock.Add(time.Minute) }

func codesOf(set coding.SuggestionSet) []string {
	var out []string
	for _, s := range set.Suggestions {
		out = append(out, s.Code)
	}
	return out
}

func (c *clinic) trail(action string) (targets []string) {
	c.t.Helper()
	_, err := c.store.SealAudit(c.t.Context(), 100000, func(before [32]byte, ev coding.AuditEvent) [32]byte {
		if ev.Action == action && ev.Actor == auth.ByConsole {
			targets = append(targets, ev.Target)
		}
		return before
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return targets
}

// The words that reviews teach make the new models better; running workers
// take them up, say so in the ranker's name, and going back works.
func TestLearnTakesWhatReviewsTeach(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	ctx := t.Context()
	c.month("jan", 90, truly)
	fresh := encounter("new-1", visitText(2, 4, 6))
	before := c.suggest(fresh)
	if got := codesOf(before); !slices.Equal(got, []string{plainCode(2)}) {
		t.Fatalf("before learning the suggestions are %v", got)
	}

	// A dry run says what would change and changes nothing.
	lo := c.options()
	lo.dryRun = true
	out, err := c.learn(lo)
	if err != nil || !strings.Contains(out, "would replace "+before.Ranker) || strings.Count(out, "  item ") != changesShown || !strings.Contains(out, " +H1") {
		t.Fatalf("the dry run ended with %v:\n%s", err, out)
	}
	for _, secret := range secretNames {
		if strings.Contains(out, secret) {
			t.Errorf("the dry run shows words of a note:\n%s", out)
		}
	}
	if kept, err := c.store.RankerModels(ctx); err != nil || len(kept) != 0 || c.trail("model.learned") != nil {
		t.Fatalf("after the dry run %d models are kept, %v", len(kept), err)
	}

	out = c.learned(true)
	for _, want := range []string{"90 items with 90 notes", "items finished by auditors: 0 (0%)", "how selection was handled", before.Ranker + " (90 notes)", "local@1001 replaces " + before.Ranker} {
		if !strings.Contains(out, want) {
			t.Errorf("the report does not say %q:\n%s", want, out)
		}
	}
	if got := c.trail("model.learned"); !slices.Equal(got, []string{"local@1001"}) {
		t.Errorf("the audit trail has %v", got)
	}
	if got := c.suggest(fresh); got.Ranker != before.Ranker {
		t.Error("the list of models is looked up for each note")
	}
	c.later()
	after := c.suggest(fresh)
	if got := codesOf(after); after.Ranker != "local@1001" || !slices.Contains(got, secretCode(4)) || !slices.Contains(got, plainCode(2)) || len(got) != 2 {
		t.Errorf("after learning %s suggests %v", after.Ranker, got)
	}
	if after.Pipeline == before.Pipeline {
		t.Error("the pipeline's name is the same with other models")
	}

	// What taught the models cannot show that others are better.
	var status *exitError
	if out, err := c.learn(c.options()); !errors.As(err, &status) || status.status != exitUnclear || !strings.Contains(out, "0 notes can be compared on") {
		t.Errorf("learning again from the same notes ended with %v:\n%s", err, out)
	}

	var b bytes.Buffer
	if err := c.app.useModel(ctx, 999, &b); err == nil {
		t.Error("models that are not there were chosen")
	}
	var shipped int
	if _, err := fmt.Sscanf(before.Ranker, "local@%d", &shipped); err != nil {
		t.Fatal(err)
	}
	if err := c.app.useModel(ctx, shipped, &b); err != nil {
		t.Fatal(err)
	}
	c.later()
	if got := c.suggest(fresh); got.Ranker != before.Ranker || !slices.Equal(codesOf(got), codesOf(before)) {
		t.Errorf("after going back %s suggests %v", got.Ranker, codesOf(got))
	}
	if err := c.app.useModel(ctx, 1001, &b); err != nil {
		t.Fatal(err)
	}
	c.later()
	if got := c.suggest(fresh); got.Ranker != "local@1001" {
		t.Errorf("after going forth %s suggests", got.Ranker)
	}
	if got := c.trail("model.chosen"); !slices.Equal(got, []string{before.Ranker, "local@1001"}) {
		t.Errorf("the audit trail has %v", got)
	}
	b.Reset()
	if err := c.app.listModels(ctx, &b); err != nil || !strings.Contains(b.String(), before.Ranker+" ") || !strings.Contains(b.String(), "used from") {
		t.Errorf("the list, %v:\n%s", err, b.String())
	}
}

// Codes that have nothing to do with the notes do not make a model.
func TestLearnRefusesShuffledDecisions(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	c.month("jan", 90, func(rng *rand.Rand, _, _ int) []string {
		return []string{plainCode(rng.IntN(len(plainNames))), secretCode(rng.IntN(len(secretNames)))}
	})
	out := c.learned(false)
	if !strings.Contains(out, "stays") {
		t.Errorf("the report does not say that the present models stay:\n%s", out)
	}
	if v, _, err := c.store.ActiveRankerModel(t.Context()); err != nil || v != 0 {
		t.Errorf("local@%d is used, %v", v, err)
	}
	lo := c.options()
	lo.least = 91
	var status *exitError
	if _, err := c.learn(lo); !errors.As(err, &status) || status.status != exitUnclear || !strings.Contains(err.Error(), "at least 91") {
		t.Errorf("too few notes end with %v", err)
	}
}

// Models that the program cannot use do not stop its work.
func TestUnusableModelsAreNotUsed(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	fresh := encounter("new-1", visitText(2, 4, 6))
	before := c.suggest(fresh)
	shipped, err := learned.Default()
	if err != nil {
		t.Fatal(err)
	}
	own, err := shipped.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	m, err := learned.Read(own)
	if err != nil {
		t.Fatal(err)
	}
	m.Version = 1001
	m.Styles[coding.Billing].Order.Features = []string{"of another edition"}
	file, err := m.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	err = c.store.SaveRankerModel(context.WithoutCancel(t.Context()), coding.RankerModel{
		Version: 1001, Styles: []coding.Style{coding.Billing}, SHA256: strings.Repeat("a", 64), Record: []byte(`{}`), MadeAt: time.Now(), MadeBy: "console",
	}, file, modelEvent("model.learned", 1001))
	if err != nil {
		t.Fatal(err)
	}
	c.later()
	if got := c.suggest(fresh); got.Ranker != before.Ranker || !slices.Equal(codesOf(got), codesOf(before)) {
		t.Errorf("%s suggests %v", got.Ranker, codesOf(got))
	}
	var list bytes.Buffer
	if err := c.app.listModels(t.Context(), &list); err != nil || !strings.Contains(list.String(), "cannot use it") {
		t.Errorf("the list, %v:\n%s", err, list.String())
	}
	if err := c.app.useModel(t.Context(), 1001, &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "cannot be used") {
		t.Errorf("choosing them gives %v", err)
	}
}
