package catalog_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"chartcode/internal/catalog"
	"chartcode/internal/codeset"
	"chartcode/internal/coding"
	"chartcode/internal/embedding"
	"chartcode/internal/store"
	"chartcode/internal/store/storetest"
)

func row(n int, code, flag, title string) string {
	return fmt.Sprintf("%05d %-7s %s %-60.60s %s\n", n, code, flag, title, title)
}

const (
	tabularFile = `<?xml version="1.0" encoding="utf-8"?>
<ICD10CM.tabular><version>2026</version><chapter><name>1</name><desc>Infections (A00-B99)</desc>
<section id="A00-A09"><desc>Intestinal (A00-A09)</desc>
<diag><name>A00</name><desc>Cholera</desc><excludes1><note>carrier (Z22.1)</note></excludes1>
<diag><name>A00.0</name><desc>Cholera due to vibrio</desc><inclusionTerm><note>Classical cholera</note></inclusionTerm></diag>
</diag></section></chapter></ICD10CM.tabular>
`
	indexFile = `<?xml version="1.0" encoding="utf-8"?>
<ICD10CM.index><version>2026</version><title>ICD-10-CM INDEX TO DISEASES and INJURIES</title><letter><title>C</title>
<mainTerm><title>Chondroma</title><see>Neoplasm, bone, benign</see></mainTerm>
<mainTerm><title>Cholera</title><code>A00.9</code></mainTerm>
<mainTerm><title>Osteoma</title><code>D16.9</code><see>Neoplasm, bone, benign</see></mainTerm>
<mainTerm><title>Lost</title><see>Nowhere, at all</see></mainTerm>
</letter></ICD10CM.index>
`
	neoplasmFile = `<?xml version="1.0" encoding="utf-8"?>
<ICD10CM.index><version>2026</version><indexHeading><head col="1">Neoplasm</head><head col="2">Malignant Primary</head></indexHeading>
<letter><title>N</title><mainTerm><title>Neoplasm, neoplastic</title><cell col="2">C80.1</cell>
<term level="1"><title>bone</title><cell col="2">C41.9</cell><cell col="5">D16.9</cell></term></mainTerm></letter></ICD10CM.index>
`
)

var cholera = row(1, "A00", "0", "Cholera") + row(2, "A000", "1", "Cholera due to vibrio") + row(3, "A009", "1", "Cholera, unspecified")

// folder writes files for a test.
type folder struct {
	t   *testing.T
	dir string
}

func newFolder(t *testing.T) folder { return folder{t, t.TempDir()} }

func (f folder) file(name, data string) string {
	f.t.Helper()
	path := filepath.Join(f.dir, name)
	if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
		f.t.Fatal(err)
	}
	return path
}

// zip writes a zip of members, given as name, content, name, content.
func (f folder) zip(name string, members ...string) string {
	f.t.Helper()
	return f.file(name, string(zipped(f.t, members...)))
}

