#!/usr/bin/env bash
# Runs every test but the long ones. Arguments go to go test instead of ./...
#
# The PostgreSQL that tests share is started first and stopped last. Results are not taken from go's cache:
# it does not know of the servers that the tests talk to.
set -euo pipefail
cd "$(dirname "$0")/.."
# Those that take longest begin first, so that none of them ends alone.
[ $# -gt 0 ] || set -- ./cmd/chartcode ./internal/web ./pipeline ./...

mkdir -p bin
# Without cgo and with the flags of `make build`, so that packages are compiled once for all of them.
export CGO_ENABLED=0
go build -o bin/testpg ./internal/testpg/ctl
go build -o bin/testreport ./internal/devtools/testreport
export CGO_ENABLED=1 # as the race detector needs it

# A program with the race detector sleeps for a second when it ends, for races that show only then, and the tests start
# many: a tenth does.
export GORACE="atexit_sleep_ms=100${GORACE:+ $GORACE}"

# What tests write lies in memory where there is plenty of it and programs may be started there: clusters of PostgreSQL and
# streams of NATS are made by the hundred.
memory=/dev/shm
if [ -z "${TMPDIR:-}" ] && [ "$(df -Pk $memory 2> /dev/null | awk 'NR == 2 { print $4 }')" -ge 8000000 ] 2> /dev/null &&
  scratch=$(mktemp -d $memory/chartcode-test.XXXXXX); then
  chmod 755 "$scratch" # PostgreSQL runs as another user where root starts it
  export TMPDIR=$scratch
else
  scratch=
fi

# go vet is one of the linters of `make lint`.
# Many tests mostly wait, for a server to come up or a connection to be given up: more of them run side by side
# than there are processors.
trap 'bin/testpg stop; [ -z "$scratch" ] || rm -rf "$scratch"' EXIT
bin/testpg start
go test -json -race -count=1 -vet=off -parallel="$((2 * $(getconf _NPROCESSORS_ONLN)))" -timeout=40m "$@" | bin/testreport -missing bin/missing-testdata.txt
