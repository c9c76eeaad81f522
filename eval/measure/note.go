package measure

import (
	"slices"

	"chartcode/internal/coding"
)

// levels counts categories, chapters and the nodes of the hierarchy.
func (c *Case) levels(d *[sDense]float64, o *Outcome) {
	chain := func(code string) []string { return []string{coding.Category(code)} }
	c.level(d[sCategory:sCategory+4], o, chain)
	c.level(d[sChapter:sChapter+4], o, func(code string) []string { return []string{Chapter(code)} })
	var h [4]float64
	c.level(h[:], o, ancestors)
	// Whether a node is required or acceptable, suggesting it is right.
	d[sHierShown] += h[0] + h[1] + h[2]
	d[sHierRight] += h[0] + h[1]
	d[sHierFound] += h[0]
	d[sHierRequired] += h[0] + h[3]
}

// level counts distinct nodes as codes are counted: right, acceptable, wrong,
// missed.
func (c *Case) level(to []float64, o *Outcome, nodes func(code string) []string) {
	required, acceptable, shown := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, code := range c.Required {
		for _, n := range nodes(code) {
			required[n] = true
		}
	}
	for _, code := range c.Acceptable {
		for _, n := range nodes(code) {
			acceptable[n] = true
		}
	}
	for i, v := range o.Verdicts {
		if v != Unscored {
			for _, n := range nodes(c.Shown[i].Code) {
				shown[n] = true
			}
		}
	}
	for n := range shown {
		switch {
		case required[n]:
			to[0]++
		case acceptable[n]:
			to[1]++
		default:
			to[2]++
		}
	}
	for n := range required {
		if !shown[n] {
			to[3]++
		}
	}
}

// ranking counts along the list that a coder would go down: what is shown, then
// the candidates.
func (c *Case) ranking(d *[sDense]float64) {
	required, acceptable := set(c.Required), set(c.Acceptable)
	d[sGold] += float64(len(required))
	for j, code := range c.Candidates {
		if required[code] {
			d[sRetrieved]++
			for i, k := range retrievalDepths() {
				if j < k {
					d[sFoundFirst+i]++
				}
			}
		}
	}
	if len(required) == 0 {
		return
	}
	d[sWithGold]++
	seen := map[string]bool{}
	hits, sum := 0, 0.0
	add := func(code string) {
		if len(seen) >= apDepth || seen[code] {
			return
		}
		seen[code] = true
		for i, k := range rankDepths() {
			if len(seen) > k {
				continue
			}
			if required[code] {
				d[sFound+i]++
			}
			if required[code] || acceptable[code] {
				d[sHits+i]++
			}
		}
		if required[code] {
			hits++
			sum += float64(hits) / float64(len(seen))
		}
	}
	for i := range c.Shown {
		add(c.Shown[i].Code)
	}
	for _, code := range c.Candidates {
		if len(seen) >= apDepth || hits == len(required) && len(seen) >= 10 {
			break
		}
		add(code)
	}
	d[sAP] += sum / float64(len(required))
}

func set(list []string) map[string]bool {
	out := make(map[string]bool, len(list))
	for _, s := range list {
		out[s] = true
	}
	return out
}

// evidence compares the words shown for right and acceptable codes with gold's,
// byte by byte.
func (c *Case) evidence(d *[sDense]float64, o *Outcome) {
	for i, v := range o.Verdicts {
		if v != Right && v != Allowed {
			continue
		}
		gold := c.Evidence[c.Shown[i].Code]
		if len(gold) == 0 {
			continue
		}
		g, s := union(gold), union(c.Shown[i].Evidence)
		both := 0
		for _, a := range g {
			for _, b := range s {
				both += max(0, min(a.End, b.End)-max(a.Start, b.Start))
			}
		}
		d[sEvCodes]++
		if both > 0 {
			d[sEvTouching]++
		}
		d[sEvBoth] += float64(both)
		d[sEvGold] += float64(length(g))
		d[sEvShown] += float64(length(s))
	}
}

// union gives disjoint spans, in order, that cover the same bytes.
func union(spans []coding.Span) []coding.Span {
	s := slices.Clone(spans)
	slices.SortFunc(s, func(a, b coding.Span) int { return a.Start - b.Start })
	var out []coding.Span
	for _, x := range s {
		if n := len(out); n > 0 && x.Start <= out[n-1].End {
			out[n-1].End = max(out[n-1].End, x.End)
		} else {
			out = append(out, x)
		}
	}
	return out
}

func length(spans []coding.Span) int {
	n := 0
	for _, s := range spans {
		n += s.Len()
	}
	return n
}
