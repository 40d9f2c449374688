"""Keep secrets and people out of the logs, whoever wrote the line."""

from __future__ import annotations

import logging
import re

_HIDDEN = "[hidden]"
_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    # PostgreSQL repeats the row that it refused, which may be a person.
    (re.compile(r"^(\s*(?:DETAIL|CONTEXT):).*$", re.MULTILINE), rf"\1 {_HIDDEN}"),
    (re.compile(r"(://[^/\s:@]*):[^/\s@]+@"), rf"\1:{_HIDDEN}@"),
    (re.compile(r"(?i)\b(bearer|basic|authtoken)\s+[\w.~+/=-]{8,}"), rf"\1 {_HIDDEN}"),
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
