"""Where the embedded servers keep their things, and how other programs find them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from secrets import token_hex, token_urlsafe
from typing import Any

from cryptography.fernet import Fernet

HINT = (
    "Start the demo (`make demo`), whose servers commands find by themselves; "
    "or set it in the environment or in .env, as .env.example shows."
)
# What the settings get while the demo has not started its servers yet.
NOT_YET_DATABASE = "postgres://demo@/not_started_yet?host=/nonexistent"
NOT_YET_REDIS = "unix:///nonexistent/valkey.sock?db=0"
# The demo is for the person at this machine: plain HTTP, and no other name.
SITE = {
    "ALLOWED_HOSTS": "127.0.0.1,localhost",
    "HTTPS_ONLY": "false",
    "ALLOW_PRIVATE_ADDRESSES": "true",  # the stand-in MemberSuite is one
}

# What a running demo tells the commands beside it.
TOLD = ("DATABASE_URL", "REDIS_URL", "EMAIL_URL", "EMAIL_FROM", "SITE_URL", "MAIL_POSTAL_ADDRESS", "MAIL_SINK_DIR")


def var_dir() -> Path:
    """Return the folder of data, logs and generated secrets."""
    named = os.environ.get("THRIVE_VAR", "").strip()
    return Path(named).resolve() if named else Path(__file__).resolve().parent.parent.parent / "var"


def addresses_file(var: Path) -> Path:
    return var / "stack.json"


def secrets(var: Path) -> dict[str, str]:
    """Return the demo's generated secrets: made once, kept readable for their owner alone."""
    path = var / "secrets.json"
    kept: dict[str, str] = json.loads(path.read_text()) if path.is_file() else {}
    made = {
        "SECRET_KEY": lambda: token_urlsafe(50),
        "FIELD_ENCRYPTION_KEYS": lambda: Fernet.generate_key().decode(),
        "DEMO_PASSWORD": lambda: token_hex(6),
        # The demo's inbox plays a mail provider, whose webhook is signed.
        "MAILGUN_WEBHOOK_KEY": lambda: token_hex(32),
    }
    missing = {name: make() for name, make in made.items() if not kept.get(name)}
    if missing:
        kept |= missing
        write_private(path, json.dumps(kept, indent=1))
    return kept


def write_private(path: Path, content: str) -> None:
    """Write a whole file that nobody else can read, or leave the old one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(content)
    fresh.replace(path)


def before_demo() -> None:
    """Give the settings what they ask for before the demo has started any server."""
    kept = secrets(var_dir())
    for name in ("SECRET_KEY", "FIELD_ENCRYPTION_KEYS"):
        _fill(name, kept[name])
    _fill("DATABASE_URL", NOT_YET_DATABASE)
    _fill("REDIS_URL", NOT_YET_REDIS)
    for name, value in SITE.items():
        _fill(name, value)


def attach() -> None:
    """Take over a running demo's addresses, unless the environment names a database itself."""
    if _is_set("DATABASE_URL"):
        return
    found = running_demo(var_dir())
    if found is None:
        return
    kept = secrets(var_dir())
    for name, value in (found["environment"] | SITE).items():
        _fill(name, value)
    for name in ("SECRET_KEY", "FIELD_ENCRYPTION_KEYS"):
        _fill(name, kept[name])


def running_demo(var: Path) -> dict[str, Any] | None:
    """Return what a demo wrote down about itself, if that demo still lives."""
    path = addresses_file(var)
    if not path.is_file():
        return None
    found: dict[str, Any] = json.loads(path.read_text())
    return found if abs(create_time(found["pid"]) - found["created"]) < 1 else None


def create_time(pid: int) -> float:
    """Return when a process began, 0 for one that has ended: its number alone is not enough to know it again."""
    import psutil  # only the embedded servers' requirements bring it, and commands come here only beside a demo

    try:
        process = psutil.Process(pid)
        return 0.0 if process.status() == psutil.STATUS_ZOMBIE else float(process.create_time())
    except psutil.Error:
        return 0.0


def _fill(name: str, value: str) -> None:
    if not _is_set(name):
        os.environ[name] = value


def _is_set(name: str) -> bool:
    return bool(os.environ.get(name, "").strip())
