#!/usr/bin/env bash
# Renew every pinned list: newest versions that fit, with hashes, naming no registry.
set -eu
cd "$(dirname "$0")/../requirements"
export UV_PYTHON_DOWNLOADS=never
pin() { uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url "$@"; }
pin main.in -o main.txt
pin dev.in -o dev.txt
pin uv.in -o uv.txt
pin node.in -o node.txt
pin offline.in -o offline.txt
[ -f starter.in ] && pin starter.in -o starter.txt
# Rasa's list is kept by hand, whole: its own metadata forbids Python 3.11, where it runs.
uv pip compile --quiet --no-deps --python-version 3.11 --generate-hashes --no-emit-index-url rasa.in -o rasa.txt
cd ..
npm install --package-lock-only --ignore-scripts --no-audit --no-fund
if grep -nE '"resolved"|://' requirements/*.txt | grep -v '^requirements/[a-z]*.txt:[0-9]*: *#' || grep -n '"resolved"' package-lock.json; then
  echo "a lock file names an address" >&2
  exit 1
fi
