package retrieve

import "chartcode/internal/coding"

// Mentions gives the texts of a note that may name a condition, each once, in
// the note's order and as vectors are asked for them: what the vectors' index
// is measured on.
func (r *Retriever) Mentions(doc *coding.Document) []string {
	ms := r.read(doc).mentions()
	out := make([]string, len(ms))
	for i, m := range ms {
		out[i] = m.text
	}
	return out
}
