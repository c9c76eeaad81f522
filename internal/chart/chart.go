// Package chart draws line and bar charts as SVG to stand within a page.
//
// Drawing is done by go-analyze/charts. What it writes is rewritten: its inline styles,
// which a content security policy forbids, become classes (see classes), so that
// the page's style sheet gives the colours: for light and dark, for print, and
// apart by lightness and dashes for those who cannot tell hues. Fonts are the page's.
//
// Reports of evaluations draw for themselves, see chartcode/eval/report: they show
// values with their intervals, which the library does not draw.
package chart

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"io"
	"math"
	"slices"
	"strings"

	"encoding/xml"

	"github.com/go-analyze/charts"
)

// Kind says how a chart is drawn.
type Kind int

// The kinds of charts.
const (
	Lines   Kind = iota
	Bars         // of the series side by side
	Stacked      // bars of the series on top of each other
	Rows         // bars that lie, one for each label, the first on top
)

// Chart is what to draw.
type Chart struct {
	Title  string // for those who cannot see it
	Kind   Kind
	Labels []string
	Series []Series
	Format func(float64) string // of the axis
	Max    float64              // of the axis; 0: by the values
}

// Series are values, NaN where there are none.
type Series struct {
	Name   string
	Values []float64
}

// MaxSeries is how many series can be told apart.
const MaxSeries = 6

// Colours stand for classes until the drawing is rewritten.
var (
	text   = charts.Color{R: 1, G: 1, B: 1, A: 255}
	axis   = charts.Color{R: 2, G: 2, B: 2, A: 255}
	grid   = charts.Color{R: 3, G: 3, B: 3, A: 255}
	ground = charts.Color{R: 4, G: 4, B: 4, A: 255}
)

func colour(series int) charts.Color {
	return charts.Color{R: uint8(10 + series), G: 200, B: 100, A: 255}
}

// classes are the style sheet's names for colours as the library writes them.
var classes = func() map[string]string {
	m := map[string]string{text.String(): "text", axis.String(): "axis", grid.String(): "grid", ground.String(): "ground"}
	for i := range MaxSeries {
		m[colour(i).String()] = fmt.Sprint("s", i+1)
	}
	return m
}()

var theme = func() charts.ColorPalette {
	o := charts.ThemeOption{AxisStrokeColor: axis, AxisSplitLineColor: grid, BackgroundColor: ground, TextColor: text}
	for i := range MaxSeries {
		o.SeriesColors = append(o.SeriesColors, colour(i))
	}
	return charts.MakeTheme(o)
}()

const width = 760

// SVG draws a chart.
func (c Chart) SVG() (template.HTML, error) {
	if len(c.Series) == 0 || len(c.Labels) == 0 || len(c.Series) > MaxSeries {
		return "", errors.New("chart: nothing to draw, or too many series")
	}
	if c.Kind == Stacked {
		c = c.scaled(1e6)
	}
	height := 240
	if c.Kind == Rows {
		height = 50 + 17*len(c.Labels)
	}
	values := make([][]float64, len(c.Series))
	for i, s := range c.Series {
		for _, v := range s.Values {
			if math.IsNaN(v) {
				v = charts.GetNullValue()
			}
			values[i] = append(values[i], v)
		}
	}
	p := charts.NewPainter(charts.PainterOptions{OutputFormat: charts.ChartOutputSVG, Width: width, Height: height, Theme: theme})
	if err := c.draw(p, values); err != nil {
		return "", fmt.Errorf("chart: %w", err)
	}
	drawn, err := p.Bytes()
	if err != nil {
		return "", fmt.Errorf("chart: %w", err)
	}
	return rewrite(drawn, c.Title)
}

