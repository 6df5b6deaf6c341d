# The image of pairquiz-server: the locked dependencies, the page to play on, a user of its own, and no build tools.
#
#   docker build --tag pairquiz-server .
#   docker run --publish 8000:8000 --env DATABASE_URL=… --env JWT_SECRET=… pairquiz-server
#
# It has no embedded PostgreSQL, and DATABASE_URL is required, unless it is asked for: --build-arg EXTRAS=embedded.
# It needs nowhere to write: --read-only works. See docs/deployment.md.

# To build of the very same bytes each time, name them with their digest: --build-arg PYTHON=python:3.11-…@sha256:…
ARG NODE=node:22-slim
ARG PYTHON=python:3.11-slim-bookworm

FROM ${NODE} AS page
WORKDIR /source/frontend
# What it stands on first: it stays, as long as only the page itself has changed.
COPY frontend/package.json frontend/package-lock.json ./
COPY frontend/client/package.json client/
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY frontend ./
RUN npm run build

FROM ${PYTHON} AS build
# strip takes a third off the packages: they come with their symbols. Any version does.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install --yes --no-install-recommends binutils && rm -rf /var/lib/apt/lists/*
WORKDIR /source
RUN python -m venv /opt/pairquiz
COPY constraints.txt setup.cfg pyproject.toml README.md LICENSE config.toml ./
COPY pairquiz_server pairquiz_server
COPY sql sql
COPY --from=page /source/frontend/dist frontend/dist
ARG EXTRAS=
# What runs needs neither pip nor the packages' own tests and sources in C.
RUN /opt/pairquiz/bin/pip install --no-cache-dir --constraint constraints.txt ".${EXTRAS:+[${EXTRAS}]}" \
    && /opt/pairquiz/bin/pip uninstall --yes setuptools pip \
    && find /opt/pairquiz/lib -path '*/site-packages/*' -type d -name tests -prune -exec rm -r {} + \
    && find /opt/pairquiz/lib -type f \( -name '*.c' -o -name '*.h' -o -name '*.pxd' -o -name '*.pyx' \) -delete \
    && find /opt/pairquiz/lib -type f -name '*.so' -exec strip --strip-unneeded {} +

FROM ${PYTHON}
ARG REVISION=unknown
LABEL org.opencontainers.image.title="pairquiz-server" \
      org.opencontainers.image.description="Realtime backend for two-player quiz duels" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.revision="${REVISION}"
RUN groupadd --system --gid 10001 pairquiz \
    && useradd --system --no-log-init --uid 10001 --gid 10001 --create-home --home-dir /var/lib/pairquiz-server \
        --shell /usr/sbin/nologin pairquiz
COPY --from=build /opt/pairquiz /opt/pairquiz
# With a host that is open to others the server starts only with JWT_SECRET, SUPABASE_URL or PAIRQUIZ_AUTH__JWKS_URL (or
# PAIRQUIZ_AUTH__MODE=guest).
# Set PAIRQUIZ_SERVER__TRUSTED_PROXIES to how many proxies stand before the container.
ENV PATH=/opt/pairquiz/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PAIRQUIZ_SERVER__HOST=0.0.0.0 \
    PAIRQUIZ_SERVER__TRUSTED_PROXIES=0
WORKDIR /var/lib/pairquiz-server
USER 10001:10001
# The port is PORT where that is set.
EXPOSE 8000
STOPSIGNAL SIGTERM
# By bash alone: a Python that starts for it costs fifty times as much (72 ms of CPU), every ten seconds.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/${PAIRQUIZ_SERVER__PORT:-${PORT:-8000}} && printf 'GET /healthz HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' >&3 && read -r -t 4 _ status _ <&3 && test \"$status\" = 200"]
CMD ["pairquiz-server", "serve"]
