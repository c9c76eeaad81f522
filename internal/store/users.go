package store

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"chartcode/internal/coding"
)

const (
	sqlInsertUser = `INSERT INTO users (login, name, role, password_hash, created_at)
		VALUES ($1, $2, $3, $4, $5) ON CONFLICT (login) DO NOTHING RETURNING id`

	sqlUserByLogin = `SELECT id, login, name, role, disabled, created_at, last_seen_at, password_hash
		FROM users WHERE login = $1`

	sqlUsers = `SELECT id, login, name, role, disabled, created_at, last_seen_at
		FROM users ORDER BY login`

	sqlSetUserHash = `UPDATE users SET password_hash = $2 WHERE login = $1 RETURNING id`
	sqlSetRole     = `UPDATE users SET role = $2 WHERE login = $1 RETURNING id`

	// What was sent to somebody who is gone waits for nobody any more.
	sqlSetDisabled = `WITH u AS (UPDATE users SET disabled = $2 WHERE login = $1 RETURNING id, login, disabled),
		freed AS (
			UPDATE items i SET sent_to = '', sent_by = '', version = i.version + 1, moved_at = now(), updated_at = now()
			FROM u WHERE u.disabled AND i.sent_to <> '' AND i.sent_to = u.login)
		SELECT id FROM u`

	sqlEndSessionsOf = `DELETE FROM sessions WHERE user_id = $1`
)

// AddUser enters an account and gives it with its id; ok is false when the
// login is taken.
func (s *Store) AddUser(ctx context.Context, u coding.User, passwordHash string, ev coding.AuditEvent) (added coding.User, ok bool, err error) {
	err = s.inTx(ctx, "add user", func(tx pgx.Tx) error {
		err := tx.QueryRow(ctx, sqlInsertUser, u.Login, u.Name, string(u.Role), passwordHash, u.CreatedAt).Scan(&u.ID)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		ok = true
		return insertAudit(ctx, tx, ev)
	})
	return u, ok && err == nil, err
}

// UserByLogin gives an account and its password's PHC string.
func (s *Store) UserByLogin(ctx context.Context, login string) (u coding.User, passwordHash string, found bool, err error) {
	var seen *time.Time
	err = s.pool.QueryRow(ctx, sqlUserByLogin, login).Scan(
		&u.ID, &u.Login, &u.Name, &u.Role, &u.Disabled, &u.CreatedAt, &seen, &passwordHash)
	if errors.Is(err, pgx.ErrNoRows) {
		return coding.User{}, "", false, nil
	}
	if err != nil {
		return coding.User{}, "", false, wrap("read user", err)
	}
	u.LastSeenAt = timeFrom(seen)
	return u, passwordHash, true, nil
}

// Users gives all accounts by login.
func (s *Store) Users(ctx context.Context) ([]coding.User, error) {
	rows, err := s.pool.Query(ctx, sqlUsers)
	if err != nil {
		return nil, wrap("list users", err)
	}
	users, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (u coding.User, err error) {
		var seen *time.Time
		err = row.Scan(&u.ID, &u.Login, &u.Name, &u.Role, &u.Disabled, &u.CreatedAt, &seen)
		u.LastSeenAt = timeFrom(seen)
		return u, err
	})
	return users, wrap("list users", err)
}

// SetPassword changes a password's PHC string and, unless keepSessions, ends
// the user's sessions.
func (s *Store) SetPassword(ctx context.Context, login, passwordHash string, keepSessions bool, ev coding.AuditEvent) (found bool, err error) {
	return s.changeUser(ctx, "set password", sqlSetUserHash, login, passwordHash, !keepSessions, ev)
}

// SetUserDisabled disables an account, which ends its sessions, or enables it.
func (s *Store) SetUserDisabled(ctx context.Context, login string, disabled bool, ev coding.AuditEvent) (found bool, err error) {
	return s.changeUser(ctx, "disable user", sqlSetDisabled, login, disabled, disabled, ev)
}

// SetUserRole changes the role of an account.
func (s *Store) SetUserRole(ctx context.Context, login string, role coding.UserRole, ev coding.AuditEvent) (found bool, err error) {
	return s.changeUser(ctx, "set role", sqlSetRole, login, string(role), false, ev)
}

func (s *Store) changeUser(ctx context.Context, op, sql, login string, value any, endSessions bool, ev coding.AuditEvent) (found bool, err error) {
	err = s.inTx(ctx, op, func(tx pgx.Tx) error {
		var id int64
		err := tx.QueryRow(ctx, sql, login, value).Scan(&id)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		if endSessions {
			if _, err := tx.Exec(ctx, sqlEndSessionsOf, id); err != nil {
				return err
			}
		}
		found = true
		return insertAudit(ctx, tx, ev)
	})
	return found && err == nil, err
}
