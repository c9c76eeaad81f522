package codeset

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"

	"chartcode/internal/coding"
)

// detailFile is the hash of an index as it was read, before Link added terms.
const detailFile = "file_sha256"

// Link turns the references of indexes to the neoplasm and drug tables into
// terms of the index's release: "Chondroma, see Neoplasm, bone, benign" leads to
// the code of that cell. The tables' terms are those among contents, else those
// in known, which may be of earlier imports. A content that got terms has a new
// SHA256, which depends on them, and Details "table_followed", "table_unresolved"
// and "file_sha256"; calling Link again adds nothing.
func Link(contents []*Content, known []coding.Term) {
	t := &tableTerms{neoplasm: map[string]string{}, drug: map[string]string{}}
	var here []coding.Term
	for _, c := range contents {
		if IsLookupTable(c.Release.Kind) {
			here = append(here, c.Terms...)
		}
	}
	t.enter(here)
	t.enter(known)
	if len(t.neoplasm)+len(t.drug) == 0 {
		return
	}
	for _, c := range contents {
		if IsIndex(c.Release.Kind) {
			t.link(c)
		}
	}
}

// IsIndex reports whether a kind of file is an index, whose references Link follows.
func IsIndex(kind string) bool { return kind == KindIndex || kind == KindEIndex }

// IsLookupTable reports whether a kind of file is a table to which indexes refer.
func IsLookupTable(kind string) bool { return kind == KindNeoplasm || kind == KindDrug }

// Unlinked makes a content of an index that was stored: as it was read from its
// file, without what Link added, so that Link can be asked again when a table
// came or changed.
func Unlinked(rel coding.Release, sha256 string, terms []coding.Term, lines []Line) *Content {
	c := &Content{Release: rel, SHA256: sha256, Lines: slices.Clone(lines)}
	c.Release.Details = maps.Clone(rel.Details)
	if file, ok := rel.Details[detailFile].(string); ok {
		c.SHA256 = file
	}
	for _, added := range []string{detailFile, "table_followed", "table_unresolved"} {
		delete(c.Release.Details, added)
	}
	linked := map[[2]string]bool{}
	for i := range c.Lines {
		if l := &c.Lines[i]; l.Kind == LineReference {
			if l.Linked {
				linked[[2]string{l.Text, l.Code}] = true
			}
			l.Code, l.Linked = "", false
		}
	}
	for _, t := range terms {
		if !linked[[2]string{t.Text, t.Code}] {
			c.Terms = append(c.Terms, t)
		}
	}
	return c
}

// tableTerms finds the code of a cell by folded column and row.
type tableTerms struct {
	neoplasm, drug map[string]string
}

// enter adds the cells of terms that are not there yet. Rows whose title gives
// alternatives ("intestine, intestinal, large", "salivary gland or duct") are
// also entered without one of them, unless a row of just that name exists.
func (t *tableTerms) enter(terms []coding.Term) {
	for pass := range 2 {
		for _, term := range terms {
			columns, cells := neoplasmColumns, t.neoplasm
			if term.Kind == coding.TermDrug {
				columns, cells = drugColumns, t.drug
			} else if term.Kind != coding.TermNeoplasm {
				continue
			}
			col, about := columnOf(columns, term.Text)
			if col < 0 {
				continue
			}
			if pass == 0 {
				enterCell(cells, col, about, term.Code)
				continue
			}
			if before, _, ok := strings.Cut(about, " or "); ok {
				enterCell(cells, col, before, term.Code)
			}
			parts := strings.Split(about, ",")
			for i := range parts {
				if i > 0 {
					rest := append(append([]string{}, parts[:i]...), parts[i+1:]...)
					enterCell(cells, col, strings.Join(rest, " "), term.Code)
				}
			}
		}
	}
}

// cellKey is the same for the words of a row's name in any order: references
// write "small intestine" where the table has "intestine, small".
func cellKey(col int, about string) string {
	words := strings.Fields(foldTerm(about))
	slices.Sort(words)
	return string(rune('0'+col)) + " " + strings.Join(words, " ")
}

