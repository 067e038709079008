#!/usr/bin/env bash
# Every test, in three runs side by side: the scenarios wait in real time, with whole front doors,
# so do telephones and containers, while the rest computes. Exit code 0 only when all passed.
set -u
cd "$(dirname "$0")/.." || exit 1
logs=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; rm -rf "$logs"' EXIT
run() { .venv/bin/python -m pytest --durations=12 "$@"; }
run tests/scenarios "$@" >"$logs/scenarios" 2>&1 &
scenarios=$!
run tests/telephony tests/containers tests/asr tests/tts tests/knowledge tests/handoff "$@" >"$logs/telephony" 2>&1 &
telephony=$!
run tests --ignore=tests/scenarios --ignore=tests/telephony --ignore=tests/containers \
  --ignore=tests/asr --ignore=tests/tts --ignore=tests/knowledge --ignore=tests/handoff "$@"
failed=$?
wait "$telephony" || failed=1
wait "$scenarios" || failed=1
for part in telephony scenarios; do
  echo
  echo "────── $part ──────"
  cat "$logs/$part"
done
exit "$failed"
