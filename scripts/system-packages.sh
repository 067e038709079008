#!/usr/bin/env bash
# System packages that only tests need: installed when we are root, else said at the end.
#   scripts/system-packages.sh            install what is missing (root only)
#   scripts/system-packages.sh --report   say which scenarios did not run
set -u
cd "$(dirname "$0")/.." || exit 1
PATH=$PWD/.tools:$PATH
for folder in /usr/lib/postgresql/*/bin; do PATH=$PATH:$folder; done # Debian keeps initdb off the PATH
declare -A needs=(
  [sipp]="sip-tester:SIPp 呼叫场景"
  [baresip]="baresip:baresip 软电话场景"
  [promtool]="prometheus:告警规则的检查"
  [chromium]="chromium:浏览器里的页面场景"
  [kamailio]="kamailio:多台电话前面的 Kamailio 场景"
  [initdb]="postgresql:PostgreSQL 上的数据库测试"
  [nginx]="nginx-light:网页前面的 TLS 代理场景"
  [openssl]="openssl:TLS 代理的证书"
  [wget]="wget:容器的健康检查"
)
missing=()
for program in "${!needs[@]}"; do
  command -v "$program" >/dev/null 2>&1 || missing+=("$program")
done
if [ "${1:-}" = --report ]; then
  for program in "${missing[@]:-}"; do
    [ -n "$program" ] && echo "未运行：${needs[$program]#*:}（缺少 ${needs[$program]%%:*}，以 root 运行 make test 会自动安装）" >&2
  done
  [ ${#missing[@]} -gt 0 ] && [ -n "${CI:-}" ] && { echo "CI 里不允许缺少场景" >&2; exit 1; }
  exit 0
fi
fonts=()
fc-list :lang=zh 2>/dev/null | grep -q . || fonts=(fonts-noto-cjk)
[ ${#missing[@]} -eq 0 ] && [ ${#fonts[@]} -eq 0 ] && exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then exit 0; fi
packages=("${fonts[@]:-}")
for program in "${missing[@]:-}"; do
  [ -n "$program" ] && [ "$program" != promtool ] && packages+=("${needs[$program]%%:*}")
done
names=${packages[*]:-}
echo "… 安装测试用的系统软件：${names:-promtool}" >&2
export DEBIAN_FRONTEND=noninteractive
# Only the programs are wanted: no service of theirs may start, now or with the machine.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
  printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy
  trap 'rm -f /usr/sbin/policy-rc.d' EXIT
fi
# Nor a database cluster of the system's own: tests make theirs.
clusters=/etc/postgresql-common/createcluster.conf
case " ${missing[*]:-} " in *" initdb "*)
  [ -e $clusters ] || { mkdir -p "${clusters%/*}" && echo 'create_main_cluster = false' >$clusters; } ;;
esac
apt-get update -qq >/dev/null 2>&1
# shellcheck disable=SC2086 # an empty entry must vanish
apt-get install -y -qq --no-install-recommends ${packages[*]} >/dev/null 2>&1 ||
  echo "有的系统软件没有装上，对应的场景不会运行" >&2
for service in kamailio nginx; do
  case " ${missing[*]:-} " in
    *" $service "*) command -v systemctl >/dev/null 2>&1 && systemctl -q disable "$service" 2>/dev/null ;;
  esac
done

# Only the one program out of Prometheus' package (19 MB): installed, it would start a server.
case " ${missing[*]} " in *" promtool "*)
  folder=$(mktemp -d)
  chmod 755 "$folder" # apt downloads as a user of its own
  mkdir -p .tools
  if (cd "$folder" && apt-get download -qq prometheus >/dev/null 2>&1) &&
    dpkg-deb --fsys-tarfile "$folder"/prometheus_*.deb | tar -x -C "$folder" ./usr/bin/promtool; then
    mv "$folder/usr/bin/promtool" .tools/promtool
  else
    echo "promtool 没有取到，告警规则不会检查" >&2
  fi
  rm -rf "$folder" ;;
esac
exit 0
