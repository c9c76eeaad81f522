// Package store keeps everything that chartcode remembers, in PostgreSQL with
// pgvector: code sets and their terms, the terms' vectors, notes with their
// revisions and suggestion sets, the worklist, decisions, the outbox, and the figures
// counted from all that.
//
// It is the only package with SQL. Statements are constants whose names begin
// with sql, with bound arguments and listed columns; a test prepares each of
// them against the migrated schema. The package imports coding and tracing and nothing
// else of ours; it knows no NATS and no HTTP.
//
// What it promises:
//
//   - A note's result is written whole or not at all, once per body
//     (SaveResult), however often and in whatever order deliveries come.
//   - Tables that record what happened (note_revisions, decisions, release_checks,
//     ranker_models and others) only grow: triggers refuse anything else to
//     everybody, and the role that the program works as has no right to it either.
//   - What is kept of items between acts, the texts of their notes included, is in
//     memory alone and has a bound; nothing that rests on it is written without a
//     comparison with the database (ActOnRecent).
//   - What several people do at once is written together (together), and each gets an
//     answer of their own: what is refused is refused alone.
//   - Errors carry PostgreSQL's code and the constraint's name, never a value
//     of a row, a statement or its arguments. ErrNotFound, ErrConflict and
//     ErrUnavailable tell apart what callers treat differently.
//
// Migrations are migrations/NNN_name.sql, applied in the order of their
// numbers; numbers may have gaps, but a new file always gets a number above
// all that were ever released, and a released file is never edited. Each file
// enters what the program may do with its tables into app_rights.
package store
