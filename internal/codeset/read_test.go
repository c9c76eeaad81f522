package codeset

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"chartcode/internal/coding"
)

func orderLine(n int, code, flag, short, long string) string {
	pad := func(s string, n int) string { return s + strings.Repeat(" ", n-len([]rune(s))) }
	return fmt.Sprintf("%05d %s %s %s %s", n, pad(code, 7), flag, pad(short, 60), long)
}

const (
	xmlHead = `<?xml version="1.0" encoding="utf-8"?>` + "\n"

	smallTabular = xmlHead + `<ICD10CM.tabular><version>2021</version><chapter><name>1</name><desc>Infections (A00-B99)</desc>
<excludes1><note>localized infections (J00-J22)</note></excludes1>
<section id="A00-A09"><desc>Intestinal (A00-A09)</desc>
<diag><name>A00</name><desc>Cholera</desc><excludes1><note>carrier (Z22.1)</note></excludes1>
<diag><name>A00.0</name><desc>Cholera due to &lt;01&gt; &amp; co</desc><inclusionTerm><note>Classical   cholera</note><note>Cholera in:</note></inclusionTerm>
<sevenChrNote><note>add to A00.0</note></sevenChrNote><sevenChrDef><extension char="A">initial</extension><extension char="S">sequela</extension></sevenChrDef></diag>
</diag></section></chapter></ICD10CM.tabular>`

	smallIndex = xmlHead + `<ICD10CM.index><version>2025</version><title>ICD-10-CM INDEX TO DISEASES and INJURIES</title><letter><title>D</title>
<mainTerm><title>Diabetes, diabetic<nemod>(mellitus) (sugar)</nemod></title><code>E11.9</code>
<term level="1"><title>type 2</title><code>E11.9</code><term level="2"><title>with</title><term level="3"><title>kidney complications NEC</title><code>E11.29</code></term></term></term></mainTerm>
<mainTerm><title>Sugar disease</title><see>Diabetes, type 2, with, kidney complications</see></mainTerm>
<mainTerm><title>Glycosuria</title><see>Diabetes, kidney complications</see></mainTerm>
<mainTerm><title>Diabetic kidney</title><see>Diabetes, type 2, with kidney complications</see></mainTerm>
<mainTerm><title>Circle</title><see>Ring</see></mainTerm><mainTerm><title>Ring</title><see>Circle</see></mainTerm>
<mainTerm><title>Lost</title><see>Nowhere, at all</see></mainTerm>
<mainTerm><title>Adenocarcinoma</title><see>Neoplasm, malignant, by site</see></mainTerm>
<mainTerm><title>Chondroma</title><seeAlso>Neoplasm, bone, benign</seeAlso></mainTerm>
<mainTerm><title>Injury</title><term level="1"><title>arm</title><code>S49.9-</code></term><term level="1"><title>leg</title><code>S89.9-</code></term></mainTerm>
<mainTerm><title>Wound</title><see>Injury</see></mainTerm>
<mainTerm><title>Cusp, Carabelli - omit code</title></mainTerm>
<mainTerm><title>Endotoxemia<nemod>(see also, Sepsis (due to), by site) (toxic)</nemod> -- code to condition</title><term level="1"><title>late</title><code>A41.9</code></term></mainTerm>
</letter></ICD10CM.index>`

	smallNeoplasm = xmlHead + `<ICD10CM.index><version>2026</version><indexHeading><head col="1">Neoplasm</head><head col="2">Malignant Primary</head></indexHeading>
<letter><title>N</title><mainTerm><title>Neoplasm, neoplastic</title><cell col="2">C80.1</cell>
<term level="1"><title>bone<nemod>(periosteum)</nemod></title><cell col="2">C41.9</cell><cell col="3">C79.51</cell><cell col="4">-</cell><cell col="5">D16.9</cell>
<term level="2"><title>jaw, maxilla</title><cell col="2">C41.1</cell></term></term>
<term level="1"><title>osseous</title><see>Neoplasm, bone</see></term></mainTerm></letter></ICD10CM.index>`
)

