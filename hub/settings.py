"""The one settings file.  Every value that an operator may set is read from ``HUB_*`` by `hub.env`.

``docs/operating.md`` lists the settings for operators; `tests/test_house.py` keeps the list complete.
"""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from hub import env as _env

BASE_DIR = Path(__file__).resolve().parent.parent
ENV = _env.load(BASE_DIR)

# --- where the hub stands -------------------------------------------------------------------------------------------
HUB_DATA = Path(ENV.text("HUB_DATA", str(BASE_DIR / "var")))
HUB_BIND = ENV.text("HUB_BIND", "127.0.0.1")
HUB_PORT = ENV.number("HUB_PORT", 8000, at_least=1)
HUB_BYTES_PORT = ENV.number("HUB_BYTES_PORT", HUB_PORT + 1, at_least=1)
HUB_PUBLIC_URL = ENV.text("HUB_PUBLIC_URL").rstrip("/")
HUB_BYTES_URL = ENV.text("HUB_BYTES_URL").rstrip("/")
HUB_DELIVERY = ENV.choice("HUB_DELIVERY", "auto", ("auto", "redirect", "proxy"))

# --- who may do what ------------------------------------------------------------------------------------------------
HUB_SIGNUP = ENV.choice("HUB_SIGNUP", "closed", ("closed", "invite", "open"))
HUB_XET = ENV.flag("HUB_XET", True)
HUB_XET_GRANTS = ENV.flag("HUB_XET_GRANTS", False)
HUB_ORGANIZATIONS = ENV.choice("HUB_ORGANIZATIONS", "anyone", ("anyone", "staff"))
HUB_ANONYMOUS = ENV.choice("HUB_ANONYMOUS", "read", ("read", "none"))

# --- terms ----------------------------------------------------------------------------------------------------------
HUB_REVIEW = ENV.choice("HUB_REVIEW", "enforced", ("off", "advisory", "enforced"))
# Empty: two where at least three accounts may review, else one.
HUB_REVIEWERS = ENV.choice("HUB_REVIEWERS", "", ("", "1", "2"))
HUB_LICENSE_WAIT_SECONDS = ENV.number("HUB_LICENSE_WAIT_SECONDS", 3, at_most=60)

# --- limits ---------------------------------------------------------------------------------------------------------
HUB_PROOF_WAIT = ENV.number("HUB_PROOF_WAIT", 30)
HUB_UPLOAD_GRACE_HOURS = ENV.number("HUB_UPLOAD_GRACE_HOURS", 48, at_least=1)
HUB_SCRUB_DAYS = ENV.number("HUB_SCRUB_DAYS", 30, at_least=1)
HUB_PULL_RECORD_DAYS = ENV.number("HUB_PULL_RECORD_DAYS", 730)
# What a namespace may hold where staff says nothing else, in units of 10**9 bytes; 0 is any amount.
HUB_QUOTA_GB = ENV.number("HUB_QUOTA_GB", 0)
HUB_MAX_FILE_BYTES = ENV.number("HUB_MAX_FILE_BYTES", 500_000_000_000, at_least=1)
# Rights that end must end for addresses that were given out, and what is swept outlives them by far.
HUB_BYTE_URL_SECONDS = ENV.number("HUB_BYTE_URL_SECONDS", 600, at_least=10, at_most=600)

# --- second forms of large files ------------------------------------------------------------------------------------
HUB_PLAIN_AFTER = ENV.number("HUB_PLAIN_AFTER", 3)
HUB_PLAIN_DAYS = ENV.number("HUB_PLAIN_DAYS", 7, at_least=1)
HUB_PLAIN_MAX_BYTES = ENV.number("HUB_PLAIN_MAX_BYTES", 20_000_000_000)
HUB_PLAIN_BUDGET_BYTES = ENV.number("HUB_PLAIN_BUDGET_BYTES", 50_000_000_000)
# The stock client takes nothing larger in one piece.
HUB_CHUNK_ABOVE_BYTES = ENV.number("HUB_CHUNK_ABOVE_BYTES", 50_000_000_000)

