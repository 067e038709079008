# Kamailio 5.6 of Debian 12, the one that tests/scenarios/test_kamailio.py runs.
#   docker build -f docker/kamailio.Dockerfile -t qianmen-kamailio:local .
ARG DEBIAN_IMAGE=debian:bookworm-slim
FROM ${DEBIAN_IMAGE}
LABEL org.opencontainers.image.title="qianmen-kamailio" \
    org.opencontainers.image.description="Kamailio in front of the phones of a 12345 hotline" \
    org.opencontainers.image.licenses="GPL-3.0-or-later"
RUN apt-get update \
    && apt-get install -y --no-install-recommends kamailio \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10002 calls \
    && useradd --uid 10002 --gid 10002 --no-create-home --home-dir /run/kamailio --shell /usr/sbin/nologin calls
COPY LICENSE /usr/share/licenses/qianmen/LICENSE
COPY ops/kamailio /etc/kamailio
USER 10002:10002
CMD ["kamailio", "-DD", "-E", "-f", "/etc/kamailio/kamailio.cfg", "-Y", "/run/kamailio"]
