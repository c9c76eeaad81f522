package chart_test

import (
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"

	"chartcode/internal/chart"
)

var attribute = regexp.MustCompile(`(style|on\w+)="|<style|<script|rgb\(|#[0-9a-f]{3}`)

// Drawings obey the pages' policy, hold each series under a class of its own, and
// say what they are.
func TestDrawings(t *testing.T) {
	t.Parallel()
	for kind, name := range map[chart.Kind]string{chart.Lines: "lines", chart.Bars: "bars", chart.Stacked: "stacked", chart.Rows: "rows"} {
		c := chart.Chart{Title: `Notes & "more" <b>`, Kind: kind, Format: func(v float64) string { return fmt.Sprintf("%.0f u", v) }}
		for i := range 30 {
			c.Labels = append(c.Labels, fmt.Sprintf("03-%02d", i+1))
		}
		for i := range 3 {
			s := chart.Series{Name: fmt.Sprint("series ", i)}
			for k := range 30 {
				s.Values = append(s.Values, 20+10*math.Sin(float64(k+i)))
			}
			s.Values[4] = math.NaN()
			c.Series = append(c.Series, s)
		}
		svg, err := c.SVG()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		text := string(svg)
		for _, bad := range attribute.FindAllString(text, -1) {
			t.Errorf("%s has %s", name, bad)
		}
		for _, want := range []string{`role="img"`, `aria-label="Notes &amp; &#34;more&#34; &lt;b&gt;"`, "-s1", "-s2", "-s3", "fill-text", " u</text>", "03-01"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s has no %q:\n%.600s", name, want, text)
			}
		}
	}
	// Axes begin at 0, also where all values are between 0 and 1.
	for _, kind := range []chart.Kind{chart.Lines, chart.Bars, chart.Stacked, chart.Rows} {
		svg, err := (chart.Chart{Kind: kind, Labels: []string{"a", "b"}, Series: []chart.Series{{Values: []float64{0.4, 0.7}}, {Values: []float64{0.2, 0.1}}},
			Format: func(v float64) string { return fmt.Sprintf("v%.2f", v) }}).SVG()
		if err != nil || !strings.Contains(string(svg), ">v0.00<") || strings.Contains(string(svg), "v-") {
			t.Errorf("the axis of kind %d does not begin at 0 (%v): %s", kind, err, regexp.MustCompile(`>v[^<]*<`).FindAllString(string(svg), -1))
		}
	}
	if _, err := (chart.Chart{Labels: []string{"a"}}).SVG(); err == nil {
		t.Error("a chart without a series was drawn")
	}
}
