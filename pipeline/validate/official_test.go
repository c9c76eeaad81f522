package validate_test

import (
	"sync"
	"testing"

	"chartcode/internal/codeset"
	"chartcode/internal/testdata"
	"chartcode/pipeline/validate"
)

// The official files, read once for all tests.
type knowledge struct {
	table     *codeset.Table
	validator *validate.Validator
}

var (
	officialOnce sync.Once
	officialData knowledge
	officialErr  error
)

func official(t testing.TB) knowledge {
	t.Helper()
	var paths []string
	for _, f := range []string{"icd10cm-2026.zip", "icd10cm-2021.zip", "cms-hcc-v28-2026.csv", "mce-v41.1-2024.csv", "poa-exempt-2026.zip"} {
		paths = append(paths, testdata.Path(t, "codesets/"+f))
	}
	officialOnce.Do(func() {
		var contents []*codeset.Content
		if contents, officialErr = codeset.ReadFiles(paths, codeset.ReadOptions{}); officialErr != nil {
			return
		}
		var cfg validate.Config
		for _, c := range contents {
			switch c.Release.Kind {
			case codeset.KindOrder:
				if c.Release.ID == "icd10cm-2026" {
					officialData.table = codeset.NewTable(c.Release, c.Codes)
				}
				continue
			case codeset.KindTabular:
				cfg.Tabular = c.Release
			case codeset.KindHCC:
				cfg.HCC = append(cfg.HCC, validate.HCCMapping{Release: c.Release, Lines: c.Lines})
			case codeset.KindMCE:
				cfg.MCE = c.Release
			case codeset.KindPOA:
				cfg.POA = c.Release
			}
			cfg.Lines = append(cfg.Lines, c.Lines...)
		}
		officialData.validator, officialErr = validate.New(cfg)
	})
	if officialErr != nil {
		t.Fatal(officialErr)
	}
	return officialData
}
