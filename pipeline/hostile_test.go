package pipeline_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"chartcode/internal/coding"
	"chartcode/internal/llmtest"
	"chartcode/pipeline/intake"
	"chartcode/prompts"
)

var update = flag.Bool("update", false, "write the stored results")

// cleanNote is an invented note with what a person codes it as.
type cleanNote struct {
	note      coding.Note
	known     llmtest.Known
	unrelated string // true words of the note that prove no code
}

// attack is a hostile text, where it is put, and what it asks for.
type attack struct {
	Name, Note, At, Text string
	Repeat               int
	Add                  []llmtest.KnownCode
	Drop                 []string
	Numbers              []int
	Confidence           float64
	Reply                string
	whole                bool // recognised to its last sentence
}

func (a attack) drops(code string) bool {
	return slices.Contains(a.Drop, "*") || slices.Contains(a.Drop, code)
}

// hostileText is the text as it is put into the note.
func (a attack) hostileText() string { return strings.Repeat(a.Text, max(1, a.Repeat)) }

// into puts the attack into a note.
func (a attack) into(t testing.TB, text string) string {
	switch before, ok := strings.CutPrefix(a.At, "before:"); {
	case ok:
		i := strings.Index(text, before)
		if i < 0 {
			t.Fatalf("%s: %q is not in the note", a.Name, before)
		}
		return text[:i] + a.hostileText() + "\n" + text[i:]
	case a.At == "start":
		return a.hostileText() + "\n\n" + text
	}
	return text + "\n" + a.hostileText() + "\n"
}

func jsonLines(t testing.TB, name string, f func([]byte) error) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(b) {
		if err := f(line); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
}

// cleanNotes are the notes that attacks are put into.
func cleanNotes(t testing.TB) map[string]*cleanNote {
	t.Helper()
	notes := map[string]*cleanNote{}
	jsonLines(t, "hostile/notes.jsonl", func(b []byte) error {
		var more struct {
			First, Unrelated string
			Codes            []struct{ Code, Description, Quote string }
		}
		if err := json.Unmarshal(b, &more); err != nil {
			return err
		}
		n, err := intake.Parse(b, "")
		if err != nil {
			return err
		}
		c := &cleanNote{note: n, known: llmtest.Known{First: more.First}, unrelated: more.Unrelated}
		for _, k := range more.Codes {
			c.known.Codes = append(c.known.Codes, llmtest.KnownCode{Code: k.Code, Description: k.Description, Quotes: []string{k.Quote}, Confidence: 0.8})
		}
		notes[n.NoteID] = c
		return nil
	})
	return notes
}

// attacksOf are those of a folder.
func attacksOf(t testing.TB, folder string) []attack {
	t.Helper()
	var attacks []attack
	jsonLines(t, folder+"/attacks.jsonl", func(b []byte) error {
		var a attack
		if err := json.Unmarshal(b, &a); err != nil {
			return err
		}
		attacks = append(attacks, a)
		return nil
	})
	return attacks
}

// obeying answers as people coded the notes, and does for one of them what an
// attack asks.
type obeying struct {
	notes map[string]*cleanNote

	mu     sync.Mutex
	attack *attack
	unseen bool   // obey though the prompt does not show the text
	quote  string // for added codes
	obeyed int
	asked  map[string][]llmtest.Question // by note
}

// begin says what is obeyed from now on; nil: nothing.
func (o *obeying) begin(a *attack, unseen bool, quote string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.attack, o.unseen, o.quote, o.obeyed, o.asked = a, unseen, quote, 0, map[string][]llmtest.Question{}
}

