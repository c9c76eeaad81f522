package store

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"chartcode/internal/coding"
)

const (
	sqlPutProcess = `INSERT INTO processes (id, role, host, pid, version, started_at, ranker, concurrency, done, jobs)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		ON CONFLICT (id) DO UPDATE SET seen_at = now(), done = excluded.done, jobs = excluded.jobs
		RETURNING xmax = 0`

	sqlStopProcess = `UPDATE processes SET stopped_at = now(), seen_at = now(), jobs = '[]' WHERE id = $1`

	// Those that stopped stay for a while, so that a restart can be seen.
	sqlForgetProcesses = `DELETE FROM processes WHERE seen_at < now() - interval '1 hour'`

	// When a process was seen and stopped is by the database's clock, so that those
	// of hosts do not matter; when it started is by its own.
	sqlProcesses = `SELECT id, role, host, pid, version, started_at, seen_at, stopped_at, ranker, concurrency, done, jobs, now()
		FROM processes WHERE seen_at > now() - interval '1 hour' ORDER BY role, host, started_at, id`

	sqlAliveWorkers = `SELECT count(*) FROM processes
		WHERE concurrency > 0 AND stopped_at IS NULL AND seen_at > now() - make_interval(secs => $1)`

	sqlInsertProcessErrors = `INSERT INTO process_errors (at, role, host, level, message, detail)
		SELECT at, $2, $3, level, message, detail
		FROM unnest($1::timestamptz[], $4::text[], $5::text[], $6::text[]) AS e (at, level, message, detail)`

	sqlForgetProcessErrors = `DELETE FROM process_errors WHERE id <= (SELECT max(id) FROM process_errors) - $1`

	sqlProcessErrors = `SELECT at, role, host, level, message, detail FROM process_errors ORDER BY id DESC LIMIT $1`

	sqlIntake = `SELECT paused, at, by, reason FROM intake_switches ORDER BY id DESC LIMIT 1`

	sqlSwitchIntake = `INSERT INTO intake_switches (paused, at, by, reason) VALUES ($1, $2, $3, $4)`

	sqlStorage = `SELECT c.relname, pg_total_relation_size(c.oid), greatest(c.reltuples, 0)::bigint
		FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r'
		ORDER BY 2 DESC, 1 LIMIT $1`
)

// keptErrors is about how many errors of processes are kept.
const keptErrors = 1000

// Beat enters a process's sign of life with the errors it had, and tells whether
// it is to take notes. The first one of a process forgets those that were seen
// last long ago: not all say good-bye.
func (s *Store) Beat(ctx context.Context, p coding.Process, errs []coding.ProcessError) (coding.Intake, error) {
	const op = "enter a sign of life"
	jobs := p.Jobs
	if jobs == nil {
		jobs = []coding.ProcessJob{}
	}
	body, err := json.Marshal(jobs)
	if err != nil {
		return coding.Intake{}, wrap(op, plainf("what a process is doing cannot be written as JSON"))
	}
	var in coding.Intake
	var b pgx.Batch
	first := false
	b.Queue(sqlPutProcess, p.ID, p.Role, p.Host, p.PID, p.Version, p.StartedAt, p.Ranker, p.Concurrency, p.Done, json.RawMessage(body)).
		QueryRow(func(row pgx.Row) error { return row.Scan(&first) })
	if len(errs) > 0 {
		n := len(errs)
		at, level, message, detail := make([]time.Time, n), make([]string, n), make([]string, n), make([]string, n)
		for i, e := range errs {
			at[i], level[i], message[i], detail[i] = e.At, e.Level, e.Message, e.Detail
		}
		b.Queue(sqlInsertProcessErrors, at, p.Role, p.Host, level, message, detail)
		b.Queue(sqlForgetProcessErrors, keptErrors)
	}
	b.Queue(sqlIntake).Query(func(rows pgx.Rows) (err error) {
		in, err = readIntake(rows)
		return err
	})
	err = s.pool.SendBatch(ctx, &b).Close()
	if err == nil && first {
		_, err = s.pool.Exec(ctx, sqlForgetProcesses)
	}
	return in, wrap(op, err)
}

