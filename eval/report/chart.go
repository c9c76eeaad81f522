package report

import (
	"fmt"
	"html"
	"html/template"
	"math"
	"strings"

	"chartcode/eval/measure"
)

// row is a value with its interval.
type row struct {
	label            string
	value, low, high float64
	n                string // what it was counted over
}

// svg collects the elements of a drawing.
type svg struct {
	strings.Builder
	width, height float64
}

func newSVG(width, height float64, title string) *svg {
	s := &svg{width: width, height: height}
	fmt.Fprintf(s, `<svg viewBox="0 0 %g %g" width="%g" height="%g" role="img" aria-label="%s" font-family="system-ui,sans-serif" font-size="12">`, width, height, width, height, html.EscapeString(title))
	return s
}

func (s *svg) done() template.HTML {
	s.WriteString("</svg>")
	return template.HTML(s.String()) //nolint:gosec // all text in it is escaped where it is written
}

func (s *svg) line(x1, y1, x2, y2 float64, class string) {
	fmt.Fprintf(s, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" class="%s"/>`, x1, y1, x2, y2, class)
}

func (s *svg) text(x, y float64, anchor, class, text string) {
	fmt.Fprintf(s, `<text x="%.1f" y="%.1f" text-anchor="%s" class="%s">%s</text>`, x, y, anchor, class, html.EscapeString(text))
}

func (s *svg) dot(x, y float64, class string) {
	fmt.Fprintf(s, `<circle cx="%.1f" cy="%.1f" r="4" class="%s"/>`, x, y, class)
}

// ticks gives round places from low to high, about n of them.
func ticks(low, high float64, n int) []float64 {
	if high <= low {
		high = low + 1
	}
	raw := (high - low) / float64(n)
	step := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, m := range []float64{1, 2, 5, 10} {
		if m*step >= raw {
			step *= m
			break
		}
	}
	var out []float64
	for i := math.Ceil(low/step - 1e-9); i*step <= high+1e-9*step; i++ {
		out = append(out, i*step)
	}
	return out
}

func tickText(x float64) string {
	if math.Abs(x) < 1e-12 {
		return "0"
	}
	return strings.TrimSuffix(fmt.Sprintf("%.4g", x), ".0")
}

// forest draws one row for each value, with its interval, over a common axis.
// zero draws the line of no difference.
func forest(title, axis string, rows []row, low, high float64, zero bool) template.HTML {
	const left, right, top, each, bottom = 280.0, 150.0, 12.0, 24.0, 44.0
	const width = 860.0
	height := top + each*float64(len(rows)) + bottom
	s := newSVG(width, height, title)
	scale := func(v float64) float64 {
		v = min(max(v, low), high)
		return left + (v-low)/(high-low)*(width-left-right)
	}
	end := top + each*float64(len(rows))
	for _, t := range ticks(low, high, 8) {
		s.line(scale(t), top, scale(t), end, "grid")
		s.text(scale(t), end+16, "middle", "tick", tickText(t))
	}
	if zero {
		s.line(scale(0), top, scale(0), end, "zero")
	}
	for i, r := range rows {
		y := top + each*(float64(i)+0.5)
		s.text(left-10, y+4, "end", "label", r.label)
		s.line(scale(r.low), y, scale(r.high), y, "bar")
		s.line(scale(r.low), y-4, scale(r.low), y+4, "bar")
		s.line(scale(r.high), y-4, scale(r.high), y+4, "bar")
		s.dot(scale(r.value), y, "dot")
		s.text(width-right+10, y+4, "start", "tick", measure.Number(r.value)+" "+r.n)
	}
	s.line(left, end, width-right, end, "axis")
	s.text((left+width-right)/2, end+36, "middle", "label", axis)
	return s.done()
}

// square draws values against an axis from 0 to 1. Points are joined by a line
// where joined; diagonal draws where they would lie if they were as said.
func square(title, axisX, axisY string, at []float64, rows []row, highest float64, joined, diagonal bool) template.HTML {
	const left, top, size, bottom = 64.0, 12.0, 320.0, 48.0
	s := newSVG(left+size+24, top+size+bottom, title)
	x := func(v float64) float64 { return left + v*size }
	y := func(v float64) float64 { return top + size - min(v/highest, 1)*size }
	for _, t := range ticks(0, 1, 5) {
		s.line(x(t), top, x(t), top+size, "grid")
		s.text(x(t), top+size+16, "middle", "tick", tickText(t))
	}
	for _, t := range ticks(0, highest, 5) {
		s.line(left, y(t), left+size, y(t), "grid")
		s.text(left-8, y(t)+4, "end", "tick", tickText(t))
	}
	if diagonal {
		s.line(x(0), y(0), x(1), y(1), "zero")
	}
	for i, r := range rows {
		if joined && i > 0 {
			s.line(x(at[i-1]), y(rows[i-1].value), x(at[i]), y(r.value), "bar")
		}
		s.line(x(at[i]), y(r.low), x(at[i]), y(r.high), "bar")
		s.line(x(at[i])-4, y(r.low), x(at[i])+4, y(r.low), "bar")
		s.line(x(at[i])-4, y(r.high), x(at[i])+4, y(r.high), "bar")
		s.dot(x(at[i]), y(r.value), "dot")
	}
	s.line(left, top+size, left+size, top+size, "axis")
	s.line(left, top, left, top+size, "axis")
	s.text(left+size/2, top+size+38, "middle", "label", axisX)
	fmt.Fprintf(s, `<text transform="translate(16 %.1f) rotate(-90)" text-anchor="middle" class="label">%s</text>`, top+size/2, html.EscapeString(axisY))
	return s.done()
}
