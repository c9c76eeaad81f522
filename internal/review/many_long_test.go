//go:build long

package review_test

import "testing"

// TestLongManyCoders is the same with two hundred coders and five thousand items.
func TestLongManyCoders(t *testing.T) { manyCoders(t, 200, 5000) }
