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
		for _, x := range t.vec {
			b = append(b, byte(x))
		}
	}
	return b
}

func appendText(b []byte, s string) []byte {
	s = s[:min(len(s), 255)]
	return append(append(b, byte(len(s))), s...)
}

// ReadLocal reads a model file; ErrModel when it is not one.
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
		for range n {
			t.keys = append(t.keys, r.text())
		}
		for range n {
			w := r.take(2)
			if w == nil {
				return nil, ErrModel
			}
			t.weight = append(t.weight, binary.LittleEndian.Uint16(w))
		}
		v := r.take(n * l.dims)
		if v == nil && n > 0 {
			return nil, ErrModel
		}
		t.vec = make([]int8, len(v))
		for i, x := range v {
			t.vec[i] = int8(x)
		}
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
	v := r.b[:n]
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
	n := r.take(1)
	if n == nil {
		return ""
	}
	return string(r.take(int(n[0])))
}
