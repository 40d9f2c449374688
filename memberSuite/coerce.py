"""Text as MemberSuite sends it, to values; what can't be read is None and never a guess."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

_TRUE = {"true", "1", "yes"}
_FALSE = {"false", "0", "no"}
_ENCODED = re.compile(r"_x(?:([0-9A-Fa-f]{8})|([0-9A-Fa-f]{4}))_")
_INT64 = 2**63 - 1


def to_bool(value: object) -> bool | None:
    """Return a flag, or None for anything but true/false, 1/0 and yes/no."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return bool(value) if value in (0, 1) else None  # str() of a very long number is an error
    if isinstance(value, str):
        text = value.strip().lower()
        if text in _TRUE:
            return True
        if text in _FALSE:
            return False
    return None


def to_int(value: object) -> int | None:
    """Return a whole number that fits 64 bits, else None."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value if -_INT64 <= value <= _INT64 else None
    if not isinstance(value, str):
        return None
    text = value.strip()
    digits = text[1:] if text[:1] == "-" else text
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 19:
        return None
    number = int(text)
    return number if -_INT64 <= number <= _INT64 else None


def to_ints(values: Sequence[Any]) -> list[int | None]:
    """Return many whole numbers; where all are numbers or plain digits, as they nearly always are, at once."""
    kinds = set(map(type, values))
    if kinds == {int} and min(values) >= -_INT64 and max(values) <= _INT64:
        return list(values)
    if kinds == {str} and max(map(len, values)) < 19:
        digits = "".join(values)
        if digits.isascii() and digits.isdigit() and min(map(len, values)):
            return [*map(int, values)]
    return [to_int(value) for value in values]


def decode_name(name: str) -> str:
    """Undo the XML encoding of a column name, once and left to right."""
    return _ENCODED.sub(_decoded, name)


def _decoded(found: re.Match[str]) -> str:
    point = int(found[1] or found[2], 16)
    # A number that is no character was never encoded by a server: leave it as it stands.
    return chr(point) if point <= 0x10FFFF and not 0xD800 <= point <= 0xDFFF else found[0]
