-- Times are microseconds since 1970, 0 for never. Lists are space-separated.

CREATE TABLE epochs (
  name  TEXT PRIMARY KEY,
  value BIGINT NOT NULL
);

CREATE TABLE secrets (
  id         BIGINT PRIMARY KEY,
  sealed     BYTEA NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE TABLE signing_keys (
  kid          TEXT PRIMARY KEY,
  algorithm    TEXT NOT NULL,
  sealed       BYTEA NOT NULL,
  published_at BIGINT NOT NULL,
  ready_at     BIGINT NOT NULL,
  signs_from   BIGINT NOT NULL
);

CREATE TABLE users (
  id                 TEXT PRIMARY KEY,
  email              TEXT NOT NULL,
  canonical_email    TEXT NOT NULL UNIQUE,
  name               TEXT NOT NULL,
  password_hash      TEXT NOT NULL,
  credential_version BIGINT NOT NULL,
  disabled_at        BIGINT NOT NULL,
  epoch              BIGINT NOT NULL,
  created_at         BIGINT NOT NULL
);

CREATE TABLE attempts (
  bucket     TEXT PRIMARY KEY,
  failures   BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);

CREATE INDEX attempts_by_expiry ON attempts (expires_at);

CREATE TABLE clients (
  id                        TEXT PRIMARY KEY,
  public                    BIGINT NOT NULL,
  secret_hash               BYTEA NOT NULL,
  grants                    TEXT NOT NULL,
  scopes                    TEXT NOT NULL,
  audiences                 TEXT NOT NULL,
  serves                    TEXT NOT NULL,
  redirect_uris             TEXT NOT NULL,
  post_logout_redirect_uris TEXT NOT NULL,
  origins                   TEXT NOT NULL,
  access_token_ttl          BIGINT NOT NULL,
  disabled_at               BIGINT NOT NULL,
  epoch                     BIGINT NOT NULL,
  created_at                BIGINT NOT NULL
);

CREATE TABLE grants (
  id            TEXT PRIMARY KEY,
  client_id     TEXT NOT NULL,
  user_id       TEXT NOT NULL,
  scope         TEXT NOT NULL,
  audiences     TEXT NOT NULL,
  random        BYTEA NOT NULL,
  key_id        BIGINT NOT NULL,
  status_index  BIGINT NOT NULL UNIQUE,
  generation    BIGINT NOT NULL,
  current_since BIGINT NOT NULL,
  created_at    BIGINT NOT NULL,
  expires_at    BIGINT NOT NULL,
  revoked_at    BIGINT NOT NULL,
  auth_time     BIGINT NOT NULL,
  user_epoch    BIGINT NOT NULL,
  client_epoch  BIGINT NOT NULL,
  global_epoch  BIGINT NOT NULL
);

-- A client has one living grant of its own for each pair of epochs.
CREATE UNIQUE INDEX grants_of_clients ON grants (client_id, client_epoch, global_epoch) WHERE user_id = '' AND revoked_at = 0;

CREATE TABLE revoked_tokens (
  token_id   TEXT PRIMARY KEY,
  expires_at BIGINT NOT NULL
);

CREATE INDEX revoked_tokens_by_expiry ON revoked_tokens (expires_at);

CREATE TABLE journal (
  id     BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at     BIGINT NOT NULL,
  name   TEXT NOT NULL,
  origin TEXT NOT NULL,
  facts  TEXT NOT NULL,
  number BIGINT NOT NULL DEFAULT 0
);

CREATE INDEX journal_unnumbered ON journal (id) WHERE number = 0;
CREATE UNIQUE INDEX journal_numbered ON journal (number) WHERE number > 0;

CREATE TABLE journal_batches (
  last_number  BIGINT PRIMARY KEY,
  first_number BIGINT NOT NULL,
  fence        BIGINT NOT NULL,
  mac          BYTEA NOT NULL,
  sealed_at    BIGINT NOT NULL
);

CREATE TABLE leases (
  name       TEXT PRIMARY KEY,
  holder     TEXT NOT NULL,
  fence      BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);
