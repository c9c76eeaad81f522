package store

import (
	"context"
	"encoding/json"

	"github.com/jackc/pgx/v5"

	"chartcode/internal/coding"
)

const (
	filterColumns = `SELECT f.id, f.owner, coalesce(u.name, f.owner), f.name, f.shared, f.query
		FROM saved_filters f LEFT JOIN users u ON u.login = f.owner`

	sqlSavedFilters = filterColumns + ` WHERE f.owner = $1 OR f.shared ORDER BY f.owner <> $1, lower(f.name), f.id`

	sqlSavedFilter = filterColumns + ` WHERE f.id = $1 AND (f.owner = $2 OR f.shared)`

	// The name tells which filter of its owner it is.
	sqlPutFilter = `INSERT INTO saved_filters (owner, name, shared, query) VALUES ($1, $2, $3, $4)
		ON CONFLICT (owner, name) DO UPDATE SET shared = excluded.shared, query = excluded.query RETURNING id`

	sqlDeleteFilter = `DELETE FROM saved_filters WHERE id = $1 AND (owner = $2 OR (shared AND $3))`
)

// SavedFilters gives a user's own filters and those that are shared, the own
// first, by name.
func (s *Store) SavedFilters(ctx context.Context, login string) ([]coding.SavedFilter, error) {
	rows, err := s.pool.Query(ctx, sqlSavedFilters, login)
	if err != nil {
		return nil, wrap("read filters", err)
	}
	out, err := pgx.CollectRows(rows, scanFilter)
	return out, wrap("read filters", err)
}

// SavedFilter gives a filter that a user may see. The error is ErrNotFound
// where there is none.
func (s *Store) SavedFilter(ctx context.Context, id int64, login string) (coding.SavedFilter, error) {
	rows, err := s.pool.Query(ctx, sqlSavedFilter, id, login)
	if err != nil {
		return coding.SavedFilter{}, wrap("read a filter", err)
	}
	f, err := pgx.CollectExactlyOneRow(rows, scanFilter)
	return f, wrap("read a filter", err)
}

// PutFilter saves a filter, in place of one that its owner gave the same name.
func (s *Store) PutFilter(ctx context.Context, f coding.SavedFilter) (id int64, err error) {
	query, err := json.Marshal(f.Query)
	if err != nil {
		return 0, wrap("save a filter", plainf("the filter cannot be written as JSON"))
	}
	err = s.pool.QueryRow(ctx, sqlPutFilter, f.Owner, f.Name, f.Shared, query).Scan(&id)
	return id, wrap("save a filter", err)
}

// DeleteFilter removes a filter of a user, or with any a shared one of anybody.
// It tells whether there was one.
func (s *Store) DeleteFilter(ctx context.Context, id int64, login string, anyShared bool) (bool, error) {
	tag, err := s.pool.Exec(ctx, sqlDeleteFilter, id, login, anyShared)
	return tag.RowsAffected() > 0, wrap("remove a filter", err)
}

func scanFilter(row pgx.CollectableRow) (f coding.SavedFilter, err error) {
	var query []byte
	if err = row.Scan(&f.ID, &f.Owner, &f.OwnerName, &f.Name, &f.Shared, &query); err != nil {
		return f, err
	}
	if json.Unmarshal(query, &f.Query) != nil {
		return f, plainf("a saved filter cannot be read")
	}
	return f, nil
}
