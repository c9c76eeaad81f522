package validate_test

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"chartcode/internal/codeset"
	"chartcode/internal/coding"
	"chartcode/internal/testdata"
	"chartcode/pipeline/validate"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// ruleCase is one line of testdata/rules.txt.
type ruleCase struct {
	rule, line string
	fires      bool
	setting    coding.Setting
	patient    coding.Patient
	date       coding.Date
	codes      []validate.Coded
	doc        *coding.Document
	evidence   [][]coding.Evidence // by code
}

var (
	dateShape = regexp.MustCompile(`^\d{4}-\d\d-\d\d$`)
	markup    = regexp.MustCompile(`\[|\|\d+\]|\]|\{[^}]*\}|<(?:possible|negated|family|hypothetical): |>`)
)

func parseCase(t *testing.T, rule, line string) ruleCase {
	t.Helper()
	c := ruleCase{rule: rule, line: line, fires: line[0] == '+'}
	head, text, noted := strings.Cut(line[1:], "|")
	dates := 0
	for i, f := range strings.Fields(head) {
		switch {
		case i == 0 && f == "in":
			c.setting = coding.Inpatient
		case i == 0 && f == "out":
			c.setting = coding.Outpatient
		case i == 0:
			t.Fatalf("%s: no setting", line)
		case f == "male" || f == "female":
			c.patient.Sex = f
		case dateShape.MatchString(f):
			d, err := coding.ParseDate(f)
			if err != nil {
				t.Fatal(err)
			}
			if dates++; dates == 1 {
				c.date = d
			} else {
				c.patient.BirthDate = d
			}
		default:
			system := coding.ICD10CM
			switch {
			case len(f) == 5 && !strings.Contains(f, "."):
				system = coding.HCPCS
			case f[0] >= '0' && f[0] <= '9':
				system = coding.ICD10PCS
			}
			c.codes = append(c.codes, validate.Coded{System: system, Code: f})
		}
	}
	c.evidence = make([][]coding.Evidence, len(c.codes))
	if noted {
		c.readNote(t, strings.TrimSpace(text))
	}
	return c
}

// readNote takes the marks out of a text and makes a document of them.
func (c *ruleCase) readNote(t *testing.T, marked string) {
	t.Helper()
	c.doc = &coding.Document{Setting: c.setting}
	var text strings.Builder
	var spanStart int
	var scope coding.Scope
	next, last := 0, 0
	for _, m := range markup.FindAllStringIndex(marked, -1) {
		text.WriteString(marked[last:m[0]])
		last = m[1]
		mark := marked[m[0]:m[1]]
		switch at := text.Len(); {
		case mark == "[":
			spanStart = at
		case strings.HasSuffix(mark, "]"):
			n := next
			if number := strings.Trim(mark, "|]"); number != "" {
				v, err := strconv.Atoi(number)
				if err != nil {
					t.Fatal(err)
				}
				n = v - 1
			}
			next++
			c.evidence[n] = append(c.evidence[n], coding.Evidence{Span: coding.Span{Start: spanStart, End: at}, Text: text.String()[spanStart:at]})
		case mark[0] == '{':
			word := strings.Trim(mark, "{}")
			fact := coding.Fact{Kind: coding.FactLaterality, Word: word}
			if word == "both" {
				fact.Word = "bilateral"
			}
			if age, ok := strings.CutPrefix(word, "age "); ok {
				v, err := strconv.Atoi(age)
				if err != nil {
					t.Fatal(err)
				}
				word, fact = age, coding.Fact{Kind: coding.FactAge, Value: float64(v), Unit: "year"}
			}
			if weeks, ok := strings.CutPrefix(word, "weeks "); ok {
				v, err := strconv.ParseFloat(weeks, 64)
				if err != nil {
					t.Fatal(err)
				}
				word, fact = weeks+" weeks", coding.Fact{Kind: coding.FactGestation, Value: v}
			}
			text.WriteString(word)
			fact.Span = coding.Span{Start: at, End: text.Len()}
			c.doc.Facts = append(c.doc.Facts, fact)
		case mark == ">":
			scope.End = at
			c.doc.Scopes = append(c.doc.Scopes, scope)
		default:
			scope = coding.Scope{Span: coding.Span{Start: at}, Assertion: coding.Assertion(strings.Trim(mark, "<: "))}
		}
	}
	text.WriteString(marked[last:])
	c.doc.Text = text.String()
	c.doc.Clauses = []coding.Span{{Start: 0, End: len(c.doc.Text)}}
}

