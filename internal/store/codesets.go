package store

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"chartcode/internal/coding"
)

// ReleaseImport is what was read from one release file.
type ReleaseImport struct {
	Release coding.Release // EffectiveTo is not kept: a release ends where its successor starts
	SHA256  string         // hex, of the file's content
	Codes   []coding.Code  // of the release's system; each code once
	Terms   []coding.Term  // TextID and Release are not looked at; repeated ones are kept once
	Lines   [][]byte       // rule data, one JSON value each, in the file's order
}

// importLock is held while a release is imported or removed, and shared while
// vectors are stored. One import at a time: they share the texts, and two cores
// are busy with one.
const importLock = int64(0x6368617274696d70) // "chartimp"

const (
	sqlLockTx = `SELECT pg_advisory_xact_lock($1)`

	sqlReleaseSHA = `SELECT sha256 FROM releases WHERE id = $1`

	sqlDeleteRelease = `WITH c AS (DELETE FROM codes WHERE release_id = $1),
			t AS (DELETE FROM terms WHERE release_id = $1),
			l AS (DELETE FROM release_lines WHERE release_id = $1)
		DELETE FROM releases WHERE id = $1`

	sqlInsertRelease = `INSERT INTO releases
		(id, system, kind, version, effective_from, row_count, billable, details, sha256)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`

	sqlMakeImportTexts = `CREATE TEMPORARY TABLE IF NOT EXISTS import_texts (id bigint, text text COLLATE "C", needs_vector boolean) ON COMMIT DROP`

	sqlEmptyImportTexts = `TRUNCATE import_texts`

	sqlInsertTexts = `INSERT INTO term_texts (id, text, needs_vector) SELECT id, text, needs_vector FROM import_texts
		ON CONFLICT (id) DO UPDATE SET needs_vector = true WHERE excluded.needs_vector AND NOT term_texts.needs_vector`

	// Two texts with one id: 1 in 10^8 for a million texts, but silent if it happened.
	sqlTextCollision = `SELECT count(*) FROM import_texts i JOIN term_texts t ON t.id = i.id WHERE t.text <> i.text`

	sqlDeleteOrphanTexts = `WITH gone AS (
			DELETE FROM term_texts x WHERE NOT EXISTS (SELECT FROM terms t WHERE t.text_id = x.id) RETURNING x.id)
		DELETE FROM term_vectors v USING gone WHERE v.text_id = gone.id`

	sqlAnalyzeCodesets = `SELECT analyze_codesets()`
)

// TextID is the id of a term's text, the same in every database: the first 63
// bits of its SHA-256, never 0.
func TextID(text string) int64 {
	sum := sha256.Sum256([]byte(text))
	id := int64(binary.BigEndian.Uint64(sum[:8]) >> 1)
	if id == 0 {
		return 1
	}
	return id
}

// ImportRelease is ImportReleases for one release.
func (s *Store) ImportRelease(ctx context.Context, in ReleaseImport) (changed bool, err error) {
	all, err := s.ImportReleases(ctx, in)
	return err == nil && all[0], err
}

