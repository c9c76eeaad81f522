package review_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"chartcode/internal/coding"
	"chartcode/internal/review"
	"chartcode/internal/store"
)

// Many people do random acts on few items at once, in two processes, while claims run out and
// the pipeline brings changed notes. Afterwards, and at every look in between,
// the invariants hold, and replaying what was decided gives what is stored and
// what was announced.
func TestRandomActsByMany(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	f.codes("I10", "E11.40", "E78.5", "Z79.4", "J45.909")
	const items, acts = 3, 120
	for i := range items {
		f.bring(i, 0)
	}
	page, err := f.Worklist(t.Context(), coding.WorklistQuery{})
	if err != nil || len(page.Items) != items {
		t.Fatal(len(page.Items), err)
	}
	var ids []int64
	for _, h := range page.Items {
		ids = append(ids, h.ID)
	}
	users := f.users(coding.RoleCoder, "casey", "robin", "sam", "kim")
	processes := []*fixture{f, f.elsewhere()}
	var wg sync.WaitGroup
	for k, u := range users {
		f := processes[k%2]
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(42, uint64(k)))
			for n := range acts {
				id := ids[rnd.IntN(len(ids))]
				if err := f.random(rnd, u, id, fmt.Sprint(u.Login, n)); err != nil && !expected(err) {
					t.Errorf("%s: %v", u.Login, err)
				}
				if n%10 == 0 {
					it, err := f.Item(t.Context(), u, id)
					if err != nil {
						t.Error(err)
						continue
					}
					f.invariants(it)
				}
			}
		})
	}
	wg.Go(func() {
		rnd := rand.New(rand.NewPCG(42, 99))
		for n := range 15 {
			f.bring(rnd.IntN(items), n+1)
			f.move(time.Duration(rnd.IntN(8)) * time.Minute)
		}
	})
	wg.Wait()
	// In the end every item is finished, whatever the acts left it in.
	f.move(time.Hour) // all claims have run out
	for _, id := range ids {
		it := f.item(users[0], id)
		switch it.State {
		case coding.ItemFinished:
			continue
		case coding.ItemHeld, coding.ItemQueried:
			if err := f.Resume(t.Context(), users[0], id, ""); err != nil {
				t.Fatal(err)
			}
		}
		for _, c := range it.Codes {
			if c.Listed() && c.POANeeded && c.POA == "" {
				f.do(users[0], id, review.Act{Kind: coding.Detail, Code: c.CodeKey, POA: coding.POAUnknown})
			}
		}
		if _, err := f.Decide(t.Context(), users[0], id, review.Act{Kind: coding.Finish, Confirm: true, Key: "end"}); err != nil {
			t.Fatal(err)
		}
	}
	reviews := map[string]int{}
	told := map[string]coding.Review{}
	for _, r := range f.announced() {
		reviews[r.ReviewID]++
		told[r.ReviewID] = r
	}
	finished := 0
	for _, id := range ids {
		r, found, err := f.store.ItemRecord(t.Context(), id, nil)
		if err != nil || !found {
			t.Fatal(found, err)
		}
		f.invariants(f.item(users[0], id))
		final, ok := review.Final(r)
		if !ok {
			t.Fatalf("item %d is not finished", id)
		}
		if diff := cmp.Diff(told[final.ReviewID], final, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("what was announced is not what the decisions give (-announced +replayed):\n%s", diff)
		}
		finished += f.history(r, reviews)
	}
	if len(reviews) != finished {
		t.Errorf("%d finishings announced %d reviews", finished, len(reviews))
	}
	if finished < len(ids) {
		t.Errorf("%d finishings of %d items", finished, len(ids))
	}
}

// invariants holds of an item at any moment.
func (f *fixture) invariants(it review.Item) {
	f.t.Helper()
	seen := map[coding.CodeKey]bool{}
	var finals []int
	lead := 0
	for i, c := range it.Codes {
		if seen[c.CodeKey] {
			f.t.Errorf("%s is in the list twice", c.Code)
		}
		seen[c.CodeKey] = true
		if c.Sequence != i+1 {
			f.t.Errorf("sequence %d at place %d", c.Sequence, i+1)
		}
		if c.Listed() != (c.Final > 0) || (c.State == review.Undecided && (c.By != "" || !c.Suggested)) {
			f.t.Errorf("%s is %s with final %d by %q", c.Code, c.State, c.Final, c.By)
		}
		if c.Listed() {
			finals = append(finals, c.Final)
			if c.Role == coding.RoleFirstListed || c.Role == coding.RolePrincipal {
				lead++
				if c.Final != 1 {
					f.t.Errorf("the first-listed code is number %d", c.Final)
				}
			}
			if c.Origin == "" {
				f.t.Errorf("%s is listed and of no origin", c.Code)
			}
		}
		if c.Title != "Title of "+c.Code {
			f.t.Errorf("%s has the title %q", c.Code, c.Title)
		}
	}
	slices.Sort(finals)
	for i, n := range finals {
		if n != i+1 {
			f.t.Errorf("the final sequence is %v", finals)
			break
		}
	}
	others := 0 // admitting diagnoses lead nothing
	for _, c := range it.Codes {
		if c.Listed() && c.Role == coding.RoleAdmitting {
			others++
		}
	}
	if len(finals) > others && lead == 0 || lead > 1 {
		f.t.Errorf("%d codes lead: %s", lead, show(it.Codes))
	}
	if (it.State == coding.ItemClaimed) != (it.Claim != nil) || (it.Reason != "") != (it.State == coding.ItemHeld || it.State == coding.ItemQueried) {
		f.t.Errorf("state %s with claim %v and reason %q", it.State, it.Claim, it.Reason)
	}
	waiting := 0
	for i, q := range it.Queries {
		if q.Number != i+1 || (q.Status == coding.QueryOpen) != (q.ClosedBy == "") {
			f.t.Errorf("query %d is %+v", i+1, q)
		}
		if q.Status == coding.QueryOpen {
			waiting++
		}
	}
	if (it.State == coding.ItemQueried) != (waiting > 0) {
		f.t.Errorf("state %s with %d open queries", it.State, waiting)
	}
	if it.SentTo != nil && it.State != coding.ItemOpen {
		f.t.Errorf("state %s waits for %s", it.State, it.SentTo.Login)
	}
	if it.State == coding.ItemFinished && (it.MayDecide || it.CanUndo || it.ReviewID == "") {
		f.t.Errorf("a finished item may be decided on: %+v", it)
	}
}

