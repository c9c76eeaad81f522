package store

import "github.com/jackc/pgx/v5/pgxpool"

// MigrationFiles are the embedded migrations.
var MigrationFiles = migrationFiles

// Pool gives tests the connections that the store works with.
func Pool(s *Store) *pgxpool.Pool { return s.pool }

// SQLSearchVectors is the search's statement, with places for model and dimensions.
const SQLSearchVectors = sqlfSearchVectors

// Wrap makes an error fit to leave the package.
func Wrap(op string, err error) error { return wrap(op, err) }

// The statements whose plans are tested.
const (
	SQLWorklistActivePriority = sqlWorklistActivePriority
	SQLWorklistActiveOldest   = sqlWorklistActiveOldest
	SQLWorklistPriority       = sqlWorklistPriority
	SQLTakeNextPriority       = sqlTakeNextPriority
)
