"""Personalisation: a small Liquid in which a message says a person's name. Pure: texts and values in, texts out.

There are no loops, no assignments and no filter whose output outgrows its input: what a template may cost is bounded
by its own length. Every value is a string, and nothing of Python can be reached from one.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.utils.translation import gettext
from liquid import Environment
from liquid.exceptions import FilterArgumentError, LiquidError, UnknownFilterError
from liquid.filter import string_filter

from .slots import safe_link, taken_apart

# What every recipient may have; a search's own columns come beside them, named by `field_name`.
CORE_FIELDS = ("first_name", "last_name", "name", "email", "remote_id")
_NEVER_EMPTY = {"email", "remote_id"}
_TAGS = ("#", "case", "comment", "content", "if", "illegal", "output", "unless")
_FILTERS = (
    "append",
    "capitalize",
    "default",
    "downcase",
    "escape",
    "prepend",
    "remove",
    "strip",
    "truncate",
    "truncatewords",
    "upcase",
)
_MOST_OUTPUT = 1_000_000
_LONGEST_VALUE = 2_000
_OPENERS = ("if", "unless", "case", "comment")
_MOST_BRACES = 4_000
_TAG = re.compile(r"\{%-?\s*(\w*)((?:(?!\{%|%\}).)*?)-?%\}", re.DOTALL)
_OUTPUT = re.compile(r"\{\{-?((?:(?!\{\{|\}\}).)*?)-?\}\}", re.DOTALL)
_DEFAULT = re.compile(r"\|\s*default\b")
_UNEXPECTED_TAG = re.compile(r"unexpected tag '(\w*)'")


class NotATemplate(ValueError):
    """A text that can't be personalised: the line it fails in, and why, in words."""

    def __init__(self, line: int, sentence: str) -> None:
        super().__init__(sentence)
        self.line = line
        self.sentence = sentence


@dataclass(frozen=True)
class Finding:
    """Something to tell the author about one part of a message. An error keeps it from being sent."""

    part: str
    line: int
    sentence: str
    is_error: bool = False


class Compiled:
    """A text ready to be filled in."""

    def __init__(self, source: str, *, is_html: bool) -> None:
        environment = _HTML if is_html else _TEXT
        if source.count("{") > _MOST_BRACES:
            sentence = gettext("There are more than %(most)s “%(word)s” in it.")
            raise NotATemplate(1, sentence % {"most": _MOST_BRACES, "word": "{"})
        try:
            self._template = environment.from_string(source)
            self.variables = _variables(self._template, source)
            self._try_out()
        except LiquidError as error:
            raise NotATemplate(_line_of(error, source), _words(error, source)) from None
        # Most messages only say names; a mailing fills these in hundreds of thousands of times.
        self.pieces = taken_apart(
            self._template.nodes, is_html=is_html, longest_value=_LONGEST_VALUE, most_output=_MOST_OUTPUT
        )

    def fill(self, values: Mapping[str, str]) -> str:
        """Write the text for one person; a field that the person lacks is empty."""
        if self.pieces is None:
            return self.by_engine(values)
        return "".join([piece if isinstance(piece, str) else piece.fill(values) for piece in self.pieces])

    def by_engine(self, values: Mapping[str, str]) -> str:
        """Do as `fill` does, whatever the template is made of."""
        return self._template.render(**values)

    def _try_out(self) -> None:
        """Fill it in with and without values: a filter's missing argument is told only then, whatever the value."""
        for value in ("", "x"):
            self._template.render(**dict.fromkeys([name for name, _ in self.variables], value))


@lru_cache(maxsize=64)
def compiled(source: str, *, is_html: bool = False) -> Compiled:
    """Read a text once, however many people it goes to. Raises NotATemplate."""
    return Compiled(source, is_html=is_html)


def values_of(
    first_name: str, last_name: str, email: str, remote_id: str, attributes: Mapping[str, Any]
) -> dict[str, str]:
    """Give what a message may say of a person, by field."""
    values = {field_name(key): _value(_as_text(value)) for key, value in attributes.items()} if attributes else {}
    values["first_name"], values["last_name"] = _value(first_name), _value(last_name)
    values["name"] = _value(f"{first_name} {last_name}")
    values["email"], values["remote_id"] = _value(email), _value(remote_id)
    return values


def field_name(attribute: str) -> str:
    """Make a field's name of a column's: "Member Type" is {{ Member_Type }}."""
    name = re.sub(r"\W+", "_", attribute).strip("_")
    return f"_{name}" if not name or name[0].isdigit() else name


def fields_in(*sources: str) -> dict[str, bool]:
    """List the fields that texts write, and whether each has a default wherever it is written."""
    found: dict[str, bool] = {}
    for written in (each[1] for source in sources for each in _OUTPUT.finditer(source)):
        if name := re.match(r"\s*([^\W\d][\w-]*)", written):
            found[name[1]] = found.get(name[1], True) and bool(_DEFAULT.search(written))
    return found


def is_personal(*sources: str) -> bool:
    """Say whether any of the texts may differ from person to person."""
    return any("{{" in source or "{%" in source for source in sources)


def check(part: str, source: str, known: Collection[str], *, is_html: bool = False) -> Iterator[Finding]:
    """Say what is wrong with a text, or may go wrong with it for somebody."""
    try:
        template = compiled(source, is_html=is_html)
    except NotATemplate as error:
        yield Finding(part, error.line, error.sentence, is_error=True)
        return
    for name, line in template.variables:
        if name not in known:
            yield Finding(part, line, _no_such_field(name, known), is_error=False)
    yield from _without_default(part, source, known)


