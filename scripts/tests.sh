#!/usr/bin/env bash
# Every test, in two runs side by side: the scenarios wait in real time, with whole front doors,
# while the rest computes. Exit code 0 only when both passed.
set -u
cd "$(dirname "$0")/.." || exit 1
log=$(mktemp)
trap 'kill "$scenarios" 2>/dev/null; rm -f "$log"' EXIT
.venv/bin/python -m pytest tests/scenarios --durations=12 "$@" >"$log" 2>&1 &
scenarios=$!
.venv/bin/python -m pytest tests --ignore=tests/scenarios --durations=12 "$@"
rest=$?
wait "$scenarios"
whole=$?
echo
echo "────── tests/scenarios ──────"
cat "$log"
[ "$rest" = 0 ] && [ "$whole" = 0 ]
