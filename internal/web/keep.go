package web

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
)

// printOf is a number that changes when anything does that the pane of the notes
// shows, but for which code is selected.
func printOf(notes []noteView) string {
	h := fnv.New64a()
	for _, n := range notes {
		fmt.Fprint(h, n.ID, " ", n.Revision, n.Changed, n.Degraded, n.DegradedReason, n.Ranker, n.Notices)
		for _, p := range n.Pieces {
			fmt.Fprint(h, len(p.Text), p.Codes, p.Anchors, p.Names, p.Said, p.Heading)
		}
	}
	return strconv.FormatUint(h.Sum64(), 36)
}

// keep leaves out what the page that asked has as it is: the notes and codes with
// these prints.
func (v *itemView) keep(notes, codes string) {
	v.NotesKept = notes == v.Print
	has := strings.Fields(codes)
	var diagnoses []string
	for _, c := range v.Diagnoses() {
		diagnoses = append(diagnoses, c.CodeKey.Code)
	}
	for i := range v.Codes {
		c := &v.Codes[i]
		said, err := json.Marshal(c.Code)
		if err != nil {
			continue // plain values: cannot happen, and then it is sent
		}
		h := fnv.New64a()
		fmt.Fprintf(h, "%s %d %t %d %d %d %t %t %s %s %s", said, c.Index, c.Last, c.Of,
			v.Item.ID, v.Item.Content, v.Item.MayDecide, v.Lookup, v.Item.Setting, v.Item.ServiceDate, v.Scope)
		if c.Service() {
			fmt.Fprint(h, diagnoses)
		}
		if v.Focus == changeField(i) {
			fmt.Fprintf(h, "%q", v.Typed)
		}
		c.Print = strconv.FormatUint(h.Sum64(), 36)
		c.Kept = slices.Contains(has, c.Print)
	}
}

// changeField is the id of the field in which a code is changed.
func changeField(index int) string { return "change-" + strconv.Itoa(index) }
