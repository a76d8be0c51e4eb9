#!/usr/bin/env bash
# Installs what web/package-lock.json names, a newer Node among it, unless it is there.
set -euo pipefail
cd "$(dirname "$0")/.."

[ web/node_modules/.package-lock.json -nt web/package-lock.json ] && exit
npm --prefix web ci --ignore-scripts --no-audit --no-fund --loglevel=error
npm --prefix web rebuild --ignore-scripts --loglevel=error # Debian's npm unlinks node when it drops the other platform's
