.PHONY: run test build bench crash fresh screenshots

# Keywright, an API that it protects and two apps. LISTEN, API_LISTEN and DEMO choose other addresses.
run: build
	@scripts/run.sh

# Installs what the tests need and runs everything.
test:
	@scripts/test.sh

build: web/dist/second/index.html.br
	@CGO_ENABLED=0 go build -trimpath -o bin/ ./cmd/keywright ./examples/api

web/dist/second/index.html.br: $(shell find web/projects web/*.json web/*.ts -type f -not -path '*/node_modules/*')
	@scripts/apps.sh

# What it costs, as ratios to what the hardware and net/http cost in the same run.
bench:
	@go run ./bench/run

# Kills the built binary under load, 200 times an engine.
crash:
	@scripts/install.sh
	@KEYWRIGHT_TEST_CRASHES=200 scripts/postgres.sh go test -count=1 -timeout 60m -run 'Killed' -v ./e2e

# The two commands of the README in a bare Debian tree.
fresh:
	@scripts/fresh.sh

# docs/screenshots: every page in every state, as contact sheets.
screenshots:
	@scripts/install.sh
	@npm --prefix web --loglevel=error run screenshots
