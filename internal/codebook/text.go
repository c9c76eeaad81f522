package codebook

import "fmt"

// KindName is what people call a kind of note.
func KindName(kind string) string {
	switch kind {
	case "inclusionTerm":
		return "Inclusion terms"
	case "includes":
		return "Includes"
	case "excludes1":
		return "Excludes1"
	case "excludes2":
		return "Excludes2"
	case "codeFirst":
		return "Code first"
	case "useAdditionalCode":
		return "Use additional code"
	case "codeAlso":
		return "Code also"
	case "sevenChrNote":
		return "7th character"
	}
	return "Note"
}

// ChangeText says a change in words.
func ChangeText(c Change) string {
	switch c.Kind {
	case Added:
		return fmt.Sprintf("new in %s (not in %s)", c.To, c.From)
	case Deleted:
		return fmt.Sprintf("deleted by %s (last in %s)", c.To, c.From)
	case MadeHeader:
		return fmt.Sprintf("a header from %s on (billable in %s)", c.To, c.From)
	case MadeBillable:
		return fmt.Sprintf("billable from %s on (a header in %s)", c.To, c.From)
	}
	return fmt.Sprintf("retitled in %s: was %q in %s", c.To, c.Before, c.From)
}
