#!/usr/bin/env bash
# Compares what the program suggests for the sample notes with the stored baseline, note by note.
#
#   deploy/gate.sh            fails when micro-F1 falls by more than 3 points, and lists the notes that changed
#   deploy/gate.sh baseline   stores the present suggestions as the baseline
#
# It works on a data directory of its own, so that nothing that a site has learned counts. Loading the code sets and
# indexing their vectors takes minutes, so the directory is kept in the user's cache for the next time, as long as
# what loads, embeds and stores them is the same. GATE_DATA_DIR names another, with nothing learned.
set -euo pipefail
cd "$(dirname "$0")/.."

notes=eval/datasets/sample-notes.jsonl
baseline=eval/datasets/baseline/sample-notes
work=bin/gate
loads="internal/catalog internal/codeset internal/embedding internal/lexicon internal/store/migrations"
for file in internal/store/codesets*.go internal/store/terms.go internal/store/vectors*.go; do loads="$loads $file"; done
kept="${XDG_CACHE_HOME:-$HOME/.cache}/chartcode-gate"
digest=$(find $loads -type f ! -name '*_test.go' | LC_ALL=C sort | xargs cat | cksum | cut -d' ' -f1)
if [ -z "${GATE_DATA_DIR:-}" ] && [ ! -d "$kept/$digest" ]; then rm -rf "$kept"; fi
export CHARTCODE_DATA_DIR="${GATE_DATA_DIR:-$kept/$digest}"
unset CHARTCODE_DATABASE_URL CHARTCODE_EMBED_MODEL CHARTCODE_EMBED_BASE_URL
mkdir -p "$work"

rm -rf "$work/runs"
./bin/chartcode eval run --dataset "$notes" --ranker local --out "$work/runs" > "$work/figures.txt"
run=$work/runs/$(sed -n 's/^run //p' "$work/figures.txt")

if [ "${1:-}" = baseline ]; then
  mkdir -p "$baseline"
  cp "$run/run.json" "$run/predictions.jsonl" "$run/codes.json" "$baseline/"
  chmod 644 "$baseline"/*
  sed -n '3,6p' "$work/figures.txt"
  echo "stored as $baseline; commit it with the change that it belongs to"
  exit 0
fi
./bin/chartcode eval gate --by-estimate --baseline "$baseline" --candidate "$run" --metric micro_f1 --margin 0.03 --junit "$work/gate.xml"
