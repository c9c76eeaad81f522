package embedding

import "encoding/binary"

// The file is: magic; name; dims; then for words and for letter groups the
// number of keys, the keys, the weights, the vectors. Numbers are little
// endian; a text is its length in one byte and its bytes.
const magic = "chartcode-vectors/1\n"

// Bytes writes the model in its file's form.
func (l *Local) Bytes() []byte {
	b := []byte(magic)
	b = appendText(b, l.name)
	b = binary.LittleEndian.AppendUint32(b, uint32(l.dims))
	for _, t := range []*table{&l.words, &l.grams} {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(t.keys)))
		for _, k := range t.keys {
			b = appendText(b, k)
		}
		for _, w := range t.weight {
			b = binary.LittleEndian.AppendUint16(b, w)
		}
		b = append(b, t.vec...)
	}
	return b
}

func appendText(b []byte, s string) []byte {
	s = s[:min(len(s), 255)]
	return append(append(b, byte(len(s))), s...)
}

// ReadLocal reads a model file, of which the model keeps parts; ErrModel when it is not one.
func ReadLocal(b []byte) (*Local, error) {
	r := reader{b: b}
	if string(r.take(len(magic))) != magic {
		return nil, ErrModel
	}
	l := &Local{name: r.text(), dims: int(r.uint32())}
	if l.dims <= 0 || l.dims > 4096 {
		return nil, ErrModel
	}
	for _, t := range []*table{&l.words, &l.grams} {
		n := int(r.uint32())
		if n > len(b) {
			return nil, ErrModel
		}
		t.keys = r.texts(n)
		weights := r.take(2 * n)
		t.vec = r.take(n * l.dims)
		if r.bad {
			return nil, ErrModel
		}
		t.weight = uint16s(weights)
	}
	if r.bad || len(r.b) != 0 {
		return nil, ErrModel
	}
	if err := l.ready(); err != nil {
		return nil, err
	}
	return l, nil
}

type reader struct {
	b   []byte
	bad bool
}

func (r *reader) take(n int) []byte {
	if r.bad || n < 0 || n > len(r.b) {
		r.bad = true
		return nil
	}
	v := r.b[:n:n]
	r.b = r.b[n:]
	return v
}

func (r *reader) uint32() uint32 {
	if v := r.take(4); v != nil {
		return binary.LittleEndian.Uint32(v)
	}
	return 0
}

func (r *reader) text() string {
	t := r.texts(1)
	if t == nil {
		return ""
	}
	return t[0]
}

// texts reads n texts, which are parts of one string.
//
// A file has tens of thousands. Nobody else has what the functions here work on, and the race detector makes them many
// times slower; tests start the program often.
//
//go:norace
func (r *reader) texts(n int) []string {
	if r.bad || n > len(r.b) {
		r.bad = true
		return nil
	}
	end := 0
	for range n {
		if end >= len(r.b) {
			r.bad = true
			return nil
		}
		end += 1 + int(r.b[end])
	}
	all := string(r.take(end))
	if r.bad {
		return nil
	}
	out := make([]string, n)
	for i := range out {
		size := 1 + int(all[0])
		out[i], all = all[1:size], all[size:]
	}
	return out
}

//go:norace
func uint16s(b []byte) []uint16 {
	out := make([]uint16, len(b)/2)
	for i := range out {
		out[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	return out
}
