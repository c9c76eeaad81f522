package web_test

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"chartcode/internal/coding"
)

// schema is the part of JSON Schema that openapi.json uses.
type schema struct {
	Ref        string            `json:"$ref"`
	Type       any               `json:"type"`
	Format     string            `json:"format"`
	Enum       []string          `json:"enum"`
	Required   []string          `json:"required"`
	Properties map[string]schema `json:"properties"`
	Additional *bool             `json:"additionalProperties"`
	Items      *schema           `json:"items"`
	Minimum    *float64          `json:"minimum"`
	Maximum    *float64          `json:"maximum"`
}

type operation struct {
	Responses map[string]struct {
		Content map[string]struct {
			Schema schema `json:"schema"`
		} `json:"content"`
	} `json:"responses"`
}

type openAPI struct {
	Paths      map[string]map[string]operation `json:"paths"`
	Components struct {
		Schemas map[string]schema `json:"schemas"`
	} `json:"components"`
}

func readOpenAPI(t testing.TB) openAPI {
	t.Helper()
	b, err := os.ReadFile("openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	var doc openAPI
	if err := json.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

// fits lists where a value does not fit a schema.
func (doc openAPI) fits(sc schema, at string, v any) []string {
	if sc.Ref != "" {
		name := strings.TrimPrefix(sc.Ref, "#/components/schemas/")
		target, ok := doc.Components.Schemas[name]
		if !ok {
			return []string{at + ": there is no schema " + name}
		}
		return doc.fits(target, at, v)
	}
	var wrong []string
	bad := func(format string, args ...any) { wrong = append(wrong, at+": "+fmt.Sprintf(format, args...)) }
	if !typeFits(sc.Type, v) {
		bad("%v is not of type %v", v, sc.Type)
		return wrong
	}
	switch v := v.(type) {
	case string:
		if len(sc.Enum) > 0 && !slices.Contains(sc.Enum, v) {
			bad("%q is not one of %v", v, sc.Enum)
		}
		layout := map[string]string{"date": time.DateOnly, "date-time": time.RFC3339}[sc.Format]
		if _, err := time.Parse(layout, v); layout != "" && err != nil {
			bad("%q is no %s", v, sc.Format)
		}
	case float64:
		if sc.Minimum != nil && v < *sc.Minimum || sc.Maximum != nil && v > *sc.Maximum {
			bad("%v is out of range", v)
		}
	case []any:
		for i, x := range v {
			wrong = append(wrong, doc.fits(*sc.Items, fmt.Sprintf("%s[%d]", at, i), x)...)
		}
	case map[string]any:
		for _, name := range sc.Required {
			if _, ok := v[name]; !ok {
				bad("%s is missing", name)
			}
		}
		for name, x := range v {
			property, ok := sc.Properties[name]
			switch {
			case ok:
				wrong = append(wrong, doc.fits(property, at+"."+name, x)...)
			case sc.Additional != nil && !*sc.Additional:
				bad("%s is not described", name)
			}
		}
	}
	return wrong
}

func typeFits(want, v any) bool {
	names, several := want.([]any)
	if !several {
		names = []any{want}
	}
	for _, name := range names {
		switch x := v.(type) {
		case nil:
			if name == "null" {
				return true
			}
		case string:
			if name == "string" {
				return true
			}
		case bool:
			if name == "boolean" {
				return true
			}
		case float64:
			if name == "number" || name == "integer" && x == math.Trunc(x) {
				return true
			}
		case []any:
			if name == "array" {
				return true
			}
		case map[string]any:
			if name == "object" {
				return true
			}
		}
	}
	return false
}

var (
	apiItemPattern = regexp.MustCompile(`^/api/v1/items/\d+`)
	apiCodePattern = regexp.MustCompile(`^/api/v1/codes/[^/]+/[^/]+$`)
)

// checks fails unless an answer is one that openapi.json describes.
func (doc openAPI) checks(t testing.TB, a answer) {
	t.Helper()
	path := apiItemPattern.ReplaceAllString(a.Request.URL.Path, "/api/v1/items/{id}")
	path = apiCodePattern.ReplaceAllString(path, "/api/v1/codes/{system}/{code}")
	where := fmt.Sprintf("%s %s %d", a.Request.Method, path, a.StatusCode)
	op, ok := doc.Paths[path][strings.ToLower(a.Request.Method)]
	if !ok {
		t.Errorf("%s: the operation is not described", where)
		return
	}
	res, ok := op.Responses[fmt.Sprint(a.StatusCode)]
	if !ok {
		t.Errorf("%s: the status is not described: %s", where, a.body)
		return
	}
	if got := a.Header.Get("Content-Type"); got != "application/json; charset=utf-8" {
		t.Errorf("%s: the content type is %q", where, got)
	}
	for _, wrong := range doc.fits(res.Content["application/json"].Schema, "$", decoded[any](t, a)) {
		t.Errorf("%s: %s", where, wrong)
	}
}

var routePattern = regexp.MustCompile(`HandleFunc\("([A-Z]+) (/api/v1/[^"]*)"`)

// TestOpenAPIDescribesTheRoutes compares the document with the routes that the
// source names, and asks each for an answer.
func TestOpenAPIDescribesTheRoutes(t *testing.T) {
	t.Parallel()
	doc := readOpenAPI(t)
	source, err := os.ReadFile("api.go")
	if err != nil {
		t.Fatal(err)
	}
	var routed, described []string
	for _, m := range routePattern.FindAllStringSubmatch(string(source), -1) {
		routed = append(routed, m[1]+" "+m[2])
	}
	for path, ops := range doc.Paths {
		for method := range ops {
			described = append(described, strings.ToUpper(method)+" "+path)
		}
	}
	slices.Sort(routed)
	slices.Sort(described)
	if !slices.Equal(routed, described) {
		t.Fatalf("routed are\n%v\ndescribed are\n%v", routed, described)
	}
	s := newSite(t)
	b := s.anonymous()
	for _, r := range routed {
		method, path, _ := strings.Cut(r, " ")
		a := b.do(method, strings.NewReplacer("{id}", "1", "{system}", "ICD-10-CM", "{code}", "I10").Replace(path), "", nil)
		if strings.HasSuffix(path, "openapi.json") {
			a.wants(t, http.StatusOK, `"openapi": "3.1.0"`)
			continue
		}
		a.wants(t, http.StatusUnauthorized, `"code":"unauthorized"`)
		doc.checks(t, a)
	}
}

// TestSchemasFindWhatIsWrong keeps the checker honest.
func TestSchemasFindWhatIsWrong(t *testing.T) {
	t.Parallel()
	doc := readOpenAPI(t)
	good := `{"items":[],"next":"x"}`
	for text, want := range map[string]int{
		good: 0, `{"next":"x"}`: 1, `{"items":{}}`: 1, `{"items":[],"more":1}`: 1, `{"items":[{}]}`: len(doc.Components.Schemas["ItemHead"].Required), `[]`: 1,
	} {
		var v any
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		if got := doc.fits(schema{Ref: "#/components/schemas/ItemPage"}, "$", v); len(got) != want {
			t.Errorf("%s has the flaws %v, want %d", text, got, want)
		}
	}
	if len(doc.fits(schema{Type: "string", Enum: []string{string(coding.ICD10CM)}}, "$", "x")) != 1 {
		t.Error("a value outside the list passes")
	}
}
