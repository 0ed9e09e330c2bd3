# One image for web, workers, senders and beat; docker-compose.yml names the command of each.
FROM python:3.12-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /app
COPY requirements.lock requirements-local.lock ./
RUN python -m venv /venv && /venv/bin/pip install --no-deps --require-hashes -r requirements.lock
# The catalogue compiler is needed here only; its pin comes from the same lock.
RUN sed -n '/^polib==/,/[^\\]$/p' requirements-local.lock > /tmp/polib.lock \
    && pip install --no-deps --require-hashes --target /tools -r /tmp/polib.lock
COPY . .
RUN PYTHONPATH=/tools python -m devtools.translations compile \
    && SECRET_KEY=only-for-this-line PUBLIC_URL=http://localhost EMAIL_URL=consolemail:// \
       /venv/bin/python manage.py collectstatic --no-input \
    && /venv/bin/python -m compileall -q . \
    && rm -rf devtools dev tests bench docs

FROM python:3.12-slim
RUN useradd --system --uid 10001 --home-dir /nonexistent --shell /usr/sbin/nologin peyk \
    && install -d -o peyk -g peyk /data
COPY --from=build /venv /venv
COPY --from=build /app /app
WORKDIR /app
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PEYK_ENV=production PEYK_VAR_DIR=/data
USER peyk
VOLUME /data
EXPOSE 8000
# Asks like the proxy in front does; anything but a page is a failure. Only web keeps this check, see docker-compose.yml.
HEALTHCHECK --interval=15s --timeout=6s --start-period=30s --retries=4 CMD ["python", "-m", "smsplatform.healthcheck"]
CMD ["python", "-m", "gunicorn", "smsplatform.wsgi", "--bind", "0.0.0.0:8000", "--worker-class", "gthread", \
     "--workers", "3", "--threads", "8", "--worker-tmp-dir", "/dev/shm", "--no-control-socket", \
     "--max-requests", "20000", "--max-requests-jitter", "2000"]
