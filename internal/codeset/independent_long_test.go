//go:build long

package codeset

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"chartcode/internal/testdata"
)

// An independent reading of the tabular list: encoding/xml into a tree of
// whatever is there, and codes found by one pattern and a count of brackets. It
// shares nothing with the readers but the names of the kinds.
type xmlElement struct {
	XMLName xml.Name
	Attrs   []xml.Attr   `xml:",any,attr"`
	Text    string       `xml:",chardata"`
	Kids    []xmlElement `xml:",any"`
}

func (e xmlElement) child(name string) string {
	for _, k := range e.Kids {
		if k.XMLName.Local == name {
			return strings.Join(strings.Fields(k.Text), " ")
		}
	}
	return ""
}

func (e xmlElement) attr(name string) string {
	for _, a := range e.Attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

type plainLine struct{ Code, Kind, Level, Char, Text string }

func unzip(t testing.TB, path, name string) []byte {
	t.Helper()
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	f, err := z.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	data, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

const tabularFile = "icd10cm-2021.zip"

var theirs struct {
	once       sync.Once
	lines      []plainLine
	categories map[string]bool
}

// readIndependently gives every note and 7th character of the tabular list, and
// its categories; it is read once.
func readIndependently(t *testing.T) (lines []plainLine, categories map[string]bool) {
	t.Helper()
	data := unzip(t, testdata.Path(t, "codesets/"+tabularFile), "icd10cm-tabular-2021.xml")
	theirs.once.Do(func() { theirs.lines, theirs.categories = readPlainly(t, data) })
	if len(theirs.lines) == 0 {
		t.Fatal("the tabular list could not be read")
	}
	return theirs.lines, theirs.categories
}

func readPlainly(t *testing.T, data []byte) (lines []plainLine, categories map[string]bool) {
	t.Helper()
	var doc xmlElement
	if err := xml.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	categories = map[string]bool{}
	inBrackets := regexp.MustCompile(`\(([^()]*)\)$`)
	var walk func(e xmlElement)
	walk = func(e xmlElement) {
		level, at := e.XMLName.Local, ""
		switch level {
		case "chapter":
			at = inBrackets.FindStringSubmatch(e.child("desc"))[1]
		case "section":
			at = e.attr("id")
		case "diag":
			at = e.child("name")
			categories[at[:3]] = true
		}
		for _, k := range e.Kids {
			switch k.XMLName.Local {
			case "chapter", "section", "diag":
				walk(k)
			case "includes", "excludes1", "excludes2", "codeFirst", "useAdditionalCode", "codeAlso", "notes":
				for _, n := range k.Kids {
					lines = append(lines, plainLine{Code: at, Kind: k.XMLName.Local, Level: level, Text: strings.Join(strings.Fields(n.Text), " ")})
				}
			case "sevenChrDef":
				for _, x := range k.Kids {
					if x.XMLName.Local == "extension" {
						lines = append(lines, plainLine{Code: at, Kind: LineSevenChr, Level: level, Char: x.attr("char"), Text: strings.Join(strings.Fields(x.Text), " ")})
					}
				}
			}
		}
	}
	walk(doc)
	return lines, categories
}

var (
	plainCodes     = regexp.MustCompile(`[A-Z][0-9][0-9A-Z](?:\.[0-9A-Z]{1,4})?`)
	plainCharacter = regexp.MustCompile(`(?i)with (?:(?:fourth|fifth|sixth|six|seventh|final|open fracture|[4-7]th)[^()]*?) characters?|with \.[0-9]`)
)

// codesIn gives the codes that a note names, in its order: those in brackets,
// or all if none stand there.
func codesIn(note string, categories map[string]bool) (inside, all []string) {
	for _, at := range plainCodes.FindAllStringIndex(note, -1) {
		letter := func(i int) bool {
			return i >= 0 && i < len(note) && (unicode.IsLetter(rune(note[i])) || unicode.IsDigit(rune(note[i])))
		}
		code := note[at[0]:at[1]]
		rangesEnd := strings.HasSuffix(note[:at[0]], "-") // such as A00-Y89, which need not exist
		if letter(at[0]-1) || letter(at[1]) || !categories[code[:3]] && !rangesEnd {
			continue
		}
		all = append(all, code)
		if strings.Count(note[:at[0]], "(") > strings.Count(note[:at[0]], ")") {
			inside = append(inside, code)
		}
	}
	return inside, all
}

func (l Line) codes() (out []string) {
	for _, r := range l.Refs {
		out = append(out, r.From)
		if r.To != "" {
			out = append(out, r.To)
		}
	}
	return out
}

// ourLines are the lines of the readers by what an independent reading sees of them.
func ourLines(t *testing.T) map[plainLine]Line {
	t.Helper()
	ours := map[plainLine]Line{}
	for _, c := range Official(t, tabularFile) {
		for _, l := range c.Lines {
			if l.Kind != "sevenChrNote" {
				ours[plainLine{l.Code, l.Kind, l.Level, l.Char, l.Text}] = l
			}
		}
	}
	return ours
}

// Of 500 lines drawn at random, 200 Excludes1, 100 code-first and 200 7th
// characters, of whatever level, each is there and names the same codes.
func TestLongLinesDrawnAtRandomAgreeWithAnIndependentReading(t *testing.T) {
	ours := ourLines(t)
	lines, categories := readIndependently(t)
	byKind := map[string][]plainLine{}
	for _, l := range lines {
		byKind[l.Kind] = append(byKind[l.Kind], l)
	}
	rng := rand.New(rand.NewPCG(500, 1))
	checked, named := 0, 0
	for _, draw := range []struct {
		kind      string
		n, all    int
		withCodes int // how many of those drawn name codes, at least
	}{{"excludes1", 200, 5278 + 158 + 5, 180}, {"codeFirst", 100, 672 + 9, 60}, {LineSevenChr, 200, 1787, 0}} {
		of := byKind[draw.kind]
		if len(of) != draw.all {
			t.Fatalf("the independent reading has %d lines of kind %s, want %d", len(of), draw.kind, draw.all)
		}
		withCodes := 0
		for _, i := range rng.Perm(len(of))[:draw.n] {
			want := of[i]
			checked++
			got, ok := ours[want]
			if !ok {
				t.Errorf("missing: %+v", want)
				continue
			}
			inside, all := codesIn(want.Text, categories)
			if len(inside) > 0 {
				all = inside
			}
			if want.Kind == LineSevenChr {
				all = nil
			}
			if len(all) > 0 {
				withCodes++
			}
			if diff := cmp.Diff(all, got.codes()); diff != "" {
				t.Errorf("%s %s %q (-want +got):\n%s", want.Code, want.Kind, want.Text, diff)
			}
			if restricted := slices.ContainsFunc(got.Refs, func(r Ref) bool { return len(r.At) > 0 }); restricted != plainCharacter.MatchString(want.Text) && len(all) > 0 {
				t.Errorf("%s %s %q: restricted to characters: %v", want.Code, want.Kind, want.Text, restricted)
			}
		}
		if withCodes < draw.withCodes {
			t.Errorf("only %d of %d lines of kind %s name codes", withCodes, draw.n, draw.kind)
		}
		named += withCodes
	}
	t.Logf("%d lines drawn, %d of them name codes", checked, named)
	if checked != 500 {
		t.Errorf("%d lines were drawn", checked)
	}
}

// Of all codes that notes name at least 98% become rule data: codes, the ends
// of ranges, stems, and those with characters given.
func TestLongCodesNamedInNotesBecomeRuleData(t *testing.T) {
	ours := ourLines(t)
	lines, categories := readIndependently(t)
	named, read, withCharacter, restricted, missing := 0, 0, 0, 0, 0
	for _, l := range lines {
		got, ok := ours[l]
		if !ok {
			t.Errorf("missing: %+v", l)
			continue
		}
		if l.Kind == LineSevenChr {
			continue
		}
		_, all := codesIn(l.Text, categories)
		have := map[string]int{}
		for _, c := range got.codes() {
			have[c]++
		}
		named += len(all)
		for _, c := range all {
			if have[c] > 0 {
				have[c]--
				read++
			} else if missing++; missing <= 10 {
				t.Logf("not read: %s in %s %s %q", c, l.Code, l.Kind, l.Text)
			}
		}
		for c, n := range have {
			if n > 0 {
				t.Errorf("%s is not named in %s %s %q", c, l.Code, l.Kind, l.Text)
			}
		}
		if len(all) > 0 && plainCharacter.MatchString(l.Text) {
			withCharacter++
			if slices.ContainsFunc(got.Refs, func(r Ref) bool { return len(r.At) > 0 && len(r.Chars) > 0 }) {
				restricted++
			}
		}
	}
	t.Logf("of %d codes named in %d notes %d became rule data (%.2f%%); of %d notes that give characters %d", named, len(lines)-1787, read, 100*float64(read)/float64(named), withCharacter, restricted)
	if named < 11_000 || 100*read < 98*named {
		t.Errorf("only %d of %d codes became rule data", read, named)
	}
	if withCharacter < 100 || 100*restricted < 98*withCharacter {
		t.Errorf("only %d of %d notes that give characters became such rule data", restricted, withCharacter)
	}
}

// The order of the tabular list is the order of orderKey.
func TestLongOrderKeyIsTheOrderOfTheTabularList(t *testing.T) {
	data := unzip(t, testdata.Path(t, "codesets/"+tabularFile), "icd10cm-tabular-2021.xml")
	last := ""
	categories := 0
	for _, m := range regexp.MustCompile(`<name>([A-Z]\d[0-9A-Z])</name>`).FindAllSubmatch(data, -1) {
		code := string(m[1])
		if code == "U07" { // chapter 22 stands behind Z99
			break
		}
		if categories++; orderKey(code) <= orderKey(last) {
			t.Errorf("%s stands after %s", code, last)
		}
		last = code
	}
	if categories < 1900 {
		t.Errorf("only %d categories", categories)
	}
}

// BenchmarkXML reads the tabular list with our reader and with encoding/xml.
func BenchmarkXML(b *testing.B) {
	m := member{name: "tabular", data: unzip(b, testdata.Path(b, "codesets/"+tabularFile), "icd10cm-tabular-2021.xml")}
	b.Run("ours", func(b *testing.B) {
		b.SetBytes(int64(len(m.data)))
		for b.Loop() {
			if err := readXML(m, "ICD10CM.tabular", map[string]bool{"chapter": true}, func(*node) error { return nil }); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encoding_xml", func(b *testing.B) {
		b.SetBytes(int64(len(m.data)))
		for b.Loop() {
			d := xml.NewDecoder(bytes.NewReader(m.data))
			for {
				if _, err := d.RawToken(); errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}

// The counts agree with a reading of the two files that shares nothing with the reader.
func TestLongCompareCountsAsAPlainReadingDoes(t *testing.T) {
	plain := func(year string) map[string][2]string {
		rows := map[string][2]string{}
		text := string(unzip(t, testdata.Path(t, "codesets/icd10cm-"+year+".zip"), "icd10cm-order-"+year+".txt"))
		for _, line := range strings.Split(text, "\n") {
			if r := []rune(strings.TrimRight(line, "\r\n")); len(r) > 77 {
				rows[strings.TrimSpace(string(r[6:13]))] = [2]string{string(r[14]), strings.TrimSpace(string(r[77:]))}
			}
		}
		return rows
	}
	old, current := plain("2025"), plain("2026")
	want := map[ChangeKind]int{}
	for code, row := range current {
		was, there := old[code]
		if !there {
			want[Added]++
			continue
		}
		if was[1] != row[1] {
			want[Retitled]++
		}
		switch was[0] + row[0] {
		case "10":
			want[MadeHeader]++
		case "01":
			want[MadeBillable]++
		}
	}
	for code := range old {
		if _, there := current[code]; !there {
			want[Deleted]++
		}
	}
	want[MadeBillable] += 0 // a kind without changes is counted too
	got := Count(Compare(official(t, "icd10cm-2025.zip").Codes, official(t, "icd10cm-2026.zip").Codes))
	t.Logf("from 2025 to 2026: %v", got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	if got[Added] < 400 || got[Deleted] < 10 || got[MadeHeader] < 10 {
		t.Errorf("few changes: %v", got)
	}
}
