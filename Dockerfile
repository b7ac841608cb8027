# The site in one container, started by `manage.py serve --take-over`. It stores everything in the volume /srv/rlm_site/var, unless
# DATABASE_URL names a server. compose.yaml adds nginx and PostgreSQL; on its own it needs HOST=0.0.0.0.
FROM python:3.11-slim-bookworm

# For backups; the version must match the server in compose.yaml.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends postgresql-client-15 \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /srv/rlm_site
COPY requirements.txt ./
RUN pip install --no-cache-dir --disable-pip-version-check --requirement requirements.txt

COPY . ./
RUN useradd --system --uid 999 rlm && install --directory --owner=rlm --mode=700 var

USER rlm
ENV PYTHONUNBUFFERED=1
VOLUME ["/srv/rlm_site/var"]
EXPOSE 8000
HEALTHCHECK --start-period=60s --timeout=10s CMD ["python", "-c", "import os, urllib.request; \
    urllib.request.urlopen('http://127.0.0.1:' + os.environ.get('PORT', '8000') + '/healthz')"]
CMD ["python", "manage.py", "serve", "--take-over"]
