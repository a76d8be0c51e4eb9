#!/usr/bin/env bash
# Installs what the tests need from Debian, once: PostgreSQL to run them on both
# engines, strace to see that commits are flushed, a C compiler for -race, and
# curl for the three lines of the README.
set -euo pipefail

missing=()
need() { # command, package
  command -v "$1" >/dev/null || missing+=("$2")
}
need strace strace
need curl curl
need gcc gcc
[ -f /usr/include/stdlib.h ] || missing+=(libc6-dev)
[ -x "$(ls -d /usr/lib/postgresql/*/bin/initdb 2>/dev/null | tail -n 1)" ] || missing+=(postgresql)
[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" -ne 0 ]; then
  echo "the tests need ${missing[*]}: run this once as root: apt-get install -y ${missing[*]}" >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# Only the test's own server shall run.
mkdir -p /etc/postgresql-common
[ -e /etc/postgresql-common/createcluster.conf ] || echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
