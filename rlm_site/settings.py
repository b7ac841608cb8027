"""The one settings file and the only reader of the environment.

Values come from the process environment, then from `.env` beside manage.py. What is missing or wrong stops the
start with one line that says what to do. README.md lists the variables.
"""

import ipaddress
import zoneinfo
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent
STATE_DIR = BASE_DIR / "var"  # the database and the collected static files; never in the repository

with suppress(OSError):  # whoever cannot write there gets an error from the database
    STATE_DIR.mkdir(exist_ok=True)

env = environ.Env()
env.read_env(BASE_DIR / ".env")


def _port() -> int:
    value = env("PORT", default="8000")
    if not value.isascii() or not value.isdigit() or not 0 < int(value) < 65536:
        raise ImproperlyConfigured(f"PORT is {value!r}; give a number from 1 to 65535.")
    return int(value)


def _debug() -> bool:
    value = env("DEBUG", default="false").lower()
    if value not in {"true", "false", "1", "0", "on", "off", "yes", "no"}:
        raise ImproperlyConfigured(f"DEBUG is {value!r}; give true or false.")
    return value in {"true", "1", "on", "yes"}


def _secret_key() -> str:
    value = env("SECRET_KEY", default="")
    if len(value) < 40:
        raise ImproperlyConfigured(
            "SECRET_KEY is missing or shorter than 40 characters; `make secret` writes a random one to .env."
        )
    return value


def _site_url() -> str:
    value = env("SITE_URL", default=f"http://127.0.0.1:{PORT}").rstrip("/")
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path or parts.query:
        raise ImproperlyConfigured(f"SITE_URL is {value!r}; give scheme and host, such as https://example.org.")
    return value


def _database() -> dict[str, Any]:
    url = env("DATABASE_URL", default=f"sqlite:///{STATE_DIR / 'db.sqlite3'}")
    if not url.startswith(("sqlite:///", "postgres://", "postgresql://")):
        raise ImproperlyConfigured("DATABASE_URL must begin with sqlite:/// or postgres://.")
    try:
        config: dict[str, Any] = env.db_url_config(url)
    except (ValueError, KeyError, TypeError) as error:
        raise ImproperlyConfigured(f"DATABASE_URL cannot be read ({error}).") from error
    if url.startswith("sqlite"):
        config["OPTIONS"] = {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,  # seconds a writer waits for another
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY; "
            "PRAGMA mmap_size=134217728; PRAGMA cache_size=-16000; "
            "PRAGMA journal_size_limit=67108864;",  # bytes that a long import may leave in the -wal
        }
    else:
        options = {"connect_timeout": 5, **config.get("OPTIONS", {})}  # seconds
        # With other values it is the same statement, which the server need not plan again when it has come five times.
        binding = options["server_side_binding"] = str(options.get("server_side_binding", True)).lower() == "true"
        config["OPTIONS"] = {"prepare_threshold": 5 if binding else None, **options}
    config["CONN_MAX_AGE"] = None
    return config


def _time_zone() -> str:
    value = env("TIME_ZONE", default="UTC")
    if value not in zoneinfo.available_timezones():
        raise ImproperlyConfigured(f"TIME_ZONE is {value!r}; give a name such as Europe/Prague.")
    return value


def _trusted_proxies() -> list[str]:
    proxies: list[str] = env.list("TRUSTED_PROXIES", default=[])
    for proxy in proxies:
        try:
            ipaddress.ip_address(proxy)
        except ValueError as error:
            raise ImproperlyConfigured(f"TRUSTED_PROXIES has {proxy!r}; give addresses such as 127.0.0.1.") from error
    return proxies


PORT = _port()
HOST = env("HOST", default="127.0.0.1")
DEBUG = _debug()
SECRET_KEY = _secret_key()
SITE_URL = _site_url()
REVIEW_BY_ANOTHER = env.bool("REVIEW_BY_ANOTHER", default=False)  # nobody approves or publishes their own text
SITE_NAME = env("SITE_NAME", default="Russian Liberation Movement")
CONTACT_EMAIL = env("CONTACT_EMAIL", default="")
TRUSTED_PROXIES = _trusted_proxies()

_site = urlsplit(SITE_URL)
# Part of the identifiers of feed entries. A site that moves keeps its first one, lest readers get old entries again.
FEED_AUTHORITY = env("FEED_AUTHORITY", default=_site.hostname)
SERVED_SECURELY = _site.scheme == "https"
ALLOWED_HOSTS = [_site.hostname, "127.0.0.1", "localhost", "[::1]"]
CSRF_TRUSTED_ORIGINS = [SITE_URL]

INSTALLED_APPS = [
    "rlm_site.apps.SiteConfig",
    "articles.apps.ArticlesConfig",
    "quotes.apps.QuotesConfig",
    "rlm_site.apps.SiteAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.sitemaps",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "taggit",
    "csp",
    "axes",
]

MIDDLEWARE = [
    "rlm_site.middleware.forget_untrusted_headers",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "rlm_site.page_cache.middleware.serve_from_memory",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "rlm_site.urls"
WSGI_APPLICATION = "rlm_site.wsgi.application"

_loaders = ["django.template.loaders.filesystem.Loader", "django.template.loaders.app_directories.Loader"]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "loaders": _loaders if DEBUG else [("django.template.loaders.cached.Loader", _loaders)],
            "builtins": ["django.templatetags.i18n", "django.templatetags.static", "rlm_site.templatetags.paging"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "rlm_site.context_processors.site",
            ],
        },
    }
]

DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "admin:login"
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_IPWARE_PROXY_TRUSTED_IPS = TRUSTED_PROXIES or None
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_TEMPLATE = "editor/locked_out.html"
AXES_VERBOSE = False

# Of readers' pages in the memory of a worker. None in development, where an edited template is to show at once.
PAGE_CACHE_BYTES = 0 if DEBUG else 24 * 2**20

LANGUAGE_CODE = "en"
TIME_ZONE = _time_zone()
USE_I18N = True
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = STATE_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_KEEP_ONLY_HASHED_FILES = False
FIXTURE_DIRS = [BASE_DIR / "fixtures"]

TAGGIT_TAGS_FROM_STRING = "rlm_site.tags.parsing.parse_tags"
TAGGIT_STRING_FROM_TAGS = "rlm_site.tags.parsing.format_tags"

# Nothing may come from another host and nothing inline may run, the admin included.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = SERVED_SECURELY
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_HSTS_SECONDS = 31536000 if SERVED_SECURELY else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
USE_X_FORWARDED_HOST = bool(TRUSTED_PROXIES)
# Whether subdomains and browsers' preload lists join HSTS is the operator's decision for the whole domain.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "django": {"handlers": ["console"], "level": "WARNING", "propagate": False},
        "django.request": {"handlers": ["console"], "level": "ERROR", "propagate": False},  # a 404 is no event
    },
}
