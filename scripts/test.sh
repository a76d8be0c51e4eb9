#!/usr/bin/env bash
# Everything that must hold, on a clean checkout: format, vet, staticcheck, and
# all tests on both database engines with the race detector.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/install.sh

unformatted=$(gofmt -l $(git ls-files '*.go'))
[ -z "$unformatted" ] || { echo "not gofmt-ed: $unformatted" >&2; exit 1; }
go vet ./...
GOOS=windows go vet ./cmd/keywright ./internal/store ./internal/password
go tool -modfile=tools/go.mod staticcheck ./...

results=$(mktemp)
trap 'rm -f "$results"' EXIT
status=0
scripts/postgres.sh go tool -modfile=tools/go.mod gotestsum --format pkgname --hide-summary skipped --jsonfile "$results" \
  -- -race -timeout 18m ./... || status=$?

echo
echo "The ten slowest tests:"
go tool -modfile=tools/go.mod gotestsum tool slowest --jsonfile "$results" --threshold 100ms | head -n 10
count() { grep -c "\"Action\":\"$1\".*\"Test\":" "$results" || true; }
echo
echo "$(count pass) passed, $(count fail) failed, $(count skip) skipped"
exit "$status"
