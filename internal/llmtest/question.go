package llmtest

import (
	"errors"
	"regexp"
	"strconv"
	"strings"

	"chartcode/prompts"
)

// Question is a prompt, read back.
type Question struct {
	Task         string // extract, choose or repair
	System, User string
	Fence        string
	Note         string            // the sections' texts as they were shown, joined by line breaks
	Sections     []prompts.Section // of extract
	Setting      string
	Items        []Item   // of choose and repair
	Chosen       []int    // of repair: numbers chosen before
	Errors       []string // of repair
}

// Item is a statement with its candidates. Also are numbers of candidates that
// stand at earlier items.
type Item struct {
	Number      int
	Words       bool
	Description string
	Quote       string
	Candidates  []Candidate
	Also        []int
}

// Candidate is a numbered candidate.
type Candidate struct {
	Number      int
	Code, Title string
	Quote       string // of an item found by words
}

// Tokens is about how long the prompt is.
func (q Question) Tokens() int { return (len(q.System) + len(q.User)) / charactersPerToken }

// Numbers gives the number of each code that is offered.
func (q Question) Numbers() map[string]int {
	out := map[string]int{}
	for _, it := range q.Items {
		for _, c := range it.Candidates {
			out[c.Code] = c.Number
		}
	}
	return out
}

// Offered gives the candidate of a number.
func (q Question) Offered(number int) (Candidate, bool) {
	for _, it := range q.Items {
		for _, c := range it.Candidates {
			if c.Number == number {
				return c, true
			}
		}
	}
	return Candidate{}, false
}

// Under gives the candidates of an item, those of earlier items included.
func (q Question) Under(it Item) []Candidate {
	out := append([]Candidate(nil), it.Candidates...)
	for _, n := range it.Also {
		if c, ok := q.Offered(n); ok {
			out = append(out, c)
		}
	}
	return out
}

// ErrPrompt is returned for a text that is no prompt of the program.
var ErrPrompt = errors.New("llmtest: this is no prompt of the program")

var (
	fenceLine = regexp.MustCompile(`^The fence word is (NOTE-[0-9A-F]+)\.`)
	itemLine  = regexp.MustCompile(`^(\d+)\. (.*) — ([a-z ]+), ([a-z]+)(?:, quote "(.*)")?$`)
	wordsLine = regexp.MustCompile(`^(\d+)\. Found by words$`)
)

// Read reads a prompt back.
func Read(system, user string) (Question, error) {
	q := Question{System: system, User: user}
	m := fenceLine.FindStringSubmatch(user)
	if m == nil {
		return q, ErrPrompt
	}
	q.Fence = m[1]
	_, rest, ok := strings.Cut(user, q.Fence+" begins\n")
	inside, after, ok2 := strings.Cut(rest, "\n"+q.Fence+" ends\n")
	if !ok || !ok2 {
		return q, ErrPrompt
	}
	for i, text := range strings.Split("\n"+inside, "\n"+q.Fence+" section ") {
		if i == 0 {
			continue
		}
		head, body, _ := strings.Cut(text, "\n")
		number, kind, _ := strings.Cut(head, ": ")
		n, err := strconv.Atoi(number)
		if err != nil {
			return q, ErrPrompt
		}
		q.Sections = append(q.Sections, prompts.Section{Number: n, Kind: kind, Text: body})
	}
	q.Note = inside
	if len(q.Sections) > 0 {
		texts := make([]string, len(q.Sections))
		for i, s := range q.Sections {
			texts[i] = s.Text
		}
		q.Note = strings.Join(texts, "\n")
	}
	if _, s, ok := strings.Cut(after, "Setting: "); ok {
		q.Setting, _, _ = strings.Cut(s, ".")
	}
	_, list, ok := strings.Cut(after, "Statements with their candidates: number|code|title\n")
	if !ok {
		q.Task = "extract"
		return q, nil
	}
	q.Task = "choose"
	if before, repair, ok := strings.Cut(list, "\nYour choices: "); ok {
		q.Task, list = "repair", before
		chosen, errs, _ := strings.Cut(repair, "\n\nErrors\n")
		for _, c := range strings.Split(chosen, ", ") {
			number, _, _ := strings.Cut(c, " ")
			if n, err := strconv.Atoi(number); err == nil {
				q.Chosen = append(q.Chosen, n)
			}
		}
		for _, e := range strings.Split(errs, "\n") {
			if e, ok := strings.CutPrefix(e, "- "); ok {
				q.Errors = append(q.Errors, e)
			}
		}
	}
	list, _, _ = strings.Cut(list, "\nTabular list of these candidates\n")
	for _, line := range strings.Split(list, "\n") {
		q.read(line)
	}
	return q, nil
}

// candidateOf reads `12|E11.9|Title` or `12|E11.9|Title|"quote"`. A question has thousands of such lines.
func candidateOf(line string) (c Candidate, ok bool) {
	number, rest, _ := strings.Cut(line, "|")
	code, rest, ok := strings.Cut(rest, "|")
	n, err := strconv.ParseUint(number, 10, 31)
	if !ok || err != nil || code == "" || strings.ContainsAny(code, " \t") {
		return c, false
	}
	c = Candidate{Number: int(n), Code: code, Title: rest}
	if title, quote, quoted := strings.Cut(rest, `|"`); quoted && strings.HasSuffix(quote, `"`) {
		c.Title, c.Quote = title, strings.TrimSuffix(quote, `"`)
	}
	return c, true
}

// read takes one line of the list of statements.
func (q *Question) read(line string) {
	if c, ok := candidateOf(line); ok && len(q.Items) > 0 {
		it := &q.Items[len(q.Items)-1]
		it.Candidates = append(it.Candidates, c)
		return
	}
	if m := wordsLine.FindStringSubmatch(line); m != nil {
		n, _ := strconv.Atoi(m[1])
		q.Items = append(q.Items, Item{Number: n, Words: true})
		return
	}
	if m := itemLine.FindStringSubmatch(line); m != nil {
		n, _ := strconv.Atoi(m[1])
		q.Items = append(q.Items, Item{Number: n, Description: m[2], Quote: m[5]})
		return
	}
	if len(q.Items) == 0 {
		return
	}
	it := &q.Items[len(q.Items)-1]
	if also, ok := strings.CutPrefix(line, "also "); ok {
		for _, s := range strings.Split(also, ", ") {
			if n, err := strconv.Atoi(s); err == nil {
				it.Also = append(it.Also, n)
			}
		}
	}
}
