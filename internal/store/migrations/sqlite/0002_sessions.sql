-- Single sign-on: sessions, codes, consent, and what they add to people, clients and grants.

ALTER TABLE users ADD COLUMN phone TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN address TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN email_verified_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN updated_at INTEGER NOT NULL DEFAULT 0;

-- What only some requests ask about a client, as JSON; empty: nothing.
ALTER TABLE clients ADD COLUMN metadata TEXT NOT NULL DEFAULT '';
ALTER TABLE clients ADD COLUMN registration_token BLOB NOT NULL DEFAULT x'';

ALTER TABLE grants ADD COLUMN session_id TEXT NOT NULL DEFAULT '';
ALTER TABLE grants ADD COLUMN methods TEXT NOT NULL DEFAULT '';
ALTER TABLE grants ADD COLUMN claims TEXT NOT NULL DEFAULT '';

CREATE INDEX grants_of_sessions ON grants (session_id) WHERE session_id <> '';
CREATE INDEX grants_of_users ON grants (user_id, client_id) WHERE user_id <> '';

CREATE TABLE sessions (
  id           TEXT PRIMARY KEY,
  secret_hash  BLOB NOT NULL UNIQUE,
  user_id      TEXT NOT NULL,
  methods      TEXT NOT NULL,
  browser      TEXT NOT NULL,
  auth_time    INTEGER NOT NULL,
  created_at   INTEGER NOT NULL,
  seen_at      INTEGER NOT NULL,
  expires_at   INTEGER NOT NULL,
  ends_at      INTEGER NOT NULL,
  ended_at     INTEGER NOT NULL,
  user_epoch   INTEGER NOT NULL,
  global_epoch INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_of_users ON sessions (user_id);
CREATE INDEX sessions_by_end ON sessions (ends_at);

CREATE TABLE codes (
  hash              BLOB PRIMARY KEY,
  flow_id           TEXT NOT NULL UNIQUE,
  client_id         TEXT NOT NULL,
  user_id           TEXT NOT NULL,
  session_id        TEXT NOT NULL,
  redirect_uri      TEXT NOT NULL,
  redirect_uri_sent INTEGER NOT NULL,
  code_challenge    TEXT NOT NULL,
  nonce             TEXT NOT NULL,
  scope             TEXT NOT NULL,
  audiences         TEXT NOT NULL,
  claims            TEXT NOT NULL,
  methods           TEXT NOT NULL,
  auth_time         INTEGER NOT NULL,
  user_epoch        INTEGER NOT NULL,
  client_epoch      INTEGER NOT NULL,
  global_epoch      INTEGER NOT NULL,
  issued_at         INTEGER NOT NULL,
  expires_at        INTEGER NOT NULL,
  revoked_at        INTEGER NOT NULL,
  grant_id          TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX codes_of_users ON codes (user_id, client_id);
CREATE INDEX codes_by_expiry ON codes (expires_at);

CREATE TABLE consents (
  user_id    TEXT NOT NULL,
  client_id  TEXT NOT NULL,
  scope      TEXT NOT NULL,
  audiences  TEXT NOT NULL,
  given_at   INTEGER NOT NULL,
  PRIMARY KEY (user_id, client_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX consents_of_clients ON consents (client_id);

CREATE TABLE client_assertions (
  id         TEXT PRIMARY KEY,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX client_assertions_by_expiry ON client_assertions (expires_at);

CREATE TABLE registration_tokens (
  id         TEXT PRIMARY KEY,
  hash       BLOB NOT NULL UNIQUE,
  uses_left  INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Clients that have not heard yet that a session ended.
CREATE TABLE logouts (
  id         TEXT PRIMARY KEY,
  client_id  TEXT NOT NULL,
  user_id    TEXT NOT NULL,
  session_id TEXT NOT NULL,
  tries      INTEGER NOT NULL,
  next_at    INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  UNIQUE (client_id, session_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX logouts_by_time ON logouts (next_at);
CREATE INDEX logouts_by_age ON logouts (created_at);

-- How far subscribers have read the journal.
CREATE TABLE cursors (
  subscriber TEXT PRIMARY KEY,
  number     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
