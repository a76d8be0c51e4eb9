#!/usr/bin/env bash
# Everything that must hold, on a clean checkout: format, vet, staticcheck, and
# all tests on both database engines. Tests of the whole binary take their turn
# after the others, so that they have the machine to themselves, and those in
# Node and Chromium after these.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/install.sh

unformatted=$(gofmt -l $(git ls-files '*.go'))
[ -z "$unformatted" ] || { echo "not gofmt-ed: $unformatted" >&2; exit 1; }
go vet ./...
GOOS=windows CGO_ENABLED=0 go build -o /dev/null ./cmd/keywright # another system: nothing of Unix has crept in
go tool -modfile=tools/go.mod staticcheck ./...

results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
status=0
suite() { # name, go test arguments
  local name=$1
  shift
  scripts/postgres.sh go tool -modfile=tools/go.mod gotestsum --format pkgname --hide-summary skipped \
    --jsonfile "$results/$name.json" -- -timeout 15m "$@" || status=$?
}
suite parts -race $(go list ./... | grep -v /e2e)
suite explored -run 'EverySituation|EveryReachable' ./internal/oauth # deeper than -race leaves time for
suite whole -count=1 ./e2e
GOTEST_JSON="$results/web.json" npm --prefix web --loglevel=error test || status=$?

cat "$results"/*.json >"$results/all"
count() { grep -c "\"Action\":\"$1\".*\"Test\":" "$results/all" || true; }
echo
echo "The ten slowest tests:"
go tool -modfile=tools/go.mod gotestsum tool slowest --jsonfile "$results/all" --threshold 100ms | sed -n 1,10p
echo
[ "$status" = 0 ] || go tool -modfile=tools/go.mod gotestsum --format none --hide-summary skipped --raw-command -- cat "$results/all" || true
sed -n 's/.*"Action":"retry".*"Test":"\([^"]*\)".*/Tried a second time: \1/p' "$results/all"
retried=$(count retry)
[ "$retried" -le 2 ] || { echo "$retried tests needed a second try: more than two are a fault, not chance"; status=1; }
echo "$(count pass) passed, $(count fail) failed, $(count skip) skipped"
exit "$status"