func (c Chart) draw(p *charts.Painter, values [][]float64) error {
	small := charts.FontStyle{FontSize: 9}
	least := 0.0
	most := c.most()
	axis := charts.ValueAxisOption{Min: &least, Max: &most, RangeValuePaddingScale: &least, LabelFontStyle: small, LabelCount: 5}
	padding := charts.Box{Left: 6, Top: 8, Right: 14, Bottom: 4, IsSet: true}
	labels := charts.CategoryAxisOption{Labels: c.Labels, LabelFontStyle: small}
	if len(c.Labels) <= 16 || len(c.Labels) <= 24 && len(c.Labels[0]) <= 2 {
		labels.LabelCount = len(c.Labels)
	}
	hidden := charts.LegendOption{Show: charts.Ptr(false)}
	switch c.Kind {
	case Lines:
		o := charts.NewLineChartOptionWithData(values)
		o.Theme, o.Padding, o.XAxis, o.YAxis, o.Legend, o.ValueFormatter = theme, padding, labels, []charts.YAxisOption{axis}, hidden, c.Format
		o.LineStrokeWidth, o.Symbol.Shape = 2, charts.SymbolNone
		return p.LineChart(o)
	default:
		o := charts.NewBarChartOptionWithData(values)
		if c.Kind == Rows { // the library begins at the bottom
			labels.Labels, o.Horizontal = slices.Clone(labels.Labels), true
			slices.Reverse(labels.Labels)
			labels.LabelCount = len(c.Labels)
			for i := range o.SeriesList {
				slices.Reverse(o.SeriesList[i].Values)
			}
		}
		o.Theme, o.Padding, o.CategoryAxis, o.ValueAxis, o.Legend, o.ValueFormatter = theme, padding, labels, []charts.ValueAxisOption{axis}, hidden, c.Format
		o.StackSeries = charts.Ptr(c.Kind == Stacked)
		return p.BarChart(o)
	}
}

// scaled draws the values many times as large, with the same axis: of stacked bars
// the library takes 1 from the least value, and would begin below 0.
func (c Chart) scaled(by float64) Chart {
	format := c.Format
	c.Max *= by
	c.Format = func(x float64) string { return format(x / by) }
	series := make([]Series, len(c.Series))
	for i, s := range c.Series {
		series[i].Name = s.Name
		for _, v := range s.Values {
			series[i].Values = append(series[i].Values, v*by)
		}
	}
	c.Series = series
	return c
}

// most is the end of the axis: the least round number that four steps of a round
// size reach and no value exceeds.
func (c Chart) most() float64 {
	if c.Max > 0 {
		return c.Max
	}
	highest := 0.0
	for i := range c.Labels {
		sum := 0.0
		for _, s := range c.Series {
			if i >= len(s.Values) || math.IsNaN(s.Values[i]) {
				continue
			}
			highest = max(highest, s.Values[i])
			sum += s.Values[i]
		}
		if c.Kind == Stacked {
			highest = max(highest, sum)
		}
	}
	if highest == 0 {
		return 4
	}
	unit := math.Pow(10, math.Floor(math.Log10(highest/4)))
	for _, m := range []float64{1, 2, 2.5, 5} {
		if 4*m*unit >= highest {
			return 4 * m * unit
		}
	}
	return 40 * unit
}

// rewrite puts classes in the place of styles, and names the drawing.
func rewrite(drawn []byte, title string) (template.HTML, error) {
	in := xml.NewDecoder(bytes.NewReader(drawn))
	var b bytes.Buffer
	out := xml.NewEncoder(&b)
	for first := true; ; first = false {
		token, err := in.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", fmt.Errorf("chart: read the drawing: %w", err)
		}
		if start, ok := token.(xml.StartElement); ok {
			if first {
				start.Attr = []xml.Attr{
					attr("viewBox", value(start, "viewBox")), attr("class", "chart"), attr("role", "img"), attr("aria-label", title),
				}
			} else if style := value(start, "style"); style != "" {
				start.Attr = append(without(start.Attr, "style"), styled(style)...)
			}
			token = start
		}
		if err := out.EncodeToken(token); err != nil {
			return "", fmt.Errorf("chart: write the drawing: %w", err)
		}
	}
	if err := out.Flush(); err != nil {
		return "", fmt.Errorf("chart: write the drawing: %w", err)
	}
	return template.HTML(b.String()), nil //nolint:gosec // encoding/xml wrote it: all text is escaped
}

func attr(name, value string) xml.Attr { return xml.Attr{Name: xml.Name{Local: name}, Value: value} }

func value(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func without(attrs []xml.Attr, name string) (out []xml.Attr) {
	for _, a := range attrs {
		if a.Name.Local != name {
			out = append(out, a)
		}
	}
	return out
}

// styled gives attributes for an inline style: a class for each colour, and
// presentation attributes for sizes, which a policy allows.
func styled(style string) []xml.Attr {
	var names []string
	var out []xml.Attr
	for declaration := range strings.SplitSeq(style, ";") {
		property, v, _ := strings.Cut(declaration, ":")
		switch property {
		case "stroke", "fill":
			if class, ok := classes[v]; ok {
				names = append(names, property+"-"+class)
			} else {
				out = append(out, attr(property, v))
			}
		case "stroke-width", "font-size":
			out = append(out, attr(property, strings.TrimSuffix(v, "px")))
		}
	}
	if len(names) > 0 {
		out = append(out, attr("class", strings.Join(names, " ")))
	}
	return out
}
