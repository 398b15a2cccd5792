# One image for every stage: `penstock scheduler|worker|parse|record|serve` is the command of a container.
#
#     docker build -t penstock .
#
# The base is pinned by tag. To pin it by digest too, so that a rebuild cannot differ, ask for the digest of the tag
# and write it behind:
#
#     docker buildx imagetools inspect python:3.13-slim-bookworm --format '{{.Manifest.Digest}}'
#     ARG PYTHON=python:3.13-slim-bookworm@sha256:...
ARG PYTHON=python:3.13-slim-bookworm

# ---- the wheel of Penstock itself
FROM ${PYTHON} AS wheel
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
COPY deploy/build.lock deploy/build.lock
RUN pip install --require-hashes --only-binary :all: -r deploy/build.lock
COPY pyproject.toml README.md LICENSE ./
COPY contract contract
COPY scheduler scheduler
COPY scraper scraper
COPY storage storage
COPY penstock penstock
RUN pip wheel --no-deps --no-build-isolation --wheel-dir /wheels .

# ---- the libraries, each file held against its hash; wheels only, so that nothing is compiled
FROM ${PYTHON} AS installed
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
RUN python -m venv --without-pip /opt/penstock
COPY requirements.lock ./
RUN pip --python /opt/penstock/bin/python install --require-hashes --only-binary :all: -r requirements.lock
COPY --from=wheel /wheels /wheels
RUN pip --python /opt/penstock/bin/python install --no-deps --no-index /wheels/*.whl \
 && python -m compileall -q -j 0 /opt/penstock/lib

# ---- what runs
FROM ${PYTHON} AS final
LABEL org.opencontainers.image.title="Penstock" \
      org.opencontainers.image.description="An event-driven web scraper that does not lose work" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="https://github.com/penstock/penstock"

# The number is fixed: volumes are owned by it, and Kubernetes' runAsNonRoot wants a number.
RUN groupadd --gid 10001 penstock \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin penstock \
 && install --directory --owner 10001 --group 10001 --mode 0750 /data
COPY --from=installed /opt/penstock /opt/penstock

# The root may be read-only: nothing is written but to /data (record alone) and /tmp.
ENV PATH=/opt/penstock/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PYTHONFAULTHANDLER=1 \
    PENSTOCK_DATA=/data \
    PENSTOCK_METRICS_PORT=9100 \
    PENSTOCK_LOG_FORMAT=json
USER 10001:10001
WORKDIR /data

# SIGTERM drains: take nothing more, finish what is held within 25 s, give the rest back, exit with 0.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as ask; ask.urlopen(f\"http://127.0.0.1:{os.environ['PENSTOCK_METRICS_PORT']}/healthz\", timeout=3)"]
ENTRYPOINT ["penstock"]
CMD ["--help"]
