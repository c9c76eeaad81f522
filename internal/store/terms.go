package store

import (
	"cmp"
	"context"
	"strings"

	"github.com/jackc/pgx/v5"

	"chartcode/internal/coding"
)

const (
	// All of them: sorting out those of some systems takes longer.
	sqlTexts = `SELECT id, text, NOT needs_vector FROM term_texts`

	// In the order of the key, which is that of the table's pages too.
	sqlTermsOfRelease = `SELECT code, kind, text_id FROM terms WHERE release_id = $1 ORDER BY code, kind, text_id`

	// The latest of each system first.
	sqlReleasesOfSystems = `SELECT id, system FROM releases
		WHERE cardinality($1::text[]) = 0 OR system = ANY ($1)
		ORDER BY system, effective_from DESC, id`
)

// Terms gives the terms of the named systems, of all when none is named,
// ordered by system, code, kind and text id. A term that several releases have
// is given once, as of the release with the latest first day. WordsOnly is set
// where no term with the same text needs a vector.
func (s *Store) Terms(ctx context.Context, systems ...coding.System) ([]coding.Term, error) {
	names := make([]string, len(systems))
	for i, sys := range systems {
		names[i] = string(sys)
	}
	var terms []coding.Term
	// One snapshot, so that texts and terms fit each other. Joining and sorting
	// is done here, where it takes a third of the time.
	options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err := s.transact(ctx, options, func(tx pgx.Tx) (err error) {
		terms, err = readTerms(ctx, tx, names)
		return err
	})
	return terms, wrap("read terms", err)
}

// ReleaseTerms gives the terms of one release as Terms does: ordered by code,
// kind and text id. There are none when there is no such release.
func (s *Store) ReleaseTerms(ctx context.Context, system coding.System, releaseID string) ([]coding.Term, error) {
	var terms []coding.Term
	options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err := s.transact(ctx, options, func(tx pgx.Tx) error {
		texts, err := readTexts(ctx, tx)
		if err == nil {
			terms, err = termsOfRelease(ctx, tx, releaseID, system, texts)
		}
		return err
	})
	return terms, wrap("read terms", err)
}

func readTerms(ctx context.Context, tx pgx.Tx, systems []string) ([]coding.Term, error) {
	rows, err := tx.Query(ctx, sqlReleasesOfSystems, systems)
	if err != nil {
		return nil, err
	}
	type release struct{ ID, System string }
	releases, err := pgx.CollectRows(rows, pgx.RowToStructByPos[release])
	if err != nil || len(releases) == 0 {
		return nil, err
	}
	texts, err := readTexts(ctx, tx)
	if err != nil {
		return nil, err
	}

	var all, ofSystem []coding.Term
	for i, r := range releases {
		list, err := termsOfRelease(ctx, tx, r.ID, coding.System(r.System), texts)
		if err != nil {
			return nil, err
		}
		ofSystem = mergeTerms(ofSystem, list)
		if i+1 == len(releases) || releases[i+1].System != r.System {
			if all == nil {
				all = ofSystem
			} else {
				all = append(all, ofSystem...)
			}
			ofSystem = nil
		}
	}
	return all, nil
}

// readTexts gives all texts by id.
func readTexts(ctx context.Context, tx pgx.Tx) (map[int64]termText, error) {
	rows, err := tx.Query(ctx, sqlTexts)
	if err != nil {
		return nil, err
	}
	texts := map[int64]termText{}
	var x termText
	var wordsOnly bool
	_, err = pgx.ForEachRow(rows, []any{&x.id, &x.text, &wordsOnly}, func() error {
		x.needsVector = !wordsOnly
		texts[x.id] = x
		return nil
	})
	return texts, err
}

func termsOfRelease(ctx context.Context, tx pgx.Tx, id string, system coding.System, texts map[int64]termText) ([]coding.Term, error) {
	rows, err := tx.Query(ctx, sqlTermsOfRelease, id)
	if err != nil {
		return nil, err
	}
	same := interner{}
	t := coding.Term{System: system, Release: id}
	var kind string
	var list []coding.Term
	_, err = pgx.ForEachRow(rows, []any{&t.Code, &kind, &t.TextID}, func() error {
		x := texts[t.TextID]
		t.Code, t.Kind, t.Text, t.WordsOnly = same.of(t.Code), coding.TermKind(same.of(kind)), x.text, !x.needsVector
		list = append(list, t)
		return nil
	})
	return list, err
}

// mergeTerms merges two ordered lists of a system; of equal terms it keeps
// that of the first, the later release.
func mergeTerms(later, earlier []coding.Term) []coding.Term {
	if len(later) == 0 {
		return earlier
	}
	out := make([]coding.Term, 0, max(len(later), len(earlier)))
	for len(later) > 0 && len(earlier) > 0 {
		switch c := compareTerms(later[0], earlier[0]); {
		case c <= 0:
			out, later = append(out, later[0]), later[1:]
			if c == 0 {
				earlier = earlier[1:]
			}
		default:
			out, earlier = append(out, earlier[0]), earlier[1:]
		}
	}
	out = append(out, later...)
	return append(out, earlier...)
}

// compareTerms orders terms by what makes one the same as another.
func compareTerms(a, b coding.Term) int {
	// Not by cmp.Or, which compares everything each time: sorting took a third
	// of reading the terms.
	if c := strings.Compare(string(a.System), string(b.System)); c != 0 {
		return c
	}
	if c := strings.Compare(a.Code, b.Code); c != 0 {
		return c
	}
	if c := strings.Compare(string(a.Kind), string(b.Kind)); c != 0 {
		return c
	}
	return cmp.Compare(a.TextID, b.TextID)
}
