package audit_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"chartcode/internal/audit"
	"chartcode/internal/coding"
	"chartcode/internal/store"
	"chartcode/internal/store/storetest"
)

func newTrail(t testing.TB, s *store.Store) *audit.Trail {
	t.Helper()
	trail, err := audit.New(audit.Config{Store: s, Logger: slog.New(slog.DiscardHandler), Every: 5 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	return trail
}

func event(i int) coding.AuditEvent {
	return coding.AuditEvent{At: time.Date(2026, 3, 14, 9, 0, i, 123456000, time.UTC), Actor: "casey", Action: "looked", Item: int64(i)}
}

func appendEvents(t testing.TB, s *store.Store, n int) {
	t.Helper()
	for i := range n {
		if err := s.AppendAudit(t.Context(), event(i)); err != nil {
			t.Fatal(err)
		}
	}
}

func verify(t testing.TB, trail *audit.Trail, known string) audit.Report {
	t.Helper()
	r, err := trail.Verify(t.Context(), known)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestSealAndVerify(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	trail := newTrail(t, s)
	if r := verify(t, trail, ""); !r.OK() || r.HeadText() != "empty" {
		t.Errorf("an empty trail: %+v", r)
	}
	appendEvents(t, s, 5)
	if r := verify(t, trail, ""); !r.OK() || r.Events != 5 || r.Waiting != 5 || r.Links != 0 {
		t.Errorf("before sealing: %+v", r)
	}
	if n, err := trail.Seal(t.Context()); n != 5 || err != nil {
		t.Fatalf("sealed %d, %v", n, err)
	}
	if n, err := trail.Seal(t.Context()); n != 0 || err != nil {
		t.Fatalf("sealed %d more, %v", n, err)
	}
	first := verify(t, trail, "")
	if !first.OK() || first.Links != 5 || first.Waiting != 0 {
		t.Errorf("after sealing: %+v", first)
	}
	appendEvents(t, s, 1100) // more than one batch
	if n, err := trail.Seal(t.Context()); n != 1100 || err != nil {
		t.Fatalf("sealed %d, %v", n, err)
	}
	second := verify(t, trail, first.HeadText())
	if !second.OK() || second.Links != 1105 || second.HeadText() == first.HeadText() {
		t.Errorf("later: %+v", second)
	}
	if r := verify(t, trail, strings.Repeat("ab", 32)); r.OK() {
		t.Error("a head that was never in the chain is accepted")
	}
}

// Many processes write and seal at once: every event gets one link, none two.
func TestSealByMany(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	const writers, each = 8, 40
	var wg, seal sync.WaitGroup
	ctx, stop := context.WithCancel(t.Context())
	for range 3 {
		trail := newTrail(t, s)
		seal.Go(func() { trail.Run(ctx) })
	}
	for range writers {
		wg.Go(func() {
			for i := range each {
				if err := s.AppendAudit(t.Context(), event(i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	stop() // each seals once more at its end
	seal.Wait()
	trail := newTrail(t, s)
	if _, err := trail.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r := verify(t, trail, ""); !r.OK() || r.Links != writers*each || r.Waiting != 0 {
		t.Errorf("got %+v", r)
	}
}

func TestRunSealsWhatComes(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	trail := newTrail(t, s)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { trail.Run(ctx); close(done) }()
	appendEvents(t, s, 3)
	stop()
	<-done
	if r := verify(t, trail, ""); !r.OK() || r.Links != 3 {
		t.Errorf("after Run ended: %+v", r)
	}
}

// Nobody may change the trail, the owner of the tables included.
func TestTrailRefusesChanges(t *testing.T) {
	t.Parallel()
	url := storetest.MigratedURL(t)
	s := storetest.Open(t, url)
	appendEvents(t, s, 2)
	if _, err := newTrail(t, s).Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	owner, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close(context.Background())
	for _, sql := range []string{
		"UPDATE audit_events SET actor = 'robin'", "DELETE FROM audit_events WHERE id = 1", "TRUNCATE audit_events CASCADE",
		"UPDATE audit_chain SET hash = sha256('x')", "DELETE FROM audit_chain", "TRUNCATE audit_chain",
	} {
		if _, err := owner.Exec(t.Context(), sql); err == nil {
			t.Errorf("%s was done", sql)
		}
	}
}

// What a database administrator does with the guards switched off is found.
func TestTamperingIsFound(t *testing.T) {
	t.Parallel()
	for name, sql := range map[string]string{
		"changed actor":          "UPDATE audit_events SET actor = 'robin' WHERE id = 3",
		"changed time":           "UPDATE audit_events SET at = at + interval '1 microsecond' WHERE id = 3",
		"changed item":           "UPDATE audit_events SET item_id = 77 WHERE id = 3",
		"moved between fields":   "UPDATE audit_events SET actor = 'case', action = 'ylooked' WHERE id = 3",
		"removed":                "DELETE FROM audit_chain WHERE event_id = 3; DELETE FROM audit_events WHERE id = 3",
		"removed and renumbered": "DELETE FROM audit_chain WHERE event_id = 3; DELETE FROM audit_events WHERE id = 3; UPDATE audit_chain SET seq = seq - 1 WHERE seq > 3",
		"swapped": `UPDATE audit_chain SET event_id = -event_id WHERE event_id IN (2, 3);
			UPDATE audit_chain SET event_id = CASE event_id WHEN -2 THEN 3 WHEN -3 THEN 2 ELSE event_id END`,
		"cut off at the end":  "DELETE FROM audit_chain WHERE seq = 5; DELETE FROM audit_events WHERE id = 5",
		"kept from the chain": `DELETE FROM audit_chain WHERE seq = 5`,
		"decision changed":    "UPDATE decisions SET detail = jsonb_set(detail, '{code}', '\"I11\"') WHERE seq = 1",
		"decision removed":    "DELETE FROM decisions WHERE seq = 2",
		"decision put in": `INSERT INTO decisions (item_id, seq, kind, coder, at, content, detail)
			SELECT id, 3, 'accept', 'casey', now(), 1, '{}' FROM items`,
		"decision of another": "UPDATE decisions SET coder = 'robin' WHERE seq = 2",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := storetest.MigratedURL(t)
			s := storetest.Open(t, url)
			trail := newTrail(t, s)
			decide(t, s)
			appendEvents(t, s, 3)
			if _, err := trail.Seal(t.Context()); err != nil {
				t.Fatal(err)
			}
			before := verify(t, trail, "")
			if !before.OK() || before.Links != 5 || before.Decisions != 2 {
				t.Fatalf("before: %+v", before)
			}
			owner, err := pgx.Connect(t.Context(), url)
			if err != nil {
				t.Fatal(err)
			}
			defer owner.Close(context.Background())
			if _, err := owner.Exec(t.Context(), "SET session_replication_role = replica; "+sql); err != nil {
				t.Fatal(err)
			}
			if after := verify(t, trail, before.HeadText()); after.OK() {
				t.Errorf("nothing is found: %+v", after)
			}
		})
	}
}

// decide stores a note and two decisions on it, as events 1 and 2.
func decide(t *testing.T, s *store.Store) {
	t.Helper()
	n := coding.Note{NoteID: "D-1", Source: "north", Priority: 5, Text: "Hypertension."}
	_, err := s.SaveResult(t.Context(), store.Result{Note: n, SHA256: n.SHA256(), ReceivedAt: time.Now(), Set: coding.SuggestionSet{
		Schema: 1, SetID: "s1", NoteID: "D-1", Source: "north", NoteSHA256: n.SHA256(), Pipeline: "test", CreatedAt: time.Now(),
	}})
	if err != nil {
		t.Fatal(err)
	}
	page, err := s.Worklist(t.Context(), coding.WorklistQuery{Sort: coding.SortPriority, Limit: 1}, time.Now())
	if err != nil || len(page.Items) != 1 {
		t.Fatal("no item", err)
	}
	for seq := 1; seq <= 2; seq++ {
		d := coding.Decision{Seq: seq, Kind: coding.Accept, Coder: "casey", At: time.Now().UTC().Truncate(time.Microsecond), Content: 1, Key: fmt.Sprint("k", seq),
			DecisionDetail: coding.DecisionDetail{System: coding.ICD10CM, Code: "I10", Display: "Grüße <&>\u2028", Evidence: []coding.Evidence{
				{NoteID: "D-1", Span: coding.Span{Start: 0, End: 12}, Text: "Hypertension"}}}}
		_, err := s.ActOnItem(t.Context(), page.Items[0].ID, coding.ActKey{}, func(coding.ItemRecord) (coding.ItemChange, error) {
			return coding.ItemChange{Decisions: []coding.Decision{d}, Events: []coding.AuditEvent{{
				At: d.At, Actor: d.Coder, Action: "decision.accept", Item: page.Items[0].ID, Target: fmt.Sprint(seq), Digest: d.Digest(),
			}}}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestExportAndVerifyOffline(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	trail := newTrail(t, s)
	appendEvents(t, s, 4)
	if _, err := trail.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if n, err := trail.Export(t.Context(), &file); n != 4 || err != nil {
		t.Fatalf("exported %d, %v", n, err)
	}
	head := verify(t, trail, "").HeadText()
	r, err := audit.VerifyFile(bytes.NewReader(file.Bytes()), head)
	if err != nil || !r.OK() || r.Links != 4 || r.HeadText() != head {
		t.Errorf("got %+v, %v", r, err)
	}
	lines := strings.SplitAfter(file.String(), "\n")
	for name, c := range map[string]struct {
		text string
		bad  int64
	}{
		"changed":         {strings.Replace(file.String(), `"item":2`, `"item":9`, 1), 3},
		"removed":         {lines[0] + lines[2] + lines[3], 2},
		"swapped":         {lines[0] + lines[2] + lines[1] + lines[3], 2},
		"begins later":    {lines[1] + lines[2] + lines[3], 1},
		"cut off, no bad": {lines[0] + lines[1] + lines[2], 0},
	} {
		r, err := audit.VerifyFile(strings.NewReader(c.text), head)
		if err != nil || r.OK() || r.BadSeq != c.bad {
			t.Errorf("%s: got %+v, %v; want link %d", name, r, err, c.bad)
		}
	}
	for name, text := range map[string]string{
		"no JSON":    "secret words\n",
		"short hash": `{"seq":1,"hash":"ab","at":"2026-03-14T09:00:00Z","actor":"secret words"}` + "\n",
		"long line":  strings.Repeat("secret words ", 1<<17),
	} {
		_, err := audit.VerifyFile(strings.NewReader(text), "")
		if err == nil || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), "line 1") {
			t.Errorf("%s: got error %v", name, err)
		}
	}
}

func FuzzVerifyFile(f *testing.F) {
	h := audit.Link([32]byte{}, event(1))
	f.Add([]byte(fmt.Sprintf(`{"seq":1,"hash":"%x","id":0,"at":"2026-03-14T09:00:01.123456Z","actor":"casey","action":"looked","item":1}`, h)))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := audit.VerifyFile(bytes.NewReader(data), "")
		if err == nil && r.OK() && r.Links > int64(bytes.Count(data, []byte("\n"))+1) {
			t.Errorf("%d links from %d lines", r.Links, bytes.Count(data, []byte("\n"))+1)
		}
	})
}