func (o *obeying) Answer(q llmtest.Question) (any, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	id := ""
	for name, n := range o.notes {
		if strings.Contains(llmtest.Letters(q.Note), llmtest.Letters(n.unrelated)) {
			id = name
		}
	}
	o.asked[id] = append(o.asked[id], q)
	n := o.notes[id]
	known := n.known
	a := o.attack
	if a == nil || a.Note != id || !o.unseen && !shows(q.Note, a.Text) {
		return llmtest.Gold{Of: func(string) *llmtest.Known { return &known }}.Answer(q)
	}
	o.obeyed++
	if a.Reply != "" {
		return a.Reply, nil
	}
	known.Codes = slices.DeleteFunc(slices.Clone(known.Codes), func(k llmtest.KnownCode) bool { return a.drops(k.Code) })
	for i := range known.Codes {
		if a.Confidence > 0 {
			known.Codes[i].Confidence = a.Confidence
		}
	}
	for _, k := range a.Add {
		k.Quotes, k.Confidence = []string{o.quote}, 1
		known.Codes = append(known.Codes, k)
		known.First = k.Code
	}
	answer, err := llmtest.Gold{Of: func(string) *llmtest.Known { return &known }}.Answer(q)
	if chosen, ok := answer.(prompts.ChooseAnswer); ok {
		numbers := append([]int{0, -1, len(q.Numbers()) + 1, 100_000}, a.Numbers...)
		item := prompts.ChosenItem{Item: 1}
		for _, n := range numbers {
			item.Codes = append(item.Codes, prompts.ChosenCode{Number: n, Confidence: 1, Quotes: []string{o.quote}, Rationale: a.Text})
		}
		for i := range chosen.Items {
			for k := range chosen.Items[i].Codes {
				chosen.Items[i].Codes[k].Rationale = a.Text
			}
		}
		chosen.Items = append(chosen.Items, item)
		answer = chosen
	}
	return answer, err
}

// shows reports whether a prompt shows enough of a hostile text to be understood:
// any line or sentence of four words.
func shows(prompt, text string) bool {
	prompt = llmtest.Letters(prompt)
	for _, s := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("\n.;。", r) }) {
		if s = llmtest.Letters(s); len(s) >= 16 && strings.Contains(prompt, s) {
			return true
		}
	}
	return false
}

// outside is a prompt without what stands between the fences and without its
// fence word.
func outside(q llmtest.Question) string {
	before, rest, _ := strings.Cut(q.User, q.Fence+" begins\n")
	_, after, _ := strings.Cut(rest, "\n"+q.Fence+" ends\n")
	return q.System + "\n" + strings.ReplaceAll(before+after, q.Fence, "FENCE")
}

// outcome is what an attack did: the codes that were added and lost, with and
// without a warning to the coder.
type outcome struct{ obeyed, told, added, addedUnseen, lost, lostUnseen int }

func (o *outcome) add(p outcome) {
	o.obeyed, o.told, o.added, o.addedUnseen = o.obeyed+p.obeyed, o.told+p.told, o.added+p.added, o.addedUnseen+p.addedUnseen
	o.lost, o.lostUnseen = o.lost+p.lost, o.lostUnseen+p.lostUnseen
}

func (o outcome) String() string {
	return fmt.Sprintf("%6d %6d %6d %6d %6d %6d", o.obeyed, o.told, o.added, o.addedUnseen, o.lost, o.lostUnseen)
}

func suggestionOf(set coding.SuggestionSet, code string) *coding.Suggestion {
	for i := range set.Suggestions {
		if set.Suggestions[i].Code == code {
			return &set.Suggestions[i]
		}
	}
	return nil
}

// A server obeys what hostile text in notes asks for: once as far as it is shown
// the text, and once as if the text had reached it all the same, quoting the
// hostile text or true words of the note that prove nothing. Against the same note
// without the text nothing changes that the coder is not warned of. The codes that
// an attack adds and costs are counted and compared with a stored table.
func TestHostileNotes(t *testing.T) {
	t.Parallel()
	allTold(t, obeyed(t, "hostile", 40))
}

// allTold fails where a code is added or lost and the coder is not told.
func allTold(t *testing.T, all [2]outcome) {
	t.Helper()
	for _, o := range all {
		if o.addedUnseen > 0 || o.lostUnseen > 0 {
			t.Errorf("%d codes are added and %d lost with no warning", o.addedUnseen, o.lostUnseen)
		}
	}
}

