package codeset

import (
	"slices"
	"strings"
)

// resolver finds the entry that a reference ("see Pain, joint") names.
type resolver struct {
	mains map[string][]*entry // by folded name; whole titles before parts of titles
}

func newResolver(mains []*entry) *resolver {
	r := &resolver{mains: make(map[string][]*entry, 2*len(mains))}
	for whole := range 2 {
		for _, e := range mains {
			for i, name := range e.called() {
				if (i == 0) == (whole == 0) && name != "" {
					r.mains[name] = append(r.mains[name], e)
				}
			}
		}
	}
	return r
}

// maxSteps bounds the search for one target.
const maxSteps = 4000

// find gives the entry that target names, or nil. The parts of a target are a
// main term and terms below it; a part may also name a non-essential modifier,
// or leave out a level such as "with".
func (r *resolver) find(target string) *entry {
	parts := targetParts(target)
	steps := maxSteps
	for head := len(parts); head > 0; head-- {
		for _, e := range r.mains[strings.Join(parts[:head], " ")] {
			if found := descend(e, parts[head:], &steps); found != nil {
				return found
			}
		}
	}
	if len(parts) == 1 { // "Kaposi sarcoma" for "Kaposi's, sarcoma"
		words := strings.Fields(parts[0])
		for cut := len(words) - 1; cut > 0; cut-- {
			rest := []string{strings.Join(words[cut:], " ")}
			for _, e := range r.mains[strings.Join(words[:cut], " ")] {
				if found := descend(e, rest, &steps); found != nil {
					return found
				}
			}
		}
	}
	return nil
}

// targetParts folds a target and cuts it at its commas.
func targetParts(target string) []string {
	target = bracketed.ReplaceAllString(target, " ")
	var parts []string
	for p := range strings.SplitSeq(target, ",") {
		if p = foldTerm(p); p != "" {
			parts = append(parts, p)
		}
	}
	return parts
}

// descend follows parts below e, the surest way first.
func descend(e *entry, parts []string, steps *int) *entry {
	if len(parts) == 0 {
		return e
	}
	if *steps--; *steps < 0 {
		return nil
	}
	part := parts[0]
	for _, how := range []func(*entry, string) bool{named, begins, holds} {
		for _, k := range e.kids {
			if how(k, part) {
				if found := descend(k, parts[1:], steps); found != nil {
					return found
				}
			}
		}
	}
	if len(parts) > 1 { // one title with a comma in it
		joined := append([]string{part + " " + parts[1]}, parts[2:]...)
		for _, k := range e.kids {
			if named(k, joined[0]) {
				if found := descend(k, joined[1:], steps); found != nil {
					return found
				}
			}
		}
	}
	if e.mods != "" && slices.Contains(strings.Fields(foldTerm(e.mods)), part) {
		if found := descend(e, parts[1:], steps); found != nil {
			return found
		}
	}
	for _, k := range e.kids { // a level that the target leaves out
		for _, kk := range k.kids {
			if named(kk, part) {
				if found := descend(kk, parts[1:], steps); found != nil {
					return found
				}
			}
		}
	}
	if first, rest, ok := strings.Cut(part, " "); ok && joining[first] { // "with foreign body" for with > foreign body
		for _, k := range e.kids {
			if named(k, first) {
				if found := descend(k, append([]string{rest}, parts[1:]...), steps); found != nil {
					return found
				}
			}
		}
	}
	return nil
}

func named(e *entry, part string) bool { return slices.Contains(e.called(), part) }

// begins reports whether a name of e goes on after part, or part after a name.
func begins(e *entry, part string) bool {
	for _, name := range e.called() {
		if name != "" && (strings.HasPrefix(name, part+" ") || strings.HasPrefix(part, name+" ") && !joining[name]) {
			return true
		}
	}
	return false
}

// holds reports whether e's title has all words of part.
func holds(e *entry, part string) bool {
	words := strings.Fields(e.called()[0])
	for w := range strings.FieldsSeq(part) {
		if !slices.Contains(words, w) {
			return false
		}
	}
	return true
}
