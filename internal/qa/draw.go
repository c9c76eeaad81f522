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

// Sample draws finished reviews at random, of each coder apart, and keeps them as
// cases to be coded again blind. By is a login, or that of the console.
func (s *Service) Sample(ctx context.Context, by string, d Draw) (coding.AuditSample, error) {
	d.Recodings = cmp.Or(d.Recodings, 1)
	if !(d.Rate > 0 && d.Rate <= 1) || d.AtLeast < 0 || d.Recodings < 1 || d.Recodings > 3 || !d.From.Before(d.Before) {
		return coding.AuditSample{}, ErrInput
	}
	reviews, err := s.store.FinishedReviews(ctx, d.From, d.Before, d.Source)
	if err != nil {
		return coding.AuditSample{}, failed("read finished reviews", err)
	}
	if len(d.Coders) > 0 {
		reviews = slices.DeleteFunc(reviews, func(f coding.FinishedReview) bool { return !slices.Contains(d.Coders, f.Coder) })
	}
	out := coding.AuditSample{DrawnBy: by, DrawnAt: s.moment(), From: d.From, Before: d.Before, Source: d.Source, Rate: d.Rate,
		AtLeast: d.AtLeast, Seed: d.Seed, Recodings: d.Recodings, Eligible: len(reviews)}
	var cases []coding.AuditCase
	for _, f := range choose(reviews, d.Rate, d.AtLeast, d.Seed) {
		r, found, err := s.store.ItemRecord(ctx, f.Item, nil)
		if err != nil {
			return out, failed("read a finished item", err)
		}
		rev, finished := review.Final(r)
		if !found || !finished || rev.Coder != f.Coder {
			continue // reopened meanwhile
		}
		c := coding.AuditCase{Item: f.Item, FinishSeq: f.Seq, Coder: f.Coder, FinishedAt: f.At}
		for _, x := range rev.Codes {
			c.Given = append(c.Given, coding.GivenCode{CodeKey: coding.CodeKey{System: x.System, Code: x.Code}, Display: x.Display, Evidence: x.Evidence})
		}
		cases = append(cases, c)
	}
	if len(cases) == 0 {
		return out, ErrNoReviews
	}
	ev := s.event(by, coding.AuditSampled, fmt.Sprintf("rate %g of %d reviews", d.Rate, len(reviews)))
	if out.ID, out.Cases, err = s.store.AddAuditSample(ctx, out, cases, ev); err != nil {
		return out, failed("keep a sample", err)
	}
	return out, nil
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

// Cases gives the cases of a sample, or with 0 of all, without notes. Codes are
// left out of those that are not judged.
func (s *Service) Cases(ctx context.Context, u coding.User, sample int64) ([]coding.AuditCase, error) {
	if !u.Role.MaySeeQuality() {
		return nil, ErrForbidden
	}
	list, err := s.store.AuditCases(ctx, sample, "")
	if err != nil {
		return nil, failed("read cases", err)
	}
	for i := range list {
		if list[i].Judgement == nil {
			hide(&list[i])
		}
	}
	return list, nil
}

func hide(c *coding.AuditCase) {
	c.Given = nil
	for i := range c.Recodings {
		c.Recodings[i].Given = nil
	}
}