// ImportReleases stores releases with their codes, terms and lines, all in one
// transaction. A release that is there with the same hash stays as it is (its
// place in changed is false); one with another hash is replaced. Vectors of
// texts that no release has any more go with them.
func (s *Store) ImportReleases(ctx context.Context, in ...ReleaseImport) (changed []bool, err error) {
	const op = "import release"
	for _, r := range in {
		if err := r.check(); err != nil {
			return nil, wrap(op, err)
		}
	}
	changed = make([]bool, len(in))
	err = s.inTx(ctx, op, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, sqlLockTx, importLock); err != nil {
			return err
		}
		clear(changed)
		some, replaced := false, false
		for i, r := range in {
			var have string
			switch err := tx.QueryRow(ctx, sqlReleaseSHA, r.Release.ID).Scan(&have); {
			case errors.Is(err, pgx.ErrNoRows):
			case err != nil:
				return err
			case have == r.SHA256:
				continue
			default:
				replaced = true
				if _, err := tx.Exec(ctx, sqlDeleteRelease, r.Release.ID); err != nil {
					return err
				}
			}
			changed[i], some = true, true
			if err := r.write(ctx, tx); err != nil {
				return err
			}
		}
		if replaced {
			if _, err := tx.Exec(ctx, sqlDeleteOrphanTexts); err != nil {
				return err
			}
		}
		if some {
			_, err := tx.Exec(ctx, sqlAnalyzeCodesets)
			return err
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return changed, nil
}

// check finds what would otherwise fail half way with an unhelpful error.
func (in ReleaseImport) check() error {
	r := in.Release
	if r.ID == "" || r.System == "" || r.Kind == "" || r.EffectiveFrom.IsZero() {
		return plainf("a release needs an id, a system, a kind and the day from which it holds")
	}
	seen := make(map[string]struct{}, len(in.Codes))
	for _, c := range in.Codes {
		if c.System != r.System {
			return plainf("release %s is of %s but holds code %s of %s", r.ID, r.System, c.Code, c.System)
		}
		if _, twice := seen[c.Code]; twice {
			return plainf("release %s holds code %s twice", r.ID, c.Code)
		}
		seen[c.Code] = struct{}{}
	}
	for i, line := range in.Lines {
		if !json.Valid(line) {
			return plainf("line %d of release %s is not JSON", i+1, r.ID)
		}
	}
	return nil
}

func (in ReleaseImport) write(ctx context.Context, tx pgx.Tx) error {
	r := in.Release
	details := r.Details
	if details == nil {
		details = map[string]any{}
	}
	if _, err := tx.Exec(ctx, sqlInsertRelease, r.ID, string(r.System), r.Kind, r.Version, r.EffectiveFrom.Time(),
		r.Rows, r.Billable, details, in.SHA256); err != nil {
		return err
	}

	// In order of the key, each new row goes to the index's right end.
	codes := slices.Clone(in.Codes)
	slices.SortFunc(codes, func(a, b coding.Code) int { return strings.Compare(a.Code, b.Code) })
	_, err := tx.CopyFrom(ctx, pgx.Identifier{"codes"}, []string{"release_id", "code", "title", "short", "billable", "parent"},
		pgx.CopyFromSlice(len(codes), func(i int) ([]any, error) {
			c := &codes[i]
			return []any{r.ID, c.Code, c.Title, c.Short, c.Billable, c.Parent}, nil
		}))
	if err != nil {
		return err
	}
	if err := in.writeTerms(ctx, tx); err != nil {
		return err
	}
	_, err = tx.CopyFrom(ctx, pgx.Identifier{"release_lines"}, []string{"release_id", "line_no", "line"},
		pgx.CopyFromSlice(len(in.Lines), func(i int) ([]any, error) {
			return []any{r.ID, i + 1, json.RawMessage(in.Lines[i])}, nil
		}))
	return err
}

func (in ReleaseImport) writeTerms(ctx context.Context, tx pgx.Tx) error {
	terms, texts := distinctTerms(in.Terms)
	if len(terms) == 0 {
		return nil
	}
	// A second release of the transaction finds the first one's table.
	for _, sql := range []string{sqlMakeImportTexts, sqlEmptyImportTexts} {
		if _, err := tx.Exec(ctx, sql); err != nil {
			return err
		}
	}
	_, err := tx.CopyFrom(ctx, pgx.Identifier{"import_texts"}, []string{"id", "text", "needs_vector"},
		pgx.CopyFromSlice(len(texts), func(i int) ([]any, error) {
			return []any{texts[i].id, texts[i].text, texts[i].needsVector}, nil
		}))
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, sqlInsertTexts); err != nil {
		return err
	}
	var collisions int
	if err := tx.QueryRow(ctx, sqlTextCollision).Scan(&collisions); err != nil {
		return err
	}
	if collisions > 0 {
		return plainf("two texts of release %s have the same hash", in.Release.ID)
	}
	_, err = tx.CopyFrom(ctx, pgx.Identifier{"terms"}, []string{"release_id", "system", "code", "kind", "text_id"},
		pgx.CopyFromSlice(len(terms), func(i int) ([]any, error) {
			t := &terms[i]
			return []any{in.Release.ID, string(t.System), t.Code, string(t.Kind), t.TextID}, nil
		}))
	return err
}

type termText struct {
	id          int64
	text        string
	needsVector bool
}

// distinctTerms gives the terms without repetitions, with TextID set, and their
// different texts; both in the order of their keys.
func distinctTerms(in []coding.Term) ([]coding.Term, []termText) {
	terms := make([]coding.Term, 0, len(in))
	places := make(map[string]int, len(in))
	texts := make([]termText, 0, len(in))
	for _, t := range in {
		place, known := places[t.Text]
		if !known {
			place = len(texts)
			places[t.Text] = place
			texts = append(texts, termText{id: TextID(t.Text), text: t.Text})
		}
		texts[place].needsVector = texts[place].needsVector || !t.WordsOnly
		t.TextID = texts[place].id
		terms = append(terms, t)
	}
	slices.SortFunc(terms, compareTerms)
	terms = slices.CompactFunc(terms, func(a, b coding.Term) bool { return compareTerms(a, b) == 0 })
	slices.SortFunc(texts, func(a, b termText) int { return cmp.Compare(a.id, b.id) })
	return terms, texts
}
