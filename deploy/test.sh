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

# What tests write lies in memory where there is plenty and programs may be started there: clusters of PostgreSQL and
# streams of NATS are made by the hundred. It comes to less than 1 GB.
memory=/dev/shm
scratch=
plenty() {
  [ "$(df -Pk $memory | awk 'NR == 2 { print $4 }')" -gt 4000000 ] && [ "$(awk '$1 == "MemAvailable:" { print $2 }' /proc/meminfo)" -gt 8000000 ]
}
if [ -z "${TMPDIR:-}" ] && plenty 2> /dev/null; then
  for old in "$memory"/chartcode-test.*; do # of runs that were killed
    ! [ -O "$old" ] || kill -0 "$(echo "$old" | cut -d. -f2)" 2> /dev/null || rm -rf "$old"
  done
  scratch=$(mktemp -d "$memory/chartcode-test.$$.XXXXXX" 2> /dev/null) || scratch=
fi
if [ -n "$scratch" ] && cp "$(type -P true)" "$scratch/true" 2> /dev/null && "$scratch/true" 2> /dev/null; then
  chmod 755 "$scratch" # PostgreSQL runs as another user where root starts it
  export TMPDIR=$scratch TESTPG_DIR=$scratch/postgres
fi

# go vet is one of the linters of `make lint`.
# Many tests mostly wait, for a server to come up or a connection to be given up: more of them run side by side
# than there are processors.
trap 'bin/testpg stop || true; [ -z "$scratch" ] || rm -rf "$scratch"' EXIT
bin/testpg start
go test -json -race -count=1 -vet=off -parallel="$((2 * $(getconf _NPROCESSORS_ONLN)))" -timeout=40m "$@" | bin/testreport -missing bin/missing-testdata.txt
