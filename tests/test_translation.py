"""All that the pages show goes through gettext: they are read in a language that marks every message.

Each message stands between marks there; the assertion lists the words outside of them, and where they were seen first.
"""

from __future__ import annotations

import json
import re
import zoneinfo
from collections.abc import Iterable
from typing import Any

import pytest
from django.conf import settings
from django.db import models

from accounts.models import User
from mailings.choices import MailingStatus
from targetgroups.choices import RunStatus
from targetgroups.models import SyncRun, TargetGroup
from tests.mailings.views.conftest import Desk, desk, mailbox
from tests.support.pseudo import WORD, marking, unmarked
from tests.targetgroups.views.conftest import Rows, rows
from tests.test_permissions import addresses, ask, client_of, written
from tests.test_security import WITHOUT_COOKIES, own_models

__all__ = ["addresses", "desk", "mailbox", "rows"]
# Names that are the same in every language, and what stands for what people typed.
NAMES = re.compile(r"thrive-sync|MemberSuite|UTC|API|CSV|SOAP|REST|HTML|<\S+@\S+>")


@pytest.mark.django_db
def test_every_page_shows_nothing_that_went_past_gettext(addresses: dict[str, str]) -> None:
    asked = [(address, how) for address, how in written() if address not in WITHOUT_COOKIES]
    shown, left = looked_at((how, addresses[address]) for address, how in asked if not address.startswith("/api/"))
    assert shown > 80
    assert not left, "\n".join(["", *left])


@pytest.mark.django_db
def test_nor_do_pages_of_what_stands_otherwise(rows: Rows, desk: Desk) -> None:
    full, empty = rows.group("Members", member_count=4), rows.group("Nobody")
    rows.member(full, "ada@lamps.example", "Ada", "Lamp0")
    full_pages = ["", "counts/", "subscribers/", "excluded/", "history/", "mailings/"]
    asked = [f"/target-groups/{group.pk}/{part}" for group in (full, empty) for part in full_pages]
    asked += [f"/sync-activity/{run.pk}/" for run in runs(rows, full)]
    mailings = [desk.mailing(), desk.mailing(full), *(desk.mailing(full, status=status) for status in MailingStatus)]
    mailings += [desk.frozen(full, status, sent=1, failed=1, skipped=1, bounced=1) for status in ("sending", "paused")]
    parts = ["", "preview/", "preview/?test", "send/", "report/", "recipients/", "left-out/", "estimate/", "moved/"]
    asked += [f"/mailings/{mailing.pk}/{part}" for mailing in mailings for part in parts]
    asked += [
        "/",
        "/?folder=0",
        "/target-groups/?q=nothing",
        "/sync-activity/?status=failed",
        "/search/?q=ada",
        "/nowhere/",
    ]
    shown, left = looked_at(("GET", address) for address in asked)
    assert shown > 100
    assert not left, "\n".join(["", *left])


def runs(rows: Rows, group: TargetGroup) -> list[SyncRun]:
    figures = {"would_remove": 3, "members_before": 4, "members_after": 4, "in_search": 4, "added": 1}
    made = [rows.run(group, status, figures=figures) for status in RunStatus]
    made += [rows.run(None, status, figures={"new": 1, "would_be_gone": 1}) for status in RunStatus]
    return [*made, rows.run(group, "completed", kind="preview", figures=figures)]


def looked_at(asked: Iterable[tuple[str, str]]) -> tuple[int, list[str]]:
    """Return how many pages there were, and each text outside of the marks with where it was seen first."""
    client, stored, shown = client_of("Administrator"), stored_texts(), 0
    left: dict[str, str] = {}
    for how, address in asked:
        with marking():
            answer = ask(client, how, address)
        if not answer.get("Content-Type", "").startswith("text/html"):
            continue
        shown += 1
        for piece in unmarked(answer.content.decode()):
            if not is_data(piece, stored):
                left.setdefault(piece, f"{how} {address}: {piece}")
    return shown, list(left.values())


def is_data(piece: str, stored: str) -> bool:
    """Say whether it is a name, or was read from the database."""
    parts = re.split(r" · |: |; ", NAMES.sub("", piece))
    return all(part.strip(' ,.;:()"').lower() in stored or not WORD.search(part) for part in parts)


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
    sent += ["Society of Lamp Keepers", *(str(user) for user in User.objects.all())]
    zones = (name.replace("_", " ") for name in zoneinfo.available_timezones())
    return "\n".join([*found, *sent, *zones, *dict(settings.LANGUAGES).values()]).lower()


def _holds_text(field: models.Field[Any, Any]) -> bool:
    return isinstance(field, (models.CharField, models.TextField, models.JSONField))


def test_a_page_without_marks_is_noticed() -> None:
    page = "<p>⟦Hello <b>big</b> world⟧ and <i title='⟦here⟧'>there</i><input type=submit value=Go><code>code</code>"
    assert unmarked(page) == ["and", "there", "Go"]
