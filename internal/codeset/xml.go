package codeset

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxDepth is more than any official file nests.
const maxDepth = 64

// node is an element with what of it the readers use.
type node struct {
	name  string
	attrs map[string]string
	text  string // own text, blanks folded
	kids  []*node
}

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

// parseXML reads the elements named in want, wherever they stand, each with
// all that is in it, and hands them to got; open elements above them are told
// by enter. No entities but XML's own five are known.
func parseXML(m member, root string, visit func(n *node, line int) error, whole map[string]bool) error {
	d := xml.NewDecoder(bytes.NewReader(m.data))
	d.Strict = true
	var stack []*node
	depth := 0
	sawRoot := false
	for {
		tok, err := d.RawToken()
		line, _ := d.InputPos()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return &Error{m.name, line, "it is not well-formed XML: " + xmlReason(err)}
		}
		switch t := tok.(type) {
		case xml.StartElement:
			depth++
			if depth > maxDepth {
				return &Error{m.name, line, "its elements are nested too deep"}
			}
			if depth == 1 {
				if t.Name.Local != root {
					return &Error{m.name, line, fmt.Sprintf("its first element is not %s", root)}
				}
				sawRoot = true
			}
			if len(stack) == 0 && !whole[t.Name.Local] {
				continue
			}
			n := &node{name: t.Name.Local}
			for _, a := range t.Attr {
				if n.attrs == nil {
					n.attrs = map[string]string{}
				}
				n.attrs[a.Name.Local] = a.Value
			}
			if len(stack) > 0 {
				up := stack[len(stack)-1]
				up.kids = append(up.kids, n)
			}
			stack = append(stack, n)
		case xml.CharData:
			if len(stack) > 0 {
				n := stack[len(stack)-1]
				if s := strings.Join(strings.Fields(string(t)), " "); s != "" {
					if n.text != "" {
						n.text += " "
					}
					n.text += s
				}
			}
		case xml.EndElement:
			depth--
			if depth < 0 {
				return &Error{m.name, line, "an element ends that did not begin"}
			}
			if len(stack) > 0 {
				n := stack[len(stack)-1]
				if n.name != t.Name.Local {
					return &Error{m.name, line, fmt.Sprintf("%s ends where %s should", t.Name.Local, n.name)}
				}
				stack = stack[:len(stack)-1]
				if len(stack) == 0 {
					if err := visit(n, line); err != nil {
						return err
					}
				}
			}
		case xml.Directive:
			return &Error{m.name, line, "it holds a document type or entity declaration, which official files do not"}
		}
	}
	if !sawRoot || depth != 0 {
		return &Error{File: m.name, Reason: "it ends in the middle: it is cut off"}
	}
	return nil
}

func xmlReason(err error) string {
	var s *xml.SyntaxError
	if errors.As(err, &s) {
		return s.Msg
	}
	return "it cannot be read"
}
