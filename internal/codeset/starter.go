package codeset

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"chartcode/internal/codeset/starter"
	"chartcode/internal/coding"
)

// Starter gives the set of frequent ICD-10-CM codes that comes with the
// program. Its titles and everyday names are terms; next to a full table the
// names go on leading to codes, while Releases.Pick prefers the full table.
func Starter() (*Content, error) {
	rows, err := starter.Read()
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
	names := 0
	for _, row := range rows {
		for _, name := range row.Names {
			c.Terms = append(c.Terms, coding.Term{Text: name, Kind: coding.TermEveryday, Code: row.Code})
			names++
		}
	}
	c.Release.Details["names"] = names
	for i := range c.Terms {
		c.Terms[i].System, c.Terms[i].Release = rel.System, rel.ID
	}
	return c, nil
}