# --- quantizations made here ----------------------------------------------------------------------------------------
HUB_CONVERT_DISK = ENV.number("HUB_CONVERT_DISK", 5_000_000_000)
HUB_CONVERT_OPEN = ENV.number("HUB_CONVERT_OPEN", 2)
# Running one file on a text, which happens only where it is asked for, ends after so long.
HUB_CONVERT_EVALUATE_SECONDS = ENV.number("HUB_CONVERT_EVALUATE_SECONDS", 1800)

DEBUG = ENV.flag("HUB_DEBUG", False)
SECRET_KEY = ENV.text("HUB_SECRET_KEY")


def _allowed_hosts() -> list[str]:
    """Return the names under which requests are answered, so that a forged Host header makes no forged links.

    A hub that listens to the network without being told its own name answers to any.
    """
    local = ["localhost", "127.0.0.1", "[::1]"]
    if HUB_PUBLIC_URL:
        return [urlsplit(HUB_PUBLIC_URL).hostname or "", *local]
    return local if HUB_BIND in ("127.0.0.1", "::1", "localhost") else ["*"]


ALLOWED_HOSTS = ENV.words("HUB_ALLOWED_HOSTS") or _allowed_hosts()
ROOT_URLCONF = "hub.urls"
WSGI_APPLICATION = "hub.wsgi.application"
APPEND_SLASH = False
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [BASE_DIR / "hub" / "locale"]
LANGUAGE_COOKIE_NAME = "language"
LANGUAGE_COOKIE_AGE = 31_536_000
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "pages:login"
LOGIN_REDIRECT_URL = "pages:home"
LOGOUT_REDIRECT_URL = "pages:home"

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django_htmx",
    "rest_framework",
    "hub.stack",
    "hub.accounts",
    "hub.audit",
    "storage",
    "licenses",
    "hub.catalog",
    "hub.pages",
]

MIDDLEWARE = [
    "hub.proxies.TrustedProxyMiddleware",
    "hub.wires.base.RequestIdMiddleware",
    "hub.wires.base.RawPathMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "hub.pages.compressing.CompressedStatic",
    "hub.pages.compressing.CompressedPages",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "hub.pages.languages.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "hub.pages.middleware.PageHeadersMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "hub.pages.context.house",
            ]
        },
    }
]

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "templates" / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 3600

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]


def _database(url: str) -> dict[str, object]:
    """Turn ``postgresql://user:password@host:port/name?host=/socket/folder`` into Django's settings."""
    parts = urlsplit(url)
    query = dict(pair.split("=", 1) for pair in parts.query.split("&") if "=" in pair)
    host = unquote(query.pop("host", "")) or parts.hostname or ""
    options: dict[str, object] = {key: unquote(value) for key, value in query.items()}
    # A pool lets a request give its connection back before it streams, without a reconnect for the next one.
    options["pool"] = {"min_size": 0, "max_size": 12, "timeout": 15}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(parts.port or query.get("port", "")),
        "OPTIONS": options,
    }


_APPLICATION_DATABASE = ENV.text("HUB_DATABASE_URL", "postgresql://hub@/hub")
_OWNER_DATABASE = ENV.text("HUB_DATABASE_OWNER_URL", _APPLICATION_DATABASE)
# Migrations run as the owner of the tables; everything else as a role that cannot change them.
HUB_DATABASE_ROLE = ENV.choice("HUB_DATABASE_ROLE", "application", ("application", "owner"))
APPLICATION_DATABASE = _database(_APPLICATION_DATABASE)
DATABASES = {"default": _database(_OWNER_DATABASE) if HUB_DATABASE_ROLE == "owner" else APPLICATION_DATABASE}

HUB_REDIS_URL = ENV.text("HUB_REDIS_URL", "redis://127.0.0.1:6379/0")
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": HUB_REDIS_URL}}
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"

