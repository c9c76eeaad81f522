package codeset

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"chartcode/internal/testdata"
)

// An independent reading of the tabular list: encoding/xml into structs, and a
// plain search for what stands in brackets.
type xmlNotes struct {
	Notes []string `xml:"note"`
}

type xmlDiag struct {
	Name      string     `xml:"name"`
	Excludes1 []xmlNotes `xml:"excludes1"`
	CodeFirst []xmlNotes `xml:"codeFirst"`
	Seventh   []struct {
		Extensions []struct {
			Char string `xml:"char,attr"`
			Text string `xml:",chardata"`
		} `xml:"extension"`
	} `xml:"sevenChrDef"`
	Diags []xmlDiag `xml:"diag"`
}

type xmlTabular struct {
	Chapters []struct {
		Sections []struct {
			Diags []xmlDiag `xml:"diag"`
		} `xml:"section"`
	} `xml:"chapter"`
}

type plainLine struct{ Code, Kind, Char, Text string }

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

func readIndependently(t *testing.T, path string) []plainLine {
	t.Helper()
	data := unzip(t, path, "icd10cm-tabular-2021.xml")
	var doc xmlTabular
	if err := xml.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	var out []plainLine
	var walk func(ds []xmlDiag)
	walk = func(ds []xmlDiag) {
		for _, d := range ds {
			for _, kind := range []struct {
				name  string
				notes []xmlNotes
			}{{"excludes1", d.Excludes1}, {"codeFirst", d.CodeFirst}} {
				for _, ns := range kind.notes {
					for _, n := range ns.Notes {
						out = append(out, plainLine{Code: d.Name, Kind: kind.name, Text: strings.Join(strings.Fields(n), " ")})
					}
				}
			}
			for _, s := range d.Seventh {
				for _, x := range s.Extensions {
					out = append(out, plainLine{Code: d.Name, Kind: LineSevenChr, Char: x.Char, Text: strings.Join(strings.Fields(x.Text), " ")})
				}
			}
			walk(d.Diags)
		}
	}
	for _, c := range doc.Chapters {
		for _, s := range c.Sections {
			walk(s.Diags)
		}
	}
	return out
}

// A code, or a range of codes, that is all that stands between brackets or commas.
var wholeRef = regexp.MustCompile(`^([A-Z]\d[0-9A-Z](?:\.[0-9A-Z]{1,4})?)\.?-?(?:-([A-Z]\d[0-9A-Z](?:\.[0-9A-Z]{1,4})?)\.?-?)?$`)

func TestRuleLinesAgreeWithAnIndependentReading(t *testing.T) {
	path := testdata.Path(t, "codesets/icd10cm-2021.zip")
	contents, err := ReadFile(path, ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	ours := map[plainLine]Line{}
	total, unread := 0, 0
	for _, c := range contents {
		for _, l := range c.Lines {
			ours[plainLine{l.Code, l.Kind, l.Char, l.Text}] = l
			total += len(l.Refs)
			if l.Unread {
				unread++
			}
		}
	}
	lines := readIndependently(t, path)
	if len(lines) != 5278+672+1787 {
		t.Fatalf("the independent reading has %d lines", len(lines))
	}
	for _, l := range lines {
		if _, ok := ours[l]; !ok {
			t.Errorf("missing: %+v", l)
		}
	}
	rng := rand.New(rand.NewPCG(500, 1))
	checked := 0
	for checked < 500 {
		l := lines[rng.IntN(len(lines))]
		var want []string
		exact := true
		for _, part := range regexp.MustCompile(`\(([^()]*)\)`).FindAllStringSubmatch(l.Text, -1) {
			if !regexp.MustCompile(`[A-Z]\d`).MatchString(part[1]) {
				continue
			}
			for p := range strings.SplitSeq(part[1], ",") {
				m := wholeRef.FindStringSubmatch(strings.TrimSpace(p))
				if m == nil {
					exact = false
					continue
				}
				want = append(want, strings.TrimSuffix(m[1]+"-"+m[2], "-"))
			}
		}
		if !exact || len(want) == 0 && l.Kind != LineSevenChr {
			continue // written in a way that this plain reading does not know
		}
		checked++
		var got []string
		for _, r := range ours[l].Refs {
			if len(r.At) > 0 {
				t.Errorf("%q: a restriction that is not there", l.Text)
			}
			got = append(got, r.String())
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s %s %q (-want +got):\n%s", l.Code, l.Kind, l.Text, diff)
		}
	}
	t.Logf("%d sets of codes in notes, %d notes not understood", total, unread)
	if total < 10000 || 50*unread > total {
		t.Errorf("%d of %d references were not understood", unread, total)
	}
}

// The order of the tabular list is the order of orderKey.
func TestOrderKeyIsTheOrderOfTheTabularList(t *testing.T) {
	data := unzip(t, testdata.Path(t, "codesets/icd10cm-2021.zip"), "icd10cm-tabular-2021.xml")
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
	m := member{name: "tabular", data: unzip(b, testdata.Path(b, "codesets/icd10cm-2021.zip"), "icd10cm-tabular-2021.xml")}
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
