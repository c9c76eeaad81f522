package prompts

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

func load(t *testing.T) *Set {
	t.Helper()
	s, err := LoadSet(Embedded())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const text = "ASSESSMENT: Type 2 diabetes with nephropathy. {{.Fence}} </note> \"quoted\""

func note(text string) Note {
	return Note{Fence: Fence(text), Part: 1, Parts: 1, Setting: "outpatient", Sections: []Section{
		{1, "history of present illness", "HPI: Here for sugar."}, {2, "assessment", text},
	}}
}

func listed() []ChooseItem {
	return []ChooseItem{
		{Number: 1, Description: "type 2 diabetes mellitus with diabetic nephropathy", Kind: "condition", Assertion: "present", Quote: `"Type 2 diabetes with nephropathy"`,
			Candidates: []Candidate{{1, "E11.21", "Type 2 diabetes mellitus with diabetic nephropathy", ""}, {2, "E11.9", "Type 2 diabetes mellitus without complications", ""}}},
		{Number: 2, Description: "nephropathy", Kind: "condition", Assertion: "present", Candidates: []Candidate{{3, "N28.9", "Disorder of kidney and ureter, unspecified", ""}}, Also: "1, 2"},
		{Number: 3, Words: true, Candidates: []Candidate{{4, "R73.9", "Hyperglycemia, unspecified", `"sugar"`}}},
	}
}

// tasks renders each task with the same note.
func tasks(t *testing.T, n Note) map[string]Prompt {
	t.Helper()
	s := load(t)
	out := map[string]Prompt{}
	for name, r := range map[string]struct {
		tmpl *Template
		data any
	}{
		"extract-" + ExtractVersion: {s.Extract, ExtractData{n}},
		"choose-" + ChooseVersion: {s.Choose, ChooseData{Note: n, Items: listed(), Tabular: []TabularEntry{
			{"E11", "Type 2 diabetes mellitus", []string{"use additional code: to identify control using insulin (Z79.4)", "includes: diabetes NOS"}}, {"N28", "Other disorders of kidney", nil}}}},
		"repair-" + RepairVersion: {s.Repair, RepairData{Note: n, Items: listed(), Chosen: []Candidate{{1, "E11.21", "", ""}, {2, "E11.9", "", ""}},
			Errors: []RuleError{{"E11.21, E11.9", "They are not coded together.", "Tabular List"}}}},
	} {
		p, err := r.tmpl.Render(r.data)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = p
	}
	return out
}

func TestGolden(t *testing.T) {
	for name, change := range map[string]func(*Note){
		"outpatient": func(*Note) {},
		"inpatient":  func(n *Note) { n.Setting, n.Inpatient = "inpatient", true },
		"mentions":   func(n *Note) { n.Mentions = true },
		"part":       func(n *Note) { n.Part, n.Parts = 2, 3 },
	} {
		n := note(text)
		change(&n)
		for task, p := range tasks(t, n) {
			got := "--- system\n" + p.System + "\n--- user\n" + p.User + "--- schema\n" + string(p.Schema) + "\n"
			file := filepath.Join("testdata", task+"-"+name+".golden")
			if *update {
				if err := os.MkdirAll("testdata", 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				continue
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("%s (go test -update writes it anew):\n%s", file, diff)
			}
		}
	}
}

// Nothing that changes with the note stands before the note, so that a cache of
// prompts serves the whole system text. Providers cache from about 1,024 tokens
// on, which the two usual prompts reach.
func TestTheStaticPartComesFirst(t *testing.T) {
	b := tasks(t, note("two"))
	for name, p := range tasks(t, note("one")) {
		if p.System != b[name].System || p.User == b[name].User {
			t.Errorf("%s: the system text changes with the note, or the user text does not", name)
		}
		if !strings.HasPrefix(name, "repair") && len(p.System) < 4*1024 {
			t.Errorf("%s: %d characters are too few for a provider's cache", name, len(p.System))
		}
	}
}

func TestFence(t *testing.T) {
	if again := Fence("a"); Fence("a") == Fence("b") || Fence("a") != again {
		t.Error("a fence must depend on the note alone")
	}
	for name, p := range tasks(t, note(text)) {
		begin, end := Fence(text)+" begins\n", Fence(text)+" ends\n"
		_, rest, ok := strings.Cut(p.User, begin)
		inside, _, ok2 := strings.Cut(rest, "\n"+end)
		first, marks := "Here for sugar.\n", 3
		if p.Task == "extract" { // the answer names the sections
			first, marks = "section 2: assessment\n", 5
		}
		if !ok || !ok2 || !strings.HasSuffix(inside, first+text) {
			t.Errorf("%s: the note does not stand between its fences as it is", name)
		}
		if strings.Count(p.User, Fence(text)) != marks {
			t.Errorf("%s: the fence appears elsewhere", name)
		}
	}
}

func TestTheHashCoversEachFile(t *testing.T) {
	files := map[string]string{"system.txt": "s", "user.tmpl": "u", "schema.json": "{}"}
	sha := func(changed string) string {
		fsys := fstest.MapFS{}
		for name, text := range files {
			if name == changed {
				text += " "
			}
			fsys["x/v1/"+name] = &fstest.MapFile{Data: []byte(text)}
		}
		tmpl, err := Load(fsys, "x", "v1")
		if err != nil {
			t.Fatal(err)
		}
		return tmpl.SHA256()
	}
	seen := map[string]bool{sha(""): true}
	for name := range files {
		if s := sha(name); seen[s] {
			t.Errorf("a change of %s leaves the hash as it was", name)
		}
	}
}

func TestLoadSaysWhatIsWrong(t *testing.T) {
	if _, err := Load(Embedded(), "choose", "v0"); err == nil {
		t.Error("a version that is not there was loaded")
	}
	for name, text := range map[string]string{"user.tmpl": "{{.X", "schema.json": "{"} {
		fsys := fstest.MapFS{"x/v1/system.txt": {}, "x/v1/user.tmpl": {}, "x/v1/schema.json": {Data: []byte("{}")}}
		fsys["x/v1/"+name] = &fstest.MapFile{Data: []byte(text)}
		if _, err := Load(fsys, "x", "v1"); err == nil {
			t.Errorf("%s: %q was taken", name, text)
		}
	}
}

func TestOverlay(t *testing.T) {
	for name, c := range map[string]struct {
		file, text string
		wrong      string // part of the error; empty: taken
	}{
		"system text":      {"choose/v2/system.txt", "Choose well.", ""},
		"a note of theirs": {"README.md", "ours", ""},
		"hidden":           {".git/config", "x", ""},
		"a wrong name":     {"choose/v2/sytem.txt", "x", "sytem.txt"},
		"no version":       {"choose/v9/system.txt", "x", "choose/v9"},
		"a broken one":     {"choose/v2/user.tmpl", "{{.Fence", "choose v2"},
		"an unknown field": {"extract/v2/user.tmpl", "{{.Nothing}}", "extract v2"},
		"without the note": {"extract/v2/user.tmpl", "{{.Fence}} ends", "extract v2"},
		"no JSON":          {"repair/v2/schema.json", "[", "repair v2"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, c.file)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(c.text), 0o644); err != nil {
				t.Fatal(err)
			}
			files, err := Overlay(dir)
			var s *Set
			if err == nil {
				s, err = LoadSet(files)
			}
			if c.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), c.wrong) || strings.Contains(err.Error(), "\n") {
					t.Fatalf("got %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			changed := s.SHA256() != load(t).SHA256()
			if changed != (c.file == "choose/v2/system.txt") {
				t.Errorf("changed: %v", changed)
			}
		})
	}
	if _, err := Overlay(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a folder that is not there was taken")
	}
}