// read reads one member by its name and content.
func read(t testing.TB, base, data string) (*Content, error) {
	t.Helper()
	rel, ok, err := detect(base, []byte(data[:min(len(data), headSize)]), ReadOptions{})
	if err != nil || !ok {
		return nil, errors.Join(err, errors.New("not known"))
	}
	return readMember(base, base, rel, int64(len(data)), func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(data)), nil })
}

func mustRead(t testing.TB, base, data string) *Content {
	t.Helper()
	c, err := read(t, base, data)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func termsOf(c *Content) []string {
	var out []string
	for _, term := range c.Terms {
		s := term.Text + " > " + term.Code
		if term.WordsOnly {
			s += " (words)"
		}
		out = append(out, s)
	}
	return out
}

func TestOrderFilesCountCharacters(t *testing.T) {
	data := "\ufeff" + strings.Join([]string{
		orderLine(1, "C84", "0", "Mature T/NK-cell lymphomas", "Mature T/NK-cell lymphomas"),
		orderLine(3, "C841A", "1", "Sézary disease, in remission", "Sézary disease, in remission"),
		orderLine(2, "C841", "0", "Sézary disease", "Sézary disease"), "",
		orderLine(4, "S5250", "0", "Fx of radius", "Unspecified fracture of radius"),
		orderLine(5, "S52501A", "1", "Unsp fx right radius", "Unspecified fracture of right radius, initial encounter for closed fracture"),
		orderLine(6, "S52501D", "1", "Unsp fx right radius", "Unspecified fracture of right radius, subsequent encounter for closed fracture with routine healing"),
	}, "\r\n")
	c := mustRead(t, "icd10cm-order-2026.txt", data)
	want := []coding.Code{
		{System: coding.ICD10CM, Code: "C84", Title: "Mature T/NK-cell lymphomas", Short: "Mature T/NK-cell lymphomas"},
		{System: coding.ICD10CM, Code: "C84.1A", Title: "Sézary disease, in remission", Short: "Sézary disease, in remission", Billable: true, Parent: "C84.1"},
		{System: coding.ICD10CM, Code: "C84.1", Title: "Sézary disease", Short: "Sézary disease", Parent: "C84"},
		{System: coding.ICD10CM, Code: "S52.50", Title: "Unspecified fracture of radius", Short: "Fx of radius"},
		{System: coding.ICD10CM, Code: "S52.501A", Title: "Unspecified fracture of right radius, initial encounter for closed fracture", Short: "Unsp fx right radius", Billable: true, Parent: "S52.50"},
		{System: coding.ICD10CM, Code: "S52.501D", Title: "Unspecified fracture of right radius, subsequent encounter for closed fracture with routine healing", Short: "Unsp fx right radius", Billable: true, Parent: "S52.50"},
	}
	if diff := cmp.Diff(want, c.Codes); diff != "" {
		t.Errorf("codes (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{
		"Mature T/NK-cell lymphomas > C84", "Sézary disease, in remission > C84.1A", "Sézary disease > C84.1", "Unspecified fracture of radius > S52.50",
		"Unspecified fracture of right radius > S52.50",
		"Unspecified fracture of right radius, initial encounter for closed fracture > S52.501A (words)",
		"Unspecified fracture of right radius, subsequent encounter for closed fracture with routine healing > S52.501D (words)",
		"right distal radius fracture > S52.501A", "right distal radius fracture healing follow-up > S52.501D", // everyday names
	}, termsOf(c)); diff != "" {
		t.Errorf("terms (-want +got):\n%s", diff)
	}
	if c.Release.ID != "icd10cm-2026" || c.Release.Rows != 6 || c.Release.Billable != 3 {
		t.Errorf("release %+v", c.Release)
	}
}

func TestTabularLines(t *testing.T) {
	c := mustRead(t, "any.xml", smallTabular)
	want := []Line{
		{Code: "A00-B99", Kind: LineTitle, Level: LevelChapter, Text: "Infections"},
		{Code: "A00-B99", Kind: "excludes1", Level: LevelChapter, Text: "localized infections (J00-J22)", Refs: []Ref{{From: "J00", To: "J22"}}},
		{Code: "A00-A09", Kind: LineTitle, Level: LevelSection, Text: "Intestinal"},
		{Code: "A00", Kind: "excludes1", Level: LevelDiag, Text: "carrier (Z22.1)", Refs: []Ref{{From: "Z22.1"}}},
		{Code: "A00.0", Kind: "sevenChrNote", Level: LevelDiag, Text: "add to A00.0"},
		{Code: "A00.0", Kind: LineSevenChr, Level: LevelDiag, Char: "A", Text: "initial"},
		{Code: "A00.0", Kind: LineSevenChr, Level: LevelDiag, Char: "S", Text: "sequela"},
	}
	if diff := cmp.Diff(want, c.Lines); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"Classical cholera > A00.0"}, termsOf(c)); diff != "" {
		t.Errorf("terms (-want +got):\n%s", diff)
	}
	if c.Release.ID != "icd10cm-tabular-2021" {
		t.Errorf("the release is %s; the version stands in the file", c.Release.ID)
	}
}

