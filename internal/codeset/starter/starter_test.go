package starter_test

import (
	"archive/zip"
	"bufio"
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"chartcode/internal/codeset/starter"
	"chartcode/internal/testdata"
)

func read(t testing.TB) []starter.Row {
	t.Helper()
	rows, err := starter.Read()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestSetKeepsItsRules(t *testing.T) {
	t.Parallel()
	if !utf8.Valid(starter.CSV()) {
		t.Error("the file is not UTF-8")
	}
	if !bytes.HasPrefix(starter.CSV(), []byte("#")) {
		t.Error("the file does not begin with the comment that says what it is")
	}
	rows := read(t)
	if len(rows) < 1500 {
		t.Errorf("%d codes, want at least 1500", len(rows))
	}
	if !slices.IsSortedFunc(rows, func(a, b starter.Row) int { return strings.Compare(a.Code, b.Code) }) {
		t.Error("the rows are not sorted by code")
	}
	codes := map[string]bool{}
	names := map[string]string{}
	nameless := 0
	for _, r := range rows {
		if codes[r.Code] {
			t.Errorf("%s is there twice", r.Code)
		}
		codes[r.Code] = true
		if len(r.Names) == 0 {
			nameless++
		}
		for _, n := range r.Names {
			if words(n) == words(r.Title) {
				t.Errorf("%s: the name %q says no more than the title", r.Code, n)
			}
			if other, taken := names[words(n)]; taken {
				t.Errorf("%s: the name %q is, but for case and punctuation, a name of %s", r.Code, n, other)
			}
			names[words(n)] = r.Code
		}
	}
	if nameless*10 > len(rows) {
		t.Errorf("%d of %d codes have no name, want at most one in ten", nameless, len(rows))
	}
	chapters := map[byte]int{}
	for _, r := range rows {
		chapters[r.Code[0]]++
	}
	for _, letter := range []byte("ABCDEFGHIJKLMNOPQRSTVWXYZ") {
		if chapters[letter] == 0 {
			t.Errorf("no code begins with %c", letter)
		}
	}
}

// A few names that every clinician writes must lead where coding convention puts them.
func TestEverydayNames(t *testing.T) {
	t.Parallel()
	code := map[string]string{}
	for _, r := range read(t) {
		for _, n := range r.Names {
			code[strings.ToLower(n)] = r.Code
		}
	}
	for name, want := range map[string]string{
		"nstemi": "I21.4", "htn": "I10", "t2dm": "E11.9", "pna": "J18.9", "copd": "J44.9", "chf": "I50.9",
		"uti": "N39.0", "ckd": "N18.9", "gerd": "K21.9", "afib": "I48.91", "dyspepsia": "R10.13",
		"diverticulitis": "K57.92", "right knee pain": "M25.561", "sprained left ankle": "S93.402A",
		"former smoker": "Z87.891", "penicillin allergy": "Z88.0", "tia": "G45.9", "delirium": "R41.0",
		"flank pain": "R10.A0", "sob": "R06.02",
	} {
		if got := code[name]; got != want {
			t.Errorf("%q leads to %q, want %s", name, got, want)
		}
	}
}

func TestCodesAndTitlesAreThoseOfTheFullTable(t *testing.T) {
	t.Parallel()
	table := orderFile(t, testdata.Path(t, "codesets/icd10cm-"+starter.Version+".zip"))
	titles := map[string]string{}
	for code, e := range table {
		if e.billable {
			titles[words(e.title)] = code
		}
	}
	for _, r := range read(t) {
		e, found := table[r.Code]
		switch {
		case !found:
			t.Errorf("%s is not in the table", r.Code)
		case !e.billable:
			t.Errorf("%s is not billable", r.Code)
		case e.title != r.Title:
			t.Errorf("%s: title %q, in the table %q", r.Code, r.Title, e.title)
		}
		for _, n := range r.Names {
			if other, taken := titles[words(n)]; taken {
				t.Errorf("%s: the name %q is the title of %s", r.Code, n, other)
			}
		}
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	const head = "# comment\ncode,title,names\n"
	for name, tc := range map[string]struct {
		in   string
		want []starter.Row
	}{
		"rows": {
			head + "E11.9,Type 2 diabetes,T2DM|sugar diabetes\n\nI10,\"Essential, hypertension\",\n",
			[]starter.Row{
				{Code: "E11.9", Title: "Type 2 diabetes", Names: []string{"T2DM", "sugar diabetes"}},
				{Code: "I10", Title: "Essential, hypertension"},
			},
		},
		"a comment between rows": {
			head + "A09,One,first\n# more\nI10,Two,second\n",
			[]starter.Row{{Code: "A09", Title: "One", Names: []string{"first"}}, {Code: "I10", Title: "Two", Names: []string{"second"}}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := starter.Parse(strings.NewReader(tc.in))
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Error(d)
			}
		})
	}

	for name, tc := range map[string]struct {
		in     string
		line   int
		reason string
	}{
		"empty":                {"", 0, "empty"},
		"only comments":        {"# nothing\n", 0, "empty"},
		"no rows":              {head, 0, "no code"},
		"not UTF-8":            {head + "I10,H\xff,\n", 0, "UTF-8"},
		"other columns":        {"code,name\nI10,x\n", 1, "3 columns"},
		"columns out of order": {"title,code,names\n", 1, "code,title,names"},
		"too few columns":      {head + "I10,Hypertension\n", 3, "3 columns"},
		"open quote":           {head + "I10,\"Hyper,\n", 3, "CSV"},
		"no dot":               {head + "E119,Diabetes,\n", 3, "dot"},
		"lower case code":      {head + "e11.9,Diabetes,\n", 3, "dot"},
		"no title":             {head + "I10,,high blood pressure\n", 3, "title of I10"},
		"title with spaces":    {head + "I10, Hypertension,\n", 3, "title of I10"},
		"empty name":           {head + "I10,Hypertension,HTN||high blood pressure\n", 3, "name 2 of I10"},
		"name with a tab":      {head + "I10,Hypertension,HT\tN\n", 3, "name 1 of I10"},
		"name is the title":    {head + "I10,Hypertension,hyperTENSION\n", 3, "title again"},
		"seven names":          {head + "I10,Hypertension,a|b|c|d|e|f|g\n", 3, "7 names"},
		"same code twice":      {head + "I10,Hypertension,\nI10,Hypertension,\n", 4, "I10 is there twice"},
		"out of order":         {head + "I10,Hypertension,\nA09,Gastroenteritis,\n", 4, "A09 is there twice or out of order"},
		"name of two codes":    {head + "A09,Gastroenteritis,bug\nI10,Hypertension,Bug\n", 4, "already a name of A09"},
		"name twice in a row":  {head + "I10,Hypertension,HTN|htn\n", 3, "already a name of I10"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rows, err := starter.Parse(strings.NewReader(tc.in))
			var bad *starter.Error
			if !errors.As(err, &bad) {
				t.Fatalf("rows %v, error %v; want a *starter.Error", rows, err)
			}
			if bad.Line != tc.line || !strings.Contains(bad.Reason, tc.reason) {
				t.Errorf("line %d: %s; want line %d and %q", bad.Line, bad.Reason, tc.line, tc.reason)
			}
		})
	}
}

