"""A template that only writes fields, taken apart: Liquid's words without its engine for each person. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from liquid.builtin.content import ContentNode
from liquid.builtin.expressions import FilteredExpression, Path, PositionalArgument, StringLiteral
from liquid.builtin.output import OutputNode
from markupsafe import escape

# What a letter of a value may become in UTF-8: "&amp;", or four bytes.
_MOST_BYTES = 5
# Liquid itself knows these, whatever the values are.
_ITS_OWN = ("now", "today")
# What is written otherwise than it is, in HTML or anywhere.
_IS_SPECIAL = re.compile(r"[&<>'\"\r]").search
_UNSAFE_LINK = re.compile(r"\s*(?!https?:|mailto:|tel:)[^/?#:]*:", re.IGNORECASE)


@dataclass(frozen=True)
class Slot:
    """A place where a field is written; `default` stands there for who lacks it, as it is."""

    name: str
    default: str
    is_link: bool
    is_html: bool

    def fill(self, values: Mapping[str, str]) -> str:
        value = values.get(self.name, "")
        if not value:
            return self.default
        if self.is_link:
            value = safe_link(value)
        if not _IS_SPECIAL(value):
            return value
        return _written(str(escape(value)) if self.is_html else value)


Pieces = tuple[str | Slot, ...]


def taken_apart(nodes: Any, *, is_html: bool, longest_value: int, most_output: int) -> Pieces | None:
    """Give a template's texts and slots in order; None if it does more, or may become too long."""
    pieces: list[str | Slot] = []
    for node in nodes:
        piece = _written(node.text) if type(node) is ContentNode else _slot(node, is_html=is_html)
        if piece is None:
            return None
        if isinstance(piece, str) and pieces and isinstance(pieces[-1], str):
            pieces[-1] += piece
        else:
            pieces.append(piece)
    most = sum(_most_bytes(piece, longest_value) for piece in pieces)
    return tuple(pieces) if most <= most_output else None


def safe_link(value: str) -> str:
    """Keep a value that begins a link from naming a scheme that runs something."""
    return "" if _UNSAFE_LINK.match(value) else value


def _slot(node: Any, *, is_html: bool) -> Slot | None:
    """Read `{{ field }}`, with a default or not, and at the end of it what keeps a link safe."""
    expression = node.expression if type(node) is OutputNode else None
    if type(expression) is not FilteredExpression or type(expression.left) is not Path:
        return None
    path, filters = expression.left.path, expression.filters or []
    is_link = bool(filters) and filters[-1].name == "safe_link" and not filters[-1].args
    defaults = [_default(each) for each in (filters[:-1] if is_link else filters)]
    if len(path) != 1 or not isinstance(path[0], str) or path[0] in _ITS_OWN or None in defaults:
        return None
    # An author's own words are HTML already.
    default = next((each for each in defaults if each), "")
    return Slot(path[0], _written(safe_link(default) if is_link else default), is_link, is_html)


def _default(each: Any) -> str | None:
    """Give the words of `default: "words"`, and of no other filter."""
    if each.name != "default" or len(each.args) > 1:
        return None
    if not each.args:
        return ""
    [argument] = each.args
    is_plain = type(argument) is PositionalArgument and type(argument.value) is StringLiteral
    return str(argument.value.value) if is_plain else None


def _most_bytes(piece: str | Slot, longest_value: int) -> int:
    if isinstance(piece, str):
        return len(piece.encode())
    return max(len(piece.default.encode()), longest_value * _MOST_BYTES)


def _written(text: str) -> str:
    """Write line ends as Liquid's output does."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
