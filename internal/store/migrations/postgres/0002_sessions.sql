-- Single sign-on: sessions, codes, consent, and what they add to people, clients and grants.

ALTER TABLE users ADD COLUMN phone TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN address TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN email_verified_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN updated_at BIGINT NOT NULL DEFAULT 0;

-- What only some requests ask about a client, as JSON; empty: nothing.
ALTER TABLE clients ADD COLUMN metadata TEXT NOT NULL DEFAULT '';
ALTER TABLE clients ADD COLUMN registration_token BYTEA NOT NULL DEFAULT '';

ALTER TABLE grants ADD COLUMN session_id TEXT NOT NULL DEFAULT '';
ALTER TABLE grants ADD COLUMN methods TEXT NOT NULL DEFAULT '';
ALTER TABLE grants ADD COLUMN claims TEXT NOT NULL DEFAULT '';

CREATE INDEX grants_of_sessions ON grants (session_id) WHERE session_id <> '';
CREATE INDEX grants_of_users ON grants (user_id, client_id) WHERE user_id <> '';

CREATE TABLE sessions (
  id           TEXT PRIMARY KEY,
  secret_hash  BYTEA NOT NULL UNIQUE,
  user_id      TEXT NOT NULL,
  methods      TEXT NOT NULL,
  browser      TEXT NOT NULL,
  auth_time    BIGINT NOT NULL,
  created_at   BIGINT NOT NULL,
  seen_at      BIGINT NOT NULL,
  expires_at   BIGINT NOT NULL,
  ends_at      BIGINT NOT NULL,
  ended_at     BIGINT NOT NULL,
  user_epoch   BIGINT NOT NULL,
  global_epoch BIGINT NOT NULL
);

CREATE INDEX sessions_of_users ON sessions (user_id);
CREATE INDEX sessions_by_end ON sessions (ends_at);

CREATE TABLE codes (
  hash              BYTEA PRIMARY KEY,
  flow_id           TEXT NOT NULL UNIQUE,
  client_id         TEXT NOT NULL,
  user_id           TEXT NOT NULL,
  session_id        TEXT NOT NULL,
  redirect_uri      TEXT NOT NULL,
  redirect_uri_sent BIGINT NOT NULL,
  code_challenge    TEXT NOT NULL,
  nonce             TEXT NOT NULL,
  scope             TEXT NOT NULL,
  audiences         TEXT NOT NULL,
  claims            TEXT NOT NULL,
  methods           TEXT NOT NULL,
  auth_time         BIGINT NOT NULL,
  user_epoch        BIGINT NOT NULL,
  client_epoch      BIGINT NOT NULL,
  global_epoch      BIGINT NOT NULL,
  issued_at         BIGINT NOT NULL,
  expires_at        BIGINT NOT NULL,
  revoked_at        BIGINT NOT NULL,
  grant_id          TEXT NOT NULL
);

CREATE INDEX codes_of_users ON codes (user_id, client_id);
CREATE INDEX codes_by_expiry ON codes (expires_at);

CREATE TABLE consents (
  user_id    TEXT NOT NULL,
  client_id  TEXT NOT NULL,
  scope      TEXT NOT NULL,
  audiences  TEXT NOT NULL,
  given_at   BIGINT NOT NULL,
  PRIMARY KEY (user_id, client_id)
);

CREATE INDEX consents_of_clients ON consents (client_id);

CREATE TABLE client_assertions (
  id         TEXT PRIMARY KEY,
  expires_at BIGINT NOT NULL
);

CREATE INDEX client_assertions_by_expiry ON client_assertions (expires_at);

CREATE TABLE registration_tokens (
  id         TEXT PRIMARY KEY,
  hash       BYTEA NOT NULL UNIQUE,
  uses_left  BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);

-- Clients that have not heard yet that a session ended.
CREATE TABLE logouts (
  id         TEXT PRIMARY KEY,
  client_id  TEXT NOT NULL,
  user_id    TEXT NOT NULL,
  session_id TEXT NOT NULL,
  tries      BIGINT NOT NULL,
  next_at    BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE (client_id, session_id)
);

CREATE INDEX logouts_by_time ON logouts (next_at);
CREATE INDEX logouts_by_age ON logouts (created_at);

-- How far subscribers have read the journal.
CREATE TABLE cursors (
  subscriber TEXT PRIMARY KEY,
  number     BIGINT NOT NULL
);
