package store

import "context"

// Server says what the database server is, as far as this program cares.
type Server struct {
	Version  string // of PostgreSQL
	Vector   string // version of pgvector in this database; empty: it is not installed there
	Offered  string // version of pgvector that the server could install; empty: none
	User     string // who signed in
	WorksAs  string // whose rights the program has
	Limited  bool   // these are those of the role without any others
	Bytes    int64  // size of the database
	MaxConns int    // connections that the server takes
}

const sqlServer = `SELECT current_setting('server_version'),
	coalesce((SELECT extversion FROM pg_extension WHERE extname = 'vector'), ''),
	coalesce((SELECT default_version FROM pg_available_extensions WHERE name = 'vector'), ''),
	session_user::text, current_user::text, current_user = $1,
	pg_database_size(current_database()), current_setting('max_connections')::int`

// Server asks the server about itself. It needs no schema.
func (s *Store) Server(ctx context.Context) (Server, error) {
	var v Server
	err := s.pool.QueryRow(ctx, sqlServer, appRole).Scan(&v.Version, &v.Vector, &v.Offered, &v.User, &v.WorksAs, &v.Limited, &v.Bytes, &v.MaxConns)
	return v, wrap("look at the server", err)
}
