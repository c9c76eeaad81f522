package web

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode"

	"chartcode/internal/coding"
	"chartcode/internal/review"
)

// run is a stretch of text as a page shows it, or one invisible character that
// it names instead.
type run struct {
	Text    string
	Control string // such as U+202E
	Return  bool   // a carriage return, which browsers leave out unless it is written as a reference
}

// hidden reports whether a character would not be seen but change what is: the
// bidirectional overrides, embeddings and isolates can show a note's words in
// another order than the one that is coded.
func hidden(r rune) bool {
	switch {
	case r == '\n', r == '\r', r == '\t':
		return false
	case r >= 0x202A && r <= 0x202E, r >= 0x2066 && r <= 0x2069:
		return true
	}
	return unicode.IsControl(r)
}

// runs divides text at invisible characters. Pages count bytes in what they show,
// to say which words somebody selected, so that no character may be lost.
func runs(text string) []run {
	var out []run
	from := 0
	for i, r := range text {
		if !hidden(r) && r != '\r' {
			continue
		}
		if from < i {
			out = append(out, run{Text: text[from:i]})
		}
		if r == '\r' {
			out = append(out, run{Return: true})
		} else {
			out = append(out, run{Control: fmt.Sprintf("U+%04X", r)})
		}
		from = i + len(string(r))
	}
	if from < len(text) {
		out = append(out, run{Text: text[from:]})
	}
	return out
}

// plain is text for places where invisible characters cannot be shown.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if hidden(r) {
			return '\uFFFD'
		}
		return r
	}, text)
}

func priorityText(p int) string {
	switch {
	case p >= coding.PriorityUrgent:
		return fmt.Sprintf("%d, urgent", p)
	case p < coding.PriorityUsual:
		return fmt.Sprintf("%d, low", p)
	}
	return fmt.Sprintf("%d", p)
}

// confidenceText puts a calibrated probability in words.
func confidenceText(p float64) string {
	switch {
	case p >= 0.85:
		return "very likely"
	case p >= 0.6:
		return "likely"
	case p >= 0.35:
		return "possible"
	}
	return "unsure"
}

// agreementWord says which rankers suggest a code, and in a title what that means.
type agreementWord struct{ Word, Title string }

// agreementText is nil where no language model was asked.
func agreementText(a coding.Agreement) *agreementWord {
	switch a {
	case coding.AgreementBoth:
		return &agreementWord{"agreed", "The language model and the search for words both suggest this code"}
	case coding.AgreementLLM:
		return &agreementWord{"model only", "Only the language model suggests this code"}
	case coding.AgreementLocal:
		return &agreementWord{"words only", "The search for words is sure of this code; the language model did not choose it"}
	}
	return nil
}

// percentText never rounds to certainty, which no suggestion has.
func percentText(p float64) string {
	switch n := math.Round(p * 100); {
	case n >= 100 && p < 1:
		return "99%"
	case n <= 0 && p > 0:
		return "1%"
	default:
		return fmt.Sprintf("%.0f%%", n)
	}
}

func roleText(r coding.Role) string {
	switch r {
	case coding.RoleFirstListed:
		return "first-listed"
	case coding.RolePrincipal:
		return "principal"
	case coding.RoleAdmitting:
		return "admitting"
	case coding.RoleReason:
		return "reason for visit"
	}
	return ""
}

// rejectedText is why a suggestion was rejected.
func rejectedText(why coding.ReasonCode) string {
	for _, c := range coding.RejectReasons() {
		if c.Code == why {
			return c.Label
		}
	}
	return ""
}

// poaChoices are the present-on-admission indicators with the key of each.
func poaChoices() []choice {
	var out []choice
	for _, p := range []coding.POA{coding.POAYes, coding.POANo, coding.POAUnknown, coding.POAClinically, coding.POAExempt} {
		out = append(out, choice{Value: string(p), Label: poaText(p)})
	}
	return out
}

func poaText(p coding.POA) string {
	switch p {
	case coding.POAYes:
		return "present"
	case coding.POANo:
		return "not present"
	case coding.POAUnknown:
		return "documentation does not tell"
	case coding.POAClinically:
		return "cannot be told clinically"
	case coding.POAExempt:
		return "exempt"
	}
	return string(p)
}

// roleChoices are the roles that a coder can give a code in a setting.
func roleChoices(s coding.Setting) []choice {
	leading := coding.RoleFirstListed
	if s.InpatientRules() {
		leading = coding.RolePrincipal
	}
	out := []choice{}
	for _, r := range []coding.Role{leading, coding.RoleSecondary, coding.RoleAdmitting, coding.RoleReason} {
		label := roleText(r)
		if label == "" {
			label = "secondary"
		}
		out = append(out, choice{Value: string(r), Label: label})
	}
	return out
}

// ageText says how long ago something was.
func ageText(d time.Duration) string {
	switch {
	case d < time.Minute:
		return "just now"
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours())/24)
}

