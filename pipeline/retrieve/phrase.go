package retrieve

import (
	"context"
	"slices"

	"chartcode/internal/coding"
	"chartcode/internal/learned"
	"chartcode/internal/lexicon"
)

// eachPhrase calls f for every run of one to five words of a sentence that
// begins and ends with a word of meaning, and for every two words of meaning
// that stand near each other in either order ("abdominal pain", "pain in the
// abdomen"), where both are stated of the patient: not denied, feared or told of
// others. The key is the norms joined by blanks; of two near words, in their
// alphabetical order with a plus between. from and to are tokens, both
// inclusive. The key is only valid during the call.
func eachPhrase(rd *reading, f func(key []byte, from, to int)) {
	var key []byte
	for _, s := range rd.sentence {
		for i := int(s.from); i < int(s.to); i++ {
			if !opens(&rd.tokens[i]) || !stated(rd.assert[i]) {
				continue
			}
			key = runs(key, rd, i, int(s.to), f)
			key = pairs(key, rd, i, int(s.to), f)
		}
	}
}

// runs calls f for the runs that begin at token i.
func runs(key []byte, rd *reading, i, end int, f func(key []byte, from, to int)) []byte {
	key = append(key[:0], rd.tokens[i].Norm...)
	f(key, i, i)
	n := 1
	for j := i + 1; j < end && n < learned.MaxPhrase; j++ {
		t := &rd.tokens[j]
		if t.Kind == lexicon.Punct {
			if t.Lower == "-" || t.Lower == "/" {
				continue
			}
			break
		}
		key = append(key, ' ')
		key = append(key, t.Norm...)
		n++
		if opens(t) && stated(rd.assert[j]) {
			f(key, i, j)
		}
	}
	return key
}

// pairNear is how many words of meaning after the first the second of a pair
// may stand.
const pairNear = 4

// pairs calls f for the pairs whose first word in the text is token i.
func pairs(key []byte, rd *reading, i, end int, f func(key []byte, from, to int)) []byte {
	a := rd.tokens[i].Norm
	for j, n := i+1, 0; j < end && n < pairNear; j++ {
		t := &rd.tokens[j]
		if !opens(t) {
			continue
		}
		n++
		if !stated(rd.assert[j]) || t.Norm == a {
			continue
		}
		x, y := a, t.Norm
		if y < x {
			x, y = y, x
		}
		key = append(append(append(key[:0], x...), " + "...), y...)
		f(key, i, j)
	}
	return key
}

// opens reports whether a phrase may begin or end with the token.
func opens(t *lexicon.Token) bool {
	return t.Kind == lexicon.Word && !lexicon.IsStop(t.Norm)
}

func stated(a coding.Assertion) bool {
	return a == coding.Present || a == coding.Possible || a == coding.Historical
}

// Phrases gives the distinct phrases that the note states of the patient,
// sorted: what learned.Learn counts.
func (r *Retriever) Phrases(doc *coding.Document) []string {
	seen := map[string]bool{}
	eachPhrase(r.read(doc), func(key []byte, _, _ int) {
		if !seen[string(key)] {
			seen[string(key)] = true
		}
	})
	out := make([]string, 0, len(seen))
	for p := range seen {
		out = append(out, p)
	}
	slices.Sort(out)
	return out
}

// Found gives the codes of which a term's words stand in the note, stated of
// the patient.
func (r *Retriever) Found(ctx context.Context, doc *coding.Document, t Table) ([]string, error) {
	rows, err := r.Rows(ctx, doc, t, Options{NoDense: true})
	if err != nil {
		return nil, err
	}
	var out []string
	for _, row := range rows {
		if row.X[fShare] >= FoundShare && row.X[fScore] > 0 {
			out = append(out, row.Code)
		}
	}
	return out, nil
}
