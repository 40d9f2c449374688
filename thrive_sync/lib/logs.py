"""Keep secrets and people out of the logs, whoever wrote the line; and mark lines with what they are about."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

_HIDDEN = "[hidden]"
_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    # PostgreSQL repeats the row that it refused, which may be a person.
    (re.compile(r"^(\s*(?:DETAIL|CONTEXT):).*$", re.MULTILINE), rf"\1 {_HIDDEN}"),
    (re.compile(r"(://[^/\s:@]*):[^/\s@]+@"), rf"\1:{_HIDDEN}@"),
    (re.compile(r"(?i)\b(bearer|basic|authtoken)\s+[\w.~+/=-]{8,}"), rf"\1 {_HIDDEN}"),
    # A token of the API, wherever it stands.
    (re.compile(r"\b(thrive_[A-Za-z0-9]{8})_[A-Za-z0-9]{20,}"), rf"\1_{_HIDDEN}"),
    (
        re.compile(
            r"(?i)(\b\w*(?:password|passwd|secret|token|authorization|signature|access_?key|session_?id|api_?key)\w*"
            r"[\"']?\s*[=:>]\s*[\"']?)[^\s\"'<>&,;)}]+"
        ),
        rf"\1{_HIDDEN}",
    ),
    (re.compile(r"[^\s@<>\"'(),;:=\[\]]+@[^\s@<>\"'(),;:=\[\]]+\.[^\s@<>\"'(),;:=\[\]]+"), "[address]"),
)


def redact(line: str) -> str:
    """Return the line without what looks like a secret or an e-mail address."""
    for pattern, replacement in _RULES:
        line = pattern.sub(replacement, line)
    return line


class RedactingFormatter(logging.Formatter):
    """Formats as usual, then redacts the whole: arguments and tracebacks included."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


_about: ContextVar[dict[str, int]] = ContextVar("about", default={})  # noqa: B039  # never changed, always replaced


@contextmanager
def about(**ids: int) -> Iterator[None]:
    """Mark every line that is logged inside with numbers: `with about(run_id=run.pk)`."""
    token = _about.set(_about.get() | ids)
    try:
        yield
    finally:
        _about.reset(token)


class JsonFormatter(logging.Formatter):
    """One JSON object a line, for programs that collect logs; redacted as the others are."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": redact(record.getMessage()),
            **_about.get(),
        }
        if record.exc_info:
            line["error"] = record.exc_info[0].__name__ if record.exc_info[0] else ""
            line["traceback"] = redact(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)
