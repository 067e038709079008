#!/bin/sh
# Make the secrets that docker-compose.yml asks for, each once: what is there is never changed.
#   docker/make-secrets.sh [FOLDER]
# The folder is its owner's only. The files in it can be read by the containers' users, who are
# nobody on this machine.
set -eu
umask 077
folder=${1:-secrets}
mkdir -p "$folder"
cd "$folder"

word() { head -c 32 /dev/urandom | base64 | tr -d '=\n' | tr '+/' '-_'; }

keep() { # keep NAME: what comes in becomes the secret NAME, unless it is there
  if [ -s "$1" ]; then cat >/dev/null; return; fi
  cat >"$1.new"
  chmod 444 "$1.new"
  mv "$1.new" "$1"
  echo "made $1" >&2
}

word | keep postgres_password
printf 'postgresql+psycopg://qianmen:%s@postgres:5432/qianmen\n' "$(cat postgres_password)" | keep qianmen_database_url
printf 'requirepass %s\n' "$(word)" | keep valkey_conf
printf 'redis://:%s@redis:6379/0\n' "$(cut -d ' ' -f 2 valkey_conf)" | keep qianmen_redis_url
word | keep qianmen_secret_key
printf 'qk1.aes256.%s\n' "$(word)" | keep qianmen_data_key
word | keep grafana_password
word | keep qianmen_sip_password
printf '110=%s\n' "$(word)" | keep qianmen_link_keys

if [ ! -s tls_certificate ] || [ ! -s tls_key ]; then
  if command -v openssl >/dev/null 2>&1; then
    openssl req -x509 -newkey rsa:2048 -nodes -days 365 -subj "/CN=${TLS_NAME:-localhost}" \
      -addext "subjectAltName=DNS:${TLS_NAME:-localhost}" -keyout key.new -out certificate.new 2>/dev/null
    keep tls_certificate <certificate.new
    keep tls_key <key.new
    rm -f key.new certificate.new
    echo "The certificate is self-signed, for a trial: put the city's own in $folder/tls_certificate and tls_key." >&2
  else
    echo "No openssl here: put a certificate (PEM) in $folder/tls_certificate and its key in tls_key." >&2
  fi
fi
echo "Keep a copy of $folder/qianmen_data_key elsewhere: without it the personal data cannot be read." >&2
