package measure

import (
	"math"
	"slices"
)

// The sums kept of each unit. Groups of four are right, acceptable, wrong,
// missed, in this order.
const (
	sCodes    = 0
	sCategory = 4
	sChapter  = 8
)

const (
	sNotes = 12 + iota
	sAllRight
	sHierShown    // nodes of the hierarchy suggested
	sHierRight    // of them right or acceptable
	sHierFound    // required nodes that are suggested
	sHierRequired // required nodes
	sFirstRight
	sFirstAsked
	sAP
	sWithGold   // notes with required codes
	sGold       // required codes
	sRetrieved  // required codes among all candidates
	sEvBoth     // bytes in gold and suggested evidence
	sEvShown    // bytes of suggested evidence
	sEvGold     // bytes of gold evidence
	sEvTouching // right codes whose evidence overlaps gold's
	sEvCodes    // right codes with gold evidence
	sScored     // suggestions that count
	sSquared    // squared errors of their confidence
	sShown      // suggestions
	sInvalid    // of them not valid
	sCost       // US dollars
	sTokens
	sMillis
	sTimed // notes with a time
	sLost  // by stage: five
)

const (
	sHits       = sLost + 5            // right or acceptable codes in the first k, by rankDepths
	sFound      = sHits + rankKs       // required codes in the first k
	sFoundFirst = sFound + rankKs      // required codes among the first k candidates, by retrievalDepths
	sDense      = sFoundFirst + candKs // their number
)

const (
	rankKs     = 4
	candKs     = 3
	apDepth    = 100
	coarseBins = 10
	fineBins   = 100
	finePerBin = fineBins / coarseBins
)

func rankDepths() [rankKs]int      { return [rankKs]int{1, 3, 5, 10} }
func retrievalDepths() [candKs]int { return [candKs]int{10, 50, 100} }

// counts are right, acceptable, wrong and missed.
type counts [4]float32

// cell is one number of one code or slice: at is its place in a flat list with a
// fixed number of places for each. Cells that are zero are not kept, for the
// bootstrap goes over all of them a thousand times.
type cell struct {
	at int32
	n  float32
}

// The places that a code and a slice have: counts, and of a slice its notes.
const (
	perCode  = 4
	perSlice = 5
)

type bin struct {
	conf     float64
	at       int32
	n, right uint16
}

// unit is what is drawn by the bootstrap: the notes of one patient.
type unit struct {
	dense  [sDense]float64
	codes  []cell
	bins   []bin
	slices []cell
}

// put adds n at a place of a list of cells.
func put(to *[]cell, at int32, n float32) {
	if n == 0 {
		return
	}
	for i := range *to {
		if (*to)[i].at == at {
			(*to)[i].n += n
			return
		}
	}
	*to = append(*to, cell{at, n})
}

// table holds the sufficient statistics of many cases.
type table struct {
	units   []unit
	codes   map[string]int32
	slices  []Slice
	sliceAt map[Slice]int32
	timed   []timed // notes with a time, fastest first
	light   bool    // counts of codes alone: enough for the micro figures
}

type timed struct {
	unit int32
	ms   float64
}

// newTable adds the cases up by unit. Units stand in the order in which their
// first note comes, so that two runs over the same notes have the same units.
func newTable(cases []Case, sliced, light bool) *table {
	t := &table{codes: map[string]int32{}, sliceAt: map[Slice]int32{}, light: light}
	at := map[string]int{}
	var bands map[string]string // of codes, by how often they are gold
	if sliced {
		bands = frequencyBands(cases)
	}
	for i := range cases {
		c := &cases[i]
		u := len(t.units)
		if c.Cluster != "" {
			if known, ok := at[c.Cluster]; ok {
				u = known
			} else {
				at[c.Cluster] = u
			}
		}
		if u == len(t.units) {
			t.units = append(t.units, unit{})
		}
		o := c.Outcome()
		t.enter(&t.units[u], c, &o)
		if sliced {
			t.slice(&t.units[u], c, &o, bands)
		}
		if c.Millis > 0 {
			t.timed = append(t.timed, timed{int32(u), c.Millis})
		}
	}
	t.pack()
	slices.SortFunc(t.timed, func(a, b timed) int {
		switch {
		case a.ms < b.ms:
			return -1
		case a.ms > b.ms:
			return 1
		}
		return int(a.unit - b.unit)
	})
	return t
}

// pack puts the cells of all units one behind the other in memory, in the order
// in which the bootstrap reads them.
func (t *table) pack() {
	var codes, parts []cell
	var bins []bin
	for i := range t.units {
		u := &t.units[i]
		codes, bins, parts = append(codes, u.codes...), append(bins, u.bins...), append(parts, u.slices...)
	}
	for i := range t.units {
		u := &t.units[i]
		codes, u.codes = codes[len(u.codes):], codes[:len(u.codes)]
		bins, u.bins = bins[len(u.bins):], bins[:len(u.bins)]
		parts, u.slices = parts[len(u.slices):], parts[:len(u.slices)]
	}
}

func (t *table) code(code string) int32 {
	i, ok := t.codes[code]
	if !ok {
		i = int32(len(t.codes))
		t.codes[code] = i
	}
	return i
}

// enter adds a note to its unit.
func (t *table) enter(u *unit, c *Case, o *Outcome) {
	d := &u.dense
	d[sNotes]++
	if o.AllRight() {
		d[sAllRight]++
	}
	d[sCodes] += float64(o.Right)
	d[sCodes+1] += float64(o.Acceptable)
	d[sCodes+2] += float64(o.Wrong)
	d[sCodes+3] += float64(len(o.Missed))
	if t.light {
		return
	}
	for i, v := range o.Verdicts {
		s := &c.Shown[i]
		d[sShown]++
		if s.Invalid {
			d[sInvalid]++
		}
		place := int32(0)
		right := false
		switch v {
		case Right:
			right = true
		case Allowed:
			place, right = 1, true
		case Wrong:
			place = 2
		case Unscored:
			continue
		}
		put(&u.codes, perCode*t.code(s.Code)+place, 1)
		u.confidence(s.Confidence, right)
	}
	for _, m := range o.Missed {
		put(&u.codes, perCode*t.code(m.Code)+3, 1)
		d[sLost+slices.Index(Losses(), m.Loss)]++
	}
	c.levels(d, o)
	c.ranking(d)
	c.evidence(d, o)
	if len(c.First) > 0 {
		d[sFirstAsked]++
		if len(c.Shown) > 0 && slices.Contains(c.First, c.Shown[0].Code) {
			d[sFirstRight]++
		}
	}
	d[sCost] += c.CostUSD
	d[sTokens] += c.Tokens
	if c.Millis > 0 {
		d[sMillis] += c.Millis
		d[sTimed]++
	}
}

// confidence enters a suggestion in its bin of a hundredth.
func (u *unit) confidence(p float64, right bool) {
	coarse := min(max(int(p*coarseBins), 0), coarseBins-1)
	fine := min(max(int(p*fineBins)-coarse*finePerBin, 0), finePerBin-1)
	at := int32(coarse*finePerBin + fine)
	y, one := 0.0, uint16(0)
	if right {
		y, one = 1, 1
	}
	u.dense[sScored]++
	u.dense[sSquared] += (p - y) * (p - y)
	for i := range u.bins {
		if b := &u.bins[i]; b.at == at && b.n < math.MaxUint16 {
			b.n++
			b.conf += p
			b.right += one
			return
		}
	}
	u.bins = append(u.bins, bin{p, at, 1, one})
}
