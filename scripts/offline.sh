#!/usr/bin/env bash
# Make one file with everything that a machine without the internet needs: this commit, every package
# checked against the pinned hashes, the pages' assets. For machines of this one's kind (processor,
# Python 3.11). Needs git, Python 3.11 and the registries; writes dist/NAME.tar and its checksum.
#   scripts/offline.sh [--with-tests] [--model FILE.zip]… [--output FOLDER]
set -u
cd "$(dirname "$0")/.." || exit 1
. scripts/lib.sh
log=$tools/offline.log
offline="" output=dist lists=(main rasa uv) models=()

usage() { fail "make offline" "不认识 $1" "用法：scripts/offline.sh [--with-tests] [--model 文件.zip] [--output 文件夹]"; }

while [ $# -gt 0 ]; do
  case $1 in
    --with-tests) lists+=(dev) ;;
    --model) models+=("$(realpath "${2:-}" 2>/dev/null)") && shift ;;
    --output) output=${2:-} && shift ;;
    *) usage "$1" ;;
  esac
  shift
done

step() { # step TITLE COMMAND…
  local title=$1 began=$SECONDS
  shift
  say "… $title"
  "$@" >"$log" 2>&1 || {
    tail -n 15 "$log" | cut -c1-300 >&2
    fail "$title" "上面是最后几行输出，全部在 $log" "检查网络、软件源和磁盘空间，再运行一次同样的命令"
  }
  say "✔ $title（$((SECONDS - began)) 秒）"
}

repository() { # this commit's files, and nothing that is not committed
  rm -rf "$stage" && mkdir -p "$stage/offline"/{wheels,assets,models} &&
    git archive --format=tar HEAD | tar -x -C "$stage"
}

tools_environment() { environment "$tools/offline-env" "$stage/requirements/offline.txt"; }

packages() { # packages LIST: wheels, checked by hash; of what its authors publish as sources only, built here
  local pip=("$tools/offline-env/bin/python" -m pip --disable-pip-version-check) sources
  sources=$(mktemp -d "$work/sources.XXXXXX") || return 1
  "$python" scripts/offline_folder.py fetch "$work" "$1" --requirements "$stage/requirements" &&
    "${pip[@]}" download --quiet --no-deps --no-build-isolation --ignore-requires-python --require-hashes \
      -r "$work/$1.txt" -d "$sources" &&
    { mv "$sources"/*.whl "$stage/offline/wheels/"; cd "$sources" || return 1; }
  local got=$? built=()
  for file in *.tar.gz *.zip; do [ -f "$file" ] && built+=("$file"); done
  cd "$OLDPWD" || return 1
  if [ $got = 0 ] && [ ${#built[@]} -gt 0 ]; then
    say "  从源码打包：${built[*]}"
    SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) "${pip[@]}" wheel --quiet --no-cache-dir --no-deps \
      --no-build-isolation --no-index -w "$stage/offline/wheels" "${built[@]/#/$sources/}" || got=1
  fi
  rm -rf "$sources"
  return $got
}

page_assets() {
  find_npm || return 1
  (cd "$stage" && "${npm[@]}" ci --no-audit --no-fund --ignore-scripts && "$python" -m web.vendor) &&
    mv "$stage/web/static/vendor"/* "$stage/offline/assets/" &&
    rm -rf "$stage/node_modules" "$stage/web/static/vendor" &&
    find "$stage" -name __pycache__ -prune -exec rm -rf {} +
}

seal() {
  "$python" scripts/offline_folder.py lists "$stage/offline" "${lists[@]}" --requirements "$stage/requirements" &&
    sed "s/@NAME@/$name/g" scripts/offline-install.txt >"$stage/INSTALL.txt" &&
    "$python" scripts/offline_folder.py seal "$stage/offline" --requirements "$stage/requirements" \
      --version "$version" --commit "$commit" &&
    "$python" scripts/offline_folder.py check "$stage/offline" "${lists[@]}" --requirements "$stage/requirements"
}

pack() {
  tar -c --owner=0 --group=0 --sort=name -C "$work" -f "$work/$name.tar" "$name" &&
    mv "$work/$name.tar" "$output/$name.tar" &&
    (cd "$output" && sha256sum "$name.tar" >"$name.tar.sha256")
}

for model in "${models[@]}"; do
  [ -f "$model" ] || fail "make offline" "--model 指的文件不存在" "改正路径，再运行一次"
done
commit=$(git rev-parse HEAD 2>/dev/null) || fail "make offline" "这里不是 git 仓库" "在 git clone 得到的文件夹里运行"
[ -z "$(git status --porcelain --untracked-files=no)" ] || say "注意：没有提交的改动不会放进去"
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' pyproject.toml)
name=qianmen-$version-${commit:0:8}-linux-$(uname -m)-py311
mkdir -p "$output" && output=$(cd "$output" && pwd) && work=$(mktemp -d "$output/.making.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
stage=$work/$name
python=$(find_python) || exit 1
find_uv
step "仓库（${commit:0:8}）" repository
step "下载工具" tools_environment
for list in "${lists[@]}"; do step "软件包 $list" packages "$list"; done
step "网页素材" page_assets
for model in "${models[@]}"; do step "模型 $(basename "$model")" cp "$model" "$stage/offline/models/"; done
step "清单与校验和" seal
step "打包" pack
say "好了：$output/$name.tar（$(du -h "$output/$name.tar" | cut -f1)，$(find "$stage/offline/wheels" -name '*.whl' | wc -l) 个软件包）"
say "校验和（请另行告知安装的人）：$(cut -d' ' -f1 "$output/$name.tar.sha256")"
say "拷到没有互联网的机器上，按里面的 INSTALL.txt 做。"
