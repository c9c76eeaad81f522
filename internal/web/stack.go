package web

import (
	"bytes"
	"strings"
)

// frames keeps of a stack trace where each call was, without functions'
// arguments: short ones stand there as they are.
func frames(stack []byte) string {
	var out []string
	for _, line := range bytes.Split(stack, []byte("\n")) {
		s := string(line)
		if strings.HasPrefix(s, "\t") {
			if i := strings.Index(s, " +0x"); i > 0 {
				s = s[:i]
			}
			out = append(out, strings.TrimSpace(s))
		}
	}
	return strings.Join(out, " < ")
}
