package codeset

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"time"

	"chartcode/internal/coding"
)

// maxMember is the size of the largest file that is read, unpacked. The
// official ones stay under 20 MB; a zip bomb does not.
const maxMember = 256 << 20

// BaseName is a path's last element, for messages.
func BaseName(path string) string { return filepath.Base(path) }

var names = []struct {
	pattern *regexp.Regexp
	kind    string
	system  coding.System
}{
	{regexp.MustCompile(`(?i)^icd10cm[-_]order[-_](\d{4})\.txt$`), KindOrder, coding.ICD10CM},
	{regexp.MustCompile(`(?i)^icd10pcs[-_]order[-_](\d{4})\.txt$`), KindOrder, coding.ICD10PCS},
	{regexp.MustCompile(`(?i)^icd10cm[-_]tabular[-_](\d{4})\.xml$`), KindTabular, coding.ICD10CM},
	{regexp.MustCompile(`(?i)^icd10cm[-_]index[-_](\d{4})\.xml$`), KindIndex, coding.ICD10CM},
	{regexp.MustCompile(`(?i)^icd10cm[-_]eindex[-_](\d{4})\.xml$`), KindEIndex, coding.ICD10CM},
	{regexp.MustCompile(`(?i)^icd10cm[-_]neoplasm[-_](\d{4})\.xml$`), KindNeoplasm, coding.ICD10CM},
	{regexp.MustCompile(`(?i)^icd10cm[-_]drug[-_](\d{4})\.xml$`), KindDrug, coding.ICD10CM},
}

// member is one file, unpacked.
type member struct {
	name string // as messages name it
	base string
	data []byte
}

// Describe tells, from the names alone, which releases a file or zip holds;
// members that are no code-set files are left out.
func Describe(path string) ([]coding.Release, error) {
	var bases []string
	if strings.EqualFold(filepath.Ext(path), ".zip") {
		z, err := zip.OpenReader(path)
		if err != nil {
			return nil, &Error{File: BaseName(path), Reason: "it cannot be read as a zip file: it is damaged or cut off"}
		}
		defer z.Close()
		for _, f := range z.File {
			bases = append(bases, filepath.Base(f.Name))
		}
	} else {
		bases = []string{BaseName(path)}
	}
	var out []coding.Release
	for _, base := range bases {
		if rel, ok := releaseOf(base, ReadOptions{}); ok {
			out = append(out, rel)
		}
	}
	return out, nil
}

// releaseOf tells from a member's name what it holds.
func releaseOf(base string, o ReadOptions) (coding.Release, bool) {
	for _, n := range names {
		m := n.pattern.FindStringSubmatch(base)
		if m == nil {
			continue
		}
		rel := coding.Release{System: n.system, Kind: n.kind, Version: m[1], Details: map[string]any{}}
		if o.System != "" {
			rel.System = o.System
		}
		if o.Version != "" {
			rel.Version = o.Version
		}
		rel.EffectiveFrom = o.EffectiveFrom
		if rel.EffectiveFrom.IsZero() {
			var year int
			if _, err := fmt.Sscanf(rel.Version, "%d", &year); err != nil {
				return coding.Release{}, false
			}
			rel.EffectiveFrom = coding.NewDate(year-1, time.October, 1)
		}
		rel.ID = idOf(rel)
		return rel, true
	}
	return coding.Release{}, false
}

func idOf(r coding.Release) string {
	system := strings.ToLower(strings.NewReplacer("-", "", " ", "").Replace(string(r.System)))
	if r.Kind == KindOrder {
		return system + "-" + r.Version
	}
	return system + "-" + r.Kind + "-" + r.Version
}

// Discover lists the files of a folder that hold releases, in order of name.
func Discover(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, &Error{File: dir, Reason: "the folder cannot be read: " + reason(err)}
	}
	var out []string
	for _, e := range entries {
		if e.IsDir() {
			continue
		}
		path := filepath.Join(dir, e.Name())
		if rels, err := Describe(path); err == nil && len(rels) > 0 {
			out = append(out, path)
		}
	}
	sort.Strings(out)
	return out, nil
}

func reason(err error) string {
	var pe *os.PathError
	if errors.As(err, &pe) {
		return pe.Err.Error()
	}
	return err.Error()
}

// ReadFile reads a release file, or each release file in a zip.
func ReadFile(path string, o ReadOptions) ([]*Content, error) {
	members, err := open(path)
	if err != nil {
		return nil, err
	}
	var out []*Content
	for _, m := range members {
		rel, ok := releaseOf(m.base, o)
		if !ok {
			continue
		}
		c := &Content{Release: rel}
		sum := sha256.Sum256(m.data)
		c.SHA256 = hex.EncodeToString(sum[:])
		if err := c.read(m); err != nil {
			return nil, err
		}
		for i := range c.Terms {
			c.Terms[i].System, c.Terms[i].Release = rel.System, rel.ID
		}
		out = append(out, c)
	}
	if len(out) == 0 {
		return nil, &Error{File: BaseName(path), Reason: "no code-set file is in it that is known by its name, such as icd10cm-order-2026.txt"}
	}
	return out, nil
}

func (c *Content) read(m member) error {
	switch c.Release.Kind {
	case KindOrder:
		return c.readOrder(m)
	case KindTabular:
		return c.readTabular(m)
	case KindIndex:
		return c.readIndex(m, coding.TermIndex)
	case KindEIndex:
		return c.readIndex(m, coding.TermExternal)
	case KindNeoplasm, KindDrug:
		return c.readTable(m)
	}
	return &Error{File: m.name, Reason: "this kind of file cannot be read"}
}

// open gives the file, or each member of a zip.
func open(path string) ([]member, error) {
	base := BaseName(path)
	if !strings.EqualFold(filepath.Ext(path), ".zip") {
		f, err := os.Open(path)
		if err != nil {
			return nil, &Error{File: base, Reason: reason(err)}
		}
		defer f.Close()
		data, err := readAll(f, base)
		return []member{{base, base, data}}, err
	}
	z, err := zip.OpenReader(path)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission) {
		return nil, &Error{File: base, Reason: reason(err)}
	}
	if err != nil {
		return nil, &Error{File: base, Reason: "it cannot be read as a zip file: it is damaged or cut off"}
	}
	defer z.Close()
	var out []member
	for _, f := range z.File {
		name := base + " > " + f.Name
		if _, ok := releaseOf(filepath.Base(f.Name), ReadOptions{}); !ok {
			continue
		}
		r, err := f.Open()
		if err != nil {
			return nil, &Error{File: name, Reason: "it cannot be unpacked: the zip file is damaged"}
		}
		data, err := readAll(r, name)
		r.Close()
		if err != nil {
			return nil, err
		}
		out = append(out, member{name, filepath.Base(f.Name), data})
	}
	return out, nil
}

func readAll(r io.Reader, name string) ([]byte, error) {
	var b bytes.Buffer
	n, err := io.Copy(&b, io.LimitReader(r, maxMember+1))
	if n > maxMember {
		return nil, &Error{File: name, Reason: "it is larger than 256 MB, which no code-set file is"}
	}
	if err != nil {
		return nil, &Error{File: name, Reason: "it cannot be read to its end: it is damaged or cut off"}
	}
	return b.Bytes(), nil
}
