package web

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"chartcode/internal/coding"
)

// TestCut compares with a look at every byte.
func TestCut(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	const text = "Fever, cough – and pain é in the chest.\nNo dyspnea."
	for range 2000 {
		var marks []mark
		var headings []coding.Span
		for range random.IntN(6) {
			from := random.IntN(len(text)+4) - 2
			marks = append(marks, mark{coding.Span{Start: from, End: from + random.IntN(14) - 1}, random.IntN(3), "a"})
		}
		if random.IntN(2) == 0 {
			headings = append(headings, coding.Span{Start: 0, End: 5})
		}
		var scopes []coding.Scope
		for range random.IntN(4) {
			from := random.IntN(len(text)+4) - 2
			scopes = append(scopes, coding.Scope{Span: coding.Span{Start: from, End: from + random.IntN(14) - 1},
				Assertion: []coding.Assertion{coding.Negated, coding.Family, coding.Possible}[random.IntN(3)]})
		}
		pieces := cut(text, marks, headings, scopes)
		at, anchors, good := 0, 0, 0
		for _, m := range marks {
			if inside(text, m.Span) {
				good++
			}
		}
		for _, p := range pieces {
			if p.Text == "" || !utf8.ValidString(p.Text) {
				t.Fatalf("%v gives the piece %q", marks, p.Text)
			}
			var want []int
			for _, m := range marks {
				if inside(text, m.Span) && m.Start <= at && at < m.End {
					want = append(want, m.code)
				}
			}
			slices.Sort(want)
			if want = slices.Compact(want); !slices.Equal(p.Codes, want) {
				t.Fatalf("%v: %q at %d has the codes %v, want %v", marks, p.Text, at, p.Codes, want)
			}
			var said coding.Assertion
			for _, sc := range scopes {
				if sc.Assertion != coding.Possible && inside(text, sc.Span) && sc.Start <= at && at < sc.End && said != coding.Family {
					said = sc.Assertion
				}
			}
			if p.Said != said {
				t.Fatalf("%v: %q at %d is said as %q, want %q", scopes, p.Text, at, p.Said, said)
			}
			if p.Heading != (len(headings) > 0 && at < 5) {
				t.Fatalf("%v: %q at %d is a heading: %v", marks, p.Text, at, p.Heading)
			}
			at += len(p.Text)
			anchors += len(p.Anchors)
		}
		var all strings.Builder
		for _, p := range pieces {
			all.WriteString(p.Text)
		}
		if all.String() != text || anchors != good {
			t.Fatalf("%v: the pieces are %q with %d anchors, want %d", marks, all.String(), anchors, good)
		}
	}
	if got := cut("", []mark{{coding.Span{Start: 0, End: 1}, 0, "a"}}, nil, nil); len(got) != 0 {
		t.Errorf("no text gives %v", got)
	}
}

func inside(text string, s coding.Span) bool {
	return s.Start >= 0 && s.Start < s.End && s.End <= len(text) && utf8.ValidString(text[s.Start:s.End]) &&
		utf8.ValidString(text[:s.Start])
}

func TestRuns(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]run{
		"":                      nil,
		"plain\r\n\ttext é":     {{Text: "plain"}, {Return: true}, {Text: "\n\ttext é"}},
		"a\u202eb":              {{Text: "a"}, {Control: "U+202E"}, {Text: "b"}},
		"\u2066\u0085":          {{Control: "U+2066"}, {Control: "U+0085"}},
		"\x1b[31m":              {{Control: "U+001B"}, {Text: "[31m"}},
		"right-to-left \u05d0 ": {{Text: "right-to-left \u05d0 "}},
	} {
		if got := runs(text); !slices.Equal(got, want) {
			t.Errorf("%q is shown as %v, want %v", text, got, want)
		}
	}
	if got := plain("a\u202eb"); got != "a\uFFFDb" {
		t.Errorf("the plain text is %q", got)
	}
}

func TestPercentNeverSaysCertain(t *testing.T) {
	t.Parallel()
	for p, want := range map[float64]string{0: "0%", 0.001: "1%", 0.004: "1%", 0.5: "50%", 0.934: "93%", 0.996: "99%", 0.9999: "99%", 1: "100%"} {
		if got := percentText(p); got != want {
			t.Errorf("%v is %s, want %s", p, got, want)
		}
	}
}

func TestTypedCode(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{" e11 42 ": "E11.42", "i10": "I10", "E11.42": "E11.42", "s72.001a": "S72.001A", "": ""} {
		if got := typedCode(coding.ICD10CM, typed); got != want {
			t.Errorf("%q is %q, want %q", typed, got, want)
		}
	}
	if got := typedCode(coding.HCPCS, "g0008"); got != "G0008" {
		t.Errorf("the HCPCS code is %q", got)
	}
}

// BenchmarkCut cuts a note of 200 KB with 300 pieces of evidence.
func BenchmarkCut(b *testing.B) {
	text := strings.Repeat("Stable on current treatment; no new complaints today. ", 200<<10/54)
	var marks []mark
	for i := range 300 {
		marks = append(marks, mark{coding.Span{Start: i * 600, End: i*600 + 40 + i%7*100}, i % 30, "a"})
	}
	for b.Loop() {
		cut(text, marks, nil, nil)
	}
}
