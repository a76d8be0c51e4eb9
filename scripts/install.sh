#!/usr/bin/env bash
# Installs what the tests need, once. From Debian: PostgreSQL to run them on both
# engines, strace to see that commits are flushed, a C compiler for -race, curl for
# the three lines of the README, Chromium for the pages, npm. From npm: what
# web/package-lock.json names, a newer Node among it.
set -euo pipefail
cd "$(dirname "$0")/.."

install_packages() {
  if [ "$(id -u)" -ne 0 ]; then
    echo "the tests need $*: run this once as root: apt-get install -y $*" >&2
    exit 1
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  # Only the test's own server shall run.
  mkdir -p /etc/postgresql-common
  [ -e /etc/postgresql-common/createcluster.conf ] || echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf
  apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

missing=()
need() { # command, package
  command -v "$1" >/dev/null || missing+=("$2")
}
need strace strace
need curl curl
need gcc gcc
need chromium chromium
need node nodejs
need npm npm
[ -f /usr/include/stdlib.h ] || missing+=(libc6-dev)
[ -x "$(ls -d /usr/lib/postgresql/*/bin/initdb 2>/dev/null | tail -n 1)" ] || missing+=(postgresql)
[ ${#missing[@]} -eq 0 ] || install_packages "${missing[@]}"

scripts/modules.sh
