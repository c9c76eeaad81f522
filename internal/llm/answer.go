package llm

import (
	"bytes"
	"encoding/json"
	"strings"
)

// object finds the answer in what a model wrote: the object itself, or one in a
// code fence, after thoughts, or between sentences. Of several the last that has
// the required members counts. ok is false when there is none.
func object(content string, want form) (json.RawMessage, bool) {
	budget := searchBudget
	if i := strings.LastIndex(content, "</think>"); i >= 0 {
		content = content[i:]
	}
	var found json.RawMessage
	b := []byte(content)
	for i := 0; i < len(b) && budget > 0; {
		open := bytes.IndexByte(b[i:], '{')
		if open < 0 {
			break
		}
		i += open
		end := balanced(b[i:])
		if end < 0 {
			budget -= len(b) - i
			i++
			continue
		}
		budget -= end
		if candidate := b[i : i+end]; want.fits(candidate) {
			found = candidate
			i += end
		} else {
			i++ // a smaller one may begin inside, as in {thought {"codes":[]}}
		}
	}
	return found, found != nil
}

// searchBudget bounds the bytes looked at, for a text of open brackets would be
// read as often as it has them.
const searchBudget = 16 * maxAnswerBytes

// balanced gives the length of the bracketed text at the start of b, -1 when it
// does not end.
func balanced(b []byte) int {
	depth, quoted := 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{':
			depth++
		case c == '}':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return -1
}

// form is what a schema says of the answer at its top.
type form struct {
	Required   []string `json:"required"`
	Properties map[string]struct {
		Type json.RawMessage `json:"type"`
	} `json:"properties"`
}

func formOf(schema json.RawMessage) (f form, err error) {
	return f, json.Unmarshal(schema, &f)
}

// fits reports whether the object has the required members and each member that
// the schema names has one of its types. What is below is the ranker's to judge:
// one bad item must not cost the others.
func (f form) fits(candidate []byte) bool {
	var members map[string]json.RawMessage
	if json.Unmarshal(candidate, &members) != nil {
		return false
	}
	for _, name := range f.Required {
		if _, ok := members[name]; !ok {
			return false
		}
	}
	for name, value := range members {
		if p, ok := f.Properties[name]; ok && !typed(value, p.Type) {
			return false
		}
	}
	return true
}

// typed reports whether a value is of a type of JSON schema: a name, or a list
// of names. Without one any value is.
func typed(value, want json.RawMessage) bool {
	var names []string
	var one string
	switch {
	case len(want) == 0:
		return true
	case json.Unmarshal(want, &one) == nil:
		names = []string{one}
	case json.Unmarshal(want, &names) != nil:
		return true
	}
	kind := map[byte]string{'{': "object", '[': "array", '"': "string", 't': "boolean", 'f': "boolean", 'n': "null"}[value[0]]
	for _, name := range names {
		if name == kind || kind == "" && (name == "number" || name == "integer") {
			return true
		}
	}
	return false
}
