package eval

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"chartcode/internal/coding"
	"chartcode/internal/learned"
	"chartcode/pipeline/rank"
	"chartcode/pipeline/retrieve"
)

// Config of Accuracy.
type Config struct {
	Data     *Data
	Fit      FitConfig
	Ablation bool                            // also leave each part out in turn
	Progress func(done, of int, what string) // may be nil
}

// Line is one measured variant.
type Line struct {
	Name   string
	Scores Scores
}

// Report is what Accuracy measured.
type Report struct {
	Notes, Articles, Folds int
	Lines                  []Line   // candidates only: dense alone, lexical alone, fused, without any training
	Full                   Scores   // the trained system, every note by models that did not see it
	Results                []Result // of Full, by note
	Ablation               []Line
	Threshold              []float64 // by fold
	Calibration            learned.Calibration
	ShownAt                float64 // threshold over all folds' held-out notes, for the shipped models
}

// Accuracy measures the local ranker by cross-validation: for each fold, the
// models are trained on the other folds' notes and the held-out notes go through
// the same retrieval and ranking as in production. Threshold and calibration of
// a fold are chosen on the other folds' held-out scores.
func Accuracy(ctx context.Context, c Config) (Report, error) {
	d := c.Data
	folds := KeptFolds(d.Notes)
	rep := Report{Notes: len(d.Notes), Articles: len(folds.of), Folds: folds.K}
	say := func(i, of int, what string) {
		if c.Progress != nil {
			c.Progress(i, of, what)
		}
	}
	for i, v := range []struct {
		name string
		o    retrieve.Options
	}{
		{"dense alone", retrieve.Options{NoLexical: true}},
		{"lexical alone", retrieve.Options{NoDense: true}},
		{"fused, untrained", retrieve.Options{}},
	} {
		say(i, 3, v.name)
		if v.name != "lexical alone" && !d.Retriever.HasVectors() {
			continue
		}
		s, err := d.untrained(ctx, v.o)
		if err != nil {
			return rep, err
		}
		rep.Lines = append(rep.Lines, Line{v.name, s})
	}
	full, err := d.cross(ctx, folds, c.Fit, say)
	if err != nil {
		return rep, err
	}
	res, thresholds := full.results(d, folds)
	rep.Full, rep.Results, rep.Threshold = Score(res), res, thresholds
	rep.Calibration, rep.ShownAt = full.choose(d, func(int) bool { return true })
	if c.Ablation {
		for _, a := range ablations(c.Fit, d.Retriever.HasVectors()) {
			x, err := d.cross(ctx, folds, a.fit, func(i, of int, _ string) { say(i, of, a.name) })
			if err != nil {
				return rep, err
			}
			res, _ := x.results(d, folds)
			rep.Ablation = append(rep.Ablation, Line{a.name, Score(res)})
		}
	}
	return rep, nil
}

type ablation struct {
	name string
	fit  FitConfig
}

func ablations(f FitConfig, vectors bool) []ablation {
	var out []ablation
	add := func(name string, change func(*FitConfig)) {
		g := f
		change(&g)
		out = append(out, ablation{name, g})
	}
	if vectors {
		add("without vectors", func(g *FitConfig) { g.NoDense = true })
		add("without words", func(g *FitConfig) { g.NoLexical = true })
	}
	add("without frequencies and phrases", func(g *FitConfig) { g.NoMemory = true })
	add("without the second model", func(g *FitConfig) { g.Rank.Trees = -1 })
	return out
}

func (d *Data) untrained(ctx context.Context, o retrieve.Options) (Scores, error) {
	r, err := d.Retriever.With(nil)
	if err != nil {
		return Scores{}, err
	}
	res := make([]Result, len(d.Notes))
	errs := make([]error, len(d.Notes))
	both(len(d.Notes), func(i int) {
		var cands []coding.Candidate
		cands, errs[i] = r.Retrieve(ctx, d.Docs[i], d.Table, o)
		res[i] = Result{Note: &d.Notes[i], Candidates: Codes(cands)}
	})
	return Score(res), errors.Join(errs...)
}

// crossed holds, for each note, the candidates and the ranker's log odds by
// models that did not see it.
type crossed struct {
	cands [][]string
	odds  [][]float64
	known []CodeKnown
	shown [][]rank.Shown
}