func zipped(t *testing.T, members ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(members); i += 2 {
		w, err := z.Create(members[i])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, members[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// bomb is a zip whose member is larger than it may be, as its header says; compressing that much
// takes long with the race detector.
func bomb(t *testing.T, member string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	data := row(1, "A00", "0", "Cholera") + strings.Repeat("\n", 1<<20)
	w, err := z.CreateRaw(&zip.FileHeader{Name: member, Method: zip.Store, UncompressedSize64: 129 << 20, CompressedSize64: uint64(len(data))})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, data); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func newLoader(t *testing.T) (*catalog.Loader, *store.Store) {
	t.Helper()
	s := storetest.New(t)
	e, err := embedding.NewLocal()
	if err != nil {
		t.Fatal(err)
	}
	return &catalog.Loader{DB: s, Embedder: e}, s
}

// contents is everything that the database holds of code sets, by release.
func contents(t *testing.T, s *store.Store) map[string][]string {
	t.Helper()
	ctx := t.Context()
	releases, err := s.Releases(ctx)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	for _, r := range releases {
		sha, err := s.ReleaseSHA256(ctx, r.ID)
		if err != nil {
			t.Fatal(err)
		}
		all := []string{fmt.Sprintf("%s %d rows, %d billable, %v", sha, r.Rows, r.Billable, r.Details)}
		codes, err := s.Codes(ctx, r.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range codes {
			all = append(all, fmt.Sprintf("code %s %v %s", c.Code, c.Billable, c.Title))
		}
		terms, err := s.ReleaseTerms(ctx, r.System, r.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range terms {
			all = append(all, fmt.Sprintf("term %s %s %s", x.Kind, x.Code, x.Text))
		}
		lines, err := s.Lines(ctx, r.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range lines {
			all = append(all, "line "+string(l))
		}
		out[r.ID] = all
	}
	return out
}

// having gives what the database holds of a release, of one sort.
func having(t *testing.T, s *store.Store, release, sort string) []string {
	t.Helper()
	var out []string
	for _, x := range contents(t, s)[release] {
		if rest, ok := strings.CutPrefix(x, sort+" "); ok {
			out = append(out, rest)
		}
	}
	slices.Sort(out)
	return out
}

// Each broken file leaves the database as it was and is named with its member,
// its line and what is wrong; the sound files among them are imported.
func TestABrokenFileChangesNothing(t *testing.T) {
	t.Parallel()
	l, s := newLoader(t)
	f := newFolder(t)
	if _, err := l.ImportFiles(t.Context(), []string{f.zip("before.zip", "icd10cm-order-2026.txt", cholera, "tab.xml", tabularFile)}, codeset.ReadOptions{}); err != nil {
		t.Fatal(err)
	}
	before := contents(t, s)

	cut := zipped(t, "icd10cm-order-2026.txt", strings.Repeat(cholera, 200))
	entities := strings.Replace(indexFile, "<ICD10CM.index>", `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]><ICD10CM.index>`, 1)
	broken := map[string]struct{ path, want string }{
		"truncated zip":         {f.file("cut.zip", string(cut[:len(cut)-30])), "cut.zip: it cannot be read as a zip file: it is damaged or cut off"},
		"wrong columns":         {f.file("icd10cm-order-2027.txt", row(1, "A00", "x", "Cholera")), "icd10cm-order-2027.txt, line 1: column 15"},
		"duplicate code":        {f.zip("twice.zip", "sub/icd10cm-order-2026.txt", cholera+row(4, "A00", "0", "Cholera")), "twice.zip > sub/icd10cm-order-2026.txt, line 4: the code A00 is there a second time"},
		"second member broken":  {f.zip("second.zip", "icd10cm-order-2026.txt", cholera+row(4, "A01", "1", "Typhoid"), "tab.xml", tabularFile[:300]), "second.zip > tab.xml, line 5: it ends in the middle"},
		"XML cut off":           {f.file("tab.xml", tabularFile[:300]), "tab.xml, line 5: it ends in the middle"},
		"zip bomb":              {f.file("bomb.zip", string(bomb(t, "icd10cm-order-2026.txt"))), "bomb.zip > icd10cm-order-2026.txt: it is larger than 128 MB"},
		"entity bomb":           {f.file("entities.xml", entities), "entities.xml, line 2: it declares a document type, an entity"},
		"deep nesting":          {f.file("deep.xml", `<ICD10CM.tabular><version>2026</version>`+strings.Repeat("<chapter>\n", 100)), "deep.xml, line 64: its elements are nested too deep"},
		"not UTF-8":             {f.file("icd10pcs_order_2026.txt", row(1, "001", "0", "Bypass")+row(2, "0016070", "1", "B\xe9pass")), "icd10pcs_order_2026.txt, line 2: it is not UTF-8 text"},
		"byte 0":                {f.file("cpt-2026.csv", "code,description\n99213,a\n99214,a\x00b\n"), "cpt-2026.csv, line 3: it holds a byte 0"},
		"empty":                 {f.file("hcpcs-2026-01.csv", ""), "hcpcs-2026-01.csv: it is empty"},
		"columns of no CSV":     {f.file("cpt-2025.csv", "number,text\n1,a\n"), "cpt-2025.csv, line 1: its columns are of no code-set file"},
		"no first day":          {f.file("cpt-pilot.csv", "code,description\n99213,a\n"), "cpt-pilot.csv: neither its content nor its name says which version it is; give --version"},
		"not there":             {filepath.Join(f.dir, "none.zip"), "none.zip: no such file"},
		"no zip in truth":       {f.file("text.zip", "hello"), "text.zip: it cannot be read as a zip file"},
		"zip without code sets": {f.zip("other.zip", "readme.txt", "hello"), "other.zip: it is no code-set file that is known, nor does it hold one"},
	}
	paths := []string{f.file("hcpcs-2026-04.csv", "code,short_description,long_description\nA0021,Outside,Outside state ambulance\n")}
	for _, b := range broken {
		paths = append(paths, b.path)
	}
	paths = append(paths, f.file("cpt-2027.csv", "code,description\n99213,OFFICE\n"))
	results, err := l.ImportFiles(t.Context(), paths, codeset.ReadOptions{})
	if err == nil {
		t.Fatal("there was no error")
	}
	for name, b := range broken {
		if !strings.Contains(err.Error(), b.want) {
			t.Errorf("%s: %q is not said in:\n%v", name, b.want, err)
		}
	}
	for _, e := range err.(interface{ Unwrap() []error }).Unwrap() {
		var of *codeset.Error
		if !errors.As(e, &of) {
			t.Errorf("%v is not said to be an error of a file", e)
		}
	}
	if len(results) != 2 {
		t.Errorf("%d releases were imported, want 2: %+v", len(results), results)
	}
	after := contents(t, s)
	for _, id := range []string{"hcpcs-2026-04", "cpt-2027"} {
		if len(after[id]) == 0 {
			t.Errorf("%s was not imported", id)
		}
		delete(after, id)
	}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("the database changed (-before +after):\n%s", diff)
	}
}

// vectors gives how many vectors there are, and the text nearest to a text.
func vectors(t *testing.T, l *catalog.Loader, s *store.Store, text string) (n int, nearest int64) {
	t.Helper()
	models, err := s.EmbeddingModels(t.Context())
	if err != nil || len(models) != 1 {
		t.Fatal(models, err)
	}
	v, err := l.Embedder.Embed(t.Context(), []string{text})
	if err != nil {
		t.Fatal(err)
	}
	hits, err := s.SearchVectors(t.Context(), l.Embedder.Name(), v, 1)
	if err != nil || len(hits[0]) != 1 {
		t.Fatal(hits, err)
	}
	return models[0].Vectors, hits[0][0].TextID
}

// The same file again does nothing; of a corrected one codes, terms, lines and
// vectors follow.
func TestACorrectedFileReplacesItsRelease(t *testing.T) {
	t.Parallel()
	l, s := newLoader(t)
	f := newFolder(t)
	ctx := t.Context()
	load := func(order, tabular string) []catalog.Result {
		t.Helper()
		path := f.zip("cm.zip", "icd10cm-order-2026.txt", order, "tab.xml", tabular)
		results, err := l.ImportFiles(ctx, []string{path}, codeset.ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Embed(ctx); err != nil {
			t.Fatal(err)
		}
		return results
	}
	if r := load(cholera, tabularFile); !r[0].Changed || !r[1].Changed {
		t.Fatalf("the first import changed nothing: %+v", r)
	}
	if n, at := vectors(t, l, s, "Classical cholera"); n != 4 || at != store.TextID("Classical cholera") {
		t.Errorf("%d vectors, nearest %d", n, at)
	}
	first := contents(t, s)
	if r := load(cholera, tabularFile); r[0].Changed || r[1].Changed {
		t.Errorf("the same file again changed something: %+v", r)
	}
	if diff := cmp.Diff(first, contents(t, s)); diff != "" {
		t.Errorf("the same file again (-before +after):\n%s", diff)
	}

	r := load(strings.Replace(cholera, "vibrio", "microb", 2), strings.NewReplacer("Classical cholera", "Asiatic plague", "Z22.1", "Z22.2").Replace(tabularFile))
	if !r[0].Changed || !r[1].Changed {
		t.Errorf("the corrected file changed nothing: %+v", r)
	}
	if diff := cmp.Diff([]string{"A00 false Cholera", "A00.0 true Cholera due to microb", "A00.9 true Cholera, unspecified"}, having(t, s, "icd10cm-2026", "code")); diff != "" {
		t.Errorf("codes (-want +got):\n%s", diff)
	}
	terms, err := s.Terms(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, x := range terms {
		got = append(got, fmt.Sprintf("%s %s %s", x.Code, x.Kind, x.Text))
	}
	if diff := cmp.Diff([]string{"A00 title Cholera", "A00.0 inclusion Asiatic plague", "A00.0 title Cholera due to microb", "A00.9 title Cholera, unspecified"}, got); diff != "" {
		t.Errorf("terms (-want +got):\n%s", diff)
	}
	lines := strings.Join(having(t, s, "icd10cm-tabular-2026", "line"), "\n")
	if strings.Contains(lines, "Z22.1") || strings.Count(lines, `"from":"Z22.2"`) != 1 {
		t.Errorf("lines:\n%s", lines)
	}
	if n, at := vectors(t, l, s, "Asiatic plague"); n != 4 || at != store.TextID("Asiatic plague") {
		t.Errorf("%d vectors, nearest %d", n, at)
	}
	if _, at := vectors(t, l, s, "Classical cholera"); at == store.TextID("Classical cholera") {
		t.Error("a vector of a text that is gone is still found")
	}
}

// Equal texts have one vector, and titles that differ only in what the 7th
// character says of the encounter have that of their stem.
func TestTextsShareVectors(t *testing.T) {
	t.Parallel()
	l, s := newLoader(t)
	f := newFolder(t)
	order := row(1, "S525", "0", "Fracture of lower end of radius") + row(2, "S5255", "0", "Fracture of radius") +
		row(3, "S5255XA", "1", "Fracture of radius, initial encounter for closed fracture") +
		row(4, "S5255XD", "1", "Fracture of radius, subsequent encounter for closed fracture with routine healing") +
		row(5, "S5255XS", "1", "Fracture of radius, sequela")
	tabular := strings.NewReplacer("A00.0", "S52.5", "Classical cholera", "Fracture of radius").Replace(tabularFile)
	paths := []string{f.file("icd10cm-order-2026.txt", order), f.file("icd10cm-order-2025.txt", order), f.file("tab.xml", tabular)}
	if _, err := l.ImportFiles(t.Context(), paths, codeset.ReadOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := l.Embed(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, at := vectors(t, l, s, "fracture of radius"); n != 2 || at != store.TextID("Fracture of radius") {
		t.Errorf("%d vectors, nearest %d", n, at)
	}
}

// An index finds the tables that it refers to in the same call and in earlier
// and later ones, and follows a corrected table.
func TestAnIndexFindsItsTablesInAnyOrder(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	index, table := f.file("index.xml", indexFile), f.file("neoplasm.xml", neoplasmFile)
	var all []map[string][]string
	for _, calls := range [][][]string{{{index, table}}, {{table, index}}, {{index}, {table}}, {{table}, {index}}, {{index, table}, {index}, {table}}} {
		l, s := newLoader(t)
		for i, paths := range calls {
			results, err := l.ImportFiles(t.Context(), paths, codeset.ReadOptions{})
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range results {
				if len(calls) == 3 && i > 0 && r.Changed {
					t.Errorf("%s was replaced though nothing changed", r.Release.ID)
				}
			}
		}
		all = append(all, contents(t, s))
	}
	for _, other := range all[1:] {
		if diff := cmp.Diff(all[0], other); diff != "" {
			t.Errorf("another order of imports (-want +got):\n%s", diff)
		}
	}

	l, s := newLoader(t)
	if _, err := l.ImportFiles(t.Context(), []string{index, table}, codeset.ReadOptions{}); err != nil {
		t.Fatal(err)
	}
	want := []string{"index A00.9 Cholera", "index D16.9 Chondroma", "index D16.9 Osteoma"}
	if diff := cmp.Diff(want, having(t, s, "icd10cm-index-2026", "term")); diff != "" {
		t.Errorf("terms (-want +got):\n%s", diff)
	}
	corrected := f.file("neoplasm2.xml", strings.Replace(neoplasmFile, "D16.9", "D16.8", 1))
	results, err := l.ImportFiles(t.Context(), []string{corrected}, codeset.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(results, func(r catalog.Result) bool { return r.Release.ID == "icd10cm-index-2026" && r.Changed }) {
		t.Errorf("the index is not said to have changed: %+v", results)
	}
	want = []string{"index A00.9 Cholera", "index D16.8 Chondroma", "index D16.8 Osteoma", "index D16.9 Osteoma"}
	if diff := cmp.Diff(want, having(t, s, "icd10cm-index-2026", "term")); diff != "" {
		t.Errorf("terms with the corrected table (-want +got):\n%s", diff)
	}
}

// A file whose name and content say nothing is told by what is given.
func TestWhatAFileDoesNotSayIsGiven(t *testing.T) {
	t.Parallel()
	l, s := newLoader(t)
	path := newFolder(t).file("ours.csv", "Code,Description,Billable\n99213,OFFICE,1\n99214,GROUP,0\n")
	o := codeset.ReadOptions{System: coding.CPT, Version: "pilot", EffectiveFrom: coding.NewDate(2026, 2, 3)}
	if _, err := l.ImportFiles(t.Context(), []string{path}, o); err != nil {
		t.Fatal(err)
	}
	releases, err := s.Releases(t.Context())
	if err != nil || len(releases) != 1 {
		t.Fatal(releases, err)
	}
	r := releases[0]
	if r.ID != "cpt-pilot" || r.System != coding.CPT || r.Kind != codeset.KindTable || r.EffectiveFrom.String() != "2026-02-03" || r.Rows != 2 || r.Billable != 1 {
		t.Errorf("release %+v", r)
	}
}