// findings asks Check where there is no note, else Validate.
func (c *ruleCase) findings(k knowledge, others map[coding.System]*codeset.Table) []coding.Finding {
	if c.doc == nil {
		return k.validator.Check(validate.CheckInput{Table: k.table, Others: others, Setting: c.setting, Patient: c.patient, Date: c.date, Codes: c.codes})
	}
	in := validate.Input{Note: coding.Note{Patient: c.patient, ServiceDate: c.date, Setting: c.setting}, Doc: c.doc, Table: k.table, Others: others, Style: coding.Billing}
	for i, code := range c.codes {
		in.Suggestions = append(in.Suggestions, coding.Suggestion{System: code.System, Code: code.Code, Evidence: c.evidence[i]})
	}
	var out []coding.Finding
	for _, s := range k.validator.Validate(in).Suggestions {
		out = append(out, s.Warnings...)
	}
	return out
}

func wordsOf(doc *coding.Document, spans []coding.Span) []string {
	var out []string
	for _, s := range spans {
		out = append(out, doc.Text[s.Start:s.End])
	}
	return out
}

// ruleNames are the values of the constants Rule... of the package, from its
// source: a rule that is added without cases is found.
func ruleNames(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "engine.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok && strings.HasPrefix(spec.Names[0].Name, "Rule") {
			lit, ok := spec.Values[0].(*ast.BasicLit)
			if !ok { // a name that package coding has too
				if spec.Names[0].Name != "RulePOAExempt" {
					t.Fatalf("%s has no value here", spec.Names[0].Name)
				}
				names = append(names, coding.RulePOAExempt)
				return true
			}
			name, err := strconv.Unquote(lit.Value)
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, name)
		}
		return true
	})
	if len(names) < 23 {
		t.Fatalf("only %d rules were found", len(names))
	}
	return names
}

// Each rule fires where it should and stays silent at a near miss; what it says
// is kept in testdata/rules.golden (-update rewrites it).
func TestRules(t *testing.T) {
	k := official(t)
	others := map[coding.System]*codeset.Table{}
	for _, file := range []string{"icd10pcs-2026.zip", "hcpcs-level2-2024-07.csv"} {
		read, err := codeset.ReadFile(testdata.Path(t, "codesets/"+file), codeset.ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		others[read[0].Release.System] = codeset.NewTable(read[0].Release, read[0].Codes)
	}
	data, err := os.ReadFile("testdata/rules.txt")
	if err != nil {
		t.Fatal(err)
	}
	var golden bytes.Buffer
	fire, miss := map[string]int{}, map[string]int{}
	rule := ""
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, "== "); ok {
			rule = name
			fmt.Fprintf(&golden, "== %s\n", rule)
			continue
		}
		if line == "" || line[0] == '#' {
			continue
		}
		c := parseCase(t, rule, line)
		fired := false
		all := c.findings(k, others)
		for i, f := range all {
			if f.Rule != rule || i > 0 && cmp.Equal(all[i-1], f) {
				continue
			}
			if !fired {
				fmt.Fprintln(&golden, line)
			}
			fired = true
			fmt.Fprintf(&golden, "    %s %v: %s\n        %s\n", f.Severity, f.Codes, f.Message, f.Source)
			if len(f.Spans) > 0 {
				fmt.Fprintf(&golden, "        because of %q\n", wordsOf(c.doc, f.Spans))
			}
			for _, code := range f.Codes {
				if !strings.Contains(line, code) {
					t.Errorf("%s: %s: a finding names %s, which is not in the list", rule, line, code)
				}
			}
		}
		if fired != c.fires {
			t.Errorf("%s: %s: fired %v; all findings: %+v", rule, line, fired, all)
		}
		if c.fires {
			fire[rule]++
		} else {
			miss[rule]++
		}
	}
	for _, rule := range ruleNames(t) {
		if fire[rule] < 3 || miss[rule] < 3 {
			t.Errorf("%s has %d cases that fire and %d that do not, at least 3 of each are needed", rule, fire[rule], miss[rule])
		}
	}
	if *update {
		if err := os.WriteFile("testdata/rules.golden", golden.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/rules.golden")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), golden.String()); diff != "" {
		t.Errorf("what the rules say (-want +got):\n%s", diff)
	}
}
