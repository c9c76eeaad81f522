package store

import (
	"context"
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5"

	"chartcode/internal/coding"
)

const (
	// The successor is the next release of the same system and kind that starts
	// on a later day.
	sqlReleases = `SELECT r.id, r.system, r.kind, r.version, r.effective_from,
			(SELECT min(n.effective_from) - 1 FROM releases n
			 WHERE n.system = r.system AND n.kind = r.kind AND n.effective_from > r.effective_from),
			r.row_count, r.billable, r.details, r.sha256
		FROM releases r ORDER BY r.system, r.kind, r.effective_from, r.id`

	sqlCodes = `SELECT r.system, c.code, c.title, c.short, c.billable, c.parent
		FROM codes c JOIN releases r ON r.id = c.release_id
		WHERE c.release_id = $1 ORDER BY c.code`

	sqlReleaseExists = `SELECT EXISTS (SELECT FROM releases WHERE id = $1)`

	sqlLines = `SELECT line FROM release_lines WHERE release_id = $1 ORDER BY line_no`
)

// Releases gives every release, ordered by system, kind and first day. A
// release ends on the day before the next one of its system and kind starts;
// the newest has no end (EffectiveTo is zero).
func (s *Store) Releases(ctx context.Context) ([]coding.Release, error) {
	rows, err := s.pool.Query(ctx, sqlReleases)
	if err != nil {
		return nil, wrap("list releases", err)
	}
	releases, err := pgx.CollectRows(rows, scanRelease)
	return releases, wrap("list releases", err)
}

func scanRelease(row pgx.CollectableRow) (r coding.Release, err error) {
	var system string
	var from time.Time
	var to *time.Time
	err = row.Scan(&r.ID, &system, &r.Kind, &r.Version, &from, &to, &r.Rows, &r.Billable, &r.Details, &r.SHA256)
	r.System, r.EffectiveFrom, r.EffectiveTo = coding.System(system), coding.DateOf(from), dateFrom(to)
	return r, err
}

// ReleaseSHA256 is the hash with which a release was imported, by release id.
// The error is ErrNotFound when there is no such release.
func (s *Store) ReleaseSHA256(ctx context.Context, id string) (string, error) {
	var sha string
	err := s.pool.QueryRow(ctx, sqlReleaseSHA, id).Scan(&sha)
	return sha, wrap("read release", err)
}

// RemoveRelease takes a release out, with its codes, terms and lines. The
// error is ErrNotFound when there is no such release.
func (s *Store) RemoveRelease(ctx context.Context, id string) error {
	return s.inTx(ctx, "remove release", func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, sqlLockTx, importLock); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, sqlDeleteRelease, id)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return ErrNotFound
		}
		_, err = tx.Exec(ctx, sqlDeleteOrphanTexts)
		return err
	})
}

// Codes gives the codes of one release in code order. The error is ErrNotFound
// when there is no such release.
func (s *Store) Codes(ctx context.Context, releaseID string) ([]coding.Code, error) {
	rows, err := s.pool.Query(ctx, sqlCodes, releaseID)
	if err != nil {
		return nil, wrap("read codes", err)
	}
	same := interner{}
	codes, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (coding.Code, error) {
		var c coding.Code
		var system string
		err := row.Scan(&system, &c.Code, &c.Title, &c.Short, &c.Billable, &c.Parent)
		c.System = coding.System(same.of(system))
		return c, err
	})
	if err == nil && len(codes) == 0 {
		err = s.releaseExists(ctx, releaseID)
	}
	return codes, wrap("read codes", err)
}

// releaseExists tells a release without rows from one that is not there.
func (s *Store) releaseExists(ctx context.Context, id string) error {
	var there bool
	if err := s.pool.QueryRow(ctx, sqlReleaseExists, id).Scan(&there); err != nil {
		return err
	}
	if !there {
		return ErrNotFound
	}
	return nil
}

// Lines gives the rule data of one release, one JSON value for each line, in
// the file's order. The error is ErrNotFound when there is no such release.
func (s *Store) Lines(ctx context.Context, releaseID string) ([]json.RawMessage, error) {
	rows, err := s.pool.Query(ctx, sqlLines, releaseID)
	if err != nil {
		return nil, wrap("read rule data", err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[json.RawMessage])
	if err == nil && len(lines) == 0 {
		err = s.releaseExists(ctx, releaseID)
	}
	return lines, wrap("read rule data", err)
}

// interner lets equal strings share their bytes.
type interner map[string]string

func (in interner) of(s string) string {
	if known, ok := in[s]; ok {
		return known
	}
	in[s] = s
	return s
}
