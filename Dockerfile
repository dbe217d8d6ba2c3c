# syntax=docker/dockerfile:1
# The ward in a container: the browser library by its lock, the wheel, then only what runs it.
#   docker build -t vitruvian . && docker compose up

FROM node:22-bookworm-slim AS browser
WORKDIR /browser
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts

FROM python:3.11-slim-bookworm AS build
WORKDIR /build
COPY requirements/build.txt requirements/
RUN pip install --no-cache-dir --require-hashes -r requirements/build.txt
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY src src
COPY --from=browser /browser/node_modules/uplot/dist/uPlot.esm.js /browser/node_modules/uplot/dist/uPlot.min.css /browser/node_modules/uplot/LICENSE src/vitruvian/dashboard/static/vendor/uplot/
RUN pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /wheels .

FROM python:3.11-slim-bookworm
ENV PYTHONUNBUFFERED=1 \
    NUMBA_CACHE_DIR=/var/lib/vitruvian/numba \
    VITRUVIAN_HOME=/var/lib/vitruvian
COPY requirements/runtime.txt /tmp/runtime.txt
RUN pip install --no-cache-dir --require-hashes -r /tmp/runtime.txt && rm /tmp/runtime.txt
COPY --from=build /wheels /tmp/wheels
RUN pip install --no-cache-dir --no-deps /tmp/wheels/*.whl && rm -r /tmp/wheels \
    && useradd --system --create-home --home-dir /var/lib/vitruvian --uid 10001 vitruvian
USER 10001
WORKDIR /var/lib/vitruvian
VOLUME /var/lib/vitruvian
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/api/v1/health/live', timeout=2)"]
ENTRYPOINT ["vitruvian"]
# Loopback, as everywhere by default. Listening on more needs authentication: see compose.yaml.
CMD ["ward"]
