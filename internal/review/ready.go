package review

import (
	"fmt"
	"slices"
	"strings"

	"chartcode/internal/coding"
)

// UnreadyError says why an item cannot be finished yet.
type UnreadyError struct {
	Undecided int              // codes without a decision: they would not be in the review
	Empty     bool             // the review would have no code
	Blockers  []Blocker        // errors of coding rules, not overridden
	NoPOA     []coding.CodeKey // diagnoses of a stay without their present-on-admission indicator
	Warnings  []coding.Finding // of the codes that would be in the review
}

// Confirmable reports whether finishing again with Confirm succeeds.
func (e *UnreadyError) Confirmable() bool { return len(e.Blockers) == 0 && len(e.NoPOA) == 0 }

func (e *UnreadyError) Error() string {
	switch {
	case slices.ContainsFunc(e.Blockers, func(b Blocker) bool { return b.MustGo }):
		return "a code in the list may not be reported on the date of service; change or reject it"
	case len(e.Blockers) > 0:
		return "a coding rule forbids these codes together; remove one of them or override the rule with a reason"
	case len(e.NoPOA) > 0:
		var codes []string
		for _, key := range e.NoPOA {
			codes = append(codes, key.Code)
		}
		return "say whether these diagnoses were present on admission: " + strings.Join(codes, ", ")
	case e.Undecided > 0:
		return fmt.Sprintf("%d suggested codes are still undecided; decide on them, or confirm to finish without them", e.Undecided)
	case e.Empty:
		return "no code was accepted; confirm to finish without any"
	case len(e.Warnings) == 1:
		return "there is a warning about the codes; look at it, or confirm to finish all the same"
	default:
		return fmt.Sprintf("there are %d warnings about the codes; look at them, or confirm to finish all the same", len(e.Warnings))
	}
}

// ready gives an *UnreadyError unless the item can be finished.
func ready(list []Code, st State, confirmed bool) error {
	var u UnreadyError
	listed := 0
	for _, c := range list {
		switch {
		case c.State == Undecided:
			u.Undecided++
		case c.Listed():
			listed++
			u.warn(c)
			if c.POANeeded && c.POA == "" {
				u.NoPOA = append(u.NoPOA, c.CodeKey)
			}
		}
	}
	u.Empty = listed == 0
	for _, b := range blockers(list, st) {
		if !b.Overridden {
			u.Blockers = append(u.Blockers, b)
		}
	}
	if !u.Confirmable() || (!confirmed && (u.Undecided > 0 || u.Empty || len(u.Warnings) > 0)) {
		return &u
	}
	return nil
}

// warn adds the warnings of a code, each once.
func (e *UnreadyError) warn(c Code) {
	findings := c.Warnings
	if c.checked {
		findings = c.stops
	}
	for _, f := range findings {
		if f.Severity == coding.SeverityWarning && !slices.ContainsFunc(e.Warnings, func(have coding.Finding) bool { return sameFinding(have, f) }) {
			e.Warnings = append(e.Warnings, f)
		}
	}
}