func readIntake(rows pgx.Rows) (coding.Intake, error) {
	in, err := pgx.CollectExactlyOneRow(rows, func(row pgx.CollectableRow) (in coding.Intake, err error) {
		err = row.Scan(&in.Paused, &in.At, &in.By, &in.Reason)
		in.At = in.At.UTC()
		return in, err
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return coding.Intake{}, nil
	}
	return in, err
}

// Leave says that a process ends.
func (s *Store) Leave(ctx context.Context, id string) error {
	_, err := s.pool.Exec(ctx, sqlStopProcess, id)
	return wrap("say good-bye", err)
}

// Processes gives the processes that were seen within the last hour, and the database's time, which
// theirs compare with.
func (s *Store) Processes(ctx context.Context) (list []coding.Process, now time.Time, err error) {
	now = time.Now()
	rows, err := s.pool.Query(ctx, sqlProcesses)
	if err != nil {
		return nil, now, wrap("list processes", err)
	}
	list, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (p coding.Process, err error) {
		var stopped *time.Time
		var jobs []byte
		if err = row.Scan(&p.ID, &p.Role, &p.Host, &p.PID, &p.Version, &p.StartedAt, &p.SeenAt, &stopped, &p.Ranker, &p.Concurrency, &p.Done, &jobs, &now); err != nil {
			return p, err
		}
		p.StartedAt, p.SeenAt, p.StoppedAt = p.StartedAt.UTC(), p.SeenAt.UTC(), timeFrom(stopped)
		if json.Unmarshal(jobs, &p.Jobs) != nil {
			return p, plainf("what a process is doing cannot be read")
		}
		return p, nil
	})
	return list, now.UTC(), wrap("list processes", err)
}

// AliveWorkers counts the processes that work on notes and gave a sign of life
// within the time.
func (s *Store) AliveWorkers(ctx context.Context, within time.Duration) (n int, err error) {
	err = s.pool.QueryRow(ctx, sqlAliveWorkers, within.Seconds()).Scan(&n)
	return n, wrap("count workers", err)
}

// ProcessErrors gives the latest errors of processes, the newest first.
func (s *Store) ProcessErrors(ctx context.Context, limit int) ([]coding.ProcessError, error) {
	rows, err := s.pool.Query(ctx, sqlProcessErrors, limit)
	if err != nil {
		return nil, wrap("list errors", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (e coding.ProcessError, err error) {
		err = row.Scan(&e.At, &e.Role, &e.Host, &e.Level, &e.Message, &e.Detail)
		e.At = e.At.UTC()
		return e, err
	})
	return list, wrap("list errors", err)
}

// Intake tells whether workers take notes.
func (s *Store) Intake(ctx context.Context) (coding.Intake, error) {
	rows, err := s.pool.Query(ctx, sqlIntake)
	if err != nil {
		return coding.Intake{}, wrap("read whether notes are taken", err)
	}
	in, err := readIntake(rows)
	return in, wrap("read whether notes are taken", err)
}

// SwitchIntake lets workers take notes or not, and enters ev, in one transaction.
func (s *Store) SwitchIntake(ctx context.Context, in coding.Intake, ev coding.AuditEvent) error {
	return s.inTx(ctx, "pause or resume the intake", func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, sqlSwitchIntake, in.Paused, in.At, in.By, in.Reason); err != nil {
			return err
		}
		return insertAudit(ctx, tx, ev)
	})
}

// TableSize is a table with its indexes.
type TableSize struct {
	Name  string
	Bytes int64
	Rows  int64 // about
}

// Storage gives the largest tables.
func (s *Store) Storage(ctx context.Context, limit int) ([]TableSize, error) {
	rows, err := s.pool.Query(ctx, sqlStorage, limit)
	if err != nil {
		return nil, wrap("measure tables", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[TableSize])
	return list, wrap("measure tables", err)
}
