-- Times are microseconds since 1970, 0 for never. Lists are space-separated.

CREATE TABLE epochs (
  name  TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE secrets (
  id         INTEGER PRIMARY KEY,
  sealed     BLOB NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE signing_keys (
  kid          TEXT PRIMARY KEY,
  algorithm    TEXT NOT NULL,
  sealed       BLOB NOT NULL,
  published_at INTEGER NOT NULL,
  ready_at     INTEGER NOT NULL,
  signs_from   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE users (
  id                 TEXT PRIMARY KEY,
  email              TEXT NOT NULL,
  canonical_email    TEXT NOT NULL UNIQUE,
  name               TEXT NOT NULL,
  password_hash      TEXT NOT NULL,
  credential_version INTEGER NOT NULL,
  disabled_at        INTEGER NOT NULL,
  epoch              INTEGER NOT NULL,
  created_at         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE attempts (
  bucket     TEXT PRIMARY KEY,
  failures   INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX attempts_by_expiry ON attempts (expires_at);

CREATE TABLE clients (
  id                        TEXT PRIMARY KEY,
  public                    INTEGER NOT NULL,
  secret_hash               BLOB NOT NULL,
  grants                    TEXT NOT NULL,
  scopes                    TEXT NOT NULL,
  audiences                 TEXT NOT NULL,
  serves                    TEXT NOT NULL,
  redirect_uris             TEXT NOT NULL,
  post_logout_redirect_uris TEXT NOT NULL,
  origins                   TEXT NOT NULL,
  access_token_ttl          INTEGER NOT NULL,
  disabled_at               INTEGER NOT NULL,
  epoch                     INTEGER NOT NULL,
  created_at                INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE grants (
  id            TEXT PRIMARY KEY,
  client_id     TEXT NOT NULL,
  user_id       TEXT NOT NULL,
  scope         TEXT NOT NULL,
  audiences     TEXT NOT NULL,
  random        BLOB NOT NULL,
  key_id        INTEGER NOT NULL,
  status_index  INTEGER NOT NULL UNIQUE,
  generation    INTEGER NOT NULL,
  current_since INTEGER NOT NULL,
  created_at    INTEGER NOT NULL,
  expires_at    INTEGER NOT NULL,
  revoked_at    INTEGER NOT NULL,
  auth_time     INTEGER NOT NULL,
  user_epoch    INTEGER NOT NULL,
  client_epoch  INTEGER NOT NULL,
  global_epoch  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A client has one living grant of its own for each pair of epochs.
CREATE UNIQUE INDEX grants_of_clients ON grants (client_id, client_epoch, global_epoch) WHERE user_id = '' AND revoked_at = 0;

CREATE TABLE revoked_tokens (
  token_id   TEXT PRIMARY KEY,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX revoked_tokens_by_expiry ON revoked_tokens (expires_at);

CREATE TABLE journal (
  id     INTEGER PRIMARY KEY AUTOINCREMENT,
  at     INTEGER NOT NULL,
  name   TEXT NOT NULL,
  origin TEXT NOT NULL,
  facts  TEXT NOT NULL,
  number INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX journal_unnumbered ON journal (id) WHERE number = 0;
CREATE UNIQUE INDEX journal_numbered ON journal (number) WHERE number > 0;

CREATE TABLE journal_batches (
  last_number  INTEGER PRIMARY KEY,
  first_number INTEGER NOT NULL,
  fence        INTEGER NOT NULL,
  mac          BLOB NOT NULL,
  sealed_at    INTEGER NOT NULL
) STRICT;

CREATE TABLE leases (
  name       TEXT PRIMARY KEY,
  holder     TEXT NOT NULL,
  fence      INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