// patientText is what a coder needs to know of the patient: sex, and age on
// the day of service.
func patientText(n coding.Note) string {
	var parts []string
	if n.Patient.Sex != "" {
		parts = append(parts, plain(n.Patient.Sex))
	}
	at := n.ServiceDate
	if years, ok := coding.AgeAt(n.Patient.BirthDate, at); ok {
		switch {
		case years >= 2:
			parts = append(parts, fmt.Sprintf("%d years", years))
		default:
			days := int(at.Time().Sub(n.Patient.BirthDate.Time()).Hours() / 24)
			switch {
			case days < 28:
				parts = append(parts, counted(days, "day", "days"))
			case days < 61:
				parts = append(parts, fmt.Sprintf("%d weeks", days/7))
			default:
				parts = append(parts, fmt.Sprintf("%d months", days*12/365))
			}
		}
	}
	return strings.Join(parts, ", ")
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func checkText(s coding.CheckStatus) string {
	switch s {
	case coding.CheckNotBillable:
		return "now a header"
	case coding.CheckRetitled:
		return "new title"
	}
	return strings.ReplaceAll(string(s), "_", " ")
}

// eventText says in words what a line of the timeline tells.
func eventText(action string) string {
	switch action {
	case string(coding.EventLooked):
		return "looked at it"
	case string(coding.EventClaimed):
		return "took it"
	case string(coding.EventTaken):
		return "took it over"
	case string(coding.EventReleased):
		return "returned it to the list"
	case string(coding.EventHeld):
		return "put it on hold"
	case string(coding.EventQueried):
		return "queried it"
	case string(coding.EventResumed):
		return "resumed it"
	case string(coding.EventSkipped):
		return "skipped it"
	case string(coding.EventSent):
		return "sent it"
	case string(coding.EventUnsent):
		return "took back the sending"
	case string(coding.EventAnswered):
		return "entered the answer to query"
	case string(coding.EventWithdrew):
		return "withdrew query"
	case string(coding.Detail):
		return "set details of"
	case string(coding.Remark):
		return "remarked"
	case review.ActionChecked:
		return "looked the codes up again"
	case string(coding.Accept):
		return "accepted"
	case string(coding.Reject):
		return "rejected"
	case string(coding.Modify):
		return "changed"
	case string(coding.Add):
		return "added"
	case string(coding.Reorder):
		return "put the codes in order"
	case string(coding.Override):
		return "overrode a rule for"
	case string(coding.Undo):
		return "undid"
	case string(coding.Redo):
		return "redid"
	case string(coding.Finish):
		return "finished it"
	case string(coding.Reopen):
		return "reopened it"
	}
	return action
}

// problemText is what a user reads about an act that was refused: what is the
// matter and what to do.
func problemText(err error, zone *time.Location) string {
	var claimed *review.ClaimedError
	var unready *review.UnreadyError
	switch {
	case errors.As(err, &claimed):
		return fmt.Sprintf("%s is working on this item. It is free again at %s at the latest.",
			plain(claimed.Claim.Name), claimed.Claim.Until.In(zone).Format("15:04"))
	case errors.As(err, &unready) && unready.Confirmable() && unready.Undecided > 0:
		out := counted(unready.Undecided, "suggested code is", "suggested codes are") + " still undecided and would not be in the review."
		if unready.Empty {
			out = "Nothing was accepted, and " + out
		}
		return out + " Decide, or finish all the same."
	case errors.As(err, &unready) && unready.Confirmable() && unready.Empty:
		return "No code was accepted. Finish all the same to close the item without codes."
	case errors.As(err, &unready) && unready.Confirmable():
		return counted(len(unready.Warnings), "warning stands", "warnings stand") + " against the codes of the review. " + warned(unready.Warnings) + " Mend it, or finish all the same."
	case errors.Is(err, review.ErrUnknown):
		return "The loaded code set has no such code that may be reported on the date of service. Check the code and try again."
	case errors.Is(err, review.ErrChanged):
		return "The notes or suggestions changed meanwhile, so nothing was done. Look at the item as it is now, then decide."
	case errors.Is(err, review.ErrKeyReused):
		return "Another decision was stored at the same moment. This is how the item stands now; decide again if need be."
	case errors.Is(err, review.ErrInput):
		return "This could not be understood. Fill in what is asked for and try again."
	}
	return sentence(err)
}

// warned names the codes of warnings with what these say.
func warned(warnings []coding.Finding) string {
	var parts []string
	for _, w := range warnings {
		parts = append(parts, strings.Join(w.Codes, ", ")+": "+w.Message)
	}
	return strings.Join(parts, " ")
}

// sentence makes a message start with a capital and end with a full stop.
func sentence(err error) string {
	m := err.Error()
	if m == "" {
		return m
	}
	m = strings.ToUpper(m[:1]) + m[1:]
	if !strings.HasSuffix(m, ".") {
		m += "."
	}
	return m
}

// termKindText says where a text that leads to a code comes from.
func termKindText(kind coding.TermKind) string {
	switch kind {
	case coding.TermInclusion:
		return "inclusion term"
	case coding.TermIndex:
		return "index"
	case coding.TermExternal:
		return "external causes"
	case coding.TermNeoplasm:
		return "neoplasm table"
	case coding.TermDrug:
		return "drug table"
	case coding.TermEveryday:
		return "everyday name"
	case coding.TermLearned:
		return "learned"
	}
	return string(kind)
}
