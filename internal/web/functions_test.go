package web

import (
	"maps"
	"slices"
	"testing"
	"text/template/parse"
)

// Every function that templates are given is used by one.
func TestEveryFunctionIsUsed(t *testing.T) {
	t.Parallel()
	s := &server{}
	pages, err := s.parsePages()
	if err != nil {
		t.Fatal(err)
	}
	unused := s.functions()
	maps.Copy(unused, qaFunctions())
	var walk func(n parse.Node)
	pipe := func(p *parse.PipeNode) {
		if p != nil {
			walk(p)
		}
	}
	branch := func(p *parse.PipeNode, list, other *parse.ListNode) {
		pipe(p)
		walk(list)
		if other != nil {
			walk(other)
		}
	}
	walk = func(n parse.Node) {
		switch n := n.(type) {
		case *parse.ListNode:
			for _, x := range n.Nodes {
				walk(x)
			}
		case *parse.ActionNode:
			pipe(n.Pipe)
		case *parse.PipeNode:
			for _, c := range n.Cmds {
				for _, a := range c.Args {
					walk(a)
				}
			}
		case *parse.ChainNode:
			walk(n.Node)
		case *parse.IdentifierNode:
			delete(unused, n.Ident)
		case *parse.IfNode:
			branch(n.Pipe, n.List, n.ElseList)
		case *parse.RangeNode:
			branch(n.Pipe, n.List, n.ElseList)
		case *parse.WithNode:
			branch(n.Pipe, n.List, n.ElseList)
		case *parse.TemplateNode:
			pipe(n.Pipe)
		}
	}
	for _, p := range pages {
		for _, t := range p.Templates() {
			if t.Tree != nil && t.Tree.Root != nil {
				walk(t.Tree.Root)
			}
		}
	}
	if len(unused) > 0 {
		t.Errorf("no template uses %v", slices.Sorted(maps.Keys(unused)))
	}
}
