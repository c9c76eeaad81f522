package coding

// Lookup asks which codes a statement of a note may lead to. Quote are the words
// of the note, Description says the same as the classification would; either may
// be empty.
type Lookup struct {
	Quote       Span
	Description string
}

// Found is a code that a Lookup led to, most likely first. How well the words of
// the quote and those of the description lead to it is told apart, 0..1: who
// wrote the description may be wrong about the note. Kin codes were not reached
// by words; they stand beside one that was.
type Found struct {
	Candidate
	ByQuote       float64
	ByDescription float64
	Kin           bool
}
