#!/usr/bin/env bash
# Set up what Qianmen needs, step by step, and nothing twice: a step whose pinned list has not
# changed since its last success is skipped. Needs Python 3.11 and the package registries that
# pip and npm are set up for; no root, and the system's Python is left alone.
#   scripts/setup.sh run    what `make run` needs
#   scripts/setup.sh test   that, and what the checks and tests need
# Without any network: from the folder that `make offline` made on another machine, `offline/` here
# or QIANMEN_WHEELS=FOLDER. Then every package comes from there, with its hash, and from nowhere else.
set -u
cd "$(dirname "$0")/.." || exit 1
. scripts/lib.sh
advice="检查网络和软件源设置（pip、npm），再运行一次同样的命令"

step() { # step NAME STAMP-FILE INPUT… -- COMMAND…: run COMMAND unless INPUTs are as at its last success
  local name=$1 stamp=$2 inputs=()
  shift 2
  while [ "$1" != "--" ]; do inputs+=("$1"); shift; done
  shift
  local mark
  mark=$(cat "${inputs[@]}" scripts/setup.sh scripts/lib.sh | sha256sum | cut -c1-64)
  if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$mark" ]; then return; fi
  local began=$SECONDS
  say "… $name"
  if ! "$@" >"$log" 2>&1; then
    tail -n 15 "$log" >&2
    fail "$name" "上面是最后几行输出，全部在 $log" "$advice"
  fi
  printf '%s' "$mark" >"$stamp"
  say "✔ $name（$((SECONDS - began)) 秒）"
}

main_environment() {
  environment .venv "$@" &&
    "$uv" pip install --quiet --no-deps --no-build-isolation --python .venv/bin/python -e .
}

assets() {
  if [ -n "$offline" ]; then
    mkdir -p web/static/vendor && cp "$offline"/assets/* web/static/vendor/
    return
  fi
  find_npm && "${npm[@]}" ci --no-audit --no-fund --ignore-scripts && .venv/bin/python -m web.vendor
}

# The folder for machines without the internet: whole, right for this machine, made for this version.
find_offline() { # find_offline LIST-NAME…
  offline=${QIANMEN_WHEELS:-}
  [ -z "$offline" ] && [ -d offline ] && offline=offline
  [ -z "$offline" ] && return
  [ -d "$offline/offline" ] && offline=$offline/offline
  [ -d "$offline" ] || fail "离线文件夹" "QIANMEN_WHEELS 指的 $offline 不存在" "改正它，或者去掉它以使用网络"
  offline=$(cd "$offline" && pwd)
  advice="离线文件夹 $offline 可能没有拷完：重新拷贝，再运行一次同样的命令"
  export UV_OFFLINE=1 UV_CACHE_DIR=$PWD/$tools/uv-cache
  local checked=$tools/offline-checked mark
  mark="$* $(cat "$offline/SHA256SUMS" requirements/*.txt 2>/dev/null | sha256sum)"
  [ -f "$checked" ] && [ "$(cat "$checked")" = "$mark" ] && return
  say "… 检查离线文件夹 $offline"
  "$python" scripts/offline_folder.py check "$offline" "$@" ||
    fail "离线文件夹" "不能用，原因在上面" "重新拷贝或重新制作（联网的机器上 make offline）；要用网络，就把它移走"
  printf '%s' "$mark" >"$checked"
}

pinned() { # pinned NAME: the list to install from
  if [ -n "$offline" ]; then echo "$offline/lists/$1.txt"; else echo "requirements/$1.txt"; fi
}

what=${1:-run}
wanted=(main)
[ "$what" = test ] && wanted+=(dev)
# `make run` after `make test` must not make the environment again, so test's mark serves both.
stamp=.venv/.$what
[ "$what" = run ] && [ -f .venv/.test ] && { stamp=.venv/.test; wanted+=(dev); }
python=$(find_python) || exit 1
find_offline "${wanted[@]}" rasa uv
find_uv
inputs=() lists=()
for name in "${wanted[@]}"; do
  inputs+=("requirements/$name.txt")
  lists+=("$(pinned "$name")")
done
step "主环境（Python 依赖）" "$stamp" "${inputs[@]}" pyproject.toml -- main_environment "${lists[@]}"
step "Rasa 环境（约 1.6 GB）" .venv-rasa/.done requirements/rasa.txt -- environment .venv-rasa "$(pinned rasa)"
step "网页素材" "$tools/assets" package.json package-lock.json web/vendor.py -- assets
[ -n "$offline" ] && rm -rf "$tools/uv-cache" # the environments hold hard links to what matters
exit 0
