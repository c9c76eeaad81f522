package coding

import "time"

// Style is how much is coded.
type Style string

// The coding styles.
const (
	Billing  Style = "billing"  // what a biller would code
	Mentions Style = "mentions" // every mention, symptoms and suspected conditions included
)

// Evidence is a span of one note's text that supports a code. Text equals the
// note's text[Start:End]. NoteID is set where several notes form one item.
type Evidence struct {
	NoteID string `json:"note_id,omitempty"`
	Span
	Text string `json:"text"`
}

// Match is one way in which a term was found in the text.
type Match struct {
	Span      Span // the words that matched, first to last
	Term      string
	Kind      TermKind
	TermCode  string  // the code that the term names; a header leads to its descendants
	Lexical   float64 // 0..1, lexical similarity; 0 when found by vector alone
	Dense     float64 // 0..1, cosine similarity of the vectors; 0 when not searched or not found
	Assertion Assertion
	Section   SectionKind
}

// Ground is a place of the note that states a code of the patient.
type Ground struct {
	Span
	Assertion Assertion
	Support   float64   // probability that a coder takes the words as evidence of the code
	Values    []float32 // what it was told by and more that retrieval knows of the place, named by GroundNames
}

// GroundNames names the values of a Ground, in their order; pipeline/retrieve says
// what each is.
var GroundNames = [...]string{
	"words", "share", "whole", "weight", "gap", "site", "everyday", "tabular", "resolved", "phrase", "unnamed", "vector", "part", "kin", "broken",
	"possible", "taught", "test", "kind", "named", "side", "organ", "tissue", "status", "length",
	"before", "exact", "denied_after", "numbers", "title_here", "title_missing", "kin_better", "other_longer", "at", "excluded",
}

// Candidate is a retrieved, not yet ranked code: billable and valid on the
// date of service. Rank runs from 1 without gaps, in order of retrieval.
type Candidate struct {
	System         System  `json:"system"`
	Code           string  `json:"code"`
	Rank           int     `json:"rank"`
	RetrievalScore float64 `json:"retrieval_score"`

	Display string   `json:"-"`
	Matches []Match  `json:"-"` // what led to the code, best first
	Grounds []Ground `json:"-"` // what a coder could underline for it, likeliest first
	Support Support  `json:"-"`
}

// Support is what retrieval knows of a candidate beyond its places; words weigh
// by their rarity. The zero value says nothing.
type Support struct {
	Density      float32 // words found over tokens spanned, of the best match
	Resolution   float32 // how well the note supports this code among those its term leads to
	Under        float32 // logarithm of how many codes the term leads to
	Sum          float32 // of the scores over distinct places
	Places       float32 // distinct places, logarithm
	Terms        float32 // distinct terms, logarithm
	Stated       float32 // share of the weight of matches that is stated of the patient
	Beaten       float32 // best score of another code on overlapping words over the own score
	BeatenLonger float32 // the same among matches that hold more words
	Ties         float32 // logarithm of the number of codes that share the best words and score
	TitleShare   float32 // of the title's weight found anywhere in the note
	TitleWeight  float32 // weight of the title
	Common       float32 // 1 where the code has everyday names: it is used often
	Side         float32 // 1 the title's side is stated by the match, -1 another side is
	Cover        float32 // found words over all words of the noun phrase around them, by rarity
	Chapter      float32 // share of the scores of the note's best codes that are of the same chapter
}

// Severity of a finding.
type Severity string

// The severities: an error blocks unless overridden, a warning asks, an
// information tells.
const (
	SeverityError       Severity = "error"
	SeverityWarning     Severity = "warning"
	SeverityInformation Severity = "information"
)

// Finding is what a coding rule has to say of a code. It holds no note text.
type Finding struct {
	Rule     string   `json:"rule"`
	Severity Severity `json:"severity"`
	Codes    []string `json:"codes"`
	Message  string   `json:"message"`
	Source   string   `json:"source"`
	// Spans are the words of the note that the finding rests on; empty where it
	// rests on the codes alone. NoteID is set where several notes form one item.
	Spans  []Span `json:"spans,omitempty"`
	NoteID string `json:"note_id,omitempty"`
}

// Role of a code in the list.
type Role string

// The roles.
const (
	RolePrincipal   Role = "principal"
	RoleFirstListed Role = "first_listed"
	RoleSecondary   Role = "secondary"
	RoleAdmitting   Role = "admitting"
	RoleReason      Role = "reason_for_visit"
)

// Suggestion is a ranked and validated code as a coder is shown it.
// Confidence is the calibrated probability that a coder accepts it.
type Suggestion struct {
	System     System     `json:"system"`
	Code       string     `json:"code"`
	Display    string     `json:"display"`
	Rank       int        `json:"rank"`
	Role       Role       `json:"role"`
	Confidence float64    `json:"confidence"`
	Evidence   []Evidence `json:"evidence"`
	Rationale  string     `json:"rationale"`
	Warnings   []Finding  `json:"warnings"`
	// RetrievalRank is where retrieval had the code, from 1; 0: it was not among the
	// candidates.
	RetrievalRank int `json:"retrieval_rank,omitempty"`
	// Agreement says which rankers suggest the code; empty where no LLM was asked.
	Agreement Agreement `json:"agreement,omitempty"`
	// Signals are what the confidence was made of, where an LLM was asked.
	Signals *Signals `json:"signals,omitempty"`
	// Explanation is there where it was asked for and the local ranker judged.
	Explanation *Explanation `json:"explanation,omitempty"`
}

// Agreement says which rankers suggest a code.
type Agreement string