func TestCSVCannotBeChanged(t *testing.T) {
	t.Parallel()
	starter.CSV()[0] = 'x'
	if starter.CSV()[0] != '#' {
		t.Error("a caller's change reached the embedded file")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("# c\ncode,title,names\nI10,Essential (primary) hypertension,HTN|high blood pressure\n"))
	f.Add([]byte("code,title,names\nA09,\"a, b\",\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		rows, err := starter.Parse(bytes.NewReader(data))
		if err != nil {
			return
		}
		last := ""
		for _, r := range rows {
			if r.Code <= last || r.Title == "" || len(r.Names) > starter.MaxNames {
				t.Fatalf("accepted a bad row: %q after %q", r, last)
			}
			last = r.Code
		}
	})
}

type entry struct {
	billable bool
	title    string
}

// orderFile reads an official order file by itself, not with the program's own
// reader, so that an error of the reader cannot hide one of the starter set.
func orderFile(t *testing.T, path string) map[string]entry {
	t.Helper()
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	if len(z.File) != 1 {
		t.Fatalf("%d files in the archive, want the order file alone", len(z.File))
	}
	f, err := z.File[0].Open()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	table := map[string]entry{}
	for in := bufio.NewScanner(f); in.Scan(); {
		r := []rune(strings.TrimRight(in.Text(), "\r "))
		if len(r) < 78 {
			t.Fatalf("a line of %d characters", len(r))
		}
		code := strings.TrimSpace(string(r[6:13]))
		if len(code) > 3 {
			code = code[:3] + "." + code[3:]
		}
		table[code] = entry{billable: r[14] == '1', title: string(r[77:])}
	}
	if len(table) < 90000 {
		t.Fatalf("only %d codes in the table", len(table))
	}
	return table
}

// words is text without case and punctuation.
func words(s string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(s), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}), " ")
}