func TestIndexTerms(t *testing.T) {
	c := mustRead(t, "any.xml", smallIndex)
	want := []string{
		"Diabetes, diabetic > E11.9", "Diabetes, diabetic mellitus sugar > E11.9 (words)",
		"Diabetes, diabetic, type 2 > E11.9", "Diabetes, diabetic mellitus sugar, type 2 > E11.9 (words)",
		"Diabetes, diabetic, type 2 with kidney complications > E11.29", "Diabetes, diabetic mellitus sugar, type 2 with kidney complications > E11.29 (words)",
		"Sugar disease > E11.29", "Diabetic kidney > E11.29",
		"Injury, arm > S49.9", "Injury, leg > S89.9", "Wound, arm > S49.9", "Wound, leg > S89.9",
		"Endotoxemia, late > A41.9", "Endotoxemia toxic, late > A41.9 (words)",
	}
	if diff := cmp.Diff(want, termsOf(c)); diff != "" {
		t.Errorf("terms (-want +got):\n%s", diff)
	}
	lines := map[string]string{}
	for _, l := range c.Lines {
		lines[l.Text] = l.Kind
	}
	if diff := cmp.Diff(map[string]string{"Glycosuria": LineUnresolved, "Circle": LineUnresolved, "Ring": LineUnresolved, "Lost": LineUnresolved,
		"Adenocarcinoma": LineGuidance, "Chondroma": LineReference, "Cusp, Carabelli": LineGuidance, "Endotoxemia": LineGuidance}, lines); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

func TestNeoplasmTermsAndLinks(t *testing.T) {
	n := mustRead(t, "any.xml", smallNeoplasm)
	bone := []string{"malignant neoplasm of bone > C41.9", "bone cancer > C41.9", "bone carcinoma > C41.9 (words)",
		"secondary malignant neoplasm of bone > C79.51", "metastasis to bone > C79.51", "benign neoplasm of bone > D16.9", "benign bone tumor > D16.9 (words)"}
	want := append([]string{"malignant neoplasm of unspecified site > C80.1", "unspecified site cancer > C80.1", "unspecified site carcinoma > C80.1 (words)"}, bone...)
	want = append(want, "malignant neoplasm of bone, jaw, maxilla > C41.1", "jaw bone cancer > C41.1", "jaw bone carcinoma > C41.1 (words)")
	for _, s := range bone {
		want = append(want, strings.Replace(s, "bone", "osseous", 1))
	}
	if diff := cmp.Diff(want, termsOf(n)); diff != "" {
		t.Errorf("terms (-want +got):\n%s", diff)
	}

	index := mustRead(t, "any.xml", smallIndex)
	alone, before := index.SHA256, len(index.Terms)
	Link([]*Content{index}, nil)
	if index.SHA256 != alone || len(index.Terms) != before {
		t.Error("an index without tables was changed")
	}
	Link([]*Content{index, n}, nil)
	Link([]*Content{index, n}, nil)
	if got := termsOf(index)[before:]; !cmp.Equal(got, []string{"Chondroma > D16.9"}) {
		t.Errorf("linked terms: %q", got)
	}
	if index.SHA256 == alone {
		t.Error("linking left the hash as it was")
	}
	known := mustRead(t, "any.xml", smallIndex)
	Link([]*Content{known}, n.Terms)
	if known.SHA256 != index.SHA256 {
		t.Error("terms of an earlier import give another hash than those of the same one")
	}
}

func TestTableResolvesReferences(t *testing.T) {
	tables := &tableTerms{neoplasm: map[string]string{}, drug: map[string]string{}}
	term := func(kind coding.TermKind, text, code string) coding.Term {
		return coding.Term{Kind: kind, Text: text, Code: code}
	}
	tables.enter([]coding.Term{
		term(coding.TermNeoplasm, "malignant neoplasm of intestine, intestinal, small", "C17.9"),
		term(coding.TermNeoplasm, "secondary malignant neoplasm of intestine, intestinal, small", "C78.4"),
		term(coding.TermNeoplasm, "benign neoplasm of salivary gland or duct", "D11.9"),
		term(coding.TermNeoplasm, "malignant neoplasm of vertebra", "C41.2"),
		term(coding.TermNeoplasm, "neoplasm of uncertain behavior of unspecified site", "D48.9"),
		term(coding.TermDrug, "adverse effect of vitamins", "T45.2X5"),
		term(coding.TermDrug, "poisoning by lead, accidental", "T56.0X1"),
	})
	for target, want := range map[string]string{
		"Neoplasm, intestine, small, malignant":                  "C17.9",
		"Table of Neoplasms, small intestine, malignant":         "C17.9",
		"Neoplasm, small intestine, malignant, secondary":        "C78.4",
		"Neoplasm, salivary gland, benign":                       "D11.9",
		"Neoplasm, uncertain behavior":                           "D48.9",
		"Neoplasm, vertebral (column), malignant":                "C41.2",
		"Neoplasm, intestine, small, benign":                     "",
		"Table of Drugs and Chemicals, vitamins, adverse effect": "T45.2X5",
		"Table of Drugs and Chemicals, lead":                     "T56.0X1",
		"Table of Drugs and Chemicals, tin":                      "",
	} {
		if got := tables.resolve(target); got != want {
			t.Errorf("%q leads to %q, want %q", target, got, want)
		}
	}
}

func TestWhatAFileIs(t *testing.T) {
	hcpcs := "code,short_description,long_description\nA0021,Outside,\"Ambulance, outside\"\n"
	tests := []struct {
		base, data string
		o          ReadOptions
		id, from   string
		err        string
	}{
		{base: "x.txt", data: "notes about codes\n"},
		{base: "x.csv", data: "a,b\n1,2\n"},
		{base: "icd10cm_order_2026.txt", data: orderLine(1, "A00", "0", "Cholera", "Cholera"), id: "icd10cm-2026", from: "2025-10-01"},
		{base: "order 2027.txt", data: orderLine(1, "0016070", "1", "Bypass", "Bypass"), id: "icd10pcs-2027", from: "2026-10-01"},
		{base: "codes.txt", data: orderLine(1, "A00", "0", "Cholera", "Cholera"), err: "--version"},
		{base: "codes.txt", data: orderLine(1, "A00", "0", "Cholera", "Cholera"), o: ReadOptions{Version: "2026-04"}, id: "icd10cm-2026-04", from: "2026-04-01"},
		{base: "codes.txt", data: orderLine(1, "A00", "0", "Cholera", "Cholera"), o: ReadOptions{Version: "pilot"}, err: "--effective-from"},
		{base: "codes.txt", data: orderLine(1, "A00", "0", "Cholera", "Cholera"), o: ReadOptions{Version: "pilot", EffectiveFrom: coding.NewDate(2026, 2, 3)}, id: "icd10cm-pilot", from: "2026-02-03"},
		{base: "x.xml", data: smallTabular, id: "icd10cm-tabular-2021", from: "2020-10-01"},
		{base: "x.xml", data: smallIndex, id: "icd10cm-index-2025", from: "2024-10-01"},
		{base: "x.xml", data: smallNeoplasm, id: "icd10cm-neoplasm-2026", from: "2025-10-01"},
		{base: "x.xml", data: strings.Replace(smallNeoplasm, `"1">Neoplasm`, `"1">Substance`, 1), id: "icd10cm-drug-2026", from: "2025-10-01"},
		{base: "x.xml", data: strings.Replace(smallIndex, "INDEX TO DISEASES and INJURIES", "EXTERNAL CAUSE of INJURIES INDEX", 1), id: "icd10cm-eindex-2025", from: "2024-10-01"},
		{base: "hcpcs-level2-2024-07.csv", data: hcpcs, id: "hcpcs-2024-07", from: "2024-07-01"},
		{base: "supplies-2024-10.csv", data: hcpcs, id: "hcpcs-2024-10", from: "2024-10-01"},
		{base: "cpt-2026.csv", data: "code,description\n99213,OFFICE\n", id: "cpt-2026", from: "2026-01-01"},
		{base: "ours-2026.csv", data: "code,description\n99213,OFFICE\n", err: "--system"},
		{base: "ours-2026.csv", data: "code,description\n99213,OFFICE\n", o: ReadOptions{System: coding.CPT}, id: "cpt-2026", from: "2026-01-01"},
		{base: "ours-2026.csv", data: "code,description\n99213,OFFICE\n", o: ReadOptions{System: "SNOMED"}, err: "none of"},
		{base: "cms-hcc-v28-2026.csv", data: "code,hcc_v28\nA0104,92\n", id: "cms-hcc-v28-2026", from: "2025-01-01"},
		{base: "mce-v41.1-2024.csv", data: "code,edit_group,edit\nA33,Age,Newborn\n", id: "mce-v41.1-2024", from: "2024-04-01"},
		{base: "mce-v42-2025.csv", data: "code,edit_group,edit\nA33,Age,Newborn\n", id: "mce-v42-2025", from: "2024-10-01"},
		{base: "POA.txt", data: "Order26\tPOAexemptCode\tDescription\n1\tB90.0\tSequelae\n", id: "poa-exempt-2026", from: "2025-10-01"},
	}
	for _, tt := range tests {
		rel, ok, err := detect(tt.base, []byte(tt.data), tt.o)
		switch {
		case tt.err != "":
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%s: error %v, want one with %q", tt.base, err, tt.err)
			}
		case err != nil || ok != (tt.id != "") || rel.ID != tt.id || ok && rel.EffectiveFrom.String() != tt.from:
			t.Errorf("%s: %v %q from %s, %v; want %q from %s", tt.base, ok, rel.ID, rel.EffectiveFrom, err, tt.id, tt.from)
		}
	}
}