// The agreements.
const (
	AgreementBoth  Agreement = "both"       // the LLM and the local ranker
	AgreementLLM   Agreement = "llm_only"   // the LLM alone
	AgreementLocal Agreement = "local_only" // the local ranker, which is sure of it; the LLM saw the code and did not choose it
)

// Signals are the probabilities that two rankers give a code by themselves; 0
// where one says nothing.
type Signals struct {
	LLM   float64 `json:"llm"`
	Local float64 `json:"local"`
}

// Explanation says what spoke for and against a suggestion. Effects are in the
// log odds of the confidence: the sum of those listed and of Other is Score, of
// which the confidence is the logistic function, all to three decimals.
type Explanation struct {
	For     []Reason `json:"for"`     // strongest first, at most five
	Against []Reason `json:"against"` // the same
	Other   float64  `json:"other"`   // of what is not listed, and of knowing nothing
	Score   float64  `json:"score"`
}

// Reason is one thing that a suggestion was judged by.
type Reason struct {
	Feature string  `json:"feature"` // in words
	Value   float64 `json:"value"`   // 1 or 0 of what holds or not; a chance from 0 to 1; a number or share
	Effect  float64 `json:"effect"`
}

// Notice tells of something assumed or missing that concerns the whole note.
type Notice struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// The notices.
const (
	NoticeReleaseAssumed = "release_assumed" // date lies after the normal end of the newest release
	NoticeNoRelease      = "no_release"      // date lies before the first release loaded
	NoticeNoServiceDate  = "no_service_date" // no date of service: newest release used
	NoticeSettingAssumed = "setting_assumed"
	// NoticeAddressed: the note has text that speaks to a program, not to people.
	NoticeAddressed = "text_addressed_to_model"
	// NoticeDoubtful: a passage of the note speaks of what the note says, or is in
	// another language.
	NoticeDoubtful = "passage_to_read"
)

// OfRelease reports whether the notice comes from the choice of a release.
func (n Notice) OfRelease() bool {
	return n.Code == NoticeReleaseAssumed || n.Code == NoticeNoRelease || n.Code == NoticeNoServiceDate
}

// Usage is what an LLM was used for. Calls are HTTP calls, failed ones included;
// an answer that was known already costs none and is counted under CacheHits.
type Usage struct {
	Calls            int     `json:"calls"`
	PromptTokens     int     `json:"prompt_tokens"`
	CachedTokens     int     `json:"cached_tokens"`
	CompletionTokens int     `json:"completion_tokens"`
	CostUSD          float64 `json:"cost_usd"` // 0 when the model's price is not known
	CacheHits        int     `json:"cache_hits,omitempty"`
	FallbackCalls    int     `json:"fallback_calls,omitempty"` // calls to the second endpoint, another model
}

// Add adds what was used elsewhere.
func (u *Usage) Add(o Usage) {
	u.Calls += o.Calls
	u.PromptTokens += o.PromptTokens
	u.CachedTokens += o.CachedTokens
	u.CompletionTokens += o.CompletionTokens
	u.CostUSD += o.CostUSD
	u.CacheHits += o.CacheHits
	u.FallbackCalls += o.FallbackCalls
}

// Since is what was used after before.
func (u Usage) Since(before Usage) Usage {
	return Usage{Calls: u.Calls - before.Calls, PromptTokens: u.PromptTokens - before.PromptTokens,
		CachedTokens: u.CachedTokens - before.CachedTokens, CompletionTokens: u.CompletionTokens - before.CompletionTokens,
		CostUSD: u.CostUSD - before.CostUSD, CacheHits: u.CacheHits - before.CacheHits, FallbackCalls: u.FallbackCalls - before.FallbackCalls}
}

// LLMSpend is what was used and spent on one day of the site.
type LLMSpend struct {
	Calls            int
	PromptTokens     int
	CachedTokens     int
	CompletionTokens int
	NanoUSD          int64 // billionths of a US dollar; calls under way are in it with what they are expected to cost
}

// Timings are the stages' durations in milliseconds.
type Timings struct {
	Segment  float64 `json:"segment"`
	Retrieve float64 `json:"retrieve"`
	Rank     float64 `json:"rank"`
	Validate float64 `json:"validate"`
}

// SuggestionSet is all that the pipeline found for one revision of one note:
// the line that `suggest` prints and the message on SUGGESTIONS.
type SuggestionSet struct {
	Schema         int               `json:"schema"` // 1
	SetID          string            `json:"set_id"`
	NoteID         string            `json:"note_id"`
	Source         string            `json:"source"`
	NoteSHA256     string            `json:"note_sha256"`
	Releases       map[System]string `json:"releases"` // system -> version
	Setting        Setting           `json:"setting"`
	CodingStyle    Style             `json:"coding_style"`
	Ranker         string            `json:"ranker"`   // name@version
	Pipeline       string            `json:"pipeline"` // version of everything that decides the answer
	PromptSHA256   *string           `json:"prompt_sha256"`
	Model          *string           `json:"model"`
	Degraded       bool              `json:"degraded"`
	DegradedReason *string           `json:"degraded_reason"`
	Notices        []Notice          `json:"notices"`
	CreatedAt      time.Time         `json:"created_at"`
	Suggestions    []Suggestion      `json:"suggestions"`
	Candidates     []Candidate       `json:"candidates"`
	Usage          Usage             `json:"usage"`
	Timings        Timings           `json:"timings_ms"`

	// Edition names, by content, the releases that held on the date of service when
	// the set was made (codeset.Releases.Edition); it is kept with the item, not
	// published.
	Edition string `json:"-"`

	// Removed are the codes that a coding rule took out after ranking. Evaluation
	// asks for them; they are not published.
	Removed []string `json:"-"`
}
