package rank

import (
	"cmp"
	"slices"
	"strings"

	"chartcode/internal/coding"
	"chartcode/internal/gbdt"
	"chartcode/internal/learned"
)

// In the style of mentions two models judge a candidate by the same values: one
// how likely coders give the code, one how likely a coder would underline a place
// of the note for it. The values are those of Features, what retrieval knows of the
// candidate beyond its places, and what it knows of one place: the likeliest for
// the ranker, each in turn for the other.

// MentionFeatures names the values of a row of MentionRows.
func MentionFeatures() []string { return slices.Clone(mentionNames) }

var mentionNames = func() []string {
	out := append(Features(), supportNames[:]...)
	for _, n := range coding.GroundNames {
		out = append(out, placePrefix+n)
	}
	return append(out, "place_support", "place_count", "place_next")
}()

// placePrefix is before the names of the values of a place, some of which a
// candidate has as well.
const placePrefix = "place_"

// supportNames are the values of coding.Support, in its order.
var supportNames = [...]string{"density", "resolution", "under", "sum", "places", "terms", "stated", "beaten", "beaten_longer", "ties", "title_share",
	"title_weight", "common", "side", "cover", "chapter"}

func supportValues(u *coding.Support) [len(supportNames)]float32 {
	return [...]float32{u.Density, u.Resolution, u.Under, u.Sum, u.Places, u.Terms, u.Stated, u.Beaten, u.BeatenLonger, u.Ties, u.TitleShare,
		u.TitleWeight, u.Common, u.Side, u.Cover, u.Chapter}
}

// MentionRows gives the values of the first Judged candidates with their likeliest
// place, in their order.
func MentionRows(in Input) [][]float32 {
	out := Rows(in)
	for i := range out {
		c := &in.Candidates[i]
		u := supportValues(&c.Support)
		x := append(append(make([]float32, 0, len(mentionNames)), out[i]...), u[:]...)
		x = x[:len(mentionNames)]
		setPlace(x, c, 0)
		out[i] = x
	}
	return out
}

// setPlace enters the candidate's k-th place, or that there is none.
func setPlace(x []float32, c *coding.Candidate, k int) {
	x = x[int(featureCount)+len(supportNames):]
	clear(x)
	last := x[len(x)-3:]
	last[0], last[2] = absent, absent
	if k >= len(c.Grounds) {
		return
	}
	copy(x[:len(x)-3], c.Grounds[k].Values)
	last[0], last[1] = float32(logOdds(c.Grounds[k].Support)), float32(len(c.Grounds))
	if other := 1 - min(k, 1); other < len(c.Grounds) { // the likeliest of the other places
		last[2] = float32(logOdds(c.Grounds[other].Support))
	}
}

// PlaceRow gives a row of MentionRows with the values of the candidate's k-th place
// in place of the likeliest's.
func PlaceRow(row []float32, c *coding.Candidate, k int) []float32 {
	x := slices.Clone(row)
	setPlace(x, c, k)
	return x
}

// Shown is what the ranker would show of a candidate in the style of mentions.
type Shown struct {
	Evidence []coding.Evidence // likeliest first; none: the candidate is not suggested
	Support  float64           // probability that a coder would underline the first
}

// Worth is what showing a suggestion is worth, given how likely the code is right
// and the evidence supports it. Of all sets of suggestions whose evidence is right
// as often, the one with the best micro-F1 shows each whose worth reaches a
// threshold (Lagrange): being right and being supported are weighed.
func (s Shown) Worth(p float64) float64 { return p + supportWeight*(s.Support-1) }

// supportWeight is what the support of a suggestion counts against its chance to be
// right.
const supportWeight = 1.0

// supportedFrom is the least support of a suggestion by the model of evidence. What
// only went along with a code in other notes may be likely right and yet has no
// words to show; the places that were judged hold few of it.
const supportedFrom = 0.65

