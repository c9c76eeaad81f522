package llm

import (
	"encoding/json"
	"sync"
)

// flights lets one of several that ask the same question at the same time ask it.
type flights struct {
	mu  sync.Mutex
	now map[[32]byte]*flight
}

// flight is a question under way; answer and err are set before done is closed.
type flight struct {
	done   chan struct{}
	answer json.RawMessage
	err    error
}

// join gives the flight of a question; the first is its leader and must land it.
func (f *flights) join(hash [32]byte) (fl *flight, leader bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if fl, ok := f.now[hash]; ok {
		return fl, false
	}
	fl = &flight{done: make(chan struct{})}
	if f.now == nil {
		f.now = make(map[[32]byte]*flight)
	}
	f.now[hash] = fl
	return fl, true
}

func (f *flights) land(hash [32]byte, fl *flight) {
	f.mu.Lock()
	delete(f.now, hash)
	f.mu.Unlock()
	close(fl.done)
}
