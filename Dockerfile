# The image of pairquiz-server: the locked dependencies, the page to play on, a user of its own, and no build tools.
#
#   docker build --tag pairquiz-server .
#   docker run --publish 8000:8000 --env DATABASE_URL=… --env JWT_SECRET=… pairquiz-server
#
# It has no embedded PostgreSQL: DATABASE_URL is required. See docs/deployment.md.

FROM node:22-slim AS page
WORKDIR /source/frontend
COPY frontend ./
RUN npm ci --ignore-scripts --no-audit --no-fund && npm run build

FROM python:3.11-slim AS build
WORKDIR /source
RUN python -m venv /opt/pairquiz
COPY constraints.txt setup.cfg pyproject.toml README.md LICENSE config.toml ./
COPY pairquiz_server pairquiz_server
COPY sql sql
COPY --from=page /source/frontend/dist frontend/dist
RUN /opt/pairquiz/bin/pip install --no-cache-dir --constraint constraints.txt .

FROM python:3.11-slim
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/pairquiz-server --shell /usr/sbin/nologin pairquiz
COPY --from=build /opt/pairquiz /opt/pairquiz
# With a host that is open to others the server starts only with JWT_SECRET, SUPABASE_URL or PAIRQUIZ_AUTH__JWKS_URL (or
# PAIRQUIZ_AUTH__MODE=guest).
# Set PAIRQUIZ_SERVER__TRUSTED_PROXIES to how many proxies stand before the container.
ENV PATH=/opt/pairquiz/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PAIRQUIZ_SERVER__HOST=0.0.0.0 \
    PAIRQUIZ_SERVER__TRUSTED_PROXIES=0
WORKDIR /var/lib/pairquiz-server
USER 10001
# The port is PORT where that is set.
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f\"http://127.0.0.1:{os.environ.get('PORT') or 8000}/healthz\", timeout=4)"]
CMD ["pairquiz-server", "serve"]
