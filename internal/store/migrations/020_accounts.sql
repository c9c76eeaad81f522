-- Who may sign in, who is signed in, and the tokens of programs.

CREATE TABLE users (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  login         text COLLATE "C" NOT NULL UNIQUE CHECK (login ~ '^[a-z0-9][a-z0-9._-]{0,63}$'), -- never changed
  name          text NOT NULL CHECK (name <> ''),
  role          text COLLATE "C" NOT NULL CHECK (role IN ('coder', 'auditor', 'manager', 'admin', 'service')),
  password_hash text NOT NULL, -- PHC string; empty: no password
  disabled      boolean NOT NULL DEFAULT false,
  created_at    timestamptz NOT NULL,
  last_seen_at  timestamptz
);

-- Only the SHA-256 of what the browser or program holds is here.
CREATE TABLE sessions (
  digest     bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
  user_id    bigint NOT NULL REFERENCES users,
  created_at timestamptz NOT NULL,
  seen_at    timestamptz NOT NULL,
  expires_at timestamptz NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id, seen_at);
CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE tokens (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  digest       bytea NOT NULL UNIQUE CHECK (octet_length(digest) = 32),
  user_id      bigint NOT NULL REFERENCES users,
  label        text NOT NULL,
  created_at   timestamptz NOT NULL,
  expires_at   timestamptz,
  revoked_at   timestamptz,
  last_used_at timestamptz
);

-- Users are never removed: decisions and the audit trail name them.
INSERT INTO app_rights (object, rights) VALUES
  ('TABLE users', 'SELECT, INSERT, UPDATE (name, role, password_hash, disabled, last_seen_at)'),
  ('TABLE sessions', 'SELECT, INSERT, UPDATE (seen_at), DELETE'),
  ('TABLE tokens', 'SELECT, INSERT, UPDATE (revoked_at, last_used_at)');