// history holds of what is stored of an item at the end. It gives the number of
// finishings.
func (f *fixture) history(r coding.ItemRecord, reviews map[string]int) int {
	f.t.Helper()
	finished, keys := 0, map[string]bool{}
	open := true
	for i, d := range r.Decisions {
		if d.Seq != i+1 {
			f.t.Errorf("decision %d has number %d", i+1, d.Seq)
		}
		if d.Key != "" && keys[d.Key] {
			f.t.Errorf("key %s was used twice", d.Key)
		}
		keys[d.Key] = true
		if open == (d.Kind == coding.Reopen) {
			f.t.Errorf("decision %d is %s although finished is %v", d.Seq, d.Kind, !open)
		}
		switch d.Kind {
		case coding.Finish:
			open = false
			finished++
			if reviews[d.ReviewID] != 1 {
				f.t.Errorf("review %s was announced %d times", d.ReviewID, reviews[d.ReviewID])
			}
		case coding.Reopen:
			open = true
		}
	}
	events, err := f.store.ItemEvents(f.t.Context(), r.Head.ID)
	if err != nil {
		f.t.Fatal(err)
	}
	said := map[string]bool{}
	for _, ev := range events {
		if ev.Reason != "" && said[ev.Reason] {
			f.t.Errorf("%s was done twice with key %s", ev.Action, ev.Reason)
		}
		said[ev.Reason] = true
	}
	for i, q := range r.Queries {
		if slices.ContainsFunc(r.Queries[:i], func(x coding.Query) bool { return x.Text == q.Text }) {
			f.t.Errorf("query %d was asked before", q.Number)
		}
	}
	if last := lastPerson(r.Decisions); r.Head.Coder != last {
		f.t.Errorf("the last coder is %q, stored is %q", last, r.Head.Coder)
	}
	st := review.Replay(r.Decisions)
	if st.Finished != (r.Head.State == coding.ItemFinished) || st.Finished == open {
		f.t.Errorf("replaying gives finished %v, stored is %s", st.Finished, r.Head.State)
	}
	checkAudit(f.t, f.store, r)
	return finished
}

func lastPerson(decisions []coding.Decision) string {
	for _, d := range slices.Backward(decisions) {
		if d.Coder != coding.ByPipeline {
			return d.Coder
		}
	}
	return ""
}

// checkAudit: each decision of a person has its event.
func checkAudit(t testing.TB, s *store.Store, r coding.ItemRecord) {
	t.Helper()
	n := 0
	for a, err := range s.AuditedDecisions(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if a.Digest == "" || a.Decision.Seq == 0 || a.Digest != a.Decision.Digest() {
			t.Errorf("a decision and its event do not fit: %s", strings.TrimSpace(string(a.Decision.Kind)))
		}
		if a.Item == r.Head.ID {
			n++
		}
	}
	want := 0
	for _, d := range r.Decisions {
		if d.Coder != coding.ByPipeline {
			want++
		}
	}
	if n != want {
		t.Errorf("%d decisions are on record, %d in the trail", want, n)
	}
}

// One coder in many windows at once: every act counts once, one after the other.
func TestManyWindows(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	casey := f.users(coding.RoleCoder, "casey")[0]
	id := f.one()
	const windows, acts = 12, 8
	var wg sync.WaitGroup
	var mu sync.Mutex
	done, first := 0, 0
	for w := range windows {
		wg.Go(func() {
			for n := range acts {
				a := review.Act{Kind: coding.Reorder, Order: []coding.CodeKey{key([]string{"I10", "E11.40", "E78.5"}[(w+n)%3])}}
				_, err := f.Decide(t.Context(), casey, id, a)
				if err != nil {
					t.Errorf("a reordering: %v", err)
				}
				// The same act from all windows.
				same := accept("I10")
				same.Key = "the same"
				out, err := f.Decide(t.Context(), casey, id, same)
				if err != nil {
					t.Errorf("the common act: %v", err)
				}
				mu.Lock()
				done++
				if !out.Repeated {
					first++
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	r, _, err := f.store.ItemRecord(t.Context(), id, nil)
	if err != nil || first != 1 || len(r.Decisions) != done+1 || done != windows*acts {
		t.Errorf("%d decisions after %d reorderings and %d first acceptings, %v", len(r.Decisions), done, first, err)
	}
	f.history(r, nil)
}
