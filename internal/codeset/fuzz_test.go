package codeset

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"unicode/utf8"
)

// fuzzReader feeds a reader anything under a name that gives it to that reader.
// It must end with a whole content or with an error that says where.
func fuzzReader(f *testing.F, base string, seeds ...string) {
	for _, s := range seeds {
		f.Add([]byte(s))
		f.Add([]byte(s[:len(s)/2]))
		f.Add([]byte("\ufeff" + s))
		f.Add([]byte(strings.ReplaceAll(s, "\n", "\r\n")))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := read(t, base, string(data))
		checkContent(t, c, err)
	})
}

func checkContent(t *testing.T, c *Content, err error) {
	t.Helper()
	if err != nil {
		var e *Error
		if !errors.As(err, &e) && !strings.Contains(err.Error(), "not known") {
			t.Errorf("an error that does not say where: %v", err)
		}
		return
	}
	seen := map[string]bool{}
	for _, code := range c.Codes {
		if seen[code.Code] || code.Title == "" || code.Code == "" || !utf8.ValidString(code.Title+code.Short) {
			t.Errorf("code %+v", code)
		}
		seen[code.Code] = true
	}
	for _, term := range c.Terms {
		if term.Code == "" || term.Kind == "" || !utf8.ValidString(term.Text) || strings.Contains(term.Text, "\x00") || term.Release != c.Release.ID {
			t.Errorf("term %+v", term)
		}
	}
	if c.Release.Rows == 0 && len(c.Codes)+len(c.Terms)+len(c.Lines) > 0 {
		t.Errorf("rows are not counted: %+v", c.Release)
	}
	table := NewTable(c.Release, c.Codes)
	for _, code := range c.Codes {
		table.BillableUnder(code.Code)
	}
}

var fuzzOrder = orderLine(1, "C84", "0", "Mature", "Mature T/NK-cell") + "\n" + orderLine(2, "C8410", "1", "Sézary", "Sézary disease, initial encounter") + "\n"

const bombXML = `<?xml version="1.0"?><!DOCTYPE ICD10CM.index [<!ENTITY a "ha"><!ENTITY b "&a;&a;"><!ENTITY c "&b;&b;">]><ICD10CM.index><version>2026</version><mainTerm><title>&c;</title></mainTerm></ICD10CM.index>`

// bombOf puts entities that grow into a document, and uses them.
func bombOf(doc string) string {
	const bomb = `<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;"><!ENTITY d SYSTEM "file:///etc/passwd">]>`
	return strings.Replace(strings.Replace(doc, "<ICD10CM", bomb+"<ICD10CM", 1), "</title>", "&c;&d;</title>", 1)
}

func FuzzOrder(f *testing.F)   { fuzzReader(f, "icd10cm-order-2026.txt", fuzzOrder) }
func FuzzTabular(f *testing.F) { fuzzReader(f, "x.xml", smallTabular, bombXML, bombOf(smallTabular)) }
func FuzzIndex(f *testing.F) {
	fuzzReader(f, "x.xml", smallIndex, strings.Replace(smallIndex, "INDEX TO DISEASES", "EXTERNAL CAUSE", 1), bombXML, bombOf(smallIndex))
}
func FuzzTables(f *testing.F) {
	fuzzReader(f, "x.xml", smallNeoplasm, strings.Replace(smallNeoplasm, `"1">Neoplasm`, `"1">Substance`, 1), bombOf(smallNeoplasm))
}
func FuzzCodesCSV(f *testing.F) {
	fuzzReader(f, "cpt-2026.csv", "code,description,billable\n99213,OFFICE,1\n0042T,\"SCAN, HEAD\",no\n", "code,short_description,long_description\nA0021,x,y\n")
}
func FuzzLinesCSV(f *testing.F) {
	fuzzReader(f, "v28-2026.csv", "code,hcc_v28\nA0104,92\n", "code,edit_group,edit\nA33,Age,Newborn\n")
}
func FuzzPOA(f *testing.F) {
	fuzzReader(f, "x.txt", "Order26\tPOAexemptCode\tDescription\n1\tB90.0\tSequelae\n")
}

func FuzzZip(f *testing.F) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, data := range map[string]string{"icd10cm-order-2026.txt": fuzzOrder, "t.xml": smallTabular, "bomb.xml": bombXML} {
		w, err := z.Create(name)
		if err != nil {
			f.Fatal(err)
		}
		if _, err := io.WriteString(w, data); err != nil {
			f.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		f.Fatal(err)
	}
	whole := b.Bytes()
	for _, n := range []int{len(whole), len(whole) - 1, len(whole) - 22, len(whole) / 2, 30, 4, 0} {
		f.Add(whole[:n])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		err = eachZipped(z, "x.zip", func(name, base string, size int64, open func() (io.ReadCloser, error)) error {
			head, err := headOf(name, open)
			if err != nil {
				return err
			}
			rel, ok, err := detect(base, head, ReadOptions{})
			if !ok || err != nil {
				return err
			}
			c, err := readMember(name, base, rel, size, open)
			checkContent(t, c, err)
			return nil
		})
		var e *Error
		if err != nil && !errors.As(err, &e) {
			t.Errorf("an error that does not say where: %v", err)
		}
	})
}
