package prompts

// Note is the note, or a part of one, as every prompt shows it: by numbered
// sections between fences.
type Note struct {
	Fence     string
	Sections  []Section
	Part      int // of Parts, from 1
	Parts     int // 1 unless the note is too long for one prompt
	Setting   string
	Inpatient bool // which guidelines hold for uncertain diagnoses
	Mentions  bool // every mention is coded, not only what is billed
}

// Section is one section's text. Kind says what its heading means.
type Section struct {
	Number int // within the prompt, from 1
	Kind   string
	Text   string
}

// ExtractData fills the prompt of the task extract.
type ExtractData struct{ Note }

// ExtractAnswer is what the schema of the task extract asks for.
type ExtractAnswer struct {
	Items []ExtractedItem `json:"items"`
}

// ExtractedItem is one statement of the note that matters for coding.
type ExtractedItem struct {
	Description string `json:"description"` // as the classification would say it
	Quote       string `json:"quote"`
	Section     int    `json:"section"`
	Kind        string `json:"kind"`
	Assertion   string `json:"assertion"`
}

// ChooseData fills the prompt of the task choose.
type ChooseData struct {
	Note
	Items   []ChooseItem
	Tabular []TabularEntry
}

// ChooseItem is a statement with its candidates. Numbers of candidates are
// unique over the prompt; Also names those that stand at an earlier item.
type ChooseItem struct {
	Number      int
	Words       bool // found by words, not by reading: each candidate has a quote of its own
	Description string
	Kind        string
	Assertion   string
	Quote       string // in quotation marks
	Candidates  []Candidate
	Also        string // "3, 7"
}

// Candidate is one line of the list to choose from.
type Candidate struct {
	Number int
	Code   string
	Title  string
	Quote  string // in quotation marks, of an item found by words
}

// TabularEntry is what the tabular list says at a code, for all below it.
type TabularEntry struct {
	Code  string
	Title string
	Notes []string
}

// ChooseAnswer is what the schema of the tasks choose and repair asks for.
type ChooseAnswer struct {
	Items []ChosenItem `json:"items"`
	First int          `json:"first"` // number of the first-listed code; 0: none
}

// ChosenItem are the codes chosen for one item.
type ChosenItem struct {
	Item  int          `json:"item"`
	Codes []ChosenCode `json:"codes"`
}

// ChosenCode is one chosen candidate.
type ChosenCode struct {
	Number     int      `json:"number"`
	Confidence float64  `json:"confidence"`
	Quotes     []string `json:"quotes"`
	Rationale  string   `json:"rationale"`
}

// RepairData fills the prompt of the task repair.
type RepairData struct {
	Note
	Items  []ChooseItem
	Chosen []Candidate // what was chosen before
	Errors []RuleError
}

// RuleError is what a coding rule has to say against choices.
type RuleError struct {
	Codes   string // "E10.9, E11.9"
	Message string
	Source  string
}
