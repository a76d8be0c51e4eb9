#!/usr/bin/env bash
# Runs a command beside a PostgreSQL server of its own, in a temporary folder:
#   scripts/postgres.sh go test ./...
set -euo pipefail

bin=$(ls -d /usr/lib/postgresql/*/bin | tail -n 1)
folder=$(mktemp -d /tmp/keywright-postgres.XXXXXX)

# PostgreSQL refuses to run as root.
as_postgres() {
  if [ "$(id -u)" -eq 0 ]; then su postgres -s /bin/sh -c "$*"; else sh -c "$*"; fi
}

cleanup() {
  as_postgres "$bin/pg_ctl -D $folder/data -m immediate stop" >/dev/null 2>&1 || true
  rm -rf "$folder"
}
trap cleanup EXIT

[ "$(id -u)" -ne 0 ] || chown postgres "$folder"
as_postgres "$bin/initdb -D $folder/data -A trust -U keywright -E UTF8 --locale=C.UTF-8" >/dev/null
port=$((20000 + RANDOM % 20000))
as_postgres "$bin/pg_ctl -D $folder/data -l $folder/log -w -o '-p $port -k $folder -c listen_addresses=127.0.0.1 -c max_connections=300' start" >/dev/null

export KEYWRIGHT_TEST_POSTGRES="postgres://keywright@127.0.0.1:$port/postgres?sslmode=disable"
"$@"
