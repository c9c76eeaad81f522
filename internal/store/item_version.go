package store

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
)

const sqlItemVersion = `SELECT version FROM items WHERE id = $1`

// ItemVersion gives the number that each change of an item but the renewal of a
// claim makes higher; found is false where there is no such item.
func (s *Store) ItemVersion(ctx context.Context, id int64) (version int64, found bool, err error) {
	err = s.pool.QueryRow(ctx, sqlItemVersion, id).Scan(&version)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, false, nil
	}
	return version, err == nil, wrap("read an item's version", err)
}
