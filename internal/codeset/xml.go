package codeset

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxDepth is more than any official file nests.
const maxDepth = 64

// node is an element with what of it the readers use.
type node struct {
	name  string
	attrs []attribute
	text  string // own text, blanks folded; parts around children are joined by a blank
	kids  []*node
	line  int
}

type attribute struct{ name, value string }

func (n *node) kid(name string) *node {
	for _, k := range n.kids {
		if k.name == name {
			return k
		}
	}
	return nil
}

// textOf is the text of the first child of that name.
func (n *node) textOf(name string) string {
	if k := n.kid(name); k != nil {
		return k.text
	}
	return ""
}

func (n *node) attr(name string) string {
	for _, a := range n.attrs {
		if a.name == name {
			return a.value
		}
	}
	return ""
}

const cutOff = "it ends in the middle: it is cut off"

// xmlReader reads the XML of the official files: elements, attributes, text, the
// five entities, character references, comments and processing instructions.
// It is written by hand because it knows nothing that could be abused (no
// document types, no entity declarations), says in which line it stopped, and
// builds its nodes in a third of the time that encoding/xml takes for tokens
// alone (BenchmarkXML has both).
type xmlReader struct {
	file  string
	s     string
	pos   int
	line  int
	open  []string // names of all open elements
	stack []*node  // open elements that are built
	done  bool     // the root has ended
	want  map[string]bool
	visit func(*node) error
}

// readXML reads a document whose first element must be root. Each outermost
// element whose name is in want is built with all that is in it and given to
// visit, in order.
func readXML(m member, root string, want map[string]bool, visit func(*node) error) error {
	if err := m.checkText(); err != nil {
		return err
	}
	x := &xmlReader{file: m.name, s: strings.TrimPrefix(string(m.data), "\ufeff"), line: 1, want: want, visit: visit}
	for {
		text, found := x.textBefore('<')
		if err := x.chars(text); err != nil {
			return err
		}
		if !found {
			break
		}
		var err error
		switch rest := x.s[x.pos:]; {
		case strings.HasPrefix(rest, "<?"):
			err = x.pass("?>")
		case strings.HasPrefix(rest, "<!--"):
			err = x.pass("-->")
		case strings.HasPrefix(rest, "<!"):
			err = x.fail("it declares a document type, an entity or a marked section, which official files do not")
		case strings.HasPrefix(rest, "</"):
			err = x.end()
		default:
			err = x.start(root)
		}
		if err != nil {
			return err
		}
	}
	if !x.done {
		return x.fail(cutOff)
	}
	return nil
}

func (x *xmlReader) fail(reason string) error { return &Error{x.file, x.line, reason} }

// advance moves n bytes on and counts lines.
func (x *xmlReader) advance(n int) {
	x.line += strings.Count(x.s[x.pos:x.pos+n], "\n")
	x.pos += n
}

// textBefore gives what stands before the next c and moves to it; all the rest
// if there is none.
func (x *xmlReader) textBefore(c byte) (text string, found bool) {
	n := strings.IndexByte(x.s[x.pos:], c)
	found = n >= 0
	if !found {
		n = len(x.s) - x.pos
	}
	text = x.s[x.pos : x.pos+n]
	x.advance(n)
	return text, found
}

// pass moves behind mark.
func (x *xmlReader) pass(mark string) error {
	n := strings.Index(x.s[x.pos:], mark)
	if n < 0 {
		return x.fail(cutOff)
	}
	x.advance(n + len(mark))
	return nil
}

// chars adds text to the innermost element that is built.
func (x *xmlReader) chars(raw string) error {
	if len(x.stack) == 0 {
		if len(x.open) == 0 && strings.TrimSpace(raw) != "" {
			return x.fail("there is text outside the elements")
		}
		return nil
	}
	text := foldBlanks(raw)
	if text == "" {
		return nil
	}
	text, err := x.unescape(text)
	if err != nil {
		return err
	}
	n := x.stack[len(x.stack)-1]
	if n.text != "" {
		text = n.text + " " + text
	}
	n.text = text
	return nil
}

// foldBlanks makes one blank of each run of blanks and none of those around.
// It copies only where it must.
func foldBlanks(s string) string {
	s = strings.TrimSpace(s)
	for i := 0; i < len(s); i++ {
		if c := s[i]; c == '\t' || c == '\n' || c == '\r' || (c == ' ' && s[i+1] == ' ') || c >= utf8.RuneSelf {
			return strings.Join(strings.Fields(s), " ")
		}
	}
	return s
}

var entities = map[string]string{"amp": "&", "lt": "<", "gt": ">", "quot": `"`, "apos": "'"}