func enterCell(cells map[string]string, col int, about, code string) {
	key := cellKey(col, about)
	if _, there := cells[key]; !there {
		cells[key] = code
	}
}

// columnOf tells from the first form of a column which one a term is of.
func columnOf(columns [][]form, text string) (col int, about string) {
	for i, forms := range columns {
		before, after, _ := strings.Cut(forms[0].text, "%s")
		if rest, ok := strings.CutPrefix(text, before); ok {
			if rest, ok = strings.CutSuffix(rest, after); ok && rest != "" {
				return i, rest
			}
		}
	}
	return -1, ""
}

func (t *tableTerms) link(c *Content) {
	if _, done := c.Release.Details["table_followed"]; done {
		return
	}
	kind := coding.TermIndex
	if c.Release.Kind == KindEIndex {
		kind = coding.TermExternal
	}
	type term struct{ text, code string }
	own := map[term]bool{}
	for _, t := range c.Terms {
		own[term{t.Text, t.Code}] = true
	}
	sum := sha256.New()
	sum.Write([]byte(c.SHA256))
	followed, unresolved := 0, 0
	for i := range c.Lines {
		l := &c.Lines[i]
		if l.Kind != LineReference {
			continue
		}
		if l.Code = t.resolve(l.See); l.Code == "" {
			unresolved++
			continue
		}
		followed++
		sum.Write([]byte("\n" + l.Code + " " + l.Text))
		if at := (term{l.Text, l.Code}); !own[at] {
			own[at], l.Linked = true, true
			c.Terms = append(c.Terms, coding.Term{Text: l.Text, Kind: kind, System: c.Release.System, Code: l.Code, Release: c.Release.ID})
		}
	}
	c.Release.Details["table_followed"], c.Release.Details["table_unresolved"] = followed, unresolved
	c.Release.Details[detailFile] = c.SHA256
	c.SHA256 = hex.EncodeToString(sum.Sum(nil))
}

// The words by which references name columns.
var (
	neoplasmWords = []struct {
		words string
		col   int
	}{
		{"secondary", 1}, {"metastatic", 1}, {"in situ", 2}, {"benign", 3}, {"uncertain behavior", 4}, {"uncertain", 4},
		{"unspecified behavior", 5}, {"unspecified nature", 5}, {"malignant primary", 0}, {"malignant", 0}, {"primary", 0},
	}
	drugWords = []struct {
		words string
		col   int
	}{{"poisoning", 0}, {"accidental", 0}, {"adverse effect", 4}, {"underdosing", 5}}
)

// resolve gives the code of the cell that a reference names; empty if there is
// none. Without a column it is that of unspecified behavior in the neoplasm table, and
// the accidental one in the drug table.
func (t *tableTerms) resolve(target string) string {
	parts := targetParts(target)
	if len(parts) == 0 {
		return ""
	}
	cells, words, col := t.drug, drugWords, 0
	if strings.HasSuffix(parts[0], "neoplasm") {
		cells, words, col = t.neoplasm, neoplasmWords, 5
	}
	var about []string
	named := false
	for _, p := range parts[1:] {
		for _, w := range words {
			if rest, ok := strings.CutSuffix(p, w.words); ok && (rest == "" || strings.HasSuffix(rest, " ")) {
				if !named || w.col != 0 { // "malignant, secondary" is the secondary column
					col, named = w.col, true
				}
				p = strings.TrimSpace(rest)
				break
			}
		}
		if p != "" {
			about = append(about, p)
		}
	}
	if len(about) == 0 {
		about = append(about, anySite)
	}
	name := strings.Join(about, " ")
	if code := cells[cellKey(col, name)]; code != "" {
		return code
	}
	nouns := strings.Fields(name)
	for i, w := range nouns { // "vertebral" for the row vertebra
		if strings.HasSuffix(w, "al") {
			nouns[i] = strings.TrimSuffix(w, "l")
		}
	}
	return cells[cellKey(col, strings.Join(nouns, " "))]
}
