"""A message's HTML: cleaned, its CSS moved to where mail programs read it, and as plain text. Pure.

Liquid stays where it was: each piece of it is put away before the HTML is read, and back afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import css_inline
import nh3
from django.utils.translation import gettext, gettext_lazy

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as StrPromise


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_STRUCTURE = frozenset({"html", "head", "body", "style", "title", "meta"})
_TAGS = _words(
    "a abbr b big blockquote br caption center cite code col colgroup dd del div dl dt em figcaption figure font "
    "footer h1 h2 h3 h4 h5 h6 header hr i img ins li main mark nav ol p pre q s section article aside small span "
    "strike strong sub sup table tbody td tfoot th thead tr tt u ul"
)
_EVERYWHERE = {"align", "class", "dir", "id", "lang", "role", "style", "title", "aria-label", "aria-hidden"}
_TABLE = {"width", "height", "valign", "bgcolor", "background-color"}
_ATTRIBUTES = {
    "*": _EVERYWHERE,
    "a": {"href", "name", "target"},
    "img": {"src", "alt", "width", "height", "border", "hspace", "vspace"},
    "table": _TABLE | {"border", "cellpadding", "cellspacing", "summary"},
    "tr": _TABLE,
    "td": _TABLE | {"colspan", "rowspan", "nowrap"},
    "th": _TABLE | {"colspan", "rowspan", "scope", "nowrap"},
    "col": {"span", "width"},
    "colgroup": {"span", "width"},
    "div": {"bgcolor"},
    "font": {"color", "face", "size"},
    "hr": {"width", "size", "color", "noshade"},
    "ol": {"start", "type"},
    "ul": {"type"},
    "li": {"value"},
}
_STYLES = _words(
    "background background-color border border-bottom border-bottom-color border-bottom-left-radius "
    "border-bottom-right-radius border-bottom-style border-bottom-width border-collapse border-color border-left "
    "border-left-color border-left-style border-left-width border-radius border-right border-right-color "
    "border-right-style border-right-width border-spacing border-style border-top border-top-color "
    "border-top-left-radius border-top-right-radius border-top-style border-top-width border-width box-sizing clear "
    "color direction display float font font-family font-size font-style font-variant font-weight height "
    "letter-spacing line-height list-style list-style-position list-style-type margin margin-bottom margin-left "
    "margin-right margin-top max-height max-width min-height min-width opacity overflow overflow-wrap padding "
    "padding-bottom padding-left padding-right padding-top table-layout text-align text-decoration text-indent "
    "text-overflow text-transform vertical-align white-space width word-break word-spacing word-wrap"
)
_WITH_CONTENT = frozenset(
    {"script", "style", "title", "iframe", "object", "noscript", "template", "svg", "math", "textarea", "select"}
)
_SCHEMES = {"http", "https", "mailto", "tel"}
_SCHEME = re.compile(r"\s*([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_LINKS = {"href", "src"}
_LIQUID = re.compile(r"\{\{(?:(?!\{\{|\}\}).)*\}\}|\{%(?:(?!\{%|%\}).)*%\}", re.DOTALL)
_STYLE_BLOCK = re.compile(r"<style\b[^>]*>(.*?)</style", re.DOTALL | re.IGNORECASE)
# Each is told of a tag: %(tag)s is "<script>".
_HINTS = {
    "script": gettext_lazy("Scripts never run in e-mail: %(tag)s."),
    "form": gettext_lazy("Forms do not work in e-mail: %(tag)s."),
    "link": gettext_lazy("Style sheets from elsewhere are not loaded; write the CSS into <style>: %(tag)s."),
    "iframe": gettext_lazy("Pages within a message do not work in e-mail: %(tag)s."),
}
_NO_HINT = gettext_lazy("This is left out: %(tag)s.")
_NO_SCRIPTS = gettext_lazy("Scripts never run in e-mail: %(name)s.")
_NO_SCHEME = gettext_lazy("A link can't begin with %(scheme)s:")
_NOWHERE = gettext_lazy("A link must begin with https://, mailto: or tel:, or it leads nowhere.")
_NO_PICTURE = gettext_lazy("A style with url( ) is left out; use <img> for pictures.")
_NO_ATTRIBUTE = gettext_lazy("This is left out: %(name)s of %(tag)s.")
_NO_AT_RULES = gettext_lazy("Rules that begin with @ are left out: few mail programs read them.")
_NO_FIELDS = gettext_lazy("Fields do nothing inside <style>.")


# The libraries read a tag within a tag by a call within a call, and end the whole process where that goes too deep.
_MOST_TAGS = 5_000
_DEEPEST = 200
_MOST = {"{": 4_000, "<!": 500, "<style": 50}
_OPENING = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9-]*)")
# They end by themselves, or never hold anything.
_SHALLOW = frozenset({"area", "br", "col", "dd", "dt", "hr", "img", "input", "li", "link", "meta", "p", "wbr"})


class TooMuch(ValueError):
    """HTML that no message needs, and that is not safe to read."""

    def __init__(self, line: int, sentence: str) -> None:
        super().__init__(sentence)
        self.line = line
        self.sentence = sentence


@dataclass(frozen=True)
class Removed:
    """Something in the author's HTML that no message carries."""

    line: int
    words: StrPromise  # looked up when they are told: who asks next may read another language
    names: Mapping[str, str] = field(default_factory=dict)  # what stands in them

    @property
    def sentence(self) -> str:
        return str(self.words) % self.names if self.names else str(self.words)


