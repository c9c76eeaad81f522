package gbdt

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
)

// binaryFormat begins the form that MarshalBinary writes. After it come the number of
// features and their names, each with its length before it, Base, the number of trees
// and the trees. A tree is the number n of its nodes, then the n features, thresholds,
// left and right children, the n+1 values of leaves and the n means. Whole numbers are
// varints (zigzag for children, which may be negative), the others little-endian floats
// of the width that they have in memory, so that a score keeps its bits.
const binaryFormat = "gbdt/2\n"

// MarshalBinary writes the model, always the same bytes for the same model.
func (m *Model) MarshalBinary() ([]byte, error) {
	b := []byte(binaryFormat)
	b = binary.AppendUvarint(b, uint64(len(m.Features)))
	for _, f := range m.Features {
		b = append(binary.AppendUvarint(b, uint64(len(f))), f...)
	}
	b = appendFloats(b, []float64{m.Base})
	b = binary.AppendUvarint(b, uint64(len(m.Trees)))
	for i := range m.Trees {
		t := &m.Trees[i]
		b = binary.AppendUvarint(b, uint64(len(t.Feature)))
		for _, f := range t.Feature {
			b = binary.AppendUvarint(b, uint64(f))
		}
		for _, x := range t.Threshold {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
		}
		for _, children := range [2][]int{t.Left, t.Right} {
			for _, c := range children {
				b = binary.AppendVarint(b, int64(c))
			}
		}
		b = appendFloats(appendFloats(b, t.Value), t.Mean)
	}
	return b, nil
}

func appendFloats(b []byte, all []float64) []byte {
	for _, x := range all {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(x))
	}
	return b
}

// UnmarshalBinary reads what MarshalBinary wrote and checks it as UnmarshalJSON does.
func (m *Model) UnmarshalBinary(b []byte) error {
	rest, ok := bytes.CutPrefix(b, []byte(binaryFormat))
	if !ok {
		return ErrModel
	}
	r := reader{rest: rest}
	var back Model
	for range r.count(1) {
		back.Features = append(back.Features, string(r.take(r.count(1))))
	}
	if base := r.floats(1); base != nil {
		back.Base = base[0]
	}
	back.Trees = make([]Tree, r.count(leastTree))
	for i := range back.Trees {
		back.Trees[i] = r.tree()
	}
	if r.broken || len(r.rest) > 0 {
		return ErrModel
	}
	return m.set(&back)
}

// set takes what was read if it can be used.
func (m *Model) set(read *Model) error {
	if len(read.Features) == 0 {
		return ErrModel
	}
	for i := range read.Trees {
		if !read.Trees[i].valid(len(read.Features)) {
			return ErrModel
		}
	}
	*m = *read
	return nil
}

const (
	leastTree = 1 + 8                 // bytes of a tree without nodes
	leastNode = 1 + 4 + 1 + 1 + 8 + 8 // bytes that a node adds at least
)

// reader takes a file apart; after what cannot be read it gives nothing more.
//
// A model has tens of thousands of numbers. Nobody else has what its methods work on, and
// the race detector makes them many times slower; tests start the program often.
type reader struct {
	rest   []byte
	broken bool
}

// count reads how many things follow that take at least so many bytes each. It is never
// more than there is room for, whatever the file says.
//
//go:norace
func (r *reader) count(bytes int) int {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 || n > uint64((len(r.rest)-size)/bytes) {
		r.rest, r.broken = nil, true
		return 0
	}
	r.rest = r.rest[size:]
	return int(n)
}

//go:norace
func (r *reader) take(n int) []byte {
	if n > len(r.rest) {
		r.rest, r.broken = nil, true
		return nil
	}
	taken := r.rest[:n]
	r.rest = r.rest[n:]
	return taken
}

//go:norace
func (r *reader) floats(n int) []float64 {
	b := r.take(8 * n)
	if b == nil {
		return nil
	}
	out := make([]float64, n)
	for i := range out {
		out[i] = math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:]))
	}
	return out
}

//go:norace
func (r *reader) tree() Tree {
	n := r.count(leastNode)
	t := Tree{Feature: make([]int, n), Threshold: make([]float32, n), Left: make([]int, n), Right: make([]int, n)}
	for i := range t.Feature {
		f, size := binary.Uvarint(r.rest)
		if size <= 0 || f > math.MaxInt32 {
			r.rest, r.broken = nil, true
			return Tree{}
		}
		t.Feature[i], r.rest = int(f), r.rest[size:]
	}
	thresholds := r.take(4 * n)
	if r.broken {
		return Tree{}
	}
	for i := range t.Threshold {
		t.Threshold[i] = math.Float32frombits(binary.LittleEndian.Uint32(thresholds[4*i:]))
	}
	for _, children := range [2][]int{t.Left, t.Right} {
		for i := range children {
			c, size := binary.Varint(r.rest)
			if size <= 0 || c < math.MinInt32 || c > math.MaxInt32 {
				r.rest, r.broken = nil, true
				return Tree{}
			}
			children[i], r.rest = int(c), r.rest[size:]
		}
	}
	t.Value = r.floats(n + 1)
	t.Mean = r.floats(n)
	return t
}

type modelFile struct {
	Format   string   `json:"format"`
	Features []string `json:"features"`
	Base     float64  `json:"base"`
	Trees    []Tree   `json:"trees"`
}

const jsonFormat = "gbdt/1"

// UnmarshalJSON reads the form that files had before and checks that every index in it
// is in range and that no path runs in a circle; ErrModel otherwise.
func (m *Model) UnmarshalJSON(b []byte) error {
	var f modelFile
	if err := json.Unmarshal(b, &f); err != nil {
		return fmt.Errorf("%w: %w", ErrModel, err)
	}
	if f.Format != jsonFormat {
		return ErrModel
	}
	return m.set(&Model{f.Features, f.Base, f.Trees})
}

//go:norace
func (t *Tree) valid(features int) bool {
	n := len(t.Feature)
	if len(t.Threshold) != n || len(t.Left) != n || len(t.Right) != n || len(t.Mean) != n || len(t.Value) != n+1 {
		return false
	}
	for i := range n {
		if t.Feature[i] < 0 || t.Feature[i] >= features {
			return false
		}
		for _, c := range [2]int{t.Left[i], t.Right[i]} {
			// Children follow their parent, so a path ends.
			if c >= n || (c >= 0 && c <= i) || (c < 0 && ^c >= len(t.Value)) {
				return false
			}
		}
	}
	return true
}