// alsoFrom is how likely by the model of evidence a place must support a code to
// be shown beside a better one.
const alsoFrom = 0.5

// Show gives what would be shown of each of the first Judged candidates.
func (l *Local) Show(in Input) []Shown { return l.show(in, MentionRows(in)) }

func (l *Local) show(in Input, rows [][]float32) []Shown {
	out := make([]Shown, len(rows))
	for i := range rows {
		out[i] = l.showing(in, i, rows[i])
	}
	return out
}

func (l *Local) showing(in Input, i int, row []float32) Shown {
	c := &in.Candidates[i]
	if denied(in.Doc, c) || saidOfBoth(in, c) {
		return Shown{}
	}
	m := l.models.Style(coding.Mentions).Evidence
	if m == nil {
		if !grounded(c) {
			return Shown{}
		}
		return Shown{evidence(in.Doc, c.Grounds, shownFrom), 1}
	}
	grounds := Supported(m, c, row)
	if len(grounds) == 0 {
		return Shown{}
	}
	support := grounds[0].Support
	if support < supportedFrom {
		return Shown{}
	}
	grounds[0].Support = 1 // the best is shown in any case
	return Shown{evidence(in.Doc, grounds, alsoFrom), support}
}

// bothSides makes the title of one side that of both.
var bothSides = strings.NewReplacer("Unilateral", "Bilateral", "unilateral", "bilateral")

// bilateralWithin is how far from a place, in bytes of its sentence, the word for both
// sides may stand.
const bilateralWithin = 24

// saidOfBoth reports whether a candidate is of one side where the note says both at
// each of its places, and the code of both sides is a candidate too.
func saidOfBoth(in Input, c *coding.Candidate) bool {
	title := bothSides.Replace(c.Display)
	if title == c.Display || len(c.Grounds) == 0 ||
		!slices.ContainsFunc(in.Candidates, func(o coding.Candidate) bool { return o.Display == title && len(o.Grounds) > 0 }) {
		return false
	}
	return !slices.ContainsFunc(c.Grounds, func(g coding.Ground) bool {
		near := coding.Span{Start: g.Start - bilateralWithin, End: g.End + bilateralWithin}
		if k := in.Doc.SentenceAt(g.Start); k >= 0 {
			near.Start, near.End = max(near.Start, in.Doc.Sentences[k].Start), min(near.End, in.Doc.Sentences[k].End)
		}
		text := in.Doc.Text[max(near.Start, 0):min(near.End, len(in.Doc.Text))]
		return !strings.Contains(strings.ToLower(text), "bilateral")
	})
}

// Supported gives the places of a candidate with the support that the model of
// evidence gives them, likeliest first.
func Supported(m *gbdt.Model, c *coding.Candidate, row []float32) []coding.Ground {
	out := slices.Clone(c.Grounds)
	for k := range out {
		out[k].Support = gbdt.Logistic(m.Score(PlaceRow(row, c, k)))
	}
	slices.SortStableFunc(out, func(a, b coding.Ground) int { return cmp.Compare(b.Support, a.Support) })
	return out
}

// fitsMentions reports whether the models were trained on the values of this
// program: rankers of before there was a model of evidence, which sites may have
// learned, on the first of them alone.
func fitsMentions(m *learned.StyleModels) bool {
	if r := m.Rank; r != nil && !slices.Equal(r.Features, mentionNames) && (m.Evidence != nil || !slices.Equal(r.Features, featureNames[:])) {
		return false
	}
	return m.Evidence == nil || slices.Equal(m.Evidence.Features, mentionNames)
}

// known cuts rows to the values that a ranker was trained on.
func known(m *gbdt.Model, rows [][]float32) [][]float32 {
	if m == nil || len(rows) == 0 || len(m.Features) == len(rows[0]) {
		return rows
	}
	out := make([][]float32, len(rows))
	for i, x := range rows {
		out[i] = x[:len(m.Features)]
	}
	return out
}
