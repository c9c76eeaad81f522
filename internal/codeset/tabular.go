package codeset

import (
	"strings"

	"chartcode/internal/coding"
)

// noteKinds are the notes of the tabular list that are kept as rule lines.
var noteKinds = map[string]bool{
	"includes": true, "excludes1": true, "excludes2": true, "codeFirst": true,
	"useAdditionalCode": true, "codeAlso": true, "sevenChrNote": true, "notes": true,
}

// readTabular reads notes at chapter, section and diag level. Those of a
// chapter stand at its range in brackets, those of a section at its id.
func (c *Content) readTabular(m member) error {
	counts := map[string]int{}
	err := parseXML(m, "ICD10CM.tabular", func(ch *node, _ int) error {
		counts["chapters"]++
		at := ch.textOf("desc")
		if i, j := strings.LastIndex(at, "("), strings.LastIndex(at, ")"); i >= 0 && i < j {
			at = at[i+1 : j]
		}
		c.tabularNotes(ch, at, counts, false)
		for _, k := range ch.kids {
			if k.name == "section" {
				counts["sections"]++
				c.tabularNotes(k, k.attrs["id"], counts, false)
				c.diags(k, counts)
			}
		}
		return nil
	}, map[string]bool{"chapter": true})
	if err != nil {
		return err
	}
	if counts["diag"] == 0 {
		return &Error{File: m.name, Reason: "there is no code in it"}
	}
	c.Release.Rows = counts["diag"]
	for k, v := range counts {
		c.Release.Details[k] = v
	}
	return nil
}

func (c *Content) diags(n *node, counts map[string]int) {
	for _, d := range n.kids {
		if d.name == "diag" {
			counts["diag"]++
			c.tabularNotes(d, d.textOf("name"), counts, true)
			c.diags(d, counts)
		}
	}
}

func (c *Content) tabularNotes(n *node, at string, counts map[string]int, diag bool) {
	for _, k := range n.kids {
		switch {
		case k.name == "inclusionTerm":
			for _, t := range k.kids {
				if t.name == "note" && t.text != "" {
					counts["inclusionTerm"]++
					c.Terms = append(c.Terms, coding.Term{Text: t.text, Kind: coding.TermInclusion, Code: at})
				}
			}
		case noteKinds[k.name]:
			for _, t := range k.kids {
				if t.name == "note" {
					if diag {
						counts[k.name]++
					}
					c.Lines = append(c.Lines, Line{Code: at, Kind: k.name, Text: t.text})
				}
			}
		case k.name == "sevenChrDef":
			counts["sevenChrDef"]++
			for _, x := range k.kids {
				if x.name == "extension" {
					counts["extension"]++
					c.Lines = append(c.Lines, Line{Code: at, Kind: "sevenChr", Text: x.attrs["char"] + " " + x.text})
				}
			}
		}
	}
}
