#!/usr/bin/env bash
# Runs the claims and the long tests that need no server and have no goroutines of their own: they read whole tables, every
# real note and very long texts, which takes the race detector minutes. They are scenarios of `make long` as well.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p bin
export CGO_ENABLED=0
go build -o bin/testreport ./internal/devtools/testreport
{
  go test -json -tags=long -count=1 -vet=off -run='^TestLong' ./internal/codebook ./internal/codeset ./pipeline/rank ./pipeline/segment ./pipeline/validate
  go test -json -tags=long -count=1 -vet=off -run='^TestLongClaims$' ./pipeline
} | bin/testreport -missing bin/missing-testdata-whole.txt