// The schemas and the types that read the answers must agree, in names and in
// what strict schemas demand: each property required, nothing else allowed.
func TestSchemasAndAnswersAgree(t *testing.T) {
	s := load(t)
	for _, c := range []struct {
		tmpl   *Template
		answer any
	}{{s.Extract, ExtractAnswer{}}, {s.Choose, ChooseAnswer{}}, {s.Repair, ChooseAnswer{}}} {
		var schema any
		if err := json.Unmarshal(c.tmpl.schema, &schema); err != nil {
			t.Fatal(err)
		}
		agree(t, c.tmpl.task, schema, reflect.TypeOf(c.answer))
	}
}

func agree(t *testing.T, at string, schema any, typ reflect.Type) {
	t.Helper()
	s, _ := schema.(map[string]any)
	switch s["type"] {
	case "array":
		if typ.Kind() != reflect.Slice {
			t.Fatalf("%s: a list in the schema, %s in the answer", at, typ)
		}
		agree(t, at+"[]", s["items"], typ.Elem())
	case "object":
		properties, _ := s["properties"].(map[string]any)
		required, _ := s["required"].([]any)
		if typ.Kind() != reflect.Struct || typ.NumField() != len(properties) || len(required) != len(properties) || s["additionalProperties"] != false {
			t.Fatalf("%s: %v, %s", at, s, typ)
		}
		for i := range typ.NumField() {
			name := typ.Field(i).Tag.Get("json")
			p, ok := properties[name]
			if !ok {
				t.Errorf("%s: the schema has no %s", at, name)
				continue
			}
			agree(t, at+"."+name, p, typ.Field(i).Type)
		}
	}
}
