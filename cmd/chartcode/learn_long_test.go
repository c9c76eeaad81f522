//go:build long

package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"chartcode/internal/auth"
	"chartcode/internal/coding"
)

// TestLongLearnBelievesAuditors: of two who code the same words differently, the auditor is believed although
// more notes are the coder's.
func TestLongLearnBelievesAuditors(t *testing.T) {
	t.Parallel()
	for _, auditor := range []bool{false, true} {
		t.Run(fmt.Sprint(auditor), func(t *testing.T) {
			t.Parallel()
			c := newClinic(t)
			c.month("jan", 70, truly)
			conflict := func(i int) coding.Note {
				return encounter(fmt.Sprintf("conflict-%d", i), strings.Replace(visitText(i%8, 0, 9), secretNames[0], "quimbra", 1))
			}
			for i := range 30 {
				by, code := c.coder, secretCode(5)
				if i >= 18 {
					by, code = c.senior, secretCode(6)
				}
				c.code(by, conflict(i), plainCode(i%8), code)
			}
			if auditor {
				if err := c.accounts.SetRole(t.Context(), auth.ByConsole, "bea", coding.RoleAuditor); err != nil {
					t.Fatal(err)
				}
			}
			out := c.learned(true)
			want, share := secretCode(5), "0 (0%)"
			if auditor {
				want, share = secretCode(6), "12 (12%)"
			}
			if !strings.Contains(out, "items finished by auditors: "+share) {
				t.Errorf("the report:\n%s", out)
			}
			c.later()
			got := codesOf(c.suggest(conflict(100)))
			if !slices.Contains(got, want) || slices.Contains(got, secretCode(5)) && slices.Contains(got, secretCode(6)) {
				t.Errorf("the suggestions are %v, want %s for the words in conflict", got, want)
			}
		})
	}
}
