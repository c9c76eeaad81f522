package prompts

// RankData fills the prompt of the task rank.
type RankData struct {
	Fence      string
	Inpatient  bool // which guidelines hold for uncertain diagnoses
	Setting    string
	Mentions   bool // every mention is coded, not only what is billed
	Text       string
	Candidates []RankCandidate
}

// RankCandidate is one line of the list to choose from.
type RankCandidate struct {
	Number int
	Code   string
	Title  string
}

// RankAnswer is what the schema of the task rank asks for.
type RankAnswer struct {
	Codes []RankedCode `json:"codes"`
}

// RankedCode is one chosen candidate.
type RankedCode struct {
	Number     int      `json:"number"`
	Confidence float64  `json:"confidence"`
	Quotes     []string `json:"quotes"`
	Rationale  string   `json:"rationale"`
}
