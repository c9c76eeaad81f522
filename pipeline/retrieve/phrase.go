package retrieve

import (
	"context"
	"slices"

	"chartcode/internal/coding"
	"chartcode/internal/learned"
	"chartcode/internal/lexicon"
)

// eachPhrase calls f for every run of one to five words of a sentence that
// begins and ends with a word of meaning and is stated of the patient: not
// denied, feared or told of others. The key is the norms joined by blanks;
// from and to are tokens, both inclusive. The key is only valid during the call.
func eachPhrase(rd *reading, f func(key []byte, from, to int)) {
	var key []byte
	for _, s := range rd.sentence {
		for i := int(s.from); i < int(s.to); i++ {
			if !opens(&rd.tokens[i]) || !stated(rd.assert[i]) {
				continue
			}
			key = append(key[:0], rd.tokens[i].Norm...)
			f(key, i, i)
			n := 1
			for j := i + 1; j < int(s.to) && n < learned.MaxPhrase; j++ {
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
		}
	}
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
