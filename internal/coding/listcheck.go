package coding

// ListCheck is what coding rules are asked of the codes of an encounter: several
// lists, each as it would be reported, and the notes behind them.
type ListCheck struct {
	Setting Setting
	Style   Style
	Patient Patient
	Payer   string
	Date    Date   // of service; discharge of a stay
	Notes   []Note // with the setting that holds for each
	Lists   [][]ListedCode
}

// ListedCode is a code with the words that support it; they name their notes.
type ListedCode struct {
	CodeKey
	Evidence []Evidence
}
