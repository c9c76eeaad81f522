package web

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"chartcode/internal/coding"
	"chartcode/internal/review"
)

// maxForm is the size of the largest form, in bytes.
const maxForm = 64 << 10

// readForm reads the form in a request's body, of at most so many bytes.
func readForm(w http.ResponseWriter, r *http.Request, most int64) error {
	r.Body = http.MaxBytesReader(w, r.Body, most)
	return r.ParseForm()
}

// pathNumber reads a number from 1 of the path; ok is false where it is none.
func pathNumber(r *http.Request, name string) (n int64, ok bool) {
	n, err := strconv.ParseInt(r.PathValue(name), 10, 64)
	return n, err == nil && n > 0
}

// number reads a number from a form or query; -1 when it is none.
func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		return -1
	}
	return n
}

// listed reads several names or codes that were typed into one field.
func listed(typed string) []string {
	return strings.FieldsFunc(typed, func(c rune) bool { return unicode.IsSpace(c) || c == ',' || c == ';' })
}

// actGiveBack finishes an item that cannot be coded.
const actGiveBack coding.DecisionKind = "give_back"

// formAct reads a decision from a form. The content is what tells a decision
// on changed suggestions, so a form without it is refused.
func formAct(f url.Values) (review.Act, error) {
	content, err := strconv.ParseInt(f.Get("content"), 10, 64)
	if err != nil || content < 1 {
		return review.Act{}, review.ErrInput
	}
	a := review.Act{
		Kind: coding.DecisionKind(f.Get("kind")), Key: f.Get("key"), Content: content,
		Code:   coding.CodeKey{System: coding.System(f.Get("system")), Code: f.Get("code")},
		Reason: strings.TrimSpace(f.Get("reason")), Confirm: f.Get("confirm") == "true",
	}
	switch a.Kind {
	case coding.Accept, coding.Undo, coding.Redo, coding.Reopen:
	case coding.Finish:
	case actGiveBack:
		a.Kind, a.Disposition = coding.Finish, coding.DispositionReturned
	case coding.Reject:
		a.ReasonCode = coding.ReasonCode(f.Get("reason_code"))
	case review.AcceptAll:
		a.Code = coding.CodeKey{}
		a.Above, err = strconv.ParseFloat(f.Get("above"), 64)
	case coding.Add:
		a.Code.Code = typedCode(a.Code.System, a.Code.Code)
		a.Evidence, err = formEvidence(f)
	case coding.Modify:
		a.To = coding.CodeKey{System: a.Code.System, Code: typedCode(a.Code.System, f.Get("to"))}
		a.Evidence, err = formEvidence(f)
	case coding.Detail:
		err = formDetail(f, &a)
	case coding.Remark:
		a.Code, a.Remark = coding.CodeKey{}, strings.TrimSpace(strings.ReplaceAll(f.Get("remark"), "\r\n", "\n"))
	case coding.Reorder:
		a.Code = coding.CodeKey{}
		a.Order, err = formOrder(f)
	case coding.Override:
		a.Rule, a.Codes, a.Code = f.Get("rule"), f["codes"], coding.CodeKey{}
	default:
		return review.Act{}, review.ErrInput
	}
	if err != nil {
		return review.Act{}, review.ErrInput
	}
	return a, nil
}

// typedCode is a code as it is written, from what somebody typed: without
// spaces, in capitals, an ICD-10-CM code with its dot.
func typedCode(system coding.System, typed string) string {
	code := strings.ToUpper(strings.Join(strings.Fields(typed), ""))
	if system == coding.ICD10CM && !strings.Contains(code, ".") {
		code = coding.DotCode(code)
	}
	return code
}

// formEvidence reads the words that were selected in a note, if any were.
func formEvidence(f url.Values) ([]coding.Evidence, error) {
	if f.Get("evidence_end") == "" {
		return nil, nil
	}
	start, err := strconv.Atoi(f.Get("evidence_start"))
	if err != nil {
		return nil, review.ErrInput
	}
	end, err := strconv.Atoi(f.Get("evidence_end"))
	if err != nil {
		return nil, review.ErrInput
	}
	return []coding.Evidence{{NoteID: f.Get("evidence_note"), Span: coding.Span{Start: start, End: end}}}, nil
}

// formDetail reads what a form says beside a code; what it does not have stays
// as it is.
func formDetail(f url.Values, a *review.Act) error {
	a.Role, a.POA = coding.Role(f.Get("role")), coding.POA(f.Get("poa"))
	if f.Has("units") {
		n := 0
		if text := strings.TrimSpace(f.Get("units")); text != "" {
			var err error
			if n, err = strconv.Atoi(text); err != nil {
				return review.ErrInput
			}
		}
		a.Units = &n
	}
	if f.Has("modifiers") {
		list := listed(strings.ToUpper(f.Get("modifiers")))
		a.Modifiers = &list
	}
	if f.Has("pointers_shown") {
		keys := []coding.CodeKey{}
		for _, code := range f["pointers"] {
			keys = append(keys, coding.CodeKey{System: coding.ICD10CM, Code: code})
		}
		a.Pointers = &keys
	}
	return nil
}

// formOrder reads the codes of a list in the order in which they were shown, as
// "system code", and moves one of them: "from:to", places from 0.
func formOrder(f url.Values) ([]coding.CodeKey, error) {
	var order []coding.CodeKey
	for _, x := range f["order"] {
		system, code, _ := strings.Cut(x, " ")
		order = append(order, coding.CodeKey{System: coding.System(system), Code: code})
	}
	from, to, ok := movedPlaces(f)
	if !ok || from >= len(order) || to >= len(order) {
		return nil, review.ErrInput
	}
	moved := order[from]
	return slices.Insert(slices.Delete(order, from, from+1), to, moved), nil
}

func movedPlaces(f url.Values) (from, to int, ok bool) {
	a, b, _ := strings.Cut(f.Get("move"), ":")
	from, to = number(a), number(b)
	return from, to, from >= 0 && to >= 0
}
