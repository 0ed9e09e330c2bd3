"""Settings from the environment. They load without any server running, so that tools (mypy, lint) can import them."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import environ
from csp.constants import NONCE, SELF
from django.utils.translation import gettext_lazy as _

from .beat import SCHEDULE


def find_package(name: str) -> Path:
    """The folder of an installed package, without importing it."""
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(name)
    return Path(spec.submodule_search_locations[0])


BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

# ./dev names the place it runs. Whoever starts a process in another way and says nothing, or something else, gets the
# locks of production.
PEYK_ENV = env("PEYK_ENV", default="production")
IS_PRODUCTION = PEYK_ENV not in ("dev", "test", "demo", "bench", "screenshots")


def outside_production(value: str) -> Any:
    """The default of a setting that production has to give: there is none."""
    return environ.Env.NOTSET if IS_PRODUCTION else value


DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env("SECRET_KEY", default=outside_production("not-secret-outside-production"))
# Keys that encrypt gateway credentials, newest first; older ones only decrypt. Empty: derived from SECRET_KEY.
ENCRYPTION_KEYS = env.list("ENCRYPTION_KEYS", default=[])
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "testserver"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
# Where people and providers reach us: links in e-mails that are written outside a request, addresses of pushes.
PUBLIC_URL = env("PUBLIC_URL", default=outside_production("http://127.0.0.1:8000")).rstrip("/")
VAR_DIR = Path(env("PEYK_VAR_DIR", default=str(BASE_DIR / "var")))

INSTALLED_APPS = [
    "common",
    "accounts",
    "billing",
    "gateways",
    "optout",
    "contacts",
    "messaging",
    "campaigns",
    "reporting",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "crispy_forms",
    "crispy_bootstrap5",
    "csp",
    "django_htmx",
    "django_structlog",
    "lucide",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.SessionAgeMiddleware",
    "accounts.middleware.LocaleMiddleware",  # after authentication: the profile's language counts
    "common.bodies.BodyLimitMiddleware",  # who is signed in may upload, where a page takes files
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "smsplatform.logging.RequestMiddleware",
    "accounts.middleware.ScopeMiddleware",
]

ROOT_URLCONF = "smsplatform.urls"
WSGI_APPLICATION = "smsplatform.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "smsplatform.panel.panel",
            ],
            "builtins": ["lucide.templatetags.lucide", "django.templatetags.i18n"],
        },
    }
]

DATABASES = {"default": env.db("DATABASE_URL", default="postgres://peyk@127.0.0.1:5432/peyk")}
DATABASES["default"]["CONN_MAX_AGE"] = env.int("CONN_MAX_AGE", default=60)
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DATABASES["default"].setdefault("OPTIONS", {}).setdefault("connect_timeout", 5)
# A machine that vanishes in the middle of a transaction keeps its locks no longer than this (the engine's own: 5 s).
# Long enough for exports, whose transaction waits for the reader.
DATABASES["default"]["OPTIONS"].setdefault("options", "-c idle_in_transaction_session_timeout=300s")
# And a database machine that vanishes is noticed within about 20 s, not after the kernel's two hours.
for option, seconds in (("keepalives_idle", 10), ("keepalives_interval", 3), ("keepalives_count", 3)):
    DATABASES["default"]["OPTIONS"].setdefault(option, seconds)
DATABASES["default"]["OPTIONS"].setdefault("tcp_user_timeout", 20_000)

REDIS_URL = env("REDIS_URL", default="redis://127.0.0.1:6379")
CACHES = {
    "default": {
        "BACKEND": "common.cache.FallbackCache",
        "LOCATION": f"{REDIS_URL.rstrip('/')}/1",
        "OPTIONS": {"socket_connect_timeout": 0.5, "socket_timeout": 1.0},
    }
}
# Sessions live in PostgreSQL: emptying Redis signs nobody out.
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_IDLE_SECONDS = env.int("SESSION_IDLE_SECONDS", default=30 * 60)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_PRODUCTION
SESSION_COOKIE_NAME = "__Host-session" if IS_PRODUCTION else "session"
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=IS_PRODUCTION)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if IS_PRODUCTION else None
SECURE_HSTS_SECONDS = 31_536_000 if IS_PRODUCTION else 0

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_ADAPTER = "accounts.allauth_adapter.AccountAdapter"
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = None
ACCOUNT_REAUTHENTICATION_TIMEOUT = 600
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Peyk"
# Who launches, transfers credits or administers needs an authenticator app. A demonstration would only be in the way.
TOTP_REQUIRED = env.bool("TOTP_REQUIRED", default=IS_PRODUCTION)
# Proxies in front whose X-Forwarded-For is believed (common.addresses): rate limits and pushes of providers go by the
# visitor's address, not by the proxy's.
TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=1 if IS_PRODUCTION else 0)
# EMAIL_BACKEND, EMAIL_HOST and the like from one address, smtp+tls://user:password@host:587.
vars().update(env.email_url("EMAIL_URL", default=outside_production("consolemail://")))
EMAIL_TIMEOUT = 10  # seconds; a mail server that hangs keeps a visitor or a tick waiting no longer
DEFAULT_FROM_EMAIL = env("DEFAULT_FROM_EMAIL", default="Peyk <noreply@localhost>")

LANGUAGE_CODE = "tr"
LANGUAGES = [("tr", _("Turkish")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "Europe/Istanbul"
USE_TZ = True
USE_THOUSAND_SEPARATOR = True
FORMAT_MODULE_PATH = ["smsplatform.formats"]

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
# Tabler's files come in a wheel whose Django app is not loaded; only its static folder is served.
STATICFILES_DIRS = [
    BASE_DIR / "static",
    ("tabler", str(find_package("jazzy_tabler") / "static" / "vendor" / "tabler")),
]
WHITENOISE_USE_FINDERS = not IS_PRODUCTION
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": VAR_DIR / "media"},
    },
    "staticfiles": {
        "BACKEND": "common.storage.StaticStorage"
        if IS_PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440  # of any body that is no file; common.bodies names the exceptions
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000  # the composer's, without JavaScript, are as many as the account has lists
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
FILE_UPLOAD_TEMP_DIR = VAR_DIR / "uploads"  # on disk: /tmp of a container is memory; common.uploads makes it
IMPORT_MAX_BYTES = env.int("IMPORT_MAX_BYTES", default=200 * 1024 * 1024)

CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "frame-ancestors": ["'none'"],
        "form-action": [SELF],
        "base-uri": [SELF],
    }
}
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "accounts.views.errors.csrf_failure"

CELERY_BROKER_URL = f"{REDIS_URL.rstrip('/')}/0"
CELERY_RESULT_BACKEND = None
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "default"
# The first that fits. `urgent` has a worker of its own, so nothing there may take long.
CELERY_TASK_ROUTES = {
    "messaging.tasks.drain": {"queue": "senders"},
    "messaging.tasks.offer_slot": {"queue": "senders"},
    "messaging.tasks.hand_over_slot": {"queue": "senders"},
    "messaging.tasks.turn_months": {"queue": "default"},
    "messaging.tasks.compare_charges": {"queue": "default"},
    "messaging.tasks.*": {"queue": "urgent"},
    "campaigns.tasks.start_due_campaigns": {"queue": "urgent"},
    "campaigns.tasks.walk_audience": {"queue": "bulk"},
    "campaigns.tasks.discard_stale_audience": {"queue": "bulk"},
    "contacts.tasks.run_import": {"queue": "bulk"},
    "contacts.tasks.remove_group": {"queue": "bulk"},
}
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,
    "socket_timeout": 10,
    "socket_connect_timeout": 5,
}
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 30
CELERY_TASK_TIME_LIMIT = 3000
CELERY_TIMEZONE = "UTC"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULE = SCHEDULE
# A worker that consumes nothing and a beat that publishes nothing for so long end (smsplatform.watchdog). Tests starve
# both for longer.
WATCHDOG_SECONDS = env.int("WATCHDOG_SECONDS", default=0 if PEYK_ENV == "test" else 120)

# The engine's timers (reliability.md, sections 2 and 3); tests shorten them.
ENGINE_LEASE_SECONDS = env.int("ENGINE_LEASE_SECONDS", default=20)  # of a sender slot; renewed four times as often
ENGINE_DEADLINE_SECONDS = env.int("ENGINE_DEADLINE_SECONDS", default=24 * 3600)  # never accepted: failed
ENGINE_EXPIRY_GRACE_SECONDS = env.int("ENGINE_EXPIRY_GRACE_SECONDS", default=24 * 3600)  # after validity: expired
ENGINE_UNKNOWN_SECONDS = env.int("ENGINE_UNKNOWN_SECONDS", default=72 * 3600)  # no evidence: unconfirmed

# What is kept, and how long (messaging.services.retention). Turkish law asks for three years of commercial messages'
# records. Raw receipts and providers' ids are for complaints: what came of a message stands in the message.
MESSAGE_RETENTION_MONTHS = env.int("MESSAGE_RETENTION_MONTHS", default=36)
RECEIPT_RETENTION_DAYS = env.int("RECEIPT_RETENTION_DAYS", default=90)
# When a connection is left alone, and how it comes back: fields of gateways.routing.breaker.Limits that differ.
ROUTING_BREAKER = env.json("ROUTING_BREAKER", default=None) or {}

# Connections that tenants enter reach public addresses only. A demonstration connects to its own simulator.
GUARD_TENANT_HOSTS = env.bool("GUARD_TENANT_HOSTS", default=PEYK_ENV not in ("dev", "demo", "test"))

# The operator simulator that ./dev run starts (demo and tests); empty in production.
SIMULATOR_SMPP_PORT = env.int("SIMULATOR_SMPP_PORT", default=0)
SIMULATOR_HTTP_URL = env("SIMULATOR_HTTP_URL", default="")  # the doubles of HTTP providers, each below its slug
SIMULATOR_CONTROL_URL = env("SIMULATOR_CONTROL_URL", default="")
SIMULATOR_JOURNAL = env("SIMULATOR_JOURNAL", default="")

SILENCED_SYSTEM_CHECKS: list[str] = []
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"console": {"()": "smsplatform.logging.make_formatter", "is_json": IS_PRODUCTION}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "console"}},
    "root": {"handlers": ["console"], "level": env("LOG_LEVEL", default="INFO")},
    "loggers": {"django_structlog": {"level": "WARNING"}},
}
