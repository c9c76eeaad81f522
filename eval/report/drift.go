package report

import (
	"fmt"
	"html"
	"html/template"
	"slices"

	"chartcode/eval/measure"
)

// Drift draws what coders did with suggestions week by week: the share accepted
// with the interval of each week's own suggestions, mean confidence, and median
// retrieval rank, each with its change where one is warned of. words says a reason in words.
func Drift(d *measure.Drifting, words func(reason string) string) []Chart {
	if len(d.Weeks) == 0 {
		return nil
	}
	var labels []string
	var accepted, confidence, depth []row
	a := Chart{Title: "Share accepted", About: "Of the decided suggestions of each week; deviation in standard errors from the reference weeks.", Head: []string{"week from", "suggestions", "accepted", "from", "to", "deviation"}}
	c := Chart{Title: "Confidence", About: "Mean confidence of the decided suggestions; deviation in standard errors from the reference weeks.", Head: []string{"week from", "mean confidence", "deviation"}}
	r := Chart{Title: "Retrieval depth", About: "Median rank at which retrieval had the decided codes; deviation in standard errors, by how many lie above the median of the reference weeks.", Head: []string{"week from", "median rank", "deviation"}}
	deepest := 1.0
	for i := range d.Weeks {
		w := &d.Weeks[i]
		f := measure.Proportion(int(w.Acceptance*float64(w.N)+0.5), w.N, 0.95)
		label := w.Start.Format("2006-01-02")
		labels = append(labels, label)
		accepted = append(accepted, row{label, f.Value, f.Low, f.High, ""})
		a.Rows = append(a.Rows, []string{label, fmt.Sprint(w.N), measure.Number(f.Value), measure.Number(f.Low), measure.Number(f.High), fmt.Sprintf("%+.1f", w.Deviation)})
		confidence = append(confidence, row{label, w.Confidence, w.Confidence, w.Confidence, ""})
		c.Rows = append(c.Rows, []string{label, measure.Number(w.Confidence), fmt.Sprintf("%+.1f", w.ConfidenceDeviation)})
		depth = append(depth, row{label, w.Depth, w.Depth, w.Depth, ""})
		known, deviation := measure.Number(w.Depth), fmt.Sprintf("%+.1f", w.DepthDeviation)
		if w.Depth == 0 {
			known = "not known"
		}
		if w.Depth == 0 || !d.DepthsKnown() {
			deviation = "not known"
		}
		r.Rows = append(r.Rows, []string{label, known, deviation})
		deepest = max(deepest, w.Depth*1.1)
	}
	change := func(c *measure.ChangePoint) int {
		if !c.Warning {
			return -1
		}
		return slices.IndexFunc(d.Weeks, func(w measure.Week) bool { return w.Start.Equal(c.Week) })
	}
	a.Drawing = weekly(a.Title, "share accepted", labels, accepted, 1, d.Reference, change(&d.Change))
	c.Drawing = weekly(c.Title, "mean confidence", labels, confidence, 1, d.Reference, change(&d.ConfidenceChange))
	r.Drawing = weekly(r.Title, "median rank", labels, depth, deepest, d.Reference, change(&d.DepthChange))
	return []Chart{a, reasons(d, words), c, r}
}

// reasons is the mixture of the reasons of rejections.
func reasons(d *measure.Drifting, words func(string) string) Chart {
	c := Chart{Title: "Reasons of rejections", About: "Share of each week's rejections; how far the mixture has moved from the reference weeks, 0 to 1.", Head: []string{"week from", "moved"}}
	var all []string
	var moved []row
	var labels []string
	for _, w := range d.Weeks {
		for reason := range w.Reasons {
			if !slices.Contains(all, reason) {
				all = append(all, reason)
			}
		}
	}
	slices.Sort(all)
	for _, reason := range all {
		c.Head = append(c.Head, words(reason))
	}
	for _, w := range d.Weeks {
		label := w.Start.Format("2006-01-02")
		labels, moved = append(labels, label), append(moved, row{label, w.Moved, w.Moved, w.Moved, ""})
		line := []string{label, measure.Number(w.Moved)}
		for _, reason := range all {
			line = append(line, fmt.Sprintf("%.0f%%", 100*w.Reasons[reason]))
		}
		c.Rows = append(c.Rows, line)
	}
	c.Drawing = weekly(c.Title, "moved from the reference", labels, moved, 1, d.Reference, -1)
	return c
}

// weekly draws values over weeks. The reference weeks lie on a band; change is the
// week from which a change is warned of, -1 for none.
func weekly(title, axis string, labels []string, rows []row, highest float64, reference, change int) template.HTML {
	const left, right, top, high, bottom = 64.0, 24.0, 16.0, 190.0, 52.0
	const width = 860.0
	s := newSVG(width, top+high+bottom, title)
	step := (width - left - right) / float64(max(len(rows), 1))
	x := func(i int) float64 { return left + (float64(i)+0.5)*step }
	y := func(v float64) float64 { return top + high - min(v/highest, 1)*high }
	fmt.Fprintf(s, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" class="band"/>`, left, top, step*float64(reference), high)
	s.text(left+6, top+high-6, "start", "tick", "reference")
	for _, t := range ticks(0, highest, 5) {
		s.line(left, y(t), width-right, y(t), "grid")
		s.text(left-8, y(t)+4, "end", "tick", tickText(t))
	}
	every := (len(rows) + 9) / 10 // no more labels than have room
	for i, r := range rows {
		if i%every == 0 {
			s.text(x(i), top+high+16, "middle", "tick", labels[i])
		}
		if i > 0 {
			s.line(x(i-1), y(rows[i-1].value), x(i), y(r.value), "joint")
		}
		if r.high > r.low {
			s.line(x(i), y(r.low), x(i), y(r.high), "bar")
		}
		s.dot(x(i), y(r.value), "dot")
	}
	if change > 0 {
		at := left + step*float64(change)
		s.line(at, top, at, top+high, "zero")
		s.text(at+4, top+high-6, "start", "label", "change")
	}
	s.line(left, top+high, width-right, top+high, "axis")
	s.line(left, top, left, top+high, "axis")
	s.text((left+width-right)/2, top+high+40, "middle", "label", "week from")
	fmt.Fprintf(s, `<text transform="translate(16 %.1f) rotate(-90)" text-anchor="middle" class="label">%s</text>`, top+high/2, html.EscapeString(axis))
	return s.done()
}
