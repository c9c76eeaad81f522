package llm

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPrices(t *testing.T) {
	own, err := LoadPrices("")
	if err != nil {
		t.Fatal(err)
	}
	for model, p := range own {
		if p.AsOf == "" || p.Source == "" || p.Input <= 0 || p.Output < p.Input || p.CachedInput > p.Input {
			t.Errorf("%s: %+v", model, p)
		}
	}
	if p, ok := own.Of("gpt-4o-2024-08-06"); !ok || p.Input != 2.5 {
		t.Errorf("a dated edition: %+v", p)
	}
	if p, ok := own.Of("gpt-4o-2024-05-13"); !ok || p.Input != 5 {
		t.Errorf("an edition with its own price: %+v", p)
	}
	if _, ok := own.Of("gpt-4o-mini-ours"); ok {
		t.Error("a model that is not known has a price")
	}
	file := filepath.Join(t.TempDir(), "a=b.csv")
	if err := os.WriteFile(file, []byte(strings.Join(priceColumns, ",")+"\nours,1,0.5,2\ngpt-4o,9,9,9,2026-01-01,contract\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for site, want := range map[string]map[string]Price{
		"ours=1/2":                 {"ours": {1, 1, 2, "", "the site"}, "gpt-4.1": own["gpt-4.1"]},
		"a=b=1/0.5/2, gpt-4o=0/0 ": {"a=b": {1, 0.5, 2, "", "the site"}, "gpt-4o": {0, 0, 0, "", "the site"}},
		file:                       {"ours": {1, 0.5, 2, "", ""}, "gpt-4o": {9, 9, 9, "2026-01-01", "contract"}, "gpt-4.1": own["gpt-4.1"]},
	} {
		got, err := LoadPrices(site)
		if err != nil {
			t.Errorf("%s: %v", site, err)
		}
		for model, p := range want {
			if got[model] != p {
				t.Errorf("%s: %s costs %+v", site, model, got[model])
			}
		}
	}
	for _, bad := range []string{"no-such-file", "ours=1", "ours=1/2/3/4", "ours=-1/2", "ours=NaN/1", "=1/2", "ours=1/x", "a=1/2,,"} {
		if _, err := LoadPrices(bad); err == nil {
			t.Errorf("%s was taken", bad)
		}
	}
	if got := (Price{Input: 2, CachedInput: 0.5, Output: 8}).nano(1000, 400, 100); got != 2_200_000 {
		t.Errorf("1000 tokens, 400 of them cached, and 100 cost %d billionths", got)
	}
}

func FuzzPrices(f *testing.F) {
	f.Add("a=1/2,b=1/2/3", false)
	f.Add(strings.Join(priceColumns, ",")+"\nours,1,0.5,2\n", true)
	f.Fuzz(func(t *testing.T, text string, table bool) {
		var prices Prices
		if table {
			prices, _ = readPrices(strings.NewReader(text))
		} else {
			prices, _ = parsePrices(text)
		}
		for model, p := range prices {
			if n := p.nano(1e6, 1e5, 1e6); n < 0 || !(p.Input >= 0) {
				t.Errorf("%q: %+v", model, p)
			}
		}
	})
}