func (x *xmlReader) unescape(s string) (string, error) {
	if !strings.Contains(s, "&") {
		return s, nil
	}
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(s, "&")
		b.WriteString(before)
		if !found {
			return b.String(), nil
		}
		name, after, ended := strings.Cut(rest, ";")
		switch value, known := entities[name]; {
		case !ended:
			return "", x.fail("there is an & that begins no entity")
		case known:
			b.WriteString(value)
		case strings.HasPrefix(name, "#"):
			r, err := charRef(name[1:])
			if err != nil {
				return "", x.fail("there is a character reference to no character")
			}
			b.WriteRune(r)
		default:
			return "", x.fail("it uses an entity that XML itself does not define")
		}
		s = after
	}
}

func charRef(s string) (rune, error) {
	base := 10
	if strings.HasPrefix(s, "x") {
		s, base = s[1:], 16
	}
	v, err := strconv.ParseUint(s, base, 32)
	if err != nil || v == 0 || v > utf8.MaxRune || !utf8.ValidRune(rune(v)) {
		return 0, strconv.ErrRange
	}
	return rune(v), nil
}

func isNameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-' || c == ':'
}

// name reads a name; empty if there is none.
func (x *xmlReader) name() string {
	from := x.pos
	for x.pos < len(x.s) && isNameByte(x.s[x.pos]) {
		x.pos++
	}
	return x.s[from:x.pos]
}

// blanks moves over blanks.
func (x *xmlReader) blanks() {
	n := 0
	for x.pos+n < len(x.s) && strings.IndexByte(" \t\r\n", x.s[x.pos+n]) >= 0 {
		n++
	}
	x.advance(n)
}

// take moves over mark if it comes next.
func (x *xmlReader) take(mark string) bool {
	if strings.HasPrefix(x.s[x.pos:], mark) {
		x.pos += len(mark)
		return true
	}
	return false
}

func (x *xmlReader) start(root string) error {
	x.pos++ // <
	n := &node{name: x.name(), line: x.line}
	if n.name == "" {
		return x.fail("a tag has no name")
	}
	empty, err := x.attributes(n)
	switch {
	case err != nil:
		return err
	case x.done:
		return x.fail("there is a second first element")
	case len(x.open) == 0 && n.name != root:
		return x.fail("its first element is not " + root)
	case len(x.open) >= maxDepth:
		return x.fail("its elements are nested too deep")
	}
	x.open = append(x.open, n.name)
	if len(x.stack) > 0 {
		up := x.stack[len(x.stack)-1]
		up.kids = append(up.kids, n)
		x.stack = append(x.stack, n)
	} else if x.want[n.name] {
		x.stack = append(x.stack, n)
	}
	if empty {
		return x.leave()
	}
	return nil
}

// attributes reads the rest of a start tag, and whether it ends the element too.
func (x *xmlReader) attributes(n *node) (empty bool, err error) {
	for {
		x.blanks()
		switch {
		case x.take("/>"):
			return true, nil
		case x.take(">"):
			return false, nil
		case x.pos >= len(x.s):
			return false, x.fail(cutOff)
		}
		name := x.name()
		x.blanks()
		if name == "" || !x.take("=") {
			return false, x.fail("a tag is not well formed")
		}
		x.blanks()
		quote := byte('"')
		if x.pos < len(x.s) && x.s[x.pos] == '\'' {
			quote = '\''
		}
		if !x.take(string(quote)) {
			return false, x.fail("an attribute has no quotes around its value")
		}
		raw, found := x.textBefore(quote)
		if !found {
			return false, x.fail(cutOff)
		}
		x.pos++
		value, err := x.unescape(raw)
		if err != nil {
			return false, err
		}
		n.attrs = append(n.attrs, attribute{name, value})
	}
}

func (x *xmlReader) end() error {
	x.pos += len("</")
	name := x.name()
	x.blanks()
	if !x.take(">") {
		if x.pos >= len(x.s) {
			return x.fail(cutOff)
		}
		return x.fail("an end tag is not well formed")
	}
	if len(x.open) == 0 || x.open[len(x.open)-1] != name {
		return x.fail("an element ends that is not the last one begun")
	}
	return x.leave()
}

// leave ends the innermost element.
func (x *xmlReader) leave() error {
	x.open = x.open[:len(x.open)-1]
	x.done = len(x.open) == 0
	if len(x.stack) == 0 {
		return nil
	}
	n := x.stack[len(x.stack)-1]
	x.stack = x.stack[:len(x.stack)-1]
	if len(x.stack) == 0 {
		return x.visit(n)
	}
	return nil
}
