//go:build long

package pipeline_test

import "testing"

func TestLongClaims(t *testing.T) { judgeClaims(t) }
