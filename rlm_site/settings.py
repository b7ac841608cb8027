"""The one settings file and the only reader of the environment.

Values come from the process environment, then from `.env` beside manage.py; those that tell of the subject then from
`fixtures/site.env`, which belongs to the content. What is missing or wrong stops the start with one line that says what
to do. docs/operating.md lists the variables.
"""

import difflib
import os
import re
import zoneinfo
from contextlib import suppress
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import validate_email
from django.utils.translation import to_locale

BASE_DIR = Path(__file__).resolve().parent.parent
STATE_DIR = BASE_DIR / "var"  # the database and the collected static files; never in the repository

with suppress(OSError):  # whoever cannot write there gets an error from the database
    STATE_DIR.mkdir(mode=0o711, exist_ok=True)
    STATE_DIR.chmod(0o711)  # nobody else lists it; a web server in front reads the static files, and no other file

MOST_WORKERS = 128
OF_THE_SUBJECT = (
    "SITE_NAME", "SITE_TAGLINE", "SITE_DESCRIPTION", "SITE_LANGUAGE", "SITE_EDITORS", "LICENCE_NAME", "LICENCE_URL",
    "LICENCE_TERMS", "BASE_MAP",
)  # fmt: skip
VARIABLES = (
    "SECRET_KEY", "SITE_URL", "PORT", "HOST", "WORKERS", "DATABASE_URL", "TRUSTED_PROXIES", *OF_THE_SUBJECT,
    "CONTACT_EMAIL", "EMAIL_URL", "FEED_AUTHORITY", "TIME_ZONE", "REVIEW_BY_ANOTHER", "LOG_FORMAT", "DEBUG",
)  # fmt: skip


def _variables_of(file: Path, known: tuple[str, ...] = VARIABLES) -> dict[str, str]:
    """Return the variables of a file such as `.env`. An error never shows a value, which may be the secret key."""
    try:
        lines = file.read_text("utf-8-sig").splitlines()
    except FileNotFoundError:
        return {}
    except UnicodeDecodeError:
        raise ImproperlyConfigured(f"{file} is not UTF-8 text; save it as UTF-8.") from None
    except OSError as error:
        said = f"{file} cannot be read ({(error.strerror or str(error)).lower()})"
        raise ImproperlyConfigured(f"{said}; make it readable for the account that runs the site.") from error
    found: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = re.fullmatch(r"\s*(?:export )?([A-Za-z_][A-Za-z0-9_]*)=(.*)", line)
        if match is None:
            raise ImproperlyConfigured(f"Line {number} of {file} is not NAME=value.")
        name, value = match[1], match[2].strip()
        if name not in known:
            [near] = difflib.get_close_matches(name.upper(), known, 1, 0)
            fault = "is not a variable of this site" if known is VARIABLES else "does not belong in this file"
            raise ImproperlyConfigured(f"Line {number} of {file} sets {name}, which {fault}; did you mean {near}?")
        if name in found:
            raise ImproperlyConfigured(
                f"Line {number} of {file} sets {name} a second time; remove one of the two lines."
            )
        quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
        found[name] = value[1:-1] if quoted else value
    return found


def _refuse_mistyped_names() -> None:
    """Stop where the environment has one of our names with a slip in it; other programs have names unlike ours."""
    for name in sorted(os.environ.keys() - VARIABLES):
        for near in difflib.get_close_matches(name.upper(), VARIABLES, 1, 0.9):
            raise ImproperlyConfigured(
                f"The environment variable {name} is not known; rename it to {near}, or unset it."
            )


_refuse_mistyped_names()
_of_the_subject = _variables_of(BASE_DIR / "fixtures" / "site.env", OF_THE_SUBJECT)
_values = _of_the_subject | _variables_of(BASE_DIR / ".env") | os.environ


def env(name: str, default: str = "") -> str:
    """Return a variable: from the process environment, then from the files."""
    value = _values.get(name, default).strip()
    if not value.isprintable():
        raise ImproperlyConfigured(f"{name} contains a character that cannot be printed; type it again.")
    return value


def _text(name: str, shortest: int, longest: int, default: str = "") -> str:
    value = env(name, default)
    if not shortest <= len(value) <= longest:
        raise ImproperlyConfigured(f"{name} has {len(value)} characters; it must have {shortest} to {longest}.")
    return value


def _is_true(name: str, value: str) -> bool:
    if value.lower() not in {"true", "false", "1", "0", "on", "off", "yes", "no"}:
        raise ImproperlyConfigured(f"{name} is {value!r}; it must be true or false.")
    return value.lower() in {"true", "1", "on", "yes"}


