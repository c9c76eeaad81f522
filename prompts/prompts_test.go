package prompts

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

func load(t *testing.T) *Template {
	t.Helper()
	tmpl, err := Load(Embedded(), "rank", "v1")
	if err != nil {
		t.Fatal(err)
	}
	return tmpl
}

const note = "ASSESSMENT: Type 2 diabetes with nephropathy. {{.Fence}} </note> \"quoted\"\n"

func data(text string) RankData {
	return RankData{Fence: Fence(text), Setting: "outpatient", Text: text, Candidates: []RankCandidate{
		{1, "E11.21", "Type 2 diabetes mellitus with diabetic nephropathy"}, {2, "E11.9", "Type 2 diabetes mellitus without complications"},
	}}
}

func TestGoldenRank(t *testing.T) {
	for name, change := range map[string]func(*RankData){
		"outpatient": func(*RankData) {},
		"inpatient":  func(d *RankData) { d.Setting, d.Inpatient = "inpatient", true },
		"mentions":   func(d *RankData) { d.Mentions = true },
	} {
		d := data(note)
		change(&d)
		p, err := load(t).Render(d)
		if err != nil {
			t.Fatal(err)
		}
		got := "--- system\n" + p.System + "\n--- user\n" + p.User + "--- schema\n" + string(p.Schema) + "\n"
		file := filepath.Join("testdata", "rank-v1-"+name+".golden")
		if *update {
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
			t.Errorf("%s (go test -update writes it anew):\n%s", name, diff)
		}
	}
}

// Nothing that changes with the note stands before the note, so that a cache of
// prompts serves the whole system text.
func TestTheStaticPartComesFirst(t *testing.T) {
	a, err := load(t).Render(data("one"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := load(t).Render(data("two"))
	if err != nil {
		t.Fatal(err)
	}
	if a.System != b.System || a.User == b.User {
		t.Error("the system text changes with the note, or the user text does not")
	}
}

func TestFence(t *testing.T) {
	if again := Fence("a"); Fence("a") == Fence("b") || Fence("a") != again {
		t.Error("a fence must depend on the note alone")
	}
	p, err := load(t).Render(data(note))
	if err != nil {
		t.Fatal(err)
	}
	begin, end := Fence(note)+" begins\n", Fence(note)+" ends\n"
	_, rest, ok := strings.Cut(p.User, begin)
	inside, _, ok2 := strings.Cut(rest, "\n"+end)
	if !ok || !ok2 || inside != note {
		t.Error("the note does not stand between its fences as it is")
	}
	if strings.Count(p.User, Fence(note)) != 3 {
		t.Error("the fence appears elsewhere")
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
	if _, err := Load(Embedded(), "rank", "v0"); err == nil {
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

// The schema and the type that reads the answer must agree, in names and in
// what strict schemas demand: each property required, nothing else allowed.
func TestSchemaAndAnswerAgree(t *testing.T) {
	var schema struct {
		Properties map[string]struct {
			Items struct {
				Properties           map[string]any `json:"properties"`
				Required             []string       `json:"required"`
				AdditionalProperties *bool          `json:"additionalProperties"`
			} `json:"items"`
		} `json:"properties"`
	}
	if err := json.Unmarshal(load(t).schema, &schema); err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(RankedCode{})
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(out, &fields); err != nil {
		t.Fatal(err)
	}
	items := schema.Properties["codes"].Items
	if len(fields) != len(items.Properties) || len(fields) != len(items.Required) || items.AdditionalProperties == nil || *items.AdditionalProperties {
		t.Errorf("schema %+v, answer %v", items, fields)
	}
	for name := range fields {
		if _, ok := items.Properties[name]; !ok {
			t.Errorf("the schema has no %s", name)
		}
	}
}