def _without_default(part: str, source: str, known: Collection[str]) -> Iterator[Finding]:
    conditions = " ".join(found[2] for found in _TAG.finditer(source) if found[1] in ("if", "unless", "case"))
    asked = set(re.findall(r"[\w-]+", conditions))
    told: set[str] = set()
    for found in _OUTPUT.finditer(source):
        name = re.match(r"\s*([\w-]+)", found[1])
        if not name or _DEFAULT.search(found[1]) or name[1] not in known or name[1] in asked | told | _NEVER_EMPTY:
            continue
        told.add(name[1])
        # Translators: %(example)s is the field as it is written with a default, in double braces.
        sentence = gettext("“%(name)s” has no default: whoever lacks it gets a gap. Write %(example)s.")
        names = {"name": name[1], "example": f'{{{{ {name[1]} | default: "…" }}}}'}
        yield Finding(part, _line_at(source, found.start()), sentence % names)


# --- inside ---------------------------------------------------------------------------------------------------------


def _environment(*, autoescape: bool) -> Environment:
    environment = _Bounded(autoescape=autoescape)
    environment.tags = {name: tag for name, tag in environment.tags.items() if name in _TAGS}
    environment.filters = {name: found for name, found in environment.filters.items() if name in _FILTERS}
    environment.add_filter("safe_link", string_filter(safe_link))
    return environment


class _Bounded(Environment):
    output_stream_limit = _MOST_OUTPUT
    context_depth_limit = 10
    block_nesting_limit = 20


_HTML, _TEXT = _environment(autoescape=True), _environment(autoescape=False)


def _variables(template: Any, source: str) -> list[tuple[str, int]]:
    """List the fields that a template asks for, each with the line where it does so first."""
    found = template.analyze().variables
    lines = ((name, min(each.span.index for each in places)) for name, places in found.items())
    return [(name, _line_at(source, at)) for name, at in sorted(lines, key=lambda each: each[1])]


def _value(text: str) -> str:
    return text.strip()[:_LONGEST_VALUE]


def _as_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return ", ".join(_as_text(each) for each in value) if isinstance(value, list) else str(value)


def _no_such_field(name: str, known: Collection[str]) -> str:
    lowered = {each.lower(): each for each in known}
    if close := difflib.get_close_matches(name.lower(), lowered, n=1, cutoff=0.6):
        sentence = gettext("There is no field “%(name)s”. Did you mean “%(close)s”?")
        return sentence % {"name": name, "close": lowered[close[0]]}
    return gettext("There is no field “%(name)s” in the chosen groups: everybody gets a gap.") % {"name": name}


def _words(error: LiquidError, source: str) -> str:
    message = str(error.message)
    if isinstance(error, UnknownFilterError):
        name = message.split("'")[1] if "'" in message else message
        sentence = gettext("There is no filter “%(name)s”. There are: %(filters)s.")
        return sentence % {"name": name, "filters": ", ".join(sorted(_FILTERS))}
    if isinstance(error, FilterArgumentError):
        return gettext("A filter has too few or too many words after it: %(error)s.") % {"error": message}
    if found := _UNEXPECTED_TAG.match(message):
        return _of_tag(found[1])
    if message.startswith("expected tag") and (opener := _unclosed(source)):
        return gettext("{%% %(name)s %%} has no {%% end%(name)s %%}.") % {"name": opener[0]}
    if message.startswith("expected '}}'"):
        return _without_end("{{", "}}")
    if message.startswith(("expected '%}'", "missing tag name or closing delimiter")):
        return _without_end("{%", "%}")
    if message == "expected a primitive expression, found end of expression":
        return gettext("Something is missing here: {{ }} wants the name of a field.")
    return gettext("This can't be read: %(error)s.") % {"error": message}


def _without_end(opening: str, closing: str) -> str:
    return gettext("“%(opening)s” has no “%(closing)s” after it.") % {"opening": opening, "closing": closing}


def _of_tag(name: str) -> str:
    if name.startswith(("end", "els", "when")):
        return gettext("{%% %(name)s %%} stands alone: nothing was begun that it belongs to.") % {"name": name}
    sentence = gettext("There is no {%% %(name)s %%} here; there are {%% if %%}, {%% unless %%} and {%% case %%}.")
    return sentence % {"name": name}


def _line_of(error: LiquidError, source: str) -> int:
    if str(error.message).startswith("expected tag") and (opener := _unclosed(source)):
        return _line_at(source, opener[1])
    token = error.token
    if token is not None and token.start_index >= 0:
        return _line_at(source, token.start_index)
    empty = re.search(r"\{\{-?\s*(\||-?\}\})", source)
    return _line_at(source, empty.start()) if empty else 1


def _unclosed(source: str) -> tuple[str, int] | None:
    """Find the innermost tag that is begun and not ended."""
    begun: list[tuple[str, int]] = []
    for found in _TAG.finditer(source):
        if found[1] in _OPENERS:
            begun.append((found[1], found.start()))
        elif found[1].startswith("end") and begun:
            begun.pop()
    return begun[-1] if begun else None


def _line_at(source: str, index: int) -> int:
    return source.count("\n", 0, index) + 1