def _port() -> int:
    value = env("PORT", "8000")
    if not re.fullmatch(r"[0-9]{1,5}", value) or not 0 < int(value) < 65536:
        raise ImproperlyConfigured(f"PORT is {value!r}; it must be a number from 1 to 65535.")
    return int(value)


def _host() -> str:
    value = env("HOST", "127.0.0.1")
    try:
        ip_address(value)
    except ValueError as error:
        raise ImproperlyConfigured(
            f"HOST is {value!r}; it must be an address of this machine, such as 127.0.0.1, or 0.0.0.0 for all."
        ) from error
    return value


def _secret_key() -> str:
    value = env("SECRET_KEY")
    if len(value) < 40:
        raise ImproperlyConfigured(
            "SECRET_KEY is missing or shorter than 40 characters; `make secret` writes a random one to .env."
        )
    return value


def _site_url() -> str:
    """Return scheme and host in lower case, as browsers send them, and the port."""
    value = env("SITE_URL", f"http://127.0.0.1:{PORT}").rstrip("/")
    if not re.fullmatch(r"https?://([a-z0-9.-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?", value.lower()):
        raise ImproperlyConfigured(
            f"SITE_URL is {value!r}; it must be a scheme and a host, such as https://example.org."
        )
    return value.lower()


def _database() -> dict[str, Any]:
    url = env("DATABASE_URL", f"sqlite:///{STATE_DIR / 'db.sqlite3'}")
    if not url.startswith(("sqlite:///", "postgres://", "postgresql://")):
        raise ImproperlyConfigured("DATABASE_URL must begin with sqlite:/// or postgres://.")
    try:
        config: dict[str, Any] = environ.Env.db_url_config(url)
    except (ValueError, KeyError, TypeError) as error:
        raise ImproperlyConfigured("DATABASE_URL cannot be read; see the examples in docs/operating.md.") from error
    if url.startswith("sqlite"):
        if config["NAME"] in {"", ":memory:"}:
            raise ImproperlyConfigured(
                "DATABASE_URL does not name a file; use, for example, sqlite:////srv/site/db.sqlite3."
            )
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
        binding = _is_true("server_side_binding in DATABASE_URL", str(options.get("server_side_binding", True)))
        config["OPTIONS"] = {"prepare_threshold": 5 if binding else None, **options, "server_side_binding": binding}
    config["CONN_MAX_AGE"] = None
    return config


def _site_language() -> str:
    value = env("SITE_LANGUAGE", "en")
    if not re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*", value):
        raise ImproperlyConfigured(f"SITE_LANGUAGE is {value!r}; it must be a language tag, such as en, de or pt-BR.")
    return value


def _language_of_the_interface() -> str:
    """Return the language of the site if `locale/` has a translation into it, else English, which needs none."""
    folder = to_locale(SITE_LANGUAGE)
    return SITE_LANGUAGE.lower() if (BASE_DIR / "locale" / folder / "LC_MESSAGES/django.mo").is_file() else "en"


def _licence_url() -> str:
    value = env("LICENCE_URL")
    if value and not re.fullmatch(r"https?://[^\s/]\S*", value):
        raise ImproperlyConfigured(
            f"LICENCE_URL is {value!r}; it must be the address of the licence, starting with https:// or http://."
        )
    if value and not LICENCE_NAME:
        raise ImproperlyConfigured("LICENCE_URL is set but LICENCE_NAME is not; set LICENCE_NAME too.")
    return value


def _base_map() -> str:
    value = env("BASE_MAP")
    files = [f"static/img/map/{value}.{suffix}" for suffix in ("json", "svg")]
    if value and not (re.fullmatch(r"[a-z0-9-]+", value) and all((BASE_DIR / file).is_file() for file in files)):
        raise ImproperlyConfigured(
            f"BASE_MAP is {value!r}; it must be the NAME of static/img/map/NAME.json and NAME.svg."
        )
    return value


def _contact_email() -> str:
    value = env("CONTACT_EMAIL")
    try:
        if value:
            validate_email(value)
    except ValidationError:
        raise ImproperlyConfigured(
            f"CONTACT_EMAIL is {value!r}; it must be an email address, such as office@example.org."
        ) from None
    return value


