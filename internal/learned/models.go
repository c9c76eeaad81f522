package learned

import (
	"math"

	"chartcode/internal/coding"
	"chartcode/internal/gbdt"
)

// FirstLearned is the least version of models that were learned from the
// reviews of a site; those of the program are below.
const FirstLearned = 1001

// Models are the trained parts of retrieval and the local ranker.
type Models struct {
	Version int                           `json:"version"` // the N of ranker local@N
	Record  Record                        `json:"record"`
	Styles  map[coding.Style]*StyleModels `json:"styles"`
	LLM     *LLM                          `json:"llm,omitempty"` // nil: PriorLLM
}

// StyleModels are the models of one coding style.
type StyleModels struct {
	Order       *gbdt.Model `json:"order,omitempty"`    // orders candidates
	Rank        *gbdt.Model `json:"rank,omitempty"`     // ranks suggestions; nil: the ranker's own rules
	Evidence    *gbdt.Model `json:"evidence,omitempty"` // whether a place of the note supports the code; nil: retrieval's own judgement
	Memory      *Memory     `json:"memory,omitempty"`   // nil where counts must not be used
	First       *gbdt.Model `json:"first,omitempty"`    // whether a candidate is first-listed; nil: the ranker's own rules
	Lead        *gbdt.Model `json:"lead,omitempty"`     // which of the codes chosen for a bill is first-listed
	Practice    *Memory     `json:"practice,omitempty"` // how often codes were given, for the ranker alone
	Calibration Calibration `json:"calibration"`
	Threshold   float64     `json:"threshold"` // least confidence shown
}

// Record says how the models were made.
type Record struct {
	Command string             `json:"command"`
	Dataset string             `json:"dataset"`
	SHA256  string             `json:"dataset_sha256"`
	Notes   int                `json:"notes"`
	Terms   int                `json:"terms"`
	Vectors string             `json:"vectors"` // name of the embedding model, empty without
	Figures map[string]float64 `json:"figures"` // by cross-validation

	BillingDataset string `json:"billing_dataset,omitempty"` // that the ranker for bills was trained on
	BillingSHA256  string `json:"billing_sha256,omitempty"`
	BillingNotes   int    `json:"billing_notes,omitempty"`

	Learned *Reviews `json:"learned,omitempty"` // nil: not from the reviews of a site
}

// Reviews says how models were learned from finished reviews.
type Reviews struct {
	Style      coding.Style `json:"style"` // that was learned anew
	Items      int          `json:"items"`
	ByAuditors int          `json:"by_auditors"` // items finished by auditors
	Compared   int          `json:"compared"`    // notes on which they were compared with the models before
	Replaced   int          `json:"replaced"`    // version of these
}

// Calibration turns a model's log odds into a probability that holds:
// logistic(Slope·odds + Offset) (Platt 1999).
type Calibration struct {
	Slope  float64 `json:"slope"`
	Offset float64 `json:"offset"`
}

// Probability of a score in log odds. The zero Calibration changes nothing.
func (c Calibration) Probability(odds float64) float64 {
	if c == (Calibration{}) {
		c.Slope = 1
	}
	return gbdt.Logistic(c.Slope*odds + c.Offset)
}

// Calibrate fits slope and offset to scores and answers by Newton's method,
// each step halved until it helps; a little weight decay keeps them finite.
func Calibrate(odds []float64, right []bool) Calibration {
	c := Calibration{Slope: 1}
	loss := c.loss(odds, right)
	for range 50 {
		var ga, gb, haa, hab, hbb float64
		for i, o := range odds {
			p := gbdt.Logistic(c.Slope*o + c.Offset)
			d := p
			if right[i] {
				d--
			}
			h := p * (1 - p)
			ga += d * o
			gb += d
			haa += h * o * o
			hab += h * o
			hbb += h
		}
		ga += decay * (c.Slope - 1)
		gb += decay * c.Offset
		haa += decay
		hbb += decay
		det := haa*hbb - hab*hab
		da, db := (hbb*ga-hab*gb)/det, (haa*gb-hab*ga)/det
		moved := false
		for step := 1.0; step > 1e-4; step /= 2 {
			next := Calibration{c.Slope - step*da, c.Offset - step*db}
			if l := next.loss(odds, right); l < loss {
				c, loss, moved = next, l, true
				break
			}
		}
		if !moved || math.Abs(da)+math.Abs(db) < 1e-9 {
			break
		}
	}
	return c
}

const decay = 1e-2

// loss is the negative logarithm of the answers' likelihood, with the decay.
func (c Calibration) loss(odds []float64, right []bool) float64 {
	s := decay / 2 * ((c.Slope-1)*(c.Slope-1) + c.Offset*c.Offset)
	for i, o := range odds {
		z := c.Slope*o + c.Offset
		if right[i] {
			z = -z
		}
		// log(1+exp(z)) without overflow
		s += math.Max(z, 0) + math.Log1p(math.Exp(-math.Abs(z)))
	}
	return s
}

// Style gives the models of a style; never nil.
func (m *Models) Style(s coding.Style) *StyleModels {
	if m != nil && m.Styles[s] != nil {
		return m.Styles[s]
	}
	return &StyleModels{}
}
