package codeset

import (
	"archive/zip"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"chartcode/internal/codeset/starter"
	"chartcode/internal/coding"
)

// Limits of a file. The official ones stay under 20 MB unpacked; a zip bomb
// does not.
const (
	maxMember  = 128 << 20
	maxMembers = 2000
)

// edition is counted up when the readers make more, or other things, of the
// same file; it enters Content.SHA256.
const edition = "4"

// BaseName is a path's last element, for messages.
func BaseName(path string) string { return filepath.Base(path) }

// member is one file, unpacked.
type member struct {
	name string // as messages name it
	base string
	data []byte
}

// checkText refuses what is no text that a database can hold.
func (m member) checkText() error {
	valid, reason := len(m.data), ""
	if at := bytes.IndexByte(m.data, 0); at >= 0 {
		valid, reason = at, "it holds a byte 0, which no text file does"
	}
	if !utf8.Valid(m.data[:valid]) {
		valid, reason = 0, "it is not UTF-8 text"
		for r, size := utf8.DecodeRune(m.data); r != utf8.RuneError || size > 1; r, size = utf8.DecodeRune(m.data[valid:]) {
			valid += size
		}
	}
	if reason == "" {
		return nil
	}
	return &Error{m.name, 1 + bytes.Count(m.data[:valid], []byte("\n")), reason}
}

// Describe tells, from names and first bytes alone, which releases a file or
// zip holds; members that are no code-set files are left out. Rows are not
// counted.
func Describe(path string) ([]coding.Release, error) {
	var out []coding.Release
	err := eachMember(path, func(name, base string, _ int64, open func() (io.ReadCloser, error)) error {
		head, err := headOf(name, open)
		if err != nil {
			return err
		}
		if rel, ok, err := detect(base, head, ReadOptions{}); ok && err == nil {
			out = append(out, rel)
		}
		return nil
	})
	return out, err
}

// Discover lists the files of a folder that hold releases, in order of name.
// Files that cannot be read are left out; Describe and ReadFile say why.
func Discover(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, &Error{File: dir, Reason: "the folder cannot be read: " + reason(err)}
	}
	var out []string
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
			continue
		}
		if rels, err := Describe(path); err == nil && len(rels) > 0 {
			out = append(out, path)
		}
	}
	slices.Sort(out)
	return out, nil
}

func reason(err error) string {
	var pe *os.PathError
	if errors.As(err, &pe) {
		return pe.Err.Error()
	}
	return err.Error()
}

