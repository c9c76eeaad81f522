package throughput

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"chartcode/internal/coding"
)

// Kind says how a value is written.
type Kind int

// The kinds.
const (
	Text     Kind = iota
	Number        // whole
	Rate          // one decimal
	Share         // 0 to 1, written as percent
	Money         // US dollars
	Duration      // seconds
	Day           // a date
)

// Value is a figure: X for the kinds that are numbers, Words for the others. None
// says that there is nothing to count.
type Value struct {
	Kind  Kind
	X     float64
	Words string
	None  bool
}

func number(n int64) Value { return Value{Kind: Number, X: float64(n)} }
func words(s string) Value { return Value{Words: s} }

// ratio divides.
func ratio(kind Kind, a, b float64) Value {
	if b == 0 {
		return Value{Kind: kind, None: true}
	}
	return Value{Kind: kind, X: a / b}
}

func share(a, b int64) Value { return ratio(Share, float64(a), float64(b)) }

func duration(d time.Duration, ok bool) Value {
	return Value{Kind: Duration, X: d.Seconds(), None: !ok}
}

func spreadValue(s coding.Spread, p float64) Value {
	d, ok := quantile(s, p)
	return duration(d, ok)
}

func dollars(nano int64) Value { return Value{Kind: Money, X: float64(nano) / 1e9} }

// String is the value as pages show it.
func (v Value) String() string {
	if v.None {
		return "–"
	}
	switch v.Kind {
	case Number:
		return coding.Thousands(int64(math.Round(v.X)))
	case Rate:
		return strconv.FormatFloat(v.X, 'f', 1, 64)
	case Share:
		return strconv.FormatFloat(100*v.X, 'f', 1, 64) + " %"
	case Money:
		return money(v.X)
	case Duration:
		return DurationText(time.Duration(v.X * float64(time.Second)))
	}
	return v.Words
}

// Plain is the value as a CSV file has it: without units.
func (v Value) Plain() string {
	switch {
	case v.None:
		return ""
	case v.Kind == Text || v.Kind == Day:
		return v.Words
	case v.Kind == Number:
		return strconv.FormatInt(int64(math.Round(v.X)), 10)
	case v.Kind == Money:
		return strconv.FormatFloat(v.X, 'f', -1, 64)
	}
	return strconv.FormatFloat(math.Round(v.X*1e6)/1e6, 'f', -1, 64)
}

// money writes US dollars: whole cents, and less than a dollar in hundredths of them.
func money(x float64) string {
	sign := ""
	if x < 0 {
		sign, x = "-", -x
	}
	if small := math.Round(x * 1e4); small > 0 && small < 1e4 {
		return fmt.Sprintf("%s$0.%04d", sign, int64(small))
	}
	cents := int64(math.Round(x * 100))
	return fmt.Sprintf("%s$%s.%02d", sign, coding.Thousands(cents/100), cents%100)
}

// DurationText writes a time with its two largest units.
func DurationText(d time.Duration) string {
	units := []struct {
		name string
		size time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"min", time.Minute}, {"s", time.Second}}
	d = d.Round(time.Second)
	for i, u := range units {
		if d < u.size && u.size > time.Second {
			continue
		}
		text := fmt.Sprintf("%d %s", d/u.size, u.name)
		if i+1 < len(units) {
			if rest := d % u.size / units[i+1].size; rest > 0 {
				text += fmt.Sprintf(" %d %s", rest, units[i+1].name)
			}
		}
		return text
	}
	return "0 s"
}
