package llm

import (
	"bytes"
	"encoding/json"
	"strings"
)

// object finds the answer in what a model wrote: the object itself, or one in a
// code fence, after thoughts, or between sentences. Of several the last that has
// the required members counts. ok is false when there is none.
func object(content string, required []string) (json.RawMessage, bool) {
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
		if candidate := b[i : i+end]; has(candidate, required) {
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

func has(candidate []byte, required []string) bool {
	var members map[string]json.RawMessage
	if json.Unmarshal(candidate, &members) != nil {
		return false
	}
	for _, name := range required {
		if _, ok := members[name]; !ok {
			return false
		}
	}
	return true
}

// requiredOf reads the names that a schema demands at its top.
func requiredOf(schema json.RawMessage) ([]string, error) {
	var s struct {
		Required []string `json:"required"`
	}
	err := json.Unmarshal(schema, &s)
	return s.Required, err
}
