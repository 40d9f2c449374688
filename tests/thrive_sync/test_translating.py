"""locale/*.pot hold what there is to translate, and no message is one that a translation could break."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from thrive_sync import translating

LOCALE = Path(__file__).resolve().parent.parent.parent / "locale"
PLACES = re.compile(r"%\((\w+)\)")


@pytest.mark.parametrize("name", translating.CATALOGUES)
def test_the_file_has_the_messages_of_the_code(name: str) -> None:
    assert (LOCALE / f"{name}.pot").read_bytes() == translating.written(name), "run `make messages`"


def test_messages_of_code_and_of_templates_are_found() -> None:
    places = {str(path) for message in translating.catalogue("django") for path, _ in message.locations}
    assert {"accounts/forms.py", "templates/base.html"} <= places


def test_both_forms_of_a_message_say_the_same() -> None:
    plurals = [message for message in translating.catalogue("django") if isinstance(message.id, tuple)]
    different = {
        message.id
        for message in plurals
        # "One person" may do without the number, and nothing else.
        if set(PLACES.findall(message.id[1])) - set(PLACES.findall(message.id[0])) - {"count", "shown", "n"}
    }
    assert plurals and different == set()


def test_no_message_begins_or_ends_with_a_space() -> None:
    ids = [one for message in translating.catalogue("django") for one in _forms(message.id)]
    assert [one for one in ids if one != one.strip()] == []


def _forms(found: str | tuple[str, ...]) -> tuple[str, ...]:
    return found if isinstance(found, tuple) else (found,)
