package review_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"chartcode/internal/coding"
	"chartcode/internal/review"
)

// Fifty coders work off five hundred items at once.
func TestManyCodersAtOnce(t *testing.T) {
	t.Parallel()
	manyCoders(t, 50, 500)
}

// manyCoders lets coders take the next item, decide and finish, all at once,
// until none is left: every item goes to one of them and comes to its end. It
// prints how long the acts took.
func manyCoders(t *testing.T, coders, items int) {
	f := setUp(t)
	for n := range items {
		in := note(fmt.Sprint("D-", n), "", visit)
		in.Priority = 1 + n%9
		f.save(in, sug{code: "I10", words: "Essential hypertension", confidence: 0.8}, sug{code: "E78.5", words: "Hyperlipidemia", confidence: 0.5})
	}
	f.announced()
	f.analyze()
	var logins []string
	for i := range coders {
		logins = append(logins, fmt.Sprint("coder", i))
	}
	var tm times
	var mu sync.Mutex
	taken := map[int64]string{}
	var wg sync.WaitGroup
	for k, u := range f.users(coding.RoleCoder, logins...) {
		wg.Go(func() {
			q := coding.WorklistQuery{Sort: []coding.WorklistSort{coding.SortPriority, coding.SortNeed, coding.SortOldest}[k%3]}
			for {
				var id int64
				none := false
				tm.of("next", func() (err error) {
					if id, err = f.Next(t.Context(), u, q, ""); errors.Is(err, review.ErrNoneLeft) {
						none, err = true, nil
					}
					return err
				}, t)
				if none || t.Failed() {
					return
				}
				mu.Lock()
				if who, twice := taken[id]; twice {
					t.Errorf("item %d went to %s and to %s", id, who, u.Login)
				}
				taken[id] = u.Login
				mu.Unlock()
				act := func(name string, a review.Act) {
					tm.of(name, func() error { _, err := f.Decide(t.Context(), u, id, a); return err }, t)
				}
				act("accept", accept("I10"))
				act("reject", reject("E78.5"))
				act("finish", review.Act{Kind: coding.Finish})
			}
		})
	}
	wg.Wait()
	tm.print(t)
	if len(taken) != items {
		t.Errorf("%d of %d items were taken", len(taken), items)
	}
	who := map[string]int{}
	for _, r := range f.announced() {
		who[r.ReviewID]++
	}
	if len(who) != items {
		t.Errorf("%d reviews were announced of %d items", len(who), items)
	}
}