def _mail_server() -> SplitResult:
    """Return the parts of EMAIL_URL. An error does not show it, for it may have a password."""
    value = env("EMAIL_URL") or "console://"
    if value == "console://":
        return urlsplit(value)
    with suppress(ValueError):
        url = urlsplit(value)
        is_server = url.scheme in {"smtp", "smtps"} and url.hostname and url.port != 0
        if is_server and url.path in {"", "/"} and url.query in {"", "tls=0", "tls=1"} and not url.fragment:
            if not CONTACT_EMAIL:
                raise ImproperlyConfigured("EMAIL_URL is set but CONTACT_EMAIL is not; mail is sent from that address.")
            return url
    raise ImproperlyConfigured(
        "EMAIL_URL cannot be read; it must be like smtp://user:password@mail.example.org:587/?tls=1, "
        "smtps://user:password@mail.example.org or console://."
    )


def _feed_authority() -> str:
    value = env("FEED_AUTHORITY", re.sub(r":[0-9]+$", "", urlsplit(SITE_URL).netloc).strip("[]")).lower()
    if not re.fullmatch(r"[a-z0-9.:-]+", value):
        raise ImproperlyConfigured(f"FEED_AUTHORITY is {value!r}; it must be a host, such as example.org.")
    return value


def _time_zone() -> str:
    value = env("TIME_ZONE", "UTC")
    if value not in zoneinfo.available_timezones():
        raise ImproperlyConfigured(f"TIME_ZONE is {value!r}; it must be a time zone, such as Europe/Prague.")
    return value


def _trusted_proxies() -> list[IPv4Network | IPv6Network]:
    proxies = [text for entry in env("TRUSTED_PROXIES").split(",") if (text := entry.strip())]
    try:
        networks = [ip_network(proxy) for proxy in proxies]
    except ValueError as error:
        raise ImproperlyConfigured(
            f"TRUSTED_PROXIES: {error}; list addresses such as 127.0.0.1 and networks such as 172.16.0.0/12."
        ) from error
    if any(network.prefixlen == 0 for network in networks):
        raise ImproperlyConfigured("TRUSTED_PROXIES trusts every address; list only your own proxies.")
    return networks


def _workers() -> int:
    """Return how many processes answer requests: one for each core that this process may use."""
    value = env("WORKERS", str(min(len(os.sched_getaffinity(0)), MOST_WORKERS)))
    if not re.fullmatch(r"[0-9]{1,3}", value) or not 0 < int(value) <= MOST_WORKERS:
        raise ImproperlyConfigured(f"WORKERS is {value!r}; it must be a number from 1 to {MOST_WORKERS}.")
    return int(value)


def _log_format() -> str:
    value = env("LOG_FORMAT", "text").lower()
    if value not in {"text", "json"}:
        raise ImproperlyConfigured(f"LOG_FORMAT is {value!r}; it must be text or json.")
    return value


PORT = _port()
HOST = _host()
WORKERS = _workers()
LOG_FORMAT = _log_format()
DEBUG = _is_true("DEBUG", env("DEBUG", "false"))
SECRET_KEY = _secret_key()
SITE_URL = _site_url()
# nobody approves or publishes their own text
REVIEW_BY_ANOTHER = _is_true("REVIEW_BY_ANOTHER", env("REVIEW_BY_ANOTHER", "false"))
CONTACT_EMAIL = _contact_email()
_mail = _mail_server()
SENDS_MAIL = bool(env("EMAIL_URL"))
TRUSTED_PROXIES = _trusted_proxies()

