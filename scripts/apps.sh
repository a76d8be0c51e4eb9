#!/usr/bin/env bash
# Builds the demo apps, which the binary holds, where there is npm to do it.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v npm >/dev/null; then
  echo "npm is not installed: Keywright is built without the demo apps" >&2
  exit
fi
echo "Building the demo apps, which takes a minute the first time …"
scripts/modules.sh || {
  echo "npm could not install what the demo apps are built with: Keywright is built without them" >&2
  exit 0
}
log=$(npm --prefix web run build 2>&1) || {
  echo "$log" >&2
  exit 1
}
