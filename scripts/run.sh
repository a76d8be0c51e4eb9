#!/usr/bin/env bash
# Runs Keywright and the example API until Ctrl-C, or until one of them ends.
set -muo pipefail # with job control a Ctrl-C is for this script alone, which passes it on once
cd "$(dirname "$0")/.."

listen=${LISTEN:-127.0.0.1:10101}
api_listen=${API_LISTEN:-127.0.0.1:10102}

bin/api -listen "$api_listen" -issuer "http://localhost:${listen##*:}" &
api=$!
bin/keywright dev --demo="${DEMO:-4200,4300}" --listen "$listen" --api-url "http://localhost:${api_listen##*:}" &
keywright=$!

stop() {
  kill "$api" "$keywright" 2>/dev/null
  wait
}
trap stop EXIT
trap 'exit 0' INT TERM
wait -n
status=$?
((status)) && echo "make run: LISTEN=127.0.0.1:9000, API_LISTEN=127.0.0.1:9001 and DEMO=4201,4301 choose other addresses" >&2
exit "$status"
