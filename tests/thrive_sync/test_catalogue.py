"""What scripts say, by language: for anybody, to be kept by whoever asked."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import pytest
from django.test import Client


def compiled(messages: dict[str, str]) -> bytes:
    """Write a catalogue as msgfmt does: the originals, sorted, and their translations."""
    pairs = sorted((one.encode(), other.encode()) for one, other in messages.items())
    head, table, text = 28, b"", b""
    begin = head + 16 * len(pairs)
    for side in (0, 1):
        for pair in pairs:
            table += struct.pack("<2I", len(pair[side]), begin + len(text))
            text += pair[side] + b"\0"
    return struct.pack("<7I", 0x950412DE, 0, len(pairs), head, head + 8 * len(pairs), 0, 0) + table + text


@pytest.fixture
def german(tmp_path: Path, settings: Any) -> None:
    settings.LANGUAGES = [("en", "English"), ("de", "Deutsch")]
    settings.LOCALE_PATHS = [tmp_path]
    (tmp_path / "de/LC_MESSAGES").mkdir(parents=True)
    head = "Content-Type: text/plain; charset=UTF-8\nPlural-Forms: nplurals=2; plural=(n != 1);\n"
    said = {"": head, "Condition %(number)s": "Bedingung %(number)s"}
    (tmp_path / "de/LC_MESSAGES/djangojs.mo").write_bytes(compiled(said))


@pytest.mark.django_db
def test_a_language_has_its_words_whatever_the_browser_asks_for(german: None) -> None:
    answer = Client().get("/words/de.js", HTTP_ACCEPT_LANGUAGE="en")
    assert answer["Content-Type"].startswith("text/javascript")
    assert '"Condition %(number)s": "Bedingung %(number)s"' in answer.content.decode()
    assert "Bedingung" not in Client().get("/words/en.js", HTTP_ACCEPT_LANGUAGE="de").content.decode()


@pytest.mark.django_db
def test_it_is_kept_and_asked_for_again_by_its_mark(client: Client) -> None:
    answer = client.get("/words/en-gb.js")
    assert answer["Cache-Control"] == "public, max-age=3600"
    again = client.get("/words/en-gb.js", HTTP_IF_NONE_MATCH=answer["ETag"])
    assert again.status_code == 304 and not again.content


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["xx", "de", "en_GB", "..%2Fen"])
def test_a_language_that_is_not_offered_has_none(client: Client, language: str) -> None:
    assert client.get(f"/words/{language}.js").status_code == 404
