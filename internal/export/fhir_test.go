package export_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"testing"

	"chartcode/internal/export"
)

type resource = map[string]any

// required are the elements that FHIR R4 (4.0.1) asks for with at least one, of
// each resource that is written.
var required = map[string][]string{
	"Patient":    {},
	"Encounter":  {"status", "class"},
	"Condition":  {"subject"},
	"Procedure":  {"status", "subject"},
	"ChargeItem": {"status", "code", "subject"},
	"Provenance": {"target", "recorded", "agent"},
}

// allowed are the codes of required value sets.
var allowed = map[string][]string{
	"Encounter.status":  {"planned", "arrived", "triaged", "in-progress", "onleave", "finished", "cancelled", "entered-in-error", "unknown"},
	"Procedure.status":  {"preparation", "in-progress", "not-done", "on-hold", "stopped", "completed", "entered-in-error", "unknown"},
	"ChargeItem.status": {"planned", "billable", "not-billable", "aborted", "billed", "entered-in-error", "unknown"},
	"Patient.gender":    {"male", "female", "other", "unknown"},
}

var uuid = regexp.MustCompile(`^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

func TestFHIRBundle(t *testing.T) {
	t.Parallel()
	var bundle struct {
		ResourceType, Type string
		Entry              []struct {
			FullURL  string `json:"fullUrl"`
			Resource resource
		}
	}
	if err := json.Unmarshal(write(t, export.FHIR, stay(), draft(), returned()), &bundle); err != nil {
		t.Fatal(err)
	}
	if bundle.ResourceType != "Bundle" || bundle.Type != "collection" {
		t.Errorf("it is a %s of type %s", bundle.ResourceType, bundle.Type)
	}
	kinds := map[string]string{}
	count := map[string]int{}
	for _, e := range bundle.Entry {
		kind, _ := e.Resource["resourceType"].(string)
		if kinds[e.FullURL] != "" || !uuid.MatchString(e.FullURL) {
			t.Errorf("the url %s of a %s is bad or not its own", e.FullURL, kind)
		}
		kinds[e.FullURL] = kind
		count[kind]++
	}
	if count["Patient"] != 3 || count["Encounter"] != 3 || count["Condition"] != 3+2 || count["Procedure"] != 1 || count["ChargeItem"] != 1 || count["Provenance"] != 3 {
		t.Errorf("there are %v", count)
	}
	var status []string
	for _, e := range bundle.Entry {
		r := e.Resource
		kind := r["resourceType"].(string)
		fields, known := required[kind]
		if !known {
			t.Errorf("%s is not expected", kind)
		}
		for _, f := range fields {
			if empty(r[f]) {
				t.Errorf("a %s has no %s", kind, f)
			}
		}
		for _, f := range []string{"status", "gender"} {
			if v, ok := r[f].(string); ok && !slices.Contains(allowed[kind+"."+f], v) {
				t.Errorf("%s.%s is %q", kind, f, v)
			}
		}
		references(t, kinds, r)
		switch kind {
		case "Encounter":
			if class := r["class"].(resource); empty(class["system"]) || empty(class["code"]) {
				t.Errorf("the class of an encounter is %v", class)
			}
			var ranks []float64
			for _, d := range list(r["diagnosis"]) {
				if empty(d["condition"]) || kinds[d["condition"].(resource)["reference"].(string)] != "Condition" || empty(d["use"]) {
					t.Errorf("a diagnosis is %v", d)
				}
				ranks = append(ranks, d["rank"].(float64))
			}
			if !slices.IsSorted(ranks) || (len(ranks) > 0 && ranks[0] != 1) {
				t.Errorf("ranks are %v", ranks)
			}
		case "Condition":
			status = append(status, code(r["verificationStatus"]))
			if code(list(r["category"])[0]) != "encounter-diagnosis" || kinds[r["subject"].(resource)["reference"].(string)] != "Patient" || code(r["code"]) == "" {
				t.Errorf("a condition is %v", r)
			}
		case "Provenance":
			for _, a := range list(r["agent"]) {
				if empty(a["who"]) || code(a["type"]) == "" {
					t.Errorf("an agent is %v", a)
				}
			}
			if !regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$`).MatchString(r["recorded"].(string)) {
				t.Errorf("recorded is %v", r["recorded"])
			}
		}
	}
	if want := []string{"confirmed", "confirmed", "confirmed", "provisional", "provisional"}; !slices.Equal(status, want) {
		t.Errorf("verification is %v, want %v", status, want)
	}
}

func empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case resource:
		return len(v) == 0
	}
	return false
}

func list(v any) []resource {
	var out []resource
	items, _ := v.([]any)
	for _, x := range items {
		out = append(out, x.(resource))
	}
	return out
}

// code is the first code of a CodeableConcept.
func code(v any) string {
	concept, _ := v.(resource)
	for _, c := range list(concept["coding"]) {
		if !empty(c["system"]) {
			return c["code"].(string)
		}
	}
	return ""
}

// references: each leads to a resource of the bundle, and no element is empty.
func references(t *testing.T, kinds map[string]string, v any) {
	t.Helper()
	switch v := v.(type) {
	case resource:
		for name, x := range v {
			if empty(x) {
				t.Errorf("%s is empty", name)
			}
			if ref, ok := x.(string); ok && name == "reference" && kinds[ref] == "" {
				t.Errorf("nothing is at %s", ref)
			}
			references(t, kinds, x)
		}
	case []any:
		for _, x := range v {
			references(t, kinds, x)
		}
	}
}