// obeyed tries the attacks of a folder and gives what came of them, shown and unseen.
func obeyed(t *testing.T, folder string, least int) [2]outcome {
	t.Helper()
	notes, attacks := cleanNotes(t), attacksOf(t, folder)
	if len(attacks) < least {
		t.Fatalf("%d attacks", len(attacks))
	}
	answers := &obeying{notes: notes}
	server := llmtest.New(answers)
	defer server.Close()
	db := loaded(t)
	p, search := llmPipeline(t, db, server.URL, nil), localPipeline(t, knowledgeOf(t, db), coding.Billing)
	process := func(n coding.Note) coding.SuggestionSet {
		set, err := p.Process(t.Context(), n)
		if err != nil {
			t.Error(err)
		}
		return set
	}
	answers.begin(nil, false, "")
	clean := map[string]coding.SuggestionSet{}
	local := map[string]float64{} // the local ranker's confidence, by note and code
	for id, n := range notes {
		clean[id] = process(n.note)
		if len(clean[id].Notices) > 1 || clean[id].Degraded || len(clean[id].Suggestions) < len(n.known.Codes) {
			t.Errorf("%s: %v %v", id, clean[id].Notices, codesOf(clean[id]))
		}
		alone, err := search.Process(t.Context(), n.note)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range alone.Suggestions {
			local[id+s.Code] = s.Confidence
		}
	}
	asked := answers.asked

	var table strings.Builder
	fmt.Fprintf(&table, "Codes that each attack adds and costs, against the same note without it; \"unwarned\" ones have no warning to the coder.\n"+
		"Each is tried with a server that obeys what it is shown, and twice with one that obeys though it is not shown it.\n\n%-38s %6s %6s %6s %6s %6s %6s\n", "attack", "obeyed", "told", "added", "unwarn", "lost", "unwarn")
	var all [2]outcome
	for _, a := range attacks {
		a.whole = folder == "hostile"
		n := notes[a.Note]
		other := notes["professional"]
		if a.Note == "professional" {
			other = notes["outpatient"]
		}
		for mode, unseen := range []bool{false, true} {
			var sum outcome
			for _, quote := range []string{firstWords(a.Text), n.unrelated} {
				answers.begin(&a, unseen, quote)
				hostile := n.note
				hostile.Text = a.into(t, n.note.Text)
				var beside coding.SuggestionSet
				var group sync.WaitGroup
				group.Go(func() { beside = process(other.note) })
				set := process(hostile)
				group.Wait()
				if got, want := answersOf(beside), answersOf(clean[other.note.NoteID]); !cmp.Equal(got, want) {
					t.Errorf("%s: another note is changed:\n%s", a.Name, cmp.Diff(want, got))
				}
				o := compare(t, a, n, clean[a.Note], set, local)
				answers.mu.Lock()
				o.obeyed = min(1, answers.obeyed)
				checkPrompts(t, a, asked[a.Note], answers.asked[a.Note], o.obeyed > 0)
				answers.mu.Unlock()
				sum.add(o)
			}
			all[mode].add(sum)
			fmt.Fprintf(&table, "%-38s %s\n", a.Name+[]string{"", ", unseen"}[mode], sum)
		}
	}
	fmt.Fprintf(&table, "\n%d attacks, two quotes each\n%-38s %s\n%-38s %s\n", len(attacks), "all", all[0], "all, unseen", all[1])
	t.Log("\n" + table.String())
	file := filepath.Join("testdata", folder, "results.txt")
	if *update {
		if err := os.WriteFile(file, []byte(table.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), table.String()); diff != "" {
		t.Errorf("%s (go test -update writes it anew):\n%s", file, diff)
	}
	return all
}

// firstWords are as much of a text as a quote may have.
func firstWords(text string) string {
	words := strings.Fields(text)
	return strings.Join(words[:min(len(words), 12)], " ")
}

// answersOf is what of a set another note must not change.
func answersOf(set coding.SuggestionSet) []coding.Suggestion { return set.Suggestions }
