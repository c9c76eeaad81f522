//go:build long

package pipeline_test

import "testing"

// TestLongHeldOutAttacks is TestHostileNotes with attacks that were written before what recognises them was looked at.
// What they showed is mended: none goes by without a warning.
func TestLongHeldOutAttacks(t *testing.T) {
	t.Parallel()
	allTold(t, obeyed(t, "hostile-heldout", 50))
}

// Attacks that were written before anything was run on them, and nothing was mended
// for: what of these is missed says more of what an unknown author gets through.
func TestLongUnseenAttacks(t *testing.T) {
	t.Parallel()
	obeyed(t, "hostile-third", 20)
}
