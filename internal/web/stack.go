package web

import (
	"bytes"
	"strings"
)

// frames keeps of a stack trace the functions and lines, without the first
// lines, which can hold the panic's value, and without arguments.
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
