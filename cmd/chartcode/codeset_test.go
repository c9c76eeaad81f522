package main

import (
	"encoding/csv"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"chartcode/internal/coding"
	"chartcode/internal/store/storetest"
)

func orderRow(n int, code, flag, title string) string {
	return fmt.Sprintf("%05d %-7s %s %-60.60s %s\n", n, code, flag, title, title)
}

// all runs a command and gives both of its outputs.
func (s *site) all(args ...string) (stdout, stderr string, status int) {
	s.t.Helper()
	p := s.start(args...)
	<-p.done
	return p.out.String(), p.err.String(), p.cmd.ProcessState.ExitCode()
}

// newDatabase is a site whose database is a schema of its own.
func newDatabase(t *testing.T, env ...string) *site {
	t.Helper()
	return newSite(t, append([]string{"CHARTCODE_DATABASE_URL=" + storetest.EmptyURL(t)}, env...)...)
}

func TestCodesetImportListUnresolvedDiff(t *testing.T) {
	t.Parallel()
	s := newDatabase(t)
	a := orderRow(1, "A00", "0", "Cholera") + orderRow(2, "A000", "1", "Cholera due to vibrio") + orderRow(3, "A009", "1", "Cholera, unspecified")
	b := orderRow(1, "A00", "0", "Cholera") + orderRow(2, "A000", "1", "Cholera due to vibrios") + orderRow(3, "A001", "1", "El Tor")
	first, second := s.file("icd10cm-order-2025.txt", a), s.file("icd10cm-order-2026.txt", b)
	index := s.file("index.xml", `<ICD10CM.index><version>2026</version><letter><title>L</title>
<mainTerm><title>Cholera</title><code>A00.9</code></mainTerm><mainTerm><title>Lost</title><see>Nowhere, at all</see></mainTerm></letter></ICD10CM.index>`)
	broken := s.file("icd10cm-order-2027.txt", a+orderRow(4, "A000", "1", "again"))

	out, errs, status := s.all("codeset", "import", first, broken, second, index)
	if status != exitPartial || !strings.Contains(errs, "icd10cm-order-2027.txt, line 4: the code A00.0 is there a second time") {
		t.Errorf("a broken file among sound ones: status %d\n%s", status, errs)
	}
	for _, id := range []string{"icd10cm-2025", "icd10cm-2026", "icd10cm-index-2026"} {
		if !strings.Contains(out, id+" loaded") {
			t.Errorf("%s is not said to be loaded:\n%s", id, out)
		}
	}
	if out, _, status = s.all("codeset", "import", first, second); status != exitGood || strings.Count(out, "was there already") != 2 {
		t.Errorf("the same files again: status %d\n%s", status, out)
	}
	if _, errs, status = s.all("codeset", "import", broken); status != exitPartial || strings.Count(errs, "\n") != 1 {
		t.Errorf("only a broken file: status %d\n%s", status, errs)
	}
	if _, _, status = s.all("codeset", "import", first, second, "--version", "2028"); status != exitUsage {
		t.Errorf("a version for two files: status %d", status)
	}
	named := s.file("codes.txt", a)
	if out, _, status = s.all("codeset", "import", named, "--version", "pilot", "--effective-from", "2026-02-03"); status != exitGood || !strings.Contains(out, "icd10cm-pilot loaded: 3 rows, 2 billable, from 2026-02-03") {
		t.Errorf("a file whose name says nothing: status %d\n%s", status, out)
	}

	out, _, status = s.all("codeset", "list", "--json")
	var list []coding.Release
	if err := json.Unmarshal([]byte(out), &list); err != nil || status != exitGood || len(list) != 4 {
		t.Fatalf("list: status %d, %v\n%s", status, err, out)
	}
	if n := list[0].Details["see_unresolved"]; list[0].ID != "icd10cm-index-2026" || n != 1.0 {
		t.Errorf("list: %s has %v unresolved references", list[0].ID, n)
	}

	out, _, status = s.all("codeset", "unresolved", "--json")
	var lost []unresolved
	if err := json.Unmarshal([]byte(out), &lost); err != nil || status != exitGood {
		t.Fatalf("unresolved: status %d, %v\n%s", status, err, out)
	}
	if diff := cmp.Diff([]unresolved{{Release: "icd10cm-index-2026", Kind: "index", Text: "Lost", See: "Nowhere, at all"}}, lost); diff != "" {
		t.Errorf("unresolved (-want +got):\n%s", diff)
	}
	if out, _, status = s.all("codeset", "unresolved", "icd10cm-2026"); status != exitGood || out != "0 unresolved\n" {
		t.Errorf("unresolved of a table: status %d\n%s", status, out)
	}
	if _, _, status = s.all("codeset", "unresolved", "none"); status != exitUsage {
		t.Errorf("unresolved of no release: status %d", status)
	}

	want := []string{"added,A00.1,1,,El Tor", `deleted,A00.9,1,"Cholera, unspecified",`, "retitled,A00.0,1,Cholera due to vibrio,Cholera due to vibrios"}
	for _, names := range [][2]string{{"icd10cm-2025", "icd10cm-2026"}, {first, second}, {"icd10cm-2025", second}} {
		out, errs, status := s.all("codeset", "diff", names[0], names[1], "--format", "csv")
		lines := strings.Split(strings.TrimSpace(out), "\n")
		if status != exitGood || !cmp.Equal(lines[1:], want) || !strings.Contains(errs, "1 added, 1 deleted, 1 retitled, 0 made header, 0 made billable") {
			t.Errorf("diff %v: status %d\n%s%s", names, status, out, errs)
		}
		if _, err := csv.NewReader(strings.NewReader(out)).ReadAll(); err != nil {
			t.Errorf("diff %v: %v", names, err)
		}
	}
	var d codesetDiff
	if out, _, status = s.all("codeset", "diff", "icd10cm-2025", "icd10cm-2026", "--format", "json"); json.Unmarshal([]byte(out), &d) != nil || status != exitGood || d.Counts["added"] != 1 || len(d.Changes) != 3 {
		t.Errorf("diff as JSON: status %d\n%s", status, out)
	}
	if out, _, _ = s.all("codeset", "diff", "icd10cm-2025", "icd10cm-2026"); !strings.HasPrefix(out, "from icd10cm-2025 to icd10cm-2026\n\nadded          1\n") {
		t.Errorf("diff as a table:\n%s", out)
	}
	for _, args := range [][]string{{"icd10cm-2025", "none"}, {"icd10cm-2025", "icd10cm-index-2026"}, {"icd10cm-2025"}, {"icd10cm-2025", "icd10cm-2026", "--format", "xml"}} {
		if _, _, status = s.all(append([]string{"codeset", "diff"}, args...)...); status != exitUsage {
			t.Errorf("diff %v: status %d", args, status)
		}
	}
}

