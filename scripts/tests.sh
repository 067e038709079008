#!/usr/bin/env bash
# Every test, in three runs side by side: whole front doors wait in real time, so do telephones and
# containers, while the rest computes and makes room. Exit code 0 only when all passed.
set -u
cd "$(dirname "$0")/.." || exit 1
# Dozens of processes load the same modules (Rasa's alone take 9 s to compile): compiled once.
unset PYTHONDONTWRITEBYTECODE
logs=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; rm -rf "$logs"' EXIT
run() { nice -n "$1" .venv/bin/python -m pytest --durations=30 --durations-min=3 "${@:2}"; }
# The scenarios that share one front door; the others make what they need.
door=(tests/scenarios/test_{calls,callers,deaths,demo,handoff,keeper,live_edit,strangers_call}.py)
beside=(tests/{telephony,containers,handoff,store,knowledge,asr,tts,language,chat,documents})
own=(tests/scenarios)
for one in "${door[@]}"; do own+=("--ignore=$one"); done
rest=(tests --ignore=tests/scenarios)
for one in "${beside[@]}"; do rest+=("--ignore=$one"); done
run 0 "${door[@]}" "$@" >"$logs/scenarios" 2>&1 &
scenarios=$!
run 5 "${beside[@]}" "${own[@]}" "$@" >"$logs/telephony" 2>&1 &
telephony=$!
run 5 "${rest[@]}" "$@" 2>&1 | tee "$logs/rest"
failed=${PIPESTATUS[0]}
wait "$telephony" || failed=1
wait "$scenarios" || failed=1
for part in telephony scenarios; do
  echo
  echo "────── $part ──────"
  cat "$logs/$part"
done
echo
echo "────── what failed (FAILED, ERROR) or needed a second try (RERUN) ──────"
grep -hE '^(FAILED|ERROR|RERUN) ' "$logs"/* || echo "nothing"
exit "$failed"
