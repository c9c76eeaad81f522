package store

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/jackc/pgx/v5"

	"chartcode/internal/coding"
)

const (
	sqlFinishedItems = `SELECT id FROM items WHERE id > $1 AND state = 'finished' AND note_count > 0 ORDER BY id LIMIT $2`

	sqlActiveModel = `SELECT coalesce(version, 0), active_from FROM ranker_choices ORDER BY id DESC LIMIT 1`

	sqlRankerModelFile = `SELECT file FROM ranker_models WHERE version = $1`

	sqlRankerModels = `SELECT version, styles, sha256, record, items, made_at, made_by FROM ranker_models ORDER BY version`

	sqlInsertRankerModel = `INSERT INTO ranker_models (version, styles, sha256, file, record, items, made_at, made_by)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`

	sqlInsertChoice = `INSERT INTO ranker_choices (version, active_from, chosen_by) VALUES (nullif($1, 0), $2, $3)`
)

// FinishedItems gives everything about each finished item, without events, in
// order of id. After an error it ends.
func (s *Store) FinishedItems(ctx context.Context) iter.Seq2[coding.ItemRecord, error] {
	const page = 500
	return func(yield func(coding.ItemRecord, error) bool) {
		after := int64(0)
		for {
			rows, err := s.pool.Query(ctx, sqlFinishedItems, after, page)
			var ids []int64
			if err == nil {
				ids, err = pgx.CollectRows(rows, pgx.RowTo[int64])
			}
			if err != nil {
				yield(coding.ItemRecord{}, wrap("read finished items", err))
				return
			}
			for r, err := range s.ItemRecords(ctx, ids) {
				if err == nil && r.Head.State != coding.ItemFinished {
					continue // reopened meanwhile
				}
				if !yield(r, err) || err != nil {
					return
				}
			}
			if len(ids) < page {
				return
			}
			after = ids[len(ids)-1]
		}
	}
}

// ActiveRankerModel is the version of the learned models that are used, 0 for those
// of the program, and since when, zero for always.
func (s *Store) ActiveRankerModel(ctx context.Context) (version int, from time.Time, err error) {
	err = s.pool.QueryRow(ctx, sqlActiveModel).Scan(&version, &from)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, time.Time{}, nil
	}
	return version, from.UTC(), wrap("read which models are used", err)
}

// RankerModelFile gives the file of learned models. The error is ErrNotFound when
// there are none of the version.
func (s *Store) RankerModelFile(ctx context.Context, version int) ([]byte, error) {
	var file []byte
	err := s.pool.QueryRow(ctx, sqlRankerModelFile, version).Scan(&file)
	return file, wrap("read models", err)
}

// RankerModels gives all learned models, without their files, by version.
func (s *Store) RankerModels(ctx context.Context) ([]coding.RankerModel, error) {
	active, from, err := s.ActiveRankerModel(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := s.pool.Query(ctx, sqlRankerModels)
	if err != nil {
		return nil, wrap("list models", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (m coding.RankerModel, err error) {
		err = row.Scan(&m.Version, &m.Styles, &m.SHA256, &m.Record, &m.Items, &m.MadeAt, &m.MadeBy)
		m.MadeAt = m.MadeAt.UTC()
		if m.Version == active {
			m.ActiveFrom = from
		}
		return m, err
	})
	return list, wrap("list models", err)
}

// SaveRankerModel keeps new models, makes them the ones that are used, and enters ev,
// in one transaction. The error is ErrConflict when the version is taken.
func (s *Store) SaveRankerModel(ctx context.Context, m coding.RankerModel, file []byte, ev coding.AuditEvent) error {
	return s.inTx(ctx, "save models", func(tx pgx.Tx) error {
		items := m.Items
		if items == nil {
			items = []int64{}
		}
		if _, err := tx.Exec(ctx, sqlInsertRankerModel, m.Version, texts(m.Styles), m.SHA256, file, m.Record, items, m.MadeAt, m.MadeBy); err != nil {
			return err
		}
		return choose(ctx, tx, m.Version, ev)
	})
}

// UseRankerModel makes kept models, or with 0 those of the program, the ones that are
// used, and enters ev, in one transaction. The database refuses a version that
// is not there.
func (s *Store) UseRankerModel(ctx context.Context, version int, ev coding.AuditEvent) error {
	return s.inTx(ctx, "choose models", func(tx pgx.Tx) error { return choose(ctx, tx, version, ev) })
}

func choose(ctx context.Context, tx pgx.Tx, version int, ev coding.AuditEvent) error {
	if _, err := tx.Exec(ctx, sqlInsertChoice, version, ev.At, ev.Actor); err != nil {
		return err
	}
	return insertAudit(ctx, tx, ev)
}
