"""All that the pages show goes through gettext: they are read in a language that marks every message.

Each message stands between marks there; the assertion lists the words outside of them, and where they were seen first.
"""

from __future__ import annotations

import json
import re
import zoneinfo
from typing import Any

import pytest
from django.conf import settings
from django.db import models

from accounts.models import User
from tests.mailings.views.conftest import desk, mailbox
from tests.support.pseudo import WORD, marking, unmarked
from tests.targetgroups.views.conftest import rows
from tests.test_permissions import addresses, ask, client_of, written
from tests.test_security import WITHOUT_COOKIES, own_models

__all__ = ["addresses", "desk", "mailbox", "rows"]
# Names that are the same in every language, and what stands for what people typed.
NAMES = re.compile(r"thrive-sync|MemberSuite|UTC|API|CSV|SOAP|REST|HTML")


@pytest.mark.django_db
def test_every_page_shows_nothing_that_went_past_gettext(addresses: dict[str, str]) -> None:
    client, stored, shown = client_of("Administrator"), stored_texts(), 0
    left: dict[str, str] = {}  # each with where it was seen first
    for address, how in written():
        if address in WITHOUT_COOKIES or address.startswith("/api/"):
            continue
        with marking():
            answer = ask(client, how, addresses[address])
        if not answer.get("Content-Type", "").startswith("text/html"):
            continue
        shown += 1
        for piece in unmarked(answer.content.decode()):
            if not is_data(piece, stored):
                left.setdefault(piece, f"{how} {address}")
    assert shown > 80
    assert not left, "\n" + "\n".join(f"{where}: {piece}" for piece, where in left.items())


def is_data(piece: str, stored: str) -> bool:
    """Say whether it is a name, or was read from the database."""
    parts = re.split(r" · |: |; ", NAMES.sub("", piece))
    return all(part.strip(" ,.;:()").lower() in stored or not WORD.search(part) for part in parts)


def stored_texts() -> str:
    """Return all text in the database, as one."""
    found = []
    for model in own_models():
        fields = [field.name for field in model._meta.concrete_fields if _holds_text(field)]
        for values in model._default_manager.values_list(*fields) if fields else ():
            found += [value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) for value in values]
    # Of the fixtures' messages and search, which are in no table.
    sent = [
        "Dear member, the lamps are lit.",
        "Hello.",
        "Ada Lamp0",
        "Left Out",
        "ada@example.org",
        "Subject",
        "Delivered-To",
    ]
    sent += ['"Society of Lamp Keepers" <news@lamps.example>', *(str(user) for user in User.objects.all())]
    zones = (name.replace("_", " ") for name in zoneinfo.available_timezones())
    return "\n".join([*found, *sent, *zones, *dict(settings.LANGUAGES).values()]).lower()


def _holds_text(field: models.Field[Any, Any]) -> bool:
    return isinstance(field, (models.CharField, models.TextField, models.JSONField))


def test_a_page_without_marks_is_noticed() -> None:
    page = "<p>⟦Hello <b>big</b> world⟧ and <i title='⟦here⟧'>there</i><input type=submit value=Go><code>code</code>"
    assert unmarked(page) == ["and", "there", "Go"]
