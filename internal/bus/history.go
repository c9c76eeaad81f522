package bus

import "sync"

// history is what one worker process remembers of notes that came more than
// once: attempts that do not count, because an outage ended them, and panics.
// Another worker does not know of it; that only makes its count less lenient.
type history struct {
	mu    sync.Mutex
	notes map[uint64]record
}

type record struct{ excused, panics int }

// historyLimit bounds memory: notes finished by other workers are never forgotten one by one.
const historyLimit = 100_000

func newHistory() *history { return &history{notes: make(map[uint64]record)} }

// attempt is how many of the deliveries count, at least 1.
func (h *history) attempt(seq uint64, delivered int) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return max(delivered-h.notes[seq].excused, 1)
}

func (h *history) excuse(seq uint64) {
	h.change(seq, func(r *record) { r.excused++ })
}

// panicked counts one more panic and says how many there were.
func (h *history) panicked(seq uint64) (n int) {
	h.change(seq, func(r *record) { r.panics++; n = r.panics })
	return n
}

func (h *history) change(seq uint64, f func(*record)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	r, known := h.notes[seq]
	if !known && len(h.notes) >= historyLimit {
		clear(h.notes)
	}
	f(&r)
	h.notes[seq] = r
}

func (h *history) forget(seq uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.notes, seq)
}
