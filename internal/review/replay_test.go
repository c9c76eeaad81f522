package review

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"chartcode/internal/coding"
)

// script makes decisions of short words: +A accept, -A reject, A>B modify,
// *A add, u undo, r redo, f finish, o reopen, !B,A reorder.
func script(words ...string) []coding.Decision {
	key := func(code string) coding.CodeKey { return coding.CodeKey{System: coding.ICD10CM, Code: code} }
	var out []coding.Decision
	for i, w := range words {
		d := coding.Decision{Seq: i + 1, Coder: "casey"}
		d.System = coding.ICD10CM
		switch {
		case w == "u":
			d.Kind = coding.Undo
		case w == "r":
			d.Kind = coding.Redo
		case w == "f":
			d.Kind, d.Disposition, d.ReviewID = coding.Finish, coding.DispositionCompleted, fmt.Sprint("review ", i)
		case w == "o":
			d.Kind = coding.Reopen
		case w[0] == '+':
			d.Kind, d.Code = coding.Accept, w[1:]
		case w[0] == '-':
			d.Kind, d.Code = coding.Reject, w[1:]
		case w[0] == '*':
			d.Kind, d.Code, d.Origin = coding.Add, w[1:], coding.OriginAdded
		case w[0] == '!':
			d.Kind = coding.Reorder
			for _, c := range w[1:] {
				if c != ',' {
					d.Order = append(d.Order, key(string(c)))
				}
			}
		default:
			to := key(w[2:])
			d.Kind, d.Code, d.To = coding.Modify, w[:1], &to
		}
		out = append(out, d)
	}
	return out
}

// summary is a state in comparable form.
func summary(st State) map[string]string {
	out := map[string]string{}
	for k, e := range st.codes {
		s := string(e.state) + " " + string(e.origin)
		if e.became != nil {
			s += " became " + e.became.Code
		}
		if e.replaces != nil {
			s += " replaces " + e.replaces.Code
		}
		out[k.Code] = s
	}
	if len(st.order) > 0 {
		out["order"] = fmt.Sprint(st.order)
	}
	out["finished"] = fmt.Sprint(st.Finished, " ", st.ReviewID)
	return out
}

func TestReplay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		words []string
		want  map[string]string
	}{
		{nil, map[string]string{"finished": "false "}},
		{[]string{"+A", "-B"}, map[string]string{"A": "accepted accepted", "B": "rejected ", "finished": "false "}},
		{[]string{"+A", "-A"}, map[string]string{"A": "rejected accepted", "finished": "false "}},
		{[]string{"+A", "-A", "u"}, map[string]string{"A": "accepted accepted", "finished": "false "}},
		{[]string{"+A", "u", "u", "u", "r", "r"}, map[string]string{"A": "accepted accepted", "finished": "false "}},
		{[]string{"+A", "u", "+B", "r"}, map[string]string{"B": "accepted accepted", "finished": "false "}},
		{[]string{"A>B"}, map[string]string{"A": "modified  became B", "B": "added modified replaces A", "finished": "false "}},
		{[]string{"A>B", "A>C"}, map[string]string{"A": "modified  became C", "C": "added modified replaces A", "finished": "false "}},
		{[]string{"A>B", "+A"}, map[string]string{"A": "accepted accepted", "finished": "false "}},
		{[]string{"A>B", "-B"}, map[string]string{"A": "modified  became B", "B": "rejected modified replaces A", "finished": "false "}},
		{[]string{"+B", "A>B", "-A"}, map[string]string{"A": "rejected ", "B": "accepted accepted", "finished": "false "}},
		{[]string{"A>A"}, map[string]string{"finished": "false "}},
		{[]string{"*A", "-A", "+A"}, map[string]string{"A": "added added", "finished": "false "}},
		{[]string{"+A", "f"}, map[string]string{"A": "accepted accepted", "finished": "true review 1"}},
		{[]string{"+A", "f", "o", "u"}, map[string]string{"A": "accepted accepted", "finished": "false review 1"}},
		{[]string{"+A", "u", "f", "o", "r"}, map[string]string{"finished": "false review 2"}},
		{[]string{"+A", "f", "o", "+B", "u", "f"}, map[string]string{"A": "accepted accepted", "finished": "true review 5"}},
		{[]string{"!B,A", "u", "r"}, map[string]string{"order": "[{ICD-10-CM B} {ICD-10-CM A}]", "finished": "false "}},
	} {
		if diff := cmp.Diff(c.want, summary(Replay(script(c.words...)))); diff != "" {
			t.Errorf("%v (-want +got):\n%s", c.words, diff)
		}
	}
}

// For any decisions: n undos and n redos give back the state, undoing all
// since the last finishing gives that of then, and replaying is the same
// every time and changes none of what it was given.
func TestReplayProperties(t *testing.T) {
	t.Parallel()
	words := []string{"+A", "-A", "+B", "-B", "+C", "A>B", "B>A", "A>C", "C>D", "*D", "*E", "-E", "+E", "!C,A", "!B", "u", "u", "r", "f", "o"}
	for seed := range uint64(3000) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		var w []string
		for range rnd.IntN(25) {
			w = append(w, words[rnd.IntN(len(words))])
		}
		given := script(w...)
		kept := slices.Clone(given)
		st := Replay(given)
		want := summary(st)
		if diff := cmp.Diff(want, summary(Replay(given))); diff != "" {
			t.Fatalf("%v: a second replay differs:\n%s", w, diff)
		}
		if !cmp.Equal(given, kept) {
			t.Fatalf("%v: replaying changed the decisions", w)
		}
		// A closed state has nothing to undo; open it.
		if st.Finished {
			if st.CanUndo || st.CanRedo {
				t.Fatalf("%v: a finished item offers undo", w)
			}
			continue
		}
		undos := slices.Clone(w)
		n := 0
		for Replay(script(undos...)).CanUndo {
			undos = append(undos, "u")
			n++
		}
		last := max(slices.Index(reversed(w), "f"), -1)
		if o := slices.Index(reversed(w), "o"); last < 0 || (o >= 0 && o < last) {
			last = o
		}
		base := []string{}
		if last >= 0 {
			base = w[:len(w)-last]
		}
		if diff := cmp.Diff(summary(Replay(script(base...))), summary(Replay(script(undos...)))); diff != "" {
			t.Fatalf("%v: undoing all does not lead back:\n%s", w, diff)
		}
		again := undos
		for range n {
			again = append(again, "r")
		}
		if diff := cmp.Diff(want, summary(Replay(script(again...)))); diff != "" {
			t.Fatalf("%v: %d undos and redos lead elsewhere:\n%s", w, n, diff)
		}
	}
}

func reversed(w []string) []string {
	r := slices.Clone(w)
	slices.Reverse(r)
	return r
}

func TestNewID(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 1000 {
		id := newID()
		if len(id) != 36 || id[14] != '4' || (id[19] != '8' && id[19] != '9' && id[19] != 'a' && id[19] != 'b') {
			t.Fatalf("%s is no random UUID", id)
		}
		if seen[id] {
			t.Fatal("an id came twice")
		}
		seen[id] = true
	}
}
