#!/usr/bin/env bash
# Looks for known vulnerabilities in what the program uses. The database is on the network; where that cannot be
# reached the check says so and passes.
set -euo pipefail
cd "$(dirname "$0")/.."
out=$(go tool -modfile=tools/go.mod govulncheck ./... 2>&1) && { echo "$out"; exit 0; }
if echo "$out" | grep -Eq 'dial tcp|no such host|connection refused|i/o timeout|proxyconnect|Forbidden|unreachable'; then
  echo "govulncheck: its database cannot be reached from here; not checked"
  exit 0
fi
echo "$out"
exit 1
