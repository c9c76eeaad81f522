package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"chartcode/internal/coding"
)

const (
	sqlCodeInReleases = `SELECT c.release_id, c.code, c.title, c.short, c.billable, c.parent
		FROM codes c JOIN releases r ON r.id = c.release_id
		WHERE r.system = $1 AND c.code = $2`

	// The latest release of a term first.
	sqlTermsOfCodes = `SELECT t.release_id, t.code, t.kind, t.text_id, x.text, NOT x.needs_vector
		FROM releases r JOIN terms t ON t.release_id = r.id JOIN term_texts x ON x.id = t.text_id
		WHERE r.system = $1 AND t.code = ANY ($2)
		ORDER BY t.code, t.kind, x.text, r.effective_from DESC, r.id`
)

// CodeInReleases gives what each release of a system says of a code, by release
// id; releases that do not have it are not there.
func (s *Store) CodeInReleases(ctx context.Context, system coding.System, code string) (map[string]coding.Code, error) {
	rows, err := s.pool.Query(ctx, sqlCodeInReleases, string(system), code)
	if err != nil {
		return nil, wrap("read a code", err)
	}
	found := map[string]coding.Code{}
	c := coding.Code{System: system}
	var id string
	_, err = pgx.ForEachRow(rows, []any{&id, &c.Code, &c.Title, &c.Short, &c.Billable, &c.Parent}, func() error {
		found[id] = c
		return nil
	})
	return found, wrap("read a code", err)
}

// TermsOfCodes gives the terms that lead to the given codes of a system, ordered
// by code, kind and text. A term that several releases have is given once, as of
// the release with the latest first day.
func (s *Store) TermsOfCodes(ctx context.Context, system coding.System, codes []string) ([]coding.Term, error) {
	rows, err := s.pool.Query(ctx, sqlTermsOfCodes, string(system), codes)
	if err != nil {
		return nil, wrap("read terms", err)
	}
	var list []coding.Term
	t := coding.Term{System: system}
	var kind string
	_, err = pgx.ForEachRow(rows, []any{&t.Release, &t.Code, &kind, &t.TextID, &t.Text, &t.WordsOnly}, func() error {
		t.Kind = coding.TermKind(kind)
		if n := len(list); n > 0 && list[n-1].Code == t.Code && list[n-1].Kind == t.Kind && list[n-1].TextID == t.TextID {
			return nil
		}
		list = append(list, t)
		return nil
	})
	return list, wrap("read terms", err)
}
