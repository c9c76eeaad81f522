package codeset

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync"

	"chartcode/internal/codeset/starter"
	"chartcode/internal/coding"
)

// Starter gives the set of frequent ICD-10-CM codes that comes with the
// program. Its titles and everyday names are terms. Next to a full table
// Releases.Pick prefers that, which has the names too.
func Starter() (*Content, error) {
	rows, err := starterRows()
	if err != nil {
		return nil, fmt.Errorf("the starter set: %w", err)
	}
	rel := coding.Release{System: coding.ICD10CM, Kind: KindStarter, Version: starter.Version, Details: map[string]any{}}
	from, ok := startOf(rel)
	if !ok {
		return nil, fmt.Errorf("the starter set: its version %s names no year", rel.Version)
	}
	rel.EffectiveFrom = from
	rel.ID = idOf(rel)
	sum := sha256.New()
	sum.Write([]byte(edition + "\n"))
	sum.Write(starter.CSV())
	c := &Content{Release: rel, SHA256: hex.EncodeToString(sum.Sum(nil))}
	known := make(map[string]int, len(rows))
	for _, row := range rows {
		known[row.Code] = len(c.Codes)
		c.Codes = append(c.Codes, coding.Code{System: coding.ICD10CM, Code: row.Code, Title: row.Title, Short: row.Title, Billable: true})
	}
	c.finishCodes(known)
	if err := c.everydayTerms(known); err != nil {
		return nil, err
	}
	for i := range c.Terms {
		c.Terms[i].System, c.Terms[i].Release = rel.System, rel.ID
	}
	return c, nil
}

// starterRows are the rows of the starter set, which each order file is given
// the names of; they are read once.
var starterRows = sync.OnceValues(starter.Read)

// everydayTerms makes terms of the names that clinicians use for the codes of
// the starter set, where c has the code and it is billable. Details "names"
// counts them.
func (c *Content) everydayTerms(known map[string]int) error {
	rows, err := starterRows()
	if err != nil {
		return fmt.Errorf("the starter set: %w", err)
	}
	names := 0
	for _, row := range rows {
		at, ok := known[row.Code]
		if !ok || !c.Codes[at].Billable {
			continue
		}
		for _, name := range row.Names {
			c.Terms = append(c.Terms, coding.Term{Text: name, Kind: coding.TermEveryday, Code: row.Code})
			names++
		}
	}
	c.Release.Details["names"] = names
	return nil
}
