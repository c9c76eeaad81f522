package qa

import (
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"chartcode/internal/coding"
	"chartcode/internal/review"
)

// Draw says which finished reviews a sample is drawn from, and how many.
type Draw struct {
	From, Before time.Time // when they were finished
	Source       string    // empty: all
	Coders       []string  // logins of who finished them; empty: all
	Rate         float64   // of each coder's reviews, above 0 and at most 1
	AtLeast      int       // of each coder's reviews, where there are as many
	Recodings    int       // blind ones of each case, 1 to 3; 0: 1
	Seed         int64
}

// RandomSeed is a seed for who gives none, short enough to be read out.
func RandomSeed() int64 { return rand.Int64N(1_000_000) }

// Sample draws finished reviews at random, of each coder apart, and keeps them as
// cases to be coded again blind. By is a login, or that of the console.
//
// What is drawn follows from the draw and from the reviews that are finished, and
// from nothing that was drawn before: a review that an earlier sample has is the same
// case in both. Where a sample was drawn in the same way and has the same cases, it
// is given, and no new one made. ErrNoReviews: all are cases already.
func (s *Service) Sample(ctx context.Context, by string, d Draw) (coding.AuditSample, error) {
	d.Recodings = cmp.Or(d.Recodings, 1)
	if !(d.Rate > 0 && d.Rate <= 1) || d.AtLeast < 0 || d.Recodings < 1 || d.Recodings > 3 || !d.From.Before(d.Before) {
		return coding.AuditSample{}, ErrInput
	}
	d.From, d.Before = d.From.UTC().Truncate(time.Microsecond), d.Before.UTC().Truncate(time.Microsecond) // as the database keeps them
	d.Coders = slices.Compact(slices.Sorted(slices.Values(d.Coders)))
	reviews, err := s.store.FinishedReviews(ctx, d.From, d.Before, d.Source, d.Coders)
	if err != nil {
		return coding.AuditSample{}, failed("read finished reviews", err)
	}
	out := coding.AuditSample{DrawnBy: by, DrawnAt: s.moment(), From: d.From, Before: d.Before, Source: d.Source, Coders: d.Coders, Rate: d.Rate,
		AtLeast: d.AtLeast, Seed: d.Seed, Recodings: d.Recodings, Eligible: len(reviews)}
	chosen := choose(reviews, d.Rate, d.AtLeast, d.Seed)
	if same, ok, err := s.drawnSo(ctx, &out, chosen); ok || err != nil {
		return same, err
	}
	if !slices.ContainsFunc(reviews, func(f coding.FinishedReview) bool { return !f.Drawn }) {
		return out, ErrNoReviews
	}
	cases := make([]coding.AuditCase, len(chosen))
	at, unread := map[int64]int{}, []int64{}
	for i, f := range chosen {
		cases[i] = coding.AuditCase{Item: f.Item, FinishSeq: f.Seq, Coder: f.Coder, FinishedAt: f.At}
		if f.Drawn {
			out.Earlier++
			continue
		}
		at[f.Item] = i
		unread = append(unread, f.Item)
	}
	for r, err := range s.store.ItemRecords(ctx, unread) {
		if err != nil {
			return out, failed("read finished items", err)
		}
		c := &cases[at[r.Head.ID]]
		delete(at, r.Head.ID)
		rev, finished := review.Final(r)
		if !finished || rev.Coder != c.Coder {
			c.Item = 0 // reopened meanwhile
			continue
		}
		for _, x := range rev.Codes {
			g := coding.GivenCode{CodeKey: coding.CodeKey{System: x.System, Code: x.Code}, Display: x.Display, Evidence: x.Evidence, Units: x.Units}
			if x.POA != nil {
				g.POA = coding.POA(*x.POA)
			}
			c.Given = append(c.Given, g)
		}
	}
	for _, i := range at {
		cases[i].Item = 0 // gone
	}
	cases = slices.DeleteFunc(cases, func(c coding.AuditCase) bool { return c.Item == 0 })
	if len(cases) == 0 {
		return out, ErrNoReviews
	}
	ev := s.event(by, coding.AuditSampled, fmt.Sprintf("rate %g of %d reviews", d.Rate, len(reviews)))
	if out.ID, out.Cases, err = s.store.AddAuditSample(ctx, out, cases, ev); err != nil {
		return out, failed("keep a sample", err)
	}
	return out, nil
}

// drawnSo gives the sample that was drawn in the same way, out of whomever's hand,
// and has the cases that were chosen now.
func (s *Service) drawnSo(ctx context.Context, as *coding.AuditSample, chosen []coding.FinishedReview) (same coding.AuditSample, ok bool, err error) {
	samples, err := s.store.AuditSamples(ctx)
	if err != nil {
		return same, false, failed("read samples", err)
	}
	for _, o := range samples {
		if !o.From.Equal(as.From) || !o.Before.Equal(as.Before) || o.Source != as.Source || !slices.Equal(o.Coders, as.Coders) ||
			o.Rate != as.Rate || o.AtLeast != as.AtLeast || o.Seed != as.Seed || o.Recodings != as.Recodings || o.Cases != len(chosen) {
			continue
		}
		cases, err := s.store.AuditCaseLines(ctx, o.ID)
		if err != nil {
			return same, false, failed("read cases", err)
		}
		if !slices.ContainsFunc(cases, func(c coding.AuditCase) bool {
			return !slices.ContainsFunc(chosen, func(f coding.FinishedReview) bool { return f.Item == c.Item && f.Seq == c.FinishSeq })
		}) {
			return o, true, nil
		}
	}
	return same, false, nil
}

// choose draws of each coder's reviews the share rate, rounded up, or at least so
// many. A coder's draw depends on the seed and his reviews alone.
func choose(reviews []coding.FinishedReview, rate float64, atLeast int, seed int64) []coding.FinishedReview {
	byCoder := map[string][]coding.FinishedReview{}
	for _, f := range reviews {
		byCoder[f.Coder] = append(byCoder[f.Coder], f)
	}
	var out []coding.FinishedReview
	for coder, list := range byCoder {
		slices.SortFunc(list, order)
		h := fnv.New64a()
		_, _ = h.Write([]byte(coder)) // never fails
		r := rand.New(rand.NewPCG(uint64(seed), h.Sum64()))
		n := max(int(math.Ceil(rate*float64(len(list)))), atLeast) // a coder with few reviews is not left out
		r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		out = append(out, list[:min(n, len(list))]...)
	}
	slices.SortFunc(out, order)
	return out
}

func order(a, b coding.FinishedReview) int {
	return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Item, b.Item), cmp.Compare(a.Seq, b.Seq))
}

// Samples gives all samples, the newest first.
func (s *Service) Samples(ctx context.Context, u coding.User) ([]coding.AuditSample, error) {
	if !u.Role.MaySeeQuality() {
		return nil, ErrForbidden
	}
	return s.store.AuditSamples(ctx)
}

// Cases gives the cases of a sample, or with 0 of all, for a list: without notes and
// codes.
func (s *Service) Cases(ctx context.Context, u coding.User, sample int64) ([]coding.AuditCase, error) {
	if !u.Role.MaySeeQuality() {
		return nil, ErrForbidden
	}
	list, err := s.store.AuditCaseLines(ctx, sample)
	if err != nil {
		return nil, failed("read cases", err)
	}
	return list, nil
}

func hide(c *coding.AuditCase) {
	c.Given = nil
	for i := range c.Recodings {
		c.Recodings[i].Given = nil
	}
}