HUB_S3 = {
    "endpoint": ENV.text("HUB_S3_ENDPOINT"),
    "public_endpoint": ENV.text("HUB_S3_PUBLIC_ENDPOINT"),
    "bucket": ENV.text("HUB_S3_BUCKET", "hub"),
    "access_key": ENV.text("HUB_S3_ACCESS_KEY"),
    "secret_key": ENV.text("HUB_S3_SECRET_KEY"),
    "region": ENV.text("HUB_S3_REGION", "us-east-1"),
}

# --- the web as seen from outside -----------------------------------------------------------------------------------
_SECURE = HUB_PUBLIC_URL.startswith("https://")
HUB_TRUSTED_PROXIES = ENV.words("HUB_TRUSTED_PROXIES")
USE_X_FORWARDED_HOST = bool(HUB_TRUSTED_PROXIES)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HUB_TRUSTED_PROXIES else None
SECURE_SSL_REDIRECT = False
SECURE_HSTS_SECONDS = 31_536_000 if _SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = False
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = _SECURE
SESSION_COOKIE_HTTPONLY = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "hub.pages.errors.csrf_failure"
CSRF_TRUSTED_ORIGINS = [HUB_PUBLIC_URL] if HUB_PUBLIC_URL else []
# NDJSON commits are read as a stream with bounds of their own; every other body stays under this.
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 2**20
# The stock client asks for thousands of paths in one form, a field each.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000
SILENCED_SYSTEM_CHECKS = [
    # TLS ends at the proxy in front; redirects and HSTS for subdomains are its business.
    "security.W004",
    "security.W005",
    "security.W008",
    "security.W021",
]

# --- mail -----------------------------------------------------------------------------------------------------------
_mail = urlsplit(ENV.text("HUB_EMAIL_URL"))
EMAIL_BACKEND = (
    "django.core.mail.backends.smtp.EmailBackend"
    if _mail.hostname
    else "django.core.mail.backends.console.EmailBackend"
)
EMAIL_HOST, EMAIL_PORT = _mail.hostname or "", _mail.port or 25
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = unquote(_mail.username or ""), unquote(_mail.password or "")
EMAIL_USE_TLS, EMAIL_USE_SSL = _mail.scheme == "smtp+tls", _mail.scheme == "smtps"
# A mail server that does not answer must not keep a worker.
EMAIL_TIMEOUT = 30
DEFAULT_FROM_EMAIL = ENV.text("HUB_EMAIL_FROM", "weighhouse@localhost")

# --- work in the background -----------------------------------------------------------------------------------------


def _broker_url(url: str) -> str:
    """Write a socket's address in Celery's words, which also calls the database number by another name."""
    if not url.startswith("unix://"):
        return url
    return url.replace("unix://", "redis+socket://", 1).replace("?db=", "?virtual_host=", 1)


CELERY_BROKER_URL = _broker_url(HUB_REDIS_URL)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,
    "socket_timeout": 10,
    "socket_connect_timeout": 5,
}
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_TIME_LIMIT = None
CELERY_BEAT_SCHEDULE = {
    "claim-due": {"task": "workers.claim_due", "schedule": 10.0, "options": {"expires": 10}},
    "flush-downloads": {"task": "workers.flush_downloads", "schedule": 30.0, "options": {"expires": 30}},
    "count-lists": {"task": "workers.count_lists", "schedule": 60.0, "options": {"expires": 60}},
    "count-storage": {"task": "workers.count_storage", "schedule": 600.0, "options": {"expires": 600}},
    "mail-notices": {"task": "workers.mail_notices", "schedule": 60.0, "options": {"expires": 60}},
    "ask-upkeep": {"task": "workers.ask_upkeep", "schedule": 3600.0, "options": {"expires": 3600}},
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": ENV.text("HUB_LOG_LEVEL", "INFO")},
    "loggers": {
        "django.request": {"level": "ERROR"},
        "botocore": {"level": "WARNING"},
        "httpx": {"level": "WARNING"},
    },
}
