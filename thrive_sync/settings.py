"""Every setting, read from the environment; `.env.example` says what each one is for."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF

from thrive_sync.health import sentry
from thrive_sync.lib import env
from thrive_sync.stack import environment

# Where things are
BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = environment.var_dir()
env.read_file(BASE_DIR / ".env")  # the environment wins
environment.attach()  # to a running demo, if nothing else says where the servers are

# Site
DEBUG = env.flag("DEBUG", default=False)
SECRET_KEY = env.text("SECRET_KEY", hint=environment.HINT)
SECRET_KEY_FALLBACKS = env.words("SECRET_KEY_FALLBACKS")  # the opt-out links of mails sent before a change still work
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS")
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")
ROOT_URLCONF = "thrive_sync.urls"
WSGI_APPLICATION = "thrive_sync.wsgi.application"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "axes",
    "csp",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "accounts",
    "audit",
    "targetgroups",
    "mailings",
    "alerts",
    "api",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.TimezoneMiddleware",
    "accounts.middleware.LanguageMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "accounts.middleware.PresenceMiddleware",
    "accounts.middleware.TwoStepMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
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
            ],
        },
    }
]

# PostgreSQL
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES: dict[str, dict[str, Any]] = {"default": env.database("DATABASE_URL", hint=environment.HINT)}
DATABASES["default"] = {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True} | DATABASES["default"]
DATABASES["default"]["OPTIONS"].setdefault("connect_timeout", 10)
# For the few statements that ask for it, again and again; see mailings/send/tally.py
DATABASES["default"]["OPTIONS"].setdefault("prepare_threshold", 5)

# Redis or Valkey: the Celery side of it is in celery.py
REDIS_URL = env.broker("REDIS_URL", hint=environment.HINT)

# People and sessions
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "accounts.backends.OneQueryBackend"]
LOGIN_URL = "accounts:sign_in"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = LOGIN_URL
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
SESSION_ENGINE = "accounts.sessions"
SESSION_COOKIE_AGE = 12 * 60 * 60  # from the sign-in on, whatever is done meanwhile
SESSION_IDLE_MINUTES = env.whole("SESSION_IDLE_MINUTES", 60, least=0)
PASSWORD_RESET_TIMEOUT = 2 * 60 * 60
TWO_STEP_FOR_ADMINISTRATORS = env.flag("TWO_STEP_FOR_ADMINISTRATORS", default=False)
INVITATION_DAYS = env.whole("INVITATION_DAYS", 7)

# Lock-out: too many wrong passwords for a user name from one address
AXES_FAILURE_LIMIT = env.whole("SIGN_IN_ATTEMPTS", 5)
AXES_COOLOFF_TIME = timedelta(minutes=env.whole("SIGN_IN_LOCK_MINUTES", 15))
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_CLIENT_IP_CALLABLE = "accounts.lockout.client_address"
AXES_LOCKOUT_CALLABLE = "accounts.lockout.locked_page"
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # or whoever goes on trying keeps the person out
AXES_DISABLE_ACCESS_LOG = True
AXES_VERBOSE = False
AXES_ENABLE_ADMIN = False
# What people type is kept in no attempt.
AXES_SENSITIVE_PARAMETERS = ["username", "password", "code", "new_password1", "new_password2", "csrfmiddlewaretoken"]

# Security: HTTPS is the rule; only a site that people reach on their own machine can do without
HTTPS_ONLY = env.flag("HTTPS_ONLY", default=True)
SECURE_SSL_REDIRECT = HTTPS_ONLY
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz|metrics)$"]  # a load balancer or a collector asks by plain HTTP
SESSION_COOKIE_SECURE = HTTPS_ONLY
CSRF_COOKIE_SECURE = HTTPS_ONLY
CSRF_COOKIE_HTTPONLY = True
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60 if HTTPS_ONLY else 0
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]  # other hosts of the domain are not ours to pin
PROXY_COUNT = 0  # how many entries of X-Forwarded-For are written by proxies of ours
if env.flag("BEHIND_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    PROXY_COUNT = env.whole("PROXY_COUNT", 1)
# Addresses that people type (a bridge's service) must not lead to servers beside ours, unless the operator says so.
ALLOW_PRIVATE_ADDRESSES = env.flag("ALLOW_PRIVATE_ADDRESSES", default=False)
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
# The first key encrypts, all of them decrypt.
FIELD_ENCRYPTION_KEYS = env.fernet_keys("FIELD_ENCRYPTION_KEYS", hint=environment.HINT)

# Words and times
# Those with a catalogue in locale/; of the English ones, only dates and numbers differ.
LANGUAGES = [
    ("en", "English (United States)"),
    ("en-au", "English (Australia)"),
    ("en-ca", "English (Canada)"),
    ("en-gb", "English (United Kingdom)"),
    ("en-ie", "English (Ireland)"),
]
# For whoever has chosen none, and for what is written down for everybody.
LANGUAGE_CODE = env.one_of("SITE_LANGUAGE", "en", tuple(code for code, _ in LANGUAGES))
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_TZ = True
TIME_ZONE = env.zone("TIME_ZONE", "UTC")

# Static files
STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "thrive_sync" / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "thrive_sync.lib.static_files.StaticFiles"},
}

# Syncs
SYNC_HEARTBEAT_SECONDS = env.seconds("SYNC_HEARTBEAT_SECONDS", 5, least=0.05)
SYNC_SILENCE_SECONDS = env.seconds("SYNC_SILENCE_SECONDS", 30, least=0.1)  # then a run is taken over
if SYNC_SILENCE_SECONDS <= SYNC_HEARTBEAT_SECONDS:
    raise env.malformed("SYNC_SILENCE_SECONDS", "it must be longer than SYNC_HEARTBEAT_SECONDS")
SYNC_SWEEP_SECONDS = env.seconds("SYNC_SWEEP_SECONDS", 10, least=0.1)
SYNC_OUTCOME_DAYS = env.whole("SYNC_OUTCOME_DAYS", 90)
MEMBERSUITE_RETRY_WAIT_SECONDS = env.seconds("MEMBERSUITE_RETRY_WAIT_SECONDS", 2, least=0)

# Alerts: what recovers must stay so for a while before it is told, so that what flaps tells one thing
ALERT_SETTLE_SECONDS = env.seconds("ALERT_SETTLE_SECONDS", 300, least=0)
# A group shrank if one sync made it smaller by more than both of these.
ALERT_SHRINK_PERCENT = env.whole("ALERT_SHRINK_PERCENT", 10, least=0)
ALERT_SHRINK_PEOPLE = env.whole("ALERT_SHRINK_PEOPLE", 10, least=0)
ALERT_DAYS = env.whole("ALERT_DAYS", 365)
WEBHOOK_OFF_DAYS = env.whole("WEBHOOK_OFF_DAYS", 5)  # of failures alone
WEBHOOK_LOG_DAYS = env.whole("WEBHOOK_LOG_DAYS", 30)

# The audit log: for how many days what was changed is kept; 0: for good
AUDIT_DAYS = env.whole("AUDIT_DAYS", 0, least=0)
if 0 < AUDIT_DAYS < 30:
    raise env.malformed("AUDIT_DAYS", "it must be 30 or more, or 0 for good")

# Mail
_mail = env.mail_server("EMAIL_URL", "smtp://localhost:25")
EMAIL_BACKEND = _mail["EMAIL_BACKEND"]
EMAIL_HOST, EMAIL_PORT = _mail["EMAIL_HOST"], _mail["EMAIL_PORT"]
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail["EMAIL_HOST_USER"] or "", _mail["EMAIL_HOST_PASSWORD"] or ""
EMAIL_USE_TLS, EMAIL_USE_SSL = _mail.get("EMAIL_USE_TLS", False), _mail.get("EMAIL_USE_SSL", False)
EMAIL_FILE_PATH = _mail["EMAIL_FILE_PATH"]
EMAIL_TIMEOUT = env.seconds("EMAIL_TIMEOUT", 30, least=0.1)
MAIL_CONNECTIONS = env.whole("MAIL_CONNECTIONS", 8, most=50)
MAIL_RATE = env.whole("MAIL_RATE", 0, least=0)  # messages a second of one mailing; 0: as fast as the server takes them
EMAIL_FROM = env.text("EMAIL_FROM", "")
SITE_URL = env.origin("SITE_URL", "")
MAIL_POSTAL_ADDRESS = env.text("MAIL_POSTAL_ADDRESS", "")
MAILING_SILENCE_SECONDS = env.seconds("MAILING_SILENCE_SECONDS", 30, least=0.5)
MAILING_LATE_SECONDS = env.seconds("MAILING_LATE_SECONDS", 3600, least=1)
# The list moved since the sender reviewed it if the number of recipients changed by more than both of these.
MAILING_MOVED_PERCENT = env.whole("MAILING_MOVED_PERCENT", 10, least=0)
MAILING_MOVED_PEOPLE = env.whole("MAILING_MOVED_PEOPLE", 25, least=0)
# What a provider tells of bounces and complaints must be signed: without its secret nothing is there to tell it to.
ANYMAIL = {
    name: value
    for name, value in {
        "WEBHOOK_SECRET": env.sign_ins("MAIL_WEBHOOK_SECRET"),
        "MAILERSEND_SIGNING_SECRET": env.text("MAILERSEND_WEBHOOK_SECRET", ""),
        "MAILGUN_WEBHOOK_SIGNING_KEY": env.text("MAILGUN_WEBHOOK_KEY", ""),
        "MANDRILL_WEBHOOK_KEY": env.text("MANDRILL_WEBHOOK_KEY", ""),
        "SENDGRID_TRACKING_WEBHOOK_VERIFICATION_KEY": env.public_key("SENDGRID_WEBHOOK_KEY"),
    }.items()
    if value
}
# So many soft bounces of different mailings within so many days suppress an address.
SOFT_BOUNCE_MAILINGS = env.whole("SOFT_BOUNCE_MAILINGS", 5)
SOFT_BOUNCE_DAYS = env.whole("SOFT_BOUNCE_DAYS", 30)
MAIL_SINK_DIR = env.text("MAIL_SINK_DIR", "")  # the demo's: its inbox is a page then

# For whoever watches: without its token there are no metrics, without an address no error leaves this machine
METRICS_TOKEN = env.token("METRICS_TOKEN")
SENTRY_DSN = env.text("SENTRY_DSN", "")
sentry.start(SENTRY_DSN, env.text("SENTRY_ENVIRONMENT", "production"))

# API: by token alone, JSON alone
API_REQUESTS_PER_MINUTE = env.whole("API_REQUESTS_PER_MINUTE", 300)
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["api.access.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["api.access.ScopeAndRight"],
    "DEFAULT_THROTTLE_CLASSES": ["api.limits.TokenThrottle"],
    "DEFAULT_PARSER_CLASSES": ["api.limits.JsonParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "api.document.Schema",
    "DEFAULT_METADATA_CLASS": None,
    "EXCEPTION_HANDLER": "api.problems.handle",
    "URL_FORMAT_OVERRIDE": None,
    "COERCE_DECIMAL_TO_STRING": False,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "thrive-sync",
    "DESCRIPTION": "Target groups, subscribers, runs, mailings and suppressions, by the names and rules of the pages.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "DISABLE_ERRORS_AND_WARNINGS": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "api.document.refuse_unknown_names",
    ],
    "ENUM_NAME_OVERRIDES": {
        "GroupState": "targetgroups.choices.GroupState",
        "RunStatus": "targetgroups.choices.RunStatus",
        "RunKind": "targetgroups.choices.RunKind",
        "MailingStatus": "mailings.choices.MailingStatus",
        "SuppressionCause": "targetgroups.choices.SuppressionCause",
    },
}

# Logs: to stderr, redacted
LOG_LEVEL = env.log_level("LOG_LEVEL", "INFO")
LOG_FORMAT = env.one_of("LOG_FORMAT", "line", ("line", "json"))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "thrive_sync.lib.logs.RedactingFormatter",
            "format": "{asctime} {levelname} {name} {message}",
            "style": "{",
        },
        "json": {"()": "thrive_sync.lib.logs.JsonFormatter"},
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        "django": {"handlers": [], "level": LOG_LEVEL, "propagate": True},
        "django.server": {"handlers": [], "level": LOG_LEVEL, "propagate": True},
        # SQL and requests carry people's data in their parameters, so they stay silent at any level.
        "django.db.backends": {"level": "WARNING"},
        "axes": {"level": "ERROR"},  # it would tell who typed what from where
        "urllib3": {"level": "WARNING"},
        "urllib3.connection": {"level": "ERROR"},  # it would tell what a server sent that is no header
    },
}
