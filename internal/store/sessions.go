package store

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"chartcode/internal/coding"
)

const (
	sqlInsertSession = `INSERT INTO sessions (digest, user_id, created_at, seen_at, expires_at)
		VALUES ($1, $2, $3, $4, $5)`

	sqlForgetSessions = `DELETE FROM sessions WHERE expires_at < $1`

	sqlSession = `SELECT s.created_at, s.seen_at, s.expires_at,
			u.id, u.login, u.name, u.role, u.disabled, u.created_at, u.last_seen_at
		FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.digest = $1`

	sqlTouchSession = `UPDATE sessions SET seen_at = greatest(seen_at, $2) WHERE digest = $1 RETURNING user_id`
	sqlTouchUser    = `UPDATE users SET last_seen_at = greatest(last_seen_at, $2) WHERE id = $1`
	sqlEndSession   = `DELETE FROM sessions WHERE digest = $1`

	sqlInsertAccess = `INSERT INTO tokens (digest, user_id, label, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5) RETURNING id`

	accessColumns = `SELECT t.id, t.digest, t.label, t.created_at, t.expires_at, t.revoked_at, t.last_used_at,
			u.id, u.login, u.name, u.role, u.disabled, u.created_at, u.last_seen_at
		FROM tokens t JOIN users u ON u.id = t.user_id`

	sqlAccessByDigest = accessColumns + ` WHERE t.digest = $1`
	sqlAccesses       = accessColumns + ` ORDER BY t.id DESC`
	sqlTouchAccess    = `UPDATE tokens SET last_used_at = greatest(last_used_at, $2) WHERE id = $1`
	sqlRevokeAccess   = `UPDATE tokens SET revoked_at = coalesce(revoked_at, $2) WHERE id = $1`
)

// keepSessions is how long a session stays on record after its end.
const keepSessions = 30 * 24 * time.Hour

// AddSession enters a session and removes those that ended long ago.
func (s *Store) AddSession(ctx context.Context, n coding.Session, ev coding.AuditEvent) error {
	return s.inTx(ctx, "add session", func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, sqlForgetSessions, n.CreatedAt.Add(-keepSessions)); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, sqlInsertSession, n.Digest[:], n.User.ID, n.CreatedAt, n.SeenAt, n.ExpiresAt); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, sqlTouchUser, n.User.ID, n.CreatedAt); err != nil {
			return err
		}
		return insertAudit(ctx, tx, ev)
	})
}

// SessionByDigest gives a session with its user, whatever their state.
func (s *Store) SessionByDigest(ctx context.Context, digest [32]byte) (n coding.Session, found bool, err error) {
	n.Digest = digest
	var seen *time.Time
	err = s.pool.QueryRow(ctx, sqlSession, digest[:]).Scan(&n.CreatedAt, &n.SeenAt, &n.ExpiresAt,
		&n.User.ID, &n.User.Login, &n.User.Name, &n.User.Role, &n.User.Disabled, &n.User.CreatedAt, &seen)
	if errors.Is(err, pgx.ErrNoRows) {
		return coding.Session{}, false, nil
	}
	if err != nil {
		return coding.Session{}, false, wrap("read session", err)
	}
	n.User.LastSeenAt = timeFrom(seen)
	return n, true, nil
}

// TouchSession notes that a session is in use.
func (s *Store) TouchSession(ctx context.Context, digest [32]byte, at time.Time) error {
	return s.inTx(ctx, "touch session", func(tx pgx.Tx) error {
		var user int64
		err := tx.QueryRow(ctx, sqlTouchSession, digest[:], at).Scan(&user)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil // it has just ended
		}
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, sqlTouchUser, user, at)
		return err
	})
}

// EndSession removes a session; one that is gone already is no error.
func (s *Store) EndSession(ctx context.Context, digest [32]byte, ev coding.AuditEvent) error {
	return s.inTx(ctx, "end session", func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, sqlEndSession, digest[:])
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		return insertAudit(ctx, tx, ev)
	})
}

// AddToken enters a bearer token and gives its id.
func (s *Store) AddToken(ctx context.Context, t coding.Token, ev coding.AuditEvent) (id int64, err error) {
	err = s.inTx(ctx, "add token", func(tx pgx.Tx) error {
		err := tx.QueryRow(ctx, sqlInsertAccess, t.Digest[:], t.User.ID, t.Label, t.CreatedAt, timeArg(t.ExpiresAt)).Scan(&id)
		if err != nil {
			return err
		}
		return insertAudit(ctx, tx, ev)
	})
	return id, err
}

// TokenByDigest gives a token with its user, whatever their state.
func (s *Store) TokenByDigest(ctx context.Context, digest [32]byte) (t coding.Token, found bool, err error) {
	rows, err := s.pool.Query(ctx, sqlAccessByDigest, digest[:])
	if err == nil {
		t, err = pgx.CollectExactlyOneRow(rows, scanToken)
	}
	if errors.Is(err, pgx.ErrNoRows) {
		return coding.Token{}, false, nil
	}
	if err != nil {
		return coding.Token{}, false, wrap("read token", err)
	}
	return t, true, nil
}

// Tokens gives all tokens, the newest first.
func (s *Store) Tokens(ctx context.Context) ([]coding.Token, error) {
	rows, err := s.pool.Query(ctx, sqlAccesses)
	if err != nil {
		return nil, wrap("list tokens", err)
	}
	tokens, err := pgx.CollectRows(rows, scanToken)
	return tokens, wrap("list tokens", err)
}

func scanToken(row pgx.CollectableRow) (t coding.Token, err error) {
	var digest []byte
	var expires, revoked, used, seen *time.Time
	err = row.Scan(&t.ID, &digest, &t.Label, &t.CreatedAt, &expires, &revoked, &used,
		&t.User.ID, &t.User.Login, &t.User.Name, &t.User.Role, &t.User.Disabled, &t.User.CreatedAt, &seen)
	copy(t.Digest[:], digest)
	t.ExpiresAt, t.RevokedAt, t.LastUsedAt, t.User.LastSeenAt = timeFrom(expires), timeFrom(revoked), timeFrom(used), timeFrom(seen)
	return t, err
}

// TouchToken notes that a token is in use.
func (s *Store) TouchToken(ctx context.Context, id int64, at time.Time) error {
	_, err := s.pool.Exec(ctx, sqlTouchAccess, id, at)
	return wrap("touch token", err)
}

// RevokeToken ends a token; once revoked it keeps its first time.
func (s *Store) RevokeToken(ctx context.Context, id int64, at time.Time, ev coding.AuditEvent) (found bool, err error) {
	err = s.inTx(ctx, "revoke token", func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, sqlRevokeAccess, id, at)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		found = true
		return insertAudit(ctx, tx, ev)
	})
	return found && err == nil, err
}
