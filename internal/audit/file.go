package audit

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"

	"chartcode/internal/coding"
)

// line is one link in an exported file (JSON Lines).
type line struct {
	Seq  int64  `json:"seq"`
	Hash string `json:"hash"` // hex
	coding.AuditEvent
}

// maxLine bounds what is read of a damaged file.
const maxLine = 1 << 20

// Export writes the chain as JSON Lines, one link a line, and gives their
// number.
func (t *Trail) Export(ctx context.Context, w io.Writer) (int64, error) {
	buf := bufio.NewWriter(w)
	enc := json.NewEncoder(buf)
	var n int64
	for l, err := range t.store.AuditChain(ctx) {
		if err != nil {
			return n, fmt.Errorf("audit: export: %w", err)
		}
		if err := enc.Encode(line{l.Seq, hex.EncodeToString(l.Hash[:]), l.Event}); err != nil {
			return n, fmt.Errorf("audit: export: %w", err)
		}
		n++
	}
	if err := buf.Flush(); err != nil {
		return n, fmt.Errorf("audit: export: %w", err)
	}
	return n, nil
}

// VerifyFile checks an exported chain without a database. Known is as in
// Trail.Verify. The error says that the file cannot be read as a chain; it
// names the line and repeats nothing of it.
func VerifyFile(r io.Reader, known string) (Report, error) {
	return verify(readLines(r), known)
}

func readLines(r io.Reader) iter.Seq2[coding.AuditLink, error] {
	return func(yield func(coding.AuditLink, error) bool) {
		sc := bufio.NewScanner(r)
		sc.Buffer(nil, maxLine)
		n := 0
		for sc.Scan() {
			n++
			var l line
			err := json.Unmarshal(sc.Bytes(), &l)
			link := coding.AuditLink{Seq: l.Seq, Event: l.AuditEvent}
			hash, herr := hex.DecodeString(l.Hash)
			if err != nil || herr != nil || len(hash) != len(link.Hash) {
				yield(coding.AuditLink{}, fmt.Errorf("audit: line %d is not a link of an exported audit trail", n))
				return
			}
			copy(link.Hash[:], hash)
			if !yield(link, nil) {
				return
			}
		}
		if err := sc.Err(); err != nil {
			if errors.Is(err, bufio.ErrTooLong) {
				err = errors.New("it is too long")
			}
			yield(coding.AuditLink{}, fmt.Errorf("audit: line %d cannot be read: %w", n+1, err))
		}
	}
}