func (d *Data) cross(ctx context.Context, folds Folds, fit FitConfig, say func(int, int, string)) (*crossed, error) {
	n := len(d.Notes)
	x := &crossed{make([][]string, n), make([][]float64, n), make([]CodeKnown, n), make([][]rank.Shown, n)}
	for f := range folds.K {
		say(f, folds.K, "train and measure")
		var train []int
		for i := range d.Notes {
			if folds.Of(&d.Notes[i]) != f {
				train = append(train, i)
			}
		}
		m, err := d.Fit(ctx, train, fit)
		if err != nil {
			return nil, err
		}
		seen := map[string]bool{}
		for _, i := range train {
			for c := range d.gold[i] {
				seen[c] = true
			}
		}
		all := models(fit.Style, m)
		r, err := d.Retriever.With(all)
		if err != nil {
			return nil, err
		}
		l, err := rank.NewLocal(rank.LocalConfig{Models: all})
		if err != nil {
			return nil, err
		}
		errs := make([]error, n)
		both(n, func(i int) {
			if folds.Of(&d.Notes[i]) != f {
				return
			}
			var cands []coding.Candidate
			cands, errs[i] = r.Retrieve(ctx, d.Docs[i], d.Table, d.options(fit))
			in := rank.Input{Note: d.Notes[i].Note, Doc: d.Docs[i], Style: fit.Style, Candidates: cands, Table: d.Table}
			x.cands[i], x.odds[i], x.shown[i] = Codes(cands), l.Scores(in), l.Show(in)
			x.known[i] = func(code string) bool { return seen[code] }
		})
		if err := errors.Join(errs...); err != nil {
			return nil, err
		}
	}
	return x, nil
}

// choose fits calibration and threshold on the notes for which use is true. With a
// model of evidence the threshold is the lowest at which what is shown is supported
// as often as it should. Without one it is the highest whose micro-F1 is nearly the
// best: a wrong suggestion costs a coder more than a missing one.
func (x *crossed) choose(d *Data, use func(i int) bool) (learned.Calibration, float64) {
	type one struct {
		note, at int
		worth    float64
		right    bool
	}
	var all []one
	var odds []float64
	var right []bool
	gold, judged := 0, false
	for i := range d.held {
		if !use(i) {
			continue
		}
		gold += len(d.gold[i])
		for j, o := range x.odds[i] {
			code := x.cands[i][j]
			ok := d.gold[i][code]
			if x.shown[i][j].Evidence == nil || (!ok && (d.acceptable[i][code] || d.Notes[i].Dropped(code))) {
				continue
			}
			all = append(all, one{i, j, 0, ok})
			odds, right = append(odds, o), append(right, ok)
			judged = judged || x.shown[i][j].Support < 1
		}
	}
	cal := learned.Calibrate(odds, right)
	for k := range all {
		all[k].worth = x.shown[all[k].note][all[k].at].Worth(cal.Probability(odds[k]))
	}
	slices.SortStableFunc(all, func(a, b one) int { return cmp.Compare(b.worth, a.worth) })
	threshold := 0.5
	if judged {
		sum := 0.0
		for n, a := range all {
			if sum += x.shown[a.note][a.at].Support; sum >= supportedShare*float64(n+1) {
				threshold = a.worth
			}
		}
		return cal, threshold
	}
	best, hits := 0.0, 0
	f := make([]float64, len(all))
	for n, a := range all {
		if a.right {
			hits++
		}
		f[n] = 2 * float64(hits) / float64(n+1+gold)
		best = max(best, f[n])
	}
	for n, a := range all { // the first, and so the highest, that is good enough
		if f[n] >= best-nearBest {
			threshold = a.worth
			break
		}
	}
	return cal, threshold
}

// nearBest is how much micro-F1 may be given for fewer wrong suggestions.
const nearBest = 0.006

// supportedShare is how likely the likeliest place of what is shown should support
// its code, on average and as the model of evidence sees it, which learned from
// readers of different strictness. The higher, the lower micro-F1: it is as high as
// leaves micro-F1 above 0.555.
const supportedShare = 0.872

// results applies to each fold what the other folds chose.
func (x *crossed) results(d *Data, folds Folds) ([]Result, []float64) {
	res := make([]Result, d.held)
	thresholds := make([]float64, folds.K)
	for f := range folds.K {
		cal, t := x.choose(d, func(i int) bool { return folds.heldOutside(&d.Notes[i], f) })
		thresholds[f] = t
		for i := range d.held {
			if folds.Of(&d.Notes[i]) != f {
				continue
			}
			r := Result{Note: &d.Notes[i], Candidates: x.cands[i], Known: x.known[i]}
			for j, o := range x.odds[i] {
				if p, s := cal.Probability(o), &x.shown[i][j]; s.Evidence != nil && s.Worth(p) >= t {
					r.Shown = append(r.Shown, Shown{x.cands[i][j], p, s.Evidence})
				}
			}
			slices.SortStableFunc(r.Shown, func(a, b Shown) int {
				switch {
				case a.Confidence > b.Confidence:
					return -1
				case a.Confidence < b.Confidence:
					return 1
				}
				return 0
			})
			res[i] = r
		}
	}
	return res, thresholds
}
