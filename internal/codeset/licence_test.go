package codeset

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// A row whose first column is a D code of HCPCS (which belong to the American
// Dental Association) or a CPT code (American Medical Association).
var licensedRow = regexp.MustCompile(`(?m)^"?(?:D[0-9]{4}|[0-9]{4}[0-9FTU])"?[,;\t][^\n]*[A-Za-z]`)

// Nothing in the repository is a table of licensed codes.
func TestNoLicensedCodesInTheRepository(t *testing.T) {
	root := filepath.Join("..", "..")
	if !licensedRow.MatchString("x\nD0120,periodic oral evaluation\n") || !licensedRow.MatchString("99213\tOffice visit") || licensedRow.MatchString("D01.20,Carcinoma\n") {
		t.Fatal("the pattern is wrong")
	}
	looked := 0
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() {
			if n := e.Name(); n == ".git" || n == "bin" || n == "node_modules" {
				return filepath.SkipDir
			}
			return nil
		}
		switch filepath.Ext(path) {
		case ".csv", ".tsv", ".txt", ".json", ".jsonl", ".xml", ".txtar", ".golden", ".sql":
		default:
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		looked++
		if at := licensedRow.FindIndex(data); at != nil {
			t.Errorf("%s, line %d: a row of a licensed code", path, 1+bytes.Count(data[:at[0]], []byte("\n")))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if looked < 10 {
		t.Errorf("only %d data files were looked at", looked)
	}
}
