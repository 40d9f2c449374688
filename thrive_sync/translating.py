"""What there is to translate: `make messages` writes it into locale/, for translators and their tools.

Babel looks for the messages, as GNU gettext, which Django's own command needs, is no Python package.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import IO, Any

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir, extract_python
from babel.messages.pofile import write_po
from django.utils.translation.template import templatize


def _extract_template(file: IO[bytes], keywords: Any, comment_tags: Collection[str], options: Any) -> Iterator[Any]:
    """Yield messages as Babel's own extractors do.

    Django writes a template's messages as the calls that Python would have, each on its line, and blanks out the rest.
    """
    calls = templatize(file.read().decode("utf-8"))
    lines = (line.lstrip() for line in calls.splitlines(keepends=True))  # what is left of the template is no Python
    del options  # a template is read as UTF-8 and nothing else
    yield from extract_python(io.BytesIO("".join(lines).encode()), keywords, comment_tags, {"encoding": "utf-8"})


ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("accounts", "alerts", "api", "audit", "mailings", "memberSuite", "targetgroups", "thrive_sync")
# catalogue -> where its messages are: those of the scripts go to the browser, the others don't.
CATALOGUES: dict[str, list[tuple[str, Any]]] = {
    "django": [*((f"{room}/**.py", "python") for room in ROOMS), ("templates/**.html", _extract_template)],
    "djangojs": [("thrive_sync/static/js/*.js", "javascript")],
}
KEYWORDS = {
    **DEFAULT_KEYWORDS,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext_lazy": (1, 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext_lazy": ((1, "c"), 2, 3),
}


def catalogue(name: str) -> Catalog:
    """Return all messages of one catalogue, with the files they are in and what translators are told of them."""
    found = Catalog(project="thrive-sync", charset="utf-8")
    messages = extract_from_dir(
        ROOT, CATALOGUES[name], keywords=KEYWORDS, comment_tags=("Translators:",), directory_filter=_is_ours
    )
    for path, _line, message, comments, context in messages:
        found.add(message, locations=[(path, 0)], auto_comments=comments, context=context)
    return found


def written(name: str) -> bytes:
    """Return a catalogue as its file has it: by message and without line numbers, so that only words change it."""
    file = io.BytesIO()
    write_po(file, catalogue(name), width=0, omit_header=True, sort_output=True, include_lineno=False)
    return file.getvalue()


def _is_ours(directory: str) -> bool:
    return not Path(directory).name.startswith((".", "_", "migrations"))


def main() -> None:
    for name in CATALOGUES:
        path = ROOT / "locale" / f"{name}.pot"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(written(name))
        sys.stdout.write(f"{path.relative_to(ROOT)}: {len(catalogue(name))} messages\n")


if __name__ == "__main__":
    main()