// TestCodesetFetch downloads from a server of the test's own, whose
// certificate the program is told to trust.
func TestCodesetFetch(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "icd10cm-order-2026.txt"), []byte(orderRow(1, "A00", "0", "Cholera")+orderRow(2, "A009", "1", "Cholera, unspecified")), 0o600); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/files/", http.StripPrefix("/files/", http.FileServer(http.Dir(dir))))
	mux.HandleFunc("/page/2026.zip", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<!doctype html><title>moved</title>") })
	srv := httptest.NewTLSServer(mux)
	t.Cleanup(srv.Close)
	trust := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(trust, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	s := newDatabase(t, "SSL_CERT_FILE="+trust)

	to := filepath.Join(t.TempDir(), "new folder")
	address := srv.URL + "/files/icd10cm-order-2026.txt"
	out, errs, status := s.all("codeset", "fetch", "icd10cm", "2026", "--url", address, "--out", to)
	if status != exitGood || !strings.Contains(out, "holds icd10cm-2026") || !strings.Contains(out, "to load it: chartcode codeset import '"+to) || len(strings.Fields(out)[0]) != 64 {
		t.Fatalf("status %d\n%s%s", status, out, errs)
	}
	out, errs, status = s.all("codeset", "fetch", "icd10cm", "2026", "--url", address, "--import")
	if status != exitGood || !strings.Contains(out, "icd10cm-2026 loaded: 2 rows, 1 billable") {
		t.Errorf("status %d\n%s%s", status, out, errs)
	}
	for want, args := range map[string][]string{
		"has no icd10cm-order-2027.txt (status 404)": {"icd10cm", "2027", "--url", srv.URL + "/files/icd10cm-order-2027.txt"},
		"answered with a web page":                   {"icd10cm", "2026", "--url", srv.URL + "/page/2026.zip"},
		"is not asked over http":                     {"icd10cm", "2026", "--url", "http://files.example/2026.zip"},
	} {
		if _, errs, status := s.all(append([]string{"codeset", "fetch"}, args...)...); status != exitFailed || !strings.Contains(errs, want) {
			t.Errorf("%v: status %d\n%s", args, status, errs)
		}
	}
	for _, args := range [][]string{{"icd9", "2026"}, {"cpt", "2026"}, {"hcpcs", "2024"}} {
		if _, _, status := s.all(append([]string{"codeset", "fetch"}, args...)...); status != exitUsage {
			t.Errorf("%v: status %d", args, status)
		}
	}
}
