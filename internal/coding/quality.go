package coding

import "time"

// GivenCode is a code that somebody gave to a case or practice note. The first
// diagnosis of a list leads it: first-listed or principal.
type GivenCode struct {
	CodeKey
	Display    string     `json:"display,omitempty"`
	Evidence   []Evidence `json:"evidence,omitempty"`
	Acceptable bool       `json:"acceptable,omitempty"` // of a judgement: right if given, not missed if not
	POA        POA        `json:"poa,omitempty"`        // of a diagnosis of a stay; empty: not stated
	Units      int        `json:"units,omitempty"`      // of a HCPCS or CPT code; 0: not stated
}

// FinishedReview is a review that a sample can be drawn from.
type FinishedReview struct {
	Item  int64
	Seq   int // of the decision that finished it
	Coder string
	At    time.Time
	Drawn bool // a case already
}

// AuditSample is a random choice of finished reviews that are coded again blind.
type AuditSample struct {
	ID        int64     `json:"id"`
	DrawnBy   string    `json:"drawn_by"`
	DrawnAt   time.Time `json:"drawn_at"`
	From      time.Time `json:"from"` // when the reviews were finished
	Before    time.Time `json:"before"`
	Source    string    `json:"source,omitempty"`
	Coders    []string  `json:"coders,omitempty"` // who finished them; empty: anybody
	Rate      float64   `json:"rate"`             // of each coder's reviews
	AtLeast   int       `json:"at_least"`
	Seed      int64     `json:"seed"`
	Recodings int       `json:"recodings"` // wanted of each case
	Eligible  int       `json:"eligible"`  // reviews it was drawn from

	Cases   int `json:"cases"`
	Earlier int `json:"earlier"` // cases that an earlier sample has too, which says how often they are coded again
	Recoded int `json:"recoded"` // cases with all recodings
	Judged  int `json:"judged"`
	ToJudge int `json:"to_judge"` // recoded cases that are not judged, of those that no earlier sample has
}

// QualityCounts is how much is known of coders. It only grows: where it is the same,
// so is all that follows from it.
type QualityCounts struct {
	Cases, Recodings, Judgements int64 // in samples; finished, of cases
}

// AuditCase is one finished review of a sample, as it was when it was drawn.
type AuditCase struct {
	ID, Sample, Item int64 // the sample that drew it first
	FinishSeq        int
	Coder            string // who finished it
	FinishedAt       time.Time
	Setting          Setting
	Specialty        string
	Patient          string // to tell cases of one patient; empty: not known
	Wanted           int    // blind recodings
	Given            []GivenCode
	Notes            []ItemNote // without suggestions; only of a case that was asked for by itself
	Recodings        []Recoding
	Judgement        *Judgement // nil until there is one
}

// Recoded reports whether the case has the blind recodings that were wanted.
func (c *AuditCase) Recoded() bool {
	n := 0
	for i := range c.Recodings {
		if !c.Recodings[i].FinishedAt.IsZero() {
			n++
		}
	}
	return n >= c.Wanted
}

// Recoding is somebody's coding of a case, who sees nothing of the others', or of
// a practice note. It is no item: nothing of it is announced or exported.
type Recoding struct {
	ID         int64
	Case       int64 // 0: of a practice note
	Item       int64 // of the case
	Practice   int64 // 0: of a case
	Coder      string
	TakenAt    time.Time
	FinishedAt time.Time // zero: not finished
	Setting    Setting
	Given      []GivenCode
	Rejected   []CodeKey  // of the suggestions of a practice note
	Notes      []ItemNote // without suggestions; only of one that was asked for by itself
	Suggested  []PracticeSuggestion
	Gold       []GivenCode // of a practice note
}

// PracticeSuggestion is what is shown with a practice note.
type PracticeSuggestion struct {
	Suggestion
	Seeded bool `json:"seeded,omitempty"` // plainly wrong, put there to see whether it is accepted
}

// PracticeNote is a gold note with suggestions, wrong ones among them.
type PracticeNote struct {
	ID        int64
	Run       string
	Rate      float64
	AddedBy   string
	AddedAt   time.Time
	Note      Note
	Suggested []PracticeSuggestion
	Gold      []GivenCode
}

// Judgement is what is right about a case, by somebody who coded it neither time.
type Judgement struct {
	Case   int64
	By     string
	At     time.Time
	Codes  []GivenCode
	Remark string
}

// Lead is the diagnosis that was judged to lead: the first. Where all are only
// acceptable none does, and the zero key is given.
func (j *Judgement) Lead() CodeKey {
	var first *GivenCode
	right := false
	for i := range j.Codes {
		if g := &j.Codes[i]; g.System == ICD10CM {
			if first == nil {
				first = g
			}
			right = right || !g.Acceptable
		}
	}
	if !right {
		return CodeKey{}
	}
	return first.CodeKey
}

// NoteName is by what a note is known, whatever its text.
type NoteName struct {
	Source, NoteID string
}

// FindingKind is in what a coder's codes differ from a judgement.
type FindingKind string

// The kinds of findings.
const (
	FindingWrong  FindingKind = "wrong"  // given, not right
	FindingMissed FindingKind = "missed" // right, not given
	FindingFirst  FindingKind = "first"  // this code should lead, another does
	FindingDetail FindingKind = "detail" // right, with another present-on-admission indicator or number of units
)

// FindingAnswer is what a coder says to a finding.
type FindingAnswer struct {
	Case   int64
	Coder  string
	Kind   FindingKind
	Code   CodeKey
	Agrees bool
	Text   string
	At     time.Time
}

// Events of the audit trail that concern quality. They carry no item, so that an
// item's timeline does not tell who coded it again; Target names the case.
const (
	AuditSampled       = "quality.sampled"
	AuditRecodeTaken   = "quality.taken"
	AuditRecodeLooked  = "quality.looked"
	AuditRecodeGiven   = "quality.returned"
	AuditRecodeDone    = "quality.finished"
	AuditJudged        = "quality.judged"
	AuditAnswered      = "quality.answered"
	AuditPracticeAdded = "quality.practice"
)