func TestCSVTables(t *testing.T) {
	c := mustRead(t, "cpt-2026.csv", "Code,Description,Billable\n99213,OFFICE VISIT,1\n0042T,\"SCAN, HEAD\",no\n")
	if diff := cmp.Diff([]coding.Code{
		{System: coding.CPT, Code: "99213", Title: "OFFICE VISIT", Billable: true},
		{System: coding.CPT, Code: "0042T", Title: "SCAN, HEAD"},
	}, c.Codes); diff != "" {
		t.Errorf("codes (-want +got):\n%s", diff)
	}
	if c.Release.Rows != 2 || c.Release.Billable != 1 {
		t.Errorf("%d rows, %d billable", c.Release.Rows, c.Release.Billable)
	}
	hcc := mustRead(t, "cms-hcc-v28-2026.csv", "code,hcc_v28\nA0104,92\nA0104,93\n")
	if diff := cmp.Diff([]Line{{Code: "A01.04", Kind: LineHCC, Text: "92"}, {Code: "A01.04", Kind: LineHCC, Text: "93"}}, hcc.Lines); diff != "" || hcc.Release.Details["codes"] != 1 {
		t.Errorf("HCC lines (-want +got):\n%s", diff)
	}
}

func TestBrokenFilesSayWhere(t *testing.T) {
	row := orderLine(1, "A00", "0", "Cholera", "Cholera")
	deep := xmlHead + "<ICD10CM.tabular><version>2021</version>" + strings.Repeat("<chapter>", maxDepth+1)
	bomb := `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>` + smallTabular[len(xmlHead):]
	tests := []struct{ name, base, data, want string }{
		{"column 15", "icd10cm-order-2026.txt", row + "\n" + strings.Replace(orderLine(2, "A000", "1", "x", "x"), " 1 ", " 2 ", 1), "icd10cm-order-2026.txt, line 2: column 15"},
		{"short line", "icd10cm-order-2026.txt", row + "\n\n00002 A000\n", "line 3: it is shorter"},
		{"no code", "icd10cm-order-2026.txt", row + "\n" + orderLine(2, "a000", "1", "x", "x"), "line 2: columns 7 to 13"},
		{"twice", "icd10cm-order-2026.txt", row + "\n" + row, "line 2: the code A00 is there a second time"},
		{"not UTF-8", "icd10cm-order-2026.txt", row + "\n\xff", "UTF-8"},
		{"cut off XML", "x.xml", smallTabular[:len(smallTabular)-30], "cut off"},
		{"cut off in a tag", "x.xml", smallTabular[:strings.LastIndex(smallTabular, "</diag")+4], "cut off"},
		{"wrong end", "x.xml", strings.Replace(smallTabular, "</section>", "</chapter>", 1), "line 8: an element ends that is not the last one begun"},
		{"unknown entity", "x.xml", strings.Replace(smallTabular, "&amp;", "&nbsp;", 1), "line 6: it uses an entity"},
		{"entity bomb", "x.xml", bomb, "declares a document type"},
		{"too deep", "x.xml", deep, "nested too deep"},
		{"second root", "x.xml", smallTabular + "<ICD10CM.tabular/>", "second first element"},
		{"text behind", "x.xml", smallTabular + "more", "text outside"},
		{"no quotes", "x.xml", strings.Replace(smallTabular, `id="A00-A09"`, "id=A00", 1), "line 4: an attribute has no quotes"},
		{"no codes", "x.xml", xmlHead + "<ICD10CM.tabular><version>2021</version></ICD10CM.tabular>", "there is no code in it"},
		{"no main terms", "x.xml", xmlHead + "<ICD10CM.index><version>2021</version></ICD10CM.index>", "there is no main term in it"},
		{"diag without a code", "x.xml", strings.Replace(smallTabular, "<name>A00.0</name>", "<name>?</name>", 1), "line 6: a diag has no code"},
		{"wrong column", "x.xml", strings.Replace(smallNeoplasm, `col="5"`, `col="9"`, 1), "line 4: a cell is of none"},
		{"CSV columns", "cpt-2026.csv", "code,description\n99213,a\n99214,b,c\n", "line 3: it has more or fewer columns"},
		{"CSV twice", "cpt-2026.csv", "code,description\n99213,a\n99213,b\n", "line 3: the code 99213"},
		{"CSV quotes", "cpt-2026.csv", "code,description\n99213,\"a\n", "no valid CSV"},
		{"CSV no code", "cpt-2026.csv", "code,description\n9921,a\n", "line 2: the column code"},
		{"CSV no title", "cpt-2026.csv", "code,description\n99213,\n", "line 2: the code 99213 has no title"},
		{"POA", "POA.txt", "Order26\tPOAexemptCode\tDescription\n1\tB90.0\tx\n2\tnone\tx\n", "line 3: the second column"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := read(t, tt.base, tt.data)
			var e *Error
			if !errors.As(err, &e) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

func writeZip(t *testing.T, members map[string][]byte) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, data := range members {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "release.zip")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestZipFiles(t *testing.T) {
	row := []byte(orderLine(1, "A00", "0", "Cholera", "Cholera") + "\n")
	path := writeZip(t, map[string][]byte{"Code Descriptions/icd10cm_order_2026.txt": row, "readme.pdf": []byte("%PDF"), "docs/": nil})
	contents, err := ReadFile(path, ReadOptions{})
	if err != nil || len(contents) != 1 || contents[0].Release.ID != "icd10cm-2026" {
		t.Fatalf("%v, %v", contents, err)
	}
	if contents, err = ReadFile(path, ReadOptions{Version: "2027"}); err != nil || contents[0].Release.ID != "icd10cm-2027" {
		t.Errorf("a version given by hand: %v, %v", contents, err)
	}

	bad := append(bytes.Clone(row), row...)
	for name, tt := range map[string]struct {
		path, want string
	}{
		"line of a member": {writeZip(t, map[string][]byte{"icd10cm-order-2026.txt": bad}), "release.zip > icd10cm-order-2026.txt, line 2: the code A00"},
		"two of a release": {writeZip(t, map[string][]byte{"a/icd10cm-order-2026.txt": row, "b/icd10cm-order-2026.txt": row}), "second file of release icd10cm-2026"},
		"nothing known":    {writeZip(t, map[string][]byte{"x.txt": []byte("x")}), "no code-set file"},
		"missing":          {filepath.Join(t.TempDir(), "none.zip"), "none.zip: no such file"},
	} {
		if _, err := ReadFile(tt.path, ReadOptions{}); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want one with %q", name, err, tt.want)
		}
	}

	several := writeZip(t, map[string][]byte{"icd10cm-order-2026.txt": row, "t.xml": []byte(smallTabular)})
	if _, err := ReadFile(several, ReadOptions{Version: "2027"}); err == nil || !strings.Contains(err.Error(), "several releases") {
		t.Errorf("one version for several releases: %v", err)
	}

	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{0, 1, 30, len(whole) / 2, len(whole) - 1} {
		cut := filepath.Join(t.TempDir(), "cut.zip")
		if err := os.WriteFile(cut, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadFile(cut, ReadOptions{}); err == nil || !strings.Contains(err.Error(), "damaged or cut off") {
			t.Errorf("a zip cut after %d bytes: %v", n, err)
		}
	}
}

// A member that unpacks to more than the limit is refused, whether or not the
// zip says how large it is, and without unpacking it all.
func TestZipBombsAreRefused(t *testing.T) {
	head := []byte(orderLine(1, "A00", "0", "Cholera", "Cholera") + strings.Repeat("\n", 2*headSize))
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.CreateRaw(&zip.FileHeader{Name: "icd10cm-order-2026.txt", Method: zip.Store, UncompressedSize64: 2 << 30, CompressedSize64: uint64(len(head))})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(head); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "bomb.zip")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadFile(path, ReadOptions{}); err == nil || !strings.Contains(err.Error(), "larger than 128 MB") {
		t.Errorf("a member of 2 GB: %v", err)
	}
	if _, err := readAll(endless{}, "m", 100, 3<<20); err == nil || !strings.Contains(err.Error(), "m: it is larger than 3 MB") {
		t.Errorf("a member without end that claims 100 bytes: %v", err)
	}
	if data, err := readAll(strings.NewReader("abc"), "m", 100, 3); err != nil || string(data) != "abc" {
		t.Errorf("a member of just the limit: %q, %v", data, err)
	}
	many := map[string][]byte{}
	for i := range maxMembers + 1 {
		many[fmt.Sprint(i)] = nil
	}
	if _, err := ReadFile(writeZip(t, many), ReadOptions{}); err == nil || !strings.Contains(err.Error(), "more than 2000 files") {
		t.Errorf("%d members: %v", len(many), err)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestReadFilesGoesOn(t *testing.T) {
	dir := t.TempDir()
	good := filepath.Join(dir, "icd10cm-order-2026.txt")
	if err := os.WriteFile(good, []byte(orderLine(1, "A00", "0", "Cholera", "Cholera")), 0o600); err != nil {
		t.Fatal(err)
	}
	contents, err := ReadFiles([]string{filepath.Join(dir, "none.txt"), good}, ReadOptions{})
	if len(contents) != 1 || err == nil || !strings.Contains(err.Error(), "none.txt") {
		t.Errorf("%d contents, %v", len(contents), err)
	}
}

func TestStoredLinesComeBack(t *testing.T) {
	if _, err := ParseLine([]byte(`{"code":`)); err == nil {
		t.Error("half a line was read")
	}
	l, err := ParseLine([]byte(`{"code":"A00","kind":"excludes1","refs":[{"from":"J00","to":"J22"}]}`))
	if diff := cmp.Diff(Line{Code: "A00", Kind: "excludes1", Refs: []Ref{{From: "J00", To: "J22"}}}, l); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}