// ReadFile reads a release file, or each release file in a zip. Options are
// only for a file with one release.
func ReadFile(path string, o ReadOptions) ([]*Content, error) {
	var out []*Content
	seen := map[string]bool{}
	base := BaseName(path)
	err := eachMember(path, func(name, memberBase string, size int64, open func() (io.ReadCloser, error)) error {
		head, err := headOf(name, open)
		if err != nil {
			return err
		}
		rel, ok, err := detect(memberBase, head, o)
		var de *Error
		if errors.As(err, &de) {
			de.File = name
		}
		if !ok || err != nil {
			return err
		}
		if seen[rel.ID] {
			return &Error{File: name, Reason: "it is the second file of release " + rel.ID}
		}
		seen[rel.ID] = true
		if o.given() && len(out) > 0 {
			return &Error{File: base, Reason: "it holds several releases; system, version and first day can only be given for a file with one"}
		}
		c, err := readMember(name, memberBase, rel, size, open)
		if err == nil {
			out = append(out, c)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(out) == 0 {
		return nil, unknown(path)
	}
	return out, nil
}

// unknown says why nothing was found in a file.
func unknown(path string) error {
	e := &Error{File: BaseName(path)}
	info, err := os.Stat(path)
	switch ext := strings.ToLower(filepath.Ext(path)); {
	case err == nil && info.Size() == 0:
		e.Reason = "it is empty"
	case ext == ".zip":
		e.Reason = "it is no code-set file that is known, nor does it hold one"
	case ext == ".csv":
		e.Line, e.Reason = 1, "its columns are of no code-set file that is known: a table of codes has code and description (see chartcode codeset import --help)"
	case ext == ".xml":
		e.Reason = "it is no code-set file that is known: its first element is neither ICD10CM.tabular nor ICD10CM.index"
	default:
		e.Reason = "it is no code-set file that is known"
	}
	return e
}

// ReadFiles reads several files and links the indexes among them with the
// tables they refer to (see Link). It goes on after a file that cannot be read;
// the error then joins what was wrong.
func ReadFiles(paths []string, o ReadOptions) ([]*Content, error) {
	var out []*Content
	var wrong []error
	for _, p := range paths {
		cs, err := ReadFile(p, o)
		if err != nil {
			wrong = append(wrong, err)
			continue
		}
		out = append(out, cs...)
	}
	Link(out, nil)
	return out, errors.Join(wrong...)
}

func readMember(name, base string, rel coding.Release, size int64, open func() (io.ReadCloser, error)) (*Content, error) {
	if size > maxMember {
		return nil, tooLarge(name, maxMember)
	}
	r, err := open()
	if err != nil {
		return nil, cannotOpen(name, err)
	}
	defer r.Close()
	data, err := readAll(r, name, size, maxMember)
	if err != nil {
		return nil, err
	}
	sum := sha256.New()
	sum.Write([]byte(edition + "\n"))
	sum.Write(data)
	if rel.Kind == KindOrder && rel.System == coding.ICD10CM {
		sum.Write(starter.CSV()) // its names become terms
	}
	c := &Content{Release: rel, SHA256: hex.EncodeToString(sum.Sum(nil))}
	if err := c.read(member{name, base, data}); err != nil {
		return nil, err
	}
	for i := range c.Terms {
		c.Terms[i].System, c.Terms[i].Release = rel.System, rel.ID
	}
	return c, nil
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
	case KindHCPCS, KindTable:
		if first, _, _ := bytes.Cut(m.data, []byte("\n")); hcpcsRecord.Match(first) {
			return c.readHCPCSRecords(m)
		}
		return c.readCodesCSV(m)
	case KindHCC, KindMCE:
		return c.readLinesCSV(m)
	case KindPOA:
		return c.readPOA(m)
	}
	return &Error{File: m.name, Reason: "this kind of file cannot be read"}
}

// eachMember calls f for the file itself, or for each file in a zip in the
// zip's order. size is what the zip claims, which may be untrue.
func eachMember(p string, f func(name, base string, size int64, open func() (io.ReadCloser, error)) error) error {
	base := BaseName(p)
	if !strings.EqualFold(filepath.Ext(p), ".zip") && !beginsAsZip(p) {
		info, err := os.Stat(p)
		if err != nil {
			return &Error{File: base, Reason: reason(err)}
		}
		if !info.Mode().IsRegular() {
			return &Error{File: base, Reason: "it is no file"}
		}
		return f(base, base, info.Size(), func() (io.ReadCloser, error) { return os.Open(p) })
	}
	z, err := zip.OpenReader(p)
	var pe *os.PathError
	if errors.As(err, &pe) {
		return &Error{File: base, Reason: reason(err)}
	}
	if err != nil {
		return &Error{File: base, Reason: "it cannot be read as a zip file: it is damaged or cut off"}
	}
	defer z.Close()
	return eachZipped(&z.Reader, base, f)
}

// beginsAsZip tells a zip file that is named otherwise.
func beginsAsZip(p string) bool {
	f, err := os.Open(p)
	if err != nil {
		return false
	}
	defer f.Close()
	var head [4]byte
	_, err = io.ReadFull(f, head[:])
	return err == nil && string(head[:]) == "PK\x03\x04"
}

func eachZipped(z *zip.Reader, base string, f func(name, base string, size int64, open func() (io.ReadCloser, error)) error) error {
	if len(z.File) > maxMembers {
		return &Error{File: base, Reason: fmt.Sprintf("it holds more than %d files, which no code-set file does", maxMembers)}
	}
	for _, file := range z.File {
		if file.FileInfo().IsDir() {
			continue
		}
		size := int64(min(file.UncompressedSize64, uint64(maxMember)+1))
		if err := f(base+" > "+file.Name, path.Base(strings.ReplaceAll(file.Name, `\`, "/")), size, file.Open); err != nil {
			return err
		}
	}
	return nil
}

// headOf gives the first bytes of a member.
func headOf(name string, open func() (io.ReadCloser, error)) ([]byte, error) {
	r, err := open()
	if err != nil {
		return nil, cannotOpen(name, err)
	}
	defer r.Close()
	head, err := io.ReadAll(io.LimitReader(r, headSize))
	if err != nil {
		return nil, damaged(name)
	}
	return head, nil
}

// readAll reads up to limit bytes; size is how many to expect.
func readAll(r io.Reader, name string, size, limit int64) ([]byte, error) {
	var b bytes.Buffer
	b.Grow(int(min(size, 32<<20)) + bytes.MinRead)
	n, err := io.Copy(&b, io.LimitReader(r, limit+1))
	if n > limit {
		return nil, tooLarge(name, limit)
	}
	if err != nil {
		return nil, damaged(name)
	}
	return b.Bytes(), nil
}

func tooLarge(name string, limit int64) error {
	return &Error{File: name, Reason: fmt.Sprintf("it is larger than %d MB, which no code-set file is", limit>>20)}
}

func damaged(name string) error {
	return &Error{File: name, Reason: "it cannot be read to its end: it is damaged or cut off"}
}

func cannotOpen(name string, err error) error {
	var pe *os.PathError
	if errors.As(err, &pe) {
		return &Error{File: name, Reason: reason(err)}
	}
	return &Error{File: name, Reason: "it cannot be unpacked: the zip file is damaged"}
}

// compareCodes orders codes by their text.
func compareCodes(a, b coding.Code) int { return cmp.Compare(a.Code, b.Code) }
