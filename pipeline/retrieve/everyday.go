package retrieve

import (
	"fmt"

	"chartcode/internal/codeset/starter"
	"chartcode/internal/coding"
)

// everyday gives the names that clinicians use for frequent codes. They come
// with the program, whatever files a site has; a code that the table does not
// have is never a candidate.
func everyday() ([]coding.Term, error) {
	rows, err := starter.Read()
	if err != nil {
		return nil, fmt.Errorf("everyday names: %w", err)
	}
	var out []coding.Term
	for _, row := range rows {
		for _, n := range row.Names {
			out = append(out, coding.Term{Text: n, Kind: coding.TermEveryday, System: coding.ICD10CM, Code: row.Code})
		}
	}
	return out, nil
}
