package llm

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestObject(t *testing.T) {
	for name, c := range map[string]struct{ content, want string }{
		"itself":             {`{"codes":[]}`, `{"codes":[]}`},
		"white space":        {" \n{\"codes\":[]}\n", `{"codes":[]}`},
		"code fence":         {"```json\n{\"codes\":[{\"number\":1}]}\n```", `{"codes":[{"number":1}]}`},
		"sentences":          {`Here it is: {"codes":[]} I hope {this} helps.`, `{"codes":[]}`},
		"thoughts":           {`<think>{"codes":[1]} no...</think>{"codes":[2]}`, `{"codes":[2]}`},
		"brackets in text":   {`{"codes":[{"rationale":"a } \" { b"}]}`, `{"codes":[{"rationale":"a } \" { b"}]}`},
		"the last counts":    {`{"codes":[1]} or rather {"codes":[2]}`, `{"codes":[2]}`},
		"inside no object":   {`{thinking {"codes":[3]}}`, `{"codes":[3]}`},
		"extra members":      {`{"note":"x","codes":[]}`, `{"note":"x","codes":[]}`},
		"missing member":     {`{"result":[]}`, ``},
		"cut off":            {`{"codes":[{"number":1}`, ``},
		"array":              {`[{"number":1}]`, ``},
		"nothing":            {``, ``},
		"single quotes":      {`{'codes':[]}`, ``},
		"open brackets only": {strings.Repeat("{", 1<<20), ``},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := object(c.content, form{Required: []string{"codes"}})
			if string(got) != c.want || ok != (c.want != "") {
				t.Errorf("got %s", got)
			}
		})
	}
}

func FuzzObject(f *testing.F) {
	f.Add("```{\"codes\":[\"\\\"}\"]}")
	f.Fuzz(func(t *testing.T, content string) {
		got, ok := object(content, form{Required: []string{"codes"}})
		if ok && (!json.Valid(got) || !strings.Contains(content, string(got))) {
			t.Errorf("%q", got)
		}
		// An answer that is nothing but the object is always found.
		if whole := []byte(content); (form{Required: []string{"codes"}}).fits(whole) && !ok && !strings.Contains(content, "</think>") {
			t.Error("the object itself was not found")
		}
	})
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 3, 14, 10, 0, 0, 0, time.UTC)
	date := func(d time.Duration) string { return now.Add(d).Format(http.TimeFormat) }
	for name, c := range map[string]struct {
		header, date string
		want         time.Duration
	}{
		"none":                       {"", "", 0},
		"seconds":                    {"7", "", 7 * time.Second},
		"fraction":                   {"0.5", "", 500 * time.Millisecond},
		"zero":                       {"0", "", 0},
		"negative":                   {"-3", "", 0},
		"huge":                       {"1e300", "", 1e6 * time.Second},
		"not a number":               {"NaN", "", 0},
		"words":                      {"soon", "", 0},
		"date":                       {date(9 * time.Second), "", 9 * time.Second},
		"date that is past":          {date(-9 * time.Second), "", 0},
		"server's clock an hour off": {date(time.Hour + 9*time.Second), date(time.Hour), 9 * time.Second},
		"server's clock is wrong":    {date(9 * time.Second), "yesterday", 9 * time.Second},
	} {
		h := http.Header{}
		h.Set("Retry-After", c.header)
		h.Set("Date", c.date)
		if got := retryAfter(h, now); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
