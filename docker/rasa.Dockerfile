# Rasa with the dialogue model trained in: nothing is trained, fetched or written when it starts.
#   docker build -f docker/rasa.Dockerfile -t qianmen-rasa:local .
# Other package sources: --build-arg PIP_INDEX_URL=… UV_DEFAULT_INDEX=…
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ARG PIP_INDEX_URL
ARG UV_DEFAULT_INDEX
# The folder in config/cities whose citizens' questions the dialogue learns from.
ARG CITY=sample
# multidict has no wheel for this Python; without its C part it needs no compiler.
ENV UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy UV_NO_CACHE=1 UV_COMPILE_BYTECODE=1 \
    MULTIDICT_NO_EXTENSIONS=1
WORKDIR /opt/qianmen
COPY requirements/uv.txt requirements/rasa.txt requirements/
RUN python -m pip install --no-cache-dir --require-hashes --target /opt/uv -r requirements/uv.txt
RUN /opt/uv/bin/uv venv --quiet .venv \
    && /opt/uv/bin/uv pip install --quiet --no-deps --require-hashes --python .venv/bin/python \
        -r requirements/rasa.txt
COPY LICENSE ./
COPY bot/__init__.py bot/__init__.py
COPY bot/rasa bot/rasa
COPY language language
COPY sealing sealing
COPY config/cities config/cities
COPY qianmen/__init__.py qianmen/health.py qianmen/
RUN .venv/bin/python -m compileall -q bot language sealing qianmen \
    && PYTHONPATH=/opt/qianmen PYTHONWARNINGS=ignore RASA_TELEMETRY_ENABLED=false CUDA_VISIBLE_DEVICES= \
        TF_CPP_MIN_LOG_LEVEL=3 MPLCONFIGDIR=/tmp/matplotlib .venv/bin/python -m bot.rasa.train rasa "config/cities/$CITY" \
    && rm -r rasa/project

FROM ${PYTHON_IMAGE}
LABEL org.opencontainers.image.title="qianmen-rasa" \
    org.opencontainers.image.description="The dialogue of the front door of a 12345 hotline" \
    org.opencontainers.image.licenses="GPL-3.0-or-later"
RUN groupadd --gid 10001 qianmen \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin qianmen
COPY --from=build /opt/qianmen /opt/qianmen
ENV PATH=/opt/qianmen/.venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /opt/qianmen
USER 10001:10001
CMD ["python", "-m", "bot.rasa.launch", "/tmp/rasa", "/opt/qianmen/rasa/models/qianmen.tar.gz"]