@dataclass(frozen=True)
class Cleaned:
    html: str
    text: str
    removed: tuple[Removed, ...] = field(default=())


@lru_cache(maxsize=32)
def clean(source: str) -> Cleaned:
    """Keep what mail programs show, drop what could run, and make a text part of it. Raises TooMuch."""
    _check_size(source)
    shelf = _Shelf(source)
    inlined = _inliner().inline(shelf.put_away(source))
    body = re.sub(r"<(/?)body\b", r"<\1div", inlined)
    safe = nh3.clean(
        body,
        tags=set(_TAGS),
        clean_content_tags=set(_WITH_CONTENT),
        attributes=_ATTRIBUTES,
        attribute_filter=shelf.filter_attribute,
        filter_style_properties=set(_STYLES),
        strip_comments=False,
        url_schemes=_SCHEMES,
        link_rel=None,
    )
    safe = shelf.drop_comments(safe)
    return Cleaned(shelf.take_back(safe).strip(), shelf.take_back(_as_text(safe)), tuple(_removed(source)))


def _check_size(source: str) -> None:
    lowered = source.lower()
    for word, most in _MOST.items():
        if lowered.count(word) > most:
            sentence = gettext("There are more than %(most)s “%(word)s” in it.")
            raise TooMuch(1, sentence % {"most": most, "word": word})
    deep: dict[str, int] = {}
    for number, found in enumerate(_OPENING.finditer(lowered)):
        if number > _MOST_TAGS * 2:
            raise TooMuch(1, gettext("There are more than %(most)s tags in it.") % {"most": _MOST_TAGS})
        if found[2] not in _SHALLOW:
            deep[found[2]] = max(deep.get(found[2], 0) + (-1 if found[1] else 1), 0)
            if sum(deep.values()) > _DEEPEST:
                line = source.count("\n", 0, found.start()) + 1
                sentence = gettext("More than %(most)s tags stand within each other here, or are never closed.")
                raise TooMuch(line, sentence % {"most": _DEEPEST})


def _inliner() -> css_inline.CSSInliner:
    return css_inline.CSSInliner(load_remote_stylesheets=False)


class _Shelf:
    """Where the Liquid of a text is, while the text is read as HTML.

    What writes a value becomes a word, so that it may stand in an attribute; what decides becomes a comment, which may
    stand between the rows of a table, where no word may.
    """

    def __init__(self, source: str) -> None:
        self._word = "lqd"
        while self._word in source.lower():
            self._word += "q"
        self._pieces: list[str] = []
        number = rf"{self._word}(\d+)x"
        self._output = re.compile(rf"{self._word}(s?)(\d+)z")
        self._tag = re.compile(rf"(?:<!--|&lt;!--){number}(?:-->|--&gt;)")

    def put_away(self, source: str) -> str:
        return _LIQUID.sub(self._put, source)

    def _put(self, found: re.Match[str]) -> str:
        self._pieces.append(found[0])
        place = len(self._pieces) - 1
        is_output = found[0].startswith("{{")
        return f"{self._word}{place}z" if is_output else f"<!--{self._word}{place}x-->"

    def take_back(self, text: str) -> str:
        text = self._tag.sub(lambda found: self._piece(found[1]), text)
        return self._output.sub(self._give, text)

    def _piece(self, number: str) -> str:
        """Give a piece back; nothing for a number that an author made up."""
        return self._pieces[int(number)] if len(number) < 7 and int(number) < len(self._pieces) else ""

    def _give(self, found: re.Match[str]) -> str:
        piece = self._piece(found[2])
        if not found[1] or not piece.startswith("{{"):
            return piece
        end = -3 if piece.endswith("-}}") else -2
        return f"{piece[:end].rstrip()} | safe_link {piece[end:]}"

    def filter_attribute(self, _tag: str, name: str, value: str) -> str | None:
        """Decide on one attribute: a field may be in a link and may not be in a style."""
        if name == "style":
            return None if self._word in value or "url(" in value.lower() else value
        if name not in _LINKS:
            return value
        return self._filter_link(value.strip())

    def _filter_link(self, link: str) -> str | None:
        """Let a field's value end a link, and begin one only if it names no scheme that runs something."""
        first = re.search(rf"{self._word}\d+[xz]", link)
        if first is None or re.search(r"[:/?#]", link[: first.start()]):
            return link
        words = self._output.sub("", link)
        if "<!--" in words or re.match(r"[^/?#]*:", words):
            return None
        return self._output.sub(lambda found: f"{self._word}s{found[2]}z", link)

    def drop_comments(self, html: str) -> str:
        return re.sub(rf"<!--(?!{self._word}\d+x-->).*?-->", "", html, flags=re.DOTALL)


# --- what is removed ------------------------------------------------------------------------------------------------


