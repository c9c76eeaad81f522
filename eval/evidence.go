package eval

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"

	"chartcode/internal/coding"
	"chartcode/internal/gbdt"
	"chartcode/internal/learned"
	"chartcode/pipeline/retrieve"
)

// Places are the places of one note that were judged by reading: whether they
// support a code.
type Places struct {
	NoteID string `json:"note_id"`
	Code   string `json:"code"`
	Places []struct {
		coding.Span
		Supports bool `json:"supports"`
	} `json:"places"`
}

// judgement gives what was said of a stretch of the note, which may have been judged
// as part of a longer or by a shorter one.
func (p *Places) judgement(at coding.Span) (supports, ok bool) {
	yes, no := false, false
	for _, q := range p.Places {
		switch {
		case q.Span == at, q.Supports && at.Contains(q.Span):
			return q.Supports, true
		case q.Overlaps(at):
			yes, no = yes || q.Supports, no || !q.Supports
		}
	}
	return yes && !no, yes != no
}

// ReadPlaces reads a file of JSON lines.
func ReadPlaces(path string) ([]Places, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var out []Places
	for n, line := range bytes.Split(bytes.TrimSpace(b), []byte("\n")) {
		var p Places
		if err := json.Unmarshal(line, &p); err != nil {
			return nil, fmt.Errorf("%s:%d is no judged place", path, n+1)
		}
		out = append(out, p)
	}
	return out, nil
}

// ShownLines writes suggestions as JSON lines for people to judge their evidence:
// offsets, no text of a note.
func ShownLines(results []Result) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	for i := range results {
		r := &results[i]
		for _, s := range r.Shown {
			spans := make([]coding.Span, len(s.Evidence))
			for k, e := range s.Evidence {
				spans[k] = e.Span
			}
			_ = enc.Encode(struct { // a buffer takes all
				NoteID     string        `json:"note_id"`
				Code       string        `json:"code"`
				Confidence float64       `json:"confidence"`
				Evidence   []coding.Span `json:"evidence"`
			}{r.Note.NoteID, s.Code, s.Confidence, spans})
		}
	}
	return b.Bytes()
}

// EvidenceReport compares what retrieval thinks of places with what people said
// of them.
type EvidenceReport struct {
	Judged, Found, Right int      // places of the file; of them still stated places of their code; of these supporting
	AUC                  float64  // area under the curve of the present weights
	Refit                float64  // and of weights fitted anew, by 10-fold cross-validation by note
	At                   []Cut    // how often the likeliest place of a code is right
	Values               []string // with their present and newly fitted weights
	Now, Fitted          []float64
	Bias                 float64
	Misled               []Misled // likeliest first
}

// Misled is a place that does not support its code and is the likeliest of it.
type Misled struct {
	NoteID, Code string
	coding.Span
	Support float64
	Values  []float64 // by GroundValues
}

// Cut is a least support.
type Cut struct {
	Support      float64
	Codes, Right int
}

// Evidence judges the places anew by models that leave their note out of what
// they counted, and fits the weights again.
func (d *Data) Evidence(ctx context.Context, m *learned.Models, judged []Places) (EvidenceReport, error) {
	rep := EvidenceReport{Values: retrieve.GroundValues(), Now: retrieve.GroundWeights()}
	r, err := d.Retriever.With(m)
	if err != nil {
		return rep, err
	}
	byNote := map[string][]Places{}
	for _, p := range judged {
		byNote[p.NoteID] = append(byNote[p.NoteID], p)
		rep.Judged += len(p.Places)
	}
	found := make([][]foundPlace, len(d.Notes))
	errs := make([]error, len(d.Notes))
	both(len(d.Notes), func(i int) {
		own := byNote[d.Notes[i].NoteID]
		if own == nil {
			return
		}
		var codes map[string][]retrieve.Judged
		codes, errs[i] = r.Judge(ctx, d.Docs[i], d.Table, retrieve.Options{Style: coding.Mentions, LeaveOut: d.ownOf(i)})
		for _, p := range own {
			for _, place := range p.Places {
				if k := slices.IndexFunc(codes[p.Code], func(j retrieve.Judged) bool { return j.Span == place.Span }); k >= 0 {
					j := &codes[p.Code][k]
					found[i] = append(found[i], foundPlace{i, p.Code, place.Span, j.Support, j.X, place.Supports})
				}
			}
		}
	})
	if err := errors.Join(errs...); err != nil {
		return rep, err
	}
	all := slices.Concat(found...)
	if len(all) == 0 {
		return rep, fmt.Errorf("%w: none of the judged places is found in the notes", ErrData)
	}
	rep.Found = len(all)
	for _, f := range all {
		rep.Right += int(truth(f.right))
	}
	rep.AUC = auc(all, func(f foundPlace) float64 { return f.support })
	best := likeliest(all)
	rep.At = cuts(best)
	for _, f := range best {
		if !f.right {
			rep.Misled = append(rep.Misled, Misled{d.Notes[f.note].NoteID, f.code, f.span, f.support, f.x})
		}
	}
	slices.SortStableFunc(rep.Misled, func(a, b Misled) int { return cmp.Compare(b.Support, a.Support) })
	rep.Bias, rep.Fitted = logistic(all)
	const k = 10
	out := make([]foundPlace, 0, len(all))
	for fold := range k {
		bias, w := logistic(slices.DeleteFunc(slices.Clone(all), func(f foundPlace) bool { return f.note%k == fold }))
		for _, f := range all {
			if f.note%k == fold {
				f.support = bias + dot(w, f.x)
				out = append(out, f)
			}
		}
	}
	rep.Refit = auc(out, func(f foundPlace) float64 { return f.support })
	return rep, nil
}

