//go:build !race

package pipeline_test

import "testing"

// TestClaims takes the race detector a minute and has one goroutine: `make whole` runs it.
func TestClaims(t *testing.T) { judgeClaims(t) }