SERVED_SECURELY = SITE_URL.startswith("https:")
_site_host = re.sub(r":[0-9]+$", "", urlsplit(SITE_URL).netloc)
SITE_NAME = _text("SITE_NAME", 1, 100, _site_host)
SITE_TAGLINE = _text("SITE_TAGLINE", 0, 60)  # beside the name: what kind of site it is
SITE_EDITORS = _text("SITE_EDITORS", 0, 200)  # their names, as they are to be cited
SITE_DESCRIPTION = _text("SITE_DESCRIPTION", 0, 300)  # one sentence
SITE_LANGUAGE = _site_language()  # of the texts
LICENCE_NAME = _text("LICENCE_NAME", 0, 100)
LICENCE_URL = _licence_url()
LICENCE_TERMS = _text("LICENCE_TERMS", 0, 300)
BASE_MAP = _base_map()
ALLOWED_HOSTS = [_site_host, "127.0.0.1", "localhost", "[::1]"]
CSRF_TRUSTED_ORIGINS = [SITE_URL]
# Part of the identifiers of feed entries. A site that moves keeps its first one, lest readers get old entries again.
FEED_AUTHORITY = _feed_authority()

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
    "rlm_site.middleware.resolve_client_address",
    "rlm_site.middleware.add_policies",
    "django.middleware.security.SecurityMiddleware",
    "rlm_site.static_files.StaticFiles",
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
                "rlm_site.front.navigation.lists",
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
    {"NAME": "rlm_site.passwords.NameInPasswordValidator", "OPTIONS": {"min_length": 12}},
]
EMAIL_BACKEND = f"django.core.mail.backends.{_mail.scheme.rstrip('s')}.EmailBackend"
EMAIL_HOST = _mail.hostname or ""
EMAIL_USE_SSL = _mail.scheme == "smtps"
EMAIL_USE_TLS = _mail.query == "tls=1"
EMAIL_PORT = _mail.port or (465 if EMAIL_USE_SSL else 587 if EMAIL_USE_TLS else 25)
EMAIL_HOST_USER = unquote(_mail.username or "")
EMAIL_HOST_PASSWORD = unquote(_mail.password or "")
EMAIL_TIMEOUT = 10  # seconds
DEFAULT_FROM_EMAIL = CONTACT_EMAIL or f"webmaster@{_site_host}"
PASSWORD_RESET_TIMEOUT = 24 * 3600  # seconds

LOGIN_URL = "admin:login"
# What the header of the admin links to, in this order, for those who may see it.
ADMIN_NAVIGATION = ["articles.article", "quotes.quote", "quotes.person", "articles.reference", "rlm_site.tag"]
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_SENSITIVE_PARAMETERS = ["username"]  # in the log, for a password is easily typed there
AXES_CLIENT_IP_CALLABLE = "rlm_site.client_address.limited_address_of"
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_TEMPLATE = "editor/locked_out.html"
AXES_VERBOSE = False

# Of readers' pages in the memory of each worker, and of all together. None in development, where an edited template is
# to show at once.
PAGE_CACHE_BYTES = 0 if DEBUG else min(24 * 2**20, 96 * 2**20 // WORKERS)

LANGUAGE_CODE = _language_of_the_interface()
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = "rlm_site.formats"
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
SERIALIZATION_MODULES = {"json": "rlm_site.page_cache.dumps"}

# Nothing that is sent is written to disk. The largest text of a form, three times in a conflict, and the largest file
# of an import, which travels once more in the form that confirms it, fit into the most that is read.
LARGEST_FORM = 16_000  # bytes that anybody may send
LARGEST_BODY = 4_000_000  # bytes that an editor's form may have
LARGEST_URLENCODED = 250_000  # bytes of a form that is not sent as multipart/form-data: it takes long to be decoded
DATA_UPLOAD_MAX_MEMORY_SIZE = FILE_UPLOAD_MAX_MEMORY_SIZE = LARGEST_BODY
FILE_UPLOAD_HANDLERS = ["rlm_site.uploads.EditorsUploadHandler"]

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
POLICY_HEADERS = {
    "Cache-Control": "no-cache",  # where nothing else is said: browsers keep a 301 and a 410 for good
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(
        f"{feature}=()"
        for feature in (
            "accelerometer", "autoplay", "browsing-topics", "camera", "display-capture", "encrypted-media",
            "fullscreen", "geolocation", "gyroscope", "hid", "identity-credentials-get", "idle-detection",
            "magnetometer", "microphone", "midi", "otp-credentials", "payment", "picture-in-picture",
            "publickey-credentials-create", "publickey-credentials-get", "screen-wake-lock", "serial", "usb",
            "xr-spatial-tracking",
        )
    ),
}  # fmt: skip
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = SERVED_SECURELY
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_HSTS_SECONDS = 31536000 if SERVED_SECURELY else 0
# Whether subdomains and browsers' preload lists join HSTS is the operator's decision for the whole domain.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"refusal": {"()": "rlm_site.logs.RefusalFilter"}},
    "formatters": {
        "line": {"()": "rlm_site.logs.JsonFormatter"}
        if LOG_FORMAT == "json"
        else {"format": "{asctime} {levelname} {name} {message}", "style": "{"}
    },
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "line"},
        "refusals": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["refusal"]},
    },
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "django": {"handlers": ["console"], "level": "WARNING", "propagate": False},
        "django.request": {"handlers": ["console"], "level": "ERROR", "propagate": False},  # a 404 is no event
        "rlm_site.requests": {"handlers": ["console"], "level": "INFO", "propagate": False},
        "django.security": {"handlers": ["refusals"], "level": "WARNING", "propagate": False},
    },
}