// foundPlace is a judged place with what retrieval knows of it.
type foundPlace struct {
	note    int
	code    string
	span    coding.Span
	support float64
	x       []float64
	right   bool
}

// likeliest gives the likeliest judged place of each code of a note.
func likeliest(all []foundPlace) []foundPlace {
	type key struct {
		note int
		code string
	}
	at := map[key]int{}
	var best []foundPlace
	for _, f := range all {
		k := key{f.note, f.code}
		if b, ok := at[k]; !ok {
			at[k] = len(best)
			best = append(best, f)
		} else if f.support > best[b].support {
			best[b] = f
		}
	}
	return best
}

// cuts counts, for several least supports, the codes whose likeliest judged place
// reaches it.
func cuts(best []foundPlace) []Cut {
	var out []Cut
	for _, s := range []float64{0, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85} {
		c := Cut{Support: s}
		for _, f := range best {
			if f.support >= s {
				c.Codes++
				c.Right += int(truth(f.right))
			}
		}
		out = append(out, c)
	}
	return out
}

// auc is the share of pairs of a right and a wrong place in which the right one
// scores higher, ties counted half (Mann and Whitney).
func auc(all []foundPlace, score func(foundPlace) float64) float64 {
	var sum, pairs float64
	for _, a := range all {
		if !a.right {
			continue
		}
		for _, b := range all {
			if b.right {
				continue
			}
			pairs++
			switch cmp.Compare(score(a), score(b)) {
			case 1:
				sum++
			case 0:
				sum += 0.5
			}
		}
	}
	return sum / max(pairs, 1)
}

// logistic fits weights by Newton's method with a small penalty on their squares
// (ridge), the bias free of it.
func logistic(all []foundPlace) (bias float64, w []float64) {
	n := len(all[0].x)
	beta := make([]float64, n+1) // the last is the bias
	for range 30 {
		g := make([]float64, n+1)
		h := make([][]float64, n+1)
		for i := range h {
			h[i] = make([]float64, n+1)
			if i < n {
				g[i], h[i][i] = beta[i], 1
			} else {
				h[i][i] = 1e-9
			}
		}
		for _, f := range all {
			x := append(slices.Clone(f.x), 1)
			p := gbdt.Logistic(dot(beta, x))
			for i, a := range x {
				if a == 0 {
					continue
				}
				g[i] += (p - float64(truth(f.right))) * a
				for j, b := range x {
					h[i][j] += p * (1 - p) * a * b
				}
			}
		}
		step := solve(h, g)
		moved := 0.0
		for i := range beta {
			beta[i] -= step[i]
			moved = max(moved, math.Abs(step[i]))
		}
		if moved < 1e-6 {
			break
		}
	}
	return beta[n], beta[:n]
}

func dot(a, b []float64) (s float64) {
	for i, x := range a {
		s += x * b[i]
	}
	return s
}

// solve gives x of a x = b for a symmetric and positive definite a, which it
// overwrites, by Gaussian elimination.
func solve(a [][]float64, b []float64) []float64 {
	x := slices.Clone(b)
	for i := range a {
		for j := i + 1; j < len(a); j++ {
			f := a[j][i] / a[i][i]
			for k := i; k < len(a); k++ {
				a[j][k] -= f * a[i][k]
			}
			x[j] -= f * x[i]
		}
	}
	for i := len(a) - 1; i >= 0; i-- {
		for k := i + 1; k < len(a); k++ {
			x[i] -= a[i][k] * x[k]
		}
		x[i] /= a[i][i]
	}
	return x
}

// MisledText lists the likeliest places that do not support their code, with the
// values that are not 0. It holds offsets and nothing of a note's text.
func (r *EvidenceReport) MisledText() string {
	var b strings.Builder
	for _, m := range r.Misled {
		fmt.Fprintf(&b, "%.2f %s %d-%d %s", m.Support, m.NoteID, m.Start, m.End, m.Code)
		for k, x := range m.Values {
			if x != 0 {
				fmt.Fprintf(&b, " %s=%.2g", r.Values[k], x)
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// Text is for people.
func (r *EvidenceReport) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d places judged, %d of them stated places of their code now, %d of these supporting\n", r.Judged, r.Found, r.Right)
	fmt.Fprintf(&b, "area under the curve: %.3f with the weights of the program; %.3f fitted anew, 10-fold by note\n\n", r.AUC, r.Refit)
	fmt.Fprintf(&b, "least support   codes   likeliest place right\n")
	for _, c := range r.At {
		fmt.Fprintf(&b, "%13.2f %7d   %.3f\n", c.Support, c.Codes, float64(c.Right)/float64(max(c.Codes, 1)))
	}
	fmt.Fprintf(&b, "\n%-10s %8s %8s\n%-10s %8s %8.2f\n", "value", "weight", "fitted", "bias", "", r.Bias)
	for i, v := range r.Values {
		fmt.Fprintf(&b, "%-10s %8.2f %8.2f\n", v, r.Now[i], r.Fitted[i])
	}
	return b.String()
}
