"""Read settings from the environment; a missing or malformed one stops the start and is called by its name."""

from __future__ import annotations

import base64
import logging
import math
import os
import zoneinfo
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import environ
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.serialization import load_der_public_key
from django.core.exceptions import ImproperlyConfigured

_environ = environ.Env()
POSTGRES_SCHEMES = ("postgres", "postgresql")
BROKER_SCHEMES = ("redis", "rediss", "redis+socket", "unix")
# django-environ takes "smtps" for STARTTLS, others for TLS from the start: whoever means one says which.
MAIL_SCHEMES = ("smtp", "smtp+tls", "smtp+ssl", "consolemail", "filemail", "memorymail", "dummymail")
LEAST_PASSWORD = 16  # characters
MAIL_PORTS = {"smtp": 25, "smtp+tls": 587, "smtp+ssl": 465}


def read_file(path: Path) -> None:
    """Take what a `.env` file says and the environment does not."""
    if path.is_file():
        environ.Env.read_env(path, overwrite=False)


def text(name: str, default: str | None = None, *, hint: str = "") -> str:
    value = os.environ.get(name, "").strip()
    if value:
        return value
    if default is None:
        raise ImproperlyConfigured(f"{name} is not set. {hint or '.env.example says what it is for.'}")
    return default


def flag(name: str, *, default: bool) -> bool:
    value = text(name, str(default)).lower()
    if value not in ("true", "false", "1", "0", "yes", "no", "on", "off"):
        raise malformed(name, "it must be true or false")
    return value in ("true", "1", "yes", "on")


def words(name: str, default: str = "") -> list[str]:
    """Split a comma separated list."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def whole(name: str, default: int, *, least: int = 1, most: int | None = None) -> int:
    try:
        value = int(text(name, str(default)))
    except ValueError:
        raise malformed(name, "it must be a whole number") from None
    if value < least:
        raise malformed(name, f"it must be at least {least}")
    if most is not None and value > most:
        raise malformed(name, f"it must be at most {most}")
    return value


def seconds(name: str, default: float, *, least: float) -> float:
    try:
        value = float(text(name, str(default)))
    except ValueError:
        raise malformed(name, "it must be a number of seconds") from None
    if not math.isfinite(value) or value < least:
        raise malformed(name, f"it must be at least {least:g} seconds")
    return value


def zone(name: str, default: str) -> str:
    value = text(name, default)
    try:
        zoneinfo.ZoneInfo(value)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        raise malformed(name, f"there is no time zone {value!r}; an example is Europe/Berlin") from None
    return value


def log_level(name: str, default: str) -> str:
    value = text(name, default).upper()
    if value not in logging.getLevelNamesMapping() or value == "NOTSET":
        raise malformed(name, "it must be DEBUG, INFO, WARNING, ERROR or CRITICAL")
    return value


def one_of(name: str, default: str, choices: tuple[str, ...]) -> str:
    """Return one of some words."""
    value = text(name, default).lower()
    if value not in choices:
        raise malformed(name, f"it must be one of {', '.join(choices)}")
    return value


def token(name: str) -> str:
    """Return a secret that another program shows to be let in; empty if it is not set."""
    value = text(name, "")
    if value and (len(value) < LEAST_PASSWORD or not value.isascii() or not value.isprintable() or " " in value):
        raise malformed(name, f"it must be {LEAST_PASSWORD} or more ASCII characters without spaces")
    return value


def fernet_keys(name: str, *, hint: str = "") -> tuple[str, ...]:
    """Return the keys of the encrypted fields: the first encrypts, all of them decrypt."""
    text(name, hint=hint)
    keys = tuple(words(name))
    for position, key in enumerate(keys, start=1):
        try:
            Fernet(key)
        except ValueError:  # the key itself stays out of the message
            raise malformed(name, f"key {position} is not a Fernet key (32 bytes in URL-safe base64)") from None
    return keys


def sign_ins(name: str) -> list[str]:
    """Return user names with their passwords, "user:password", comma separated: several while one replaces another."""
    found = words(name)
    for position, one in enumerate(found, start=1):
        user, _, password = one.partition(":")
        if not user or len(password) < LEAST_PASSWORD:  # neither of them may stand in the message
            raise malformed(name, f"sign-in {position} must be user:password, the password {LEAST_PASSWORD} or longer")
    return found


def public_key(name: str) -> str:
    """Return a public key as one line of base64, as providers show it; empty if it is not set."""
    value = text(name, "")
    if value:
        try:
            load_der_public_key(base64.b64decode(value, validate=True))
        except (ValueError, UnsupportedAlgorithm):
            raise malformed(name, "it must be a public key in base64, one line") from None
    return value


def database(name: str, *, hint: str = "") -> dict[str, Any]:
    """Return Django's description of a PostgreSQL database; `?host=` may name the folder of a socket."""
    value = text(name, hint=hint)
    if value.partition("://")[0] not in POSTGRES_SCHEMES:
        raise malformed(name, "it must name a PostgreSQL database: postgres://user:password@host:5432/name")
    try:
        config = dict(_environ.db_url_config(value))
    except (ImproperlyConfigured, ValueError, KeyError):
        raise malformed(name, "an example is postgres://user:password@host:5432/name") from None
    if not config.get("NAME"):
        raise malformed(name, "it must name a database: postgres://user:password@host:5432/name")
    options = config.setdefault("OPTIONS", {})
    if "host" in options:
        config["HOST"] = options.pop("host")
    return config


def broker(name: str, *, hint: str = "") -> str:
    """Return the address of Redis or Valkey as Celery wants it; both spellings of a unix socket are taken."""
    value = text(name, hint=hint)
    parts = urlsplit(value)
    if parts.scheme not in BROKER_SCHEMES or not (parts.hostname or parts.path):
        raise malformed(name, "examples are redis://host:6379/0 and unix:///run/valkey.sock?db=0")
    if parts.scheme == "unix":
        return f"redis+socket://{parts.path}?virtual_host={parse_qs(parts.query).get('db', ['0'])[0]}"
    return value


def mail_server(name: str, default: str) -> dict[str, Any]:
    """Return Django's EMAIL_ settings of a mail server, without what the address does not say."""
    value = text(name, default)
    scheme = value.partition("://")[0]
    if scheme not in MAIL_SCHEMES:
        raise malformed(name, "it must begin with smtp://, smtp+tls:// (STARTTLS) or smtp+ssl:// (TLS from the start)")
    try:
        config = dict(_environ.email_url_config(value))
    except (ImproperlyConfigured, ValueError, KeyError):
        raise malformed(name, "an example is smtp+tls://user:password@host:587") from None
    if scheme in MAIL_PORTS:
        if not config["EMAIL_HOST"]:
            raise malformed(name, "it must name a host: smtp+tls://user:password@host:587")
        config["EMAIL_PORT"] = config["EMAIL_PORT"] or MAIL_PORTS[scheme]
    return config


def origin(name: str, default: str) -> str:
    """Return the address of a site: scheme and host, nothing after them."""
    value = text(name, default).rstrip("/")
    if not value:
        return value
    try:
        parts = urlsplit(value)
        is_origin = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_origin = False
    if not is_origin or value != f"{parts.scheme}://{parts.netloc}" or "@" in parts.netloc:
        raise malformed(name, "it must be like https://thrive.example.org")
    return value


def malformed(name: str, reason: str) -> ImproperlyConfigured:
    """Name the setting and what it must be, never its value: that may be a secret."""
    return ImproperlyConfigured(f"{name} is malformed: {reason}.")
