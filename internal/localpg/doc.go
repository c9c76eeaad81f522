// Package localpg runs a private PostgreSQL with pgvector in a folder, for a trial on one machine
// and for tests. It is a real server with its data on disk; only its reach is small: it listens on
// a Unix socket in a private folder and on no network address.
//
// Who may connect: the operating system user that owns the data, and root, by peer authentication.
// There is no password that could leak. As root the server itself runs as an unprivileged user
// (postgres, else nobody), as PostgreSQL demands; see access.go for what that user is granted.
//
// Start adopts a server that already runs on the folder, whoever started it, and repairs what a
// kill -9 of the server, of its owner or of the whole machine leaves behind. The server is a process
// group of its own: it outlives the process that started it until somebody calls Stop.
//
// The package touches its own folder, a socket folder with a short name under the temporary folder
// (socket paths are limited to about 100 bytes), and, as root, the permission to pass through the
// folders above its own.
package localpg