def _removed(source: str) -> Iterator[Removed]:
    """Tell what `clean` takes out, each kind once, with the line where it is first."""
    scan = _Scan(_LIQUID.sub(lambda found: re.sub(r"[^\n]", "x", found[0]), source))
    yield from scan.found.values()
    for block in _STYLE_BLOCK.finditer(source):
        line = source.count("\n", 0, block.start(1)) + 1
        if "@media" in block[1] or "@import" in block[1] or "@font-face" in block[1]:
            yield Removed(line, _NO_AT_RULES)
        if _LIQUID.search(block[1]):
            yield Removed(line, _NO_FIELDS)


class _Scan(HTMLParser):
    def __init__(self, source: str) -> None:
        super().__init__()
        self.found: dict[str, Removed] = {}
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _TAGS | _STRUCTURE:
            self._tell(tag, _HINTS.get(tag, _NO_HINT), tag=f"<{tag}>")
            return
        allowed = _ATTRIBUTES["*"] | _ATTRIBUTES.get(tag, set())
        for name, value in attrs:
            if name.startswith("on"):
                self._tell(name, _NO_SCRIPTS, name=name)
            elif name in _LINKS and (scheme := _SCHEME.match(value or "")) and scheme[1].lower() not in _SCHEMES:
                self._tell(f"{scheme[1]}:", _NO_SCHEME, scheme=scheme[1].lower())
            elif name == "href" and not re.match(r"x|#|[a-z]+:", (value or "").strip(), re.IGNORECASE):
                self._tell("href", _NOWHERE)
            elif name == "style" and "url(" in (value or "").lower():
                self._tell("url(", _NO_PICTURE)
            elif tag in _TAGS and name not in allowed:
                self._tell(f"{tag} {name}", _NO_ATTRIBUTE, name=name, tag=f"<{tag}>")

    def _tell(self, key: str, words: StrPromise, **names: str) -> None:
        self.found.setdefault(key, Removed(self.getpos()[0], words, names))


# --- as text --------------------------------------------------------------------------------------------------------

_PARAGRAPHS = frozenset(
    {"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "blockquote", "table", "dl", "pre", "figure"}
)
_LINES = frozenset(
    {"div", "tr", "td", "th", "li", "dt", "dd", "section", "article", "header", "footer", "caption", "center"}
)
_UNDERLINES = {"h1": "=", "h2": "-"}
_LONGEST_LINE = 60


def _as_text(html: str) -> str:
    writer = _Writer()
    writer.feed(html)
    writer.close()
    return writer.text()


class _Writer(HTMLParser):
    """Writes clean HTML as plain text: headings underlined, items with their marks, links with their addresses."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[str] = []
        self._lists: list[int | None] = []  # the next number of each list; None where they have none
        self._links: list[tuple[str, int]] = []
        self._heading_at = 0

    def text(self) -> str:
        lines = [re.sub(" +", " ", line).strip(" ").replace("\t", "  ") for line in "".join(self._parts).split("\n")]
        return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._break(tag)
        if tag in ("ul", "ol"):
            self._lists.append(
                int(given.get("start") or 1) if tag == "ol" and (given.get("start") or "1").isdigit() else None
            )
        elif tag == "li":
            self._parts.append(self._mark())
        elif tag == "a":
            self._links.append((given.get("href") or "", len(self._parts)))
        elif tag == "br":
            self._parts.append("\n")
        elif tag == "hr":
            self._parts.append("\n\n----\n\n")
        elif tag == "img":
            self._parts.append(given.get("alt") or "")
        elif tag in _UNDERLINES:
            self._heading_at = len(self._parts)

    def handle_endtag(self, tag: str) -> None:
        if tag in ("ul", "ol") and self._lists:
            self._lists.pop()
        elif tag == "a" and self._links:
            self._end_link(*self._links.pop())
        elif tag in _UNDERLINES:
            written = "".join(self._parts[self._heading_at :]).strip()
            self._parts.append("\n" + _UNDERLINES[tag] * min(max(len(written), 3), _LONGEST_LINE))
        self._break(tag)

    def handle_data(self, data: str) -> None:
        self._parts.append(re.sub(r"\s+", " ", data))

    def handle_comment(self, data: str) -> None:
        self._parts.append(f"<!--{data}-->")

    def _break(self, tag: str) -> None:
        if tag in _PARAGRAPHS and not (tag in ("ul", "ol") and self._lists):
            self._parts.append("\n\n")
        elif tag in _LINES and not "".join(self._parts[-1:]).endswith("\n"):
            self._parts.append("\n")

    def _mark(self) -> str:
        indent = "\t" * (len(self._lists) - 1)
        number = self._lists[-1] if self._lists else None
        if number is None:
            return f"{indent}- "
        self._lists[-1] = number + 1
        return f"{indent}{number}. "

    def _end_link(self, address: str, begin: int) -> None:
        written = "".join(self._parts[begin:]).strip()
        plain = address.removeprefix("mailto:").removeprefix("tel:")
        if address and not address.startswith("#") and written not in (address, plain):
            self._parts.append(f" ({plain})" if written else plain)
