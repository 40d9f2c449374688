"""Names that stand twice in one JSON object: a decoder takes the last, and nothing says that it is the one meant."""

from __future__ import annotations

import json
from typing import Any

_SPACE = b" \t\r\n"


class _Twice(Exception):
    pass


def most_names(body: bytes) -> int:
    """Return how many names stand in a JSON text, or more: a quoted colon after a quotation mark looks like one."""
    return body.translate(None, _SPACE).count(b'":')


def is_each_name_once(body: bytes) -> bool:
    """Look at every object of a JSON text; this takes longer than to decode it."""
    try:
        json.loads(body, object_pairs_hook=_object)
    except (_Twice, ValueError, RecursionError):
        return False
    return True


def _object(pairs: list[tuple[str, Any]]) -> None:
    if len(dict(pairs)) < len(pairs):
        raise _Twice
