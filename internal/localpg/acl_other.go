//go:build !linux

package localpg

import "errors"

// grantPass is not there on this system; the caller falls back on mode bits.
func grantPass(string, int) error { return errors.ErrUnsupported }
