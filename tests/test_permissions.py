"""docs/permissions.md is true: every address, by GET and by POST, as every role and as nobody."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, get_resolver

from accounts import links, people, tokens
from accounts.models import User
from accounts.permissions import RIGHTS, ROLES
from accounts.scopes import SCOPES
from alerts import outbox, webhooks
from audit import record
from audit.models import AuditEntry
from mailings import optout
from targetgroups.models import Schedule
from targetgroups.views.audit_words import actions
from tests.mailings.views.conftest import Desk, desk, mailbox
from tests.targetgroups.views.conftest import Rows, rows
from thrive_sync.stack.mailbox import Mailbox

__all__ = ["desk", "mailbox", "rows"]
DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "permissions.md"
NOBODY = "Nobody"
PEOPLE = [NOBODY, *(role.name for role in ROLES)]
YES, NO = "yes", "–"


def tables() -> Iterator[list[str]]:
    """Give the cells of each line of each table."""
    for line in DOCUMENT.read_text().splitlines():
        if line.startswith("|") and not line.startswith(("|-", "|:")):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def written() -> dict[tuple[str, str], dict[str, bool]]:
    """Read who may do what: {(address, method): {role: bool}}."""
    found: dict[tuple[str, str], dict[str, bool]] = {}
    for cells in tables():
        if not cells[0].startswith("`/"):
            continue
        address, methods, _, *marks = cells
        assert len(marks) == len(PEOPLE) and set(marks) <= {YES, NO}, cells
        for method in methods.split(", "):
            key = (address.strip("`"), method)
            assert key not in found, f"{key} stands there twice"
            found[key] = dict(zip(PEOPLE, (mark == YES for mark in marks), strict=True))
    return found


def patterns() -> dict[str, URLPattern]:
    """Return every address of the site, as the document writes it."""
    return {re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", f"/{route}"): pattern for route, pattern in _walk(get_resolver())}


def _walk(resolver: Any, before: str = "") -> Iterator[tuple[str, URLPattern]]:
    for each in resolver.url_patterns:
        route = before + str(each.pattern)
        if isinstance(each, URLPattern):
            yield route, each
        else:
            yield from _walk(each, route)


@pytest.fixture
def addresses(rows: Rows, desk: Desk, mailbox: Mailbox, settings: Any) -> dict[str, str]:
    """One real address for each of the document's, with something behind it."""
    settings.METRICS_TOKEN = "a-token-of-the-collector"
    group = rows.group(member_count=3)
    run = rows.run(group, "held", figures={"would_remove": 1})
    mailing = desk.frozen(group, sent=1, unknown=1)
    other = User.objects.create_user("other", password="lamps in the window", email="other@lamps.example")
    invited = people.invite("command", "mia@lamps.example", [Group.objects.get(name="Reporter")])
    hook, _ = webhooks.create(other, "Lamp shop", "https://lamps.example/hook", ["run.failed"])
    values: dict[str, Any] = {
        "group_id": group.pk,
        "folder_id": rows.main.pk,
        "run_id": run.pk,
        "bridge_id": rows.bridge.pk,
        "subscriber_id": rows.member(group, "ada@lamps.example").pk,
        "mailing_id": mailing.pk,
        "user_id": other.pk,
        "number": mailbox.keep(b"Subject: Lamps\r\n\r\nHello.\r\n", "ada@example.org"),
        "name": "target_groups",
        "kind": "would_remove",
        "webhook_id": hook.pk,
        "delivery_id": outbox.write_for(hook, "test", {}).pk,
        "language": "en-gb",
        "token_id": tokens.create(other, "of somebody else", ["read:groups"], 1)[0].pk,
        "schedule_id": Schedule.objects.create(bridge=rows.bridge, kind="list", every_minutes=60).pk,
        "entry_id": record("command", "target_group.moved", group).pk,
    }
    own = {
        "/opt-out/": {"token": optout.token_for(mailing.recipients.first())},
        "/invitation/": {"token": links.invitation_link(invited).split("/")[2]},
        "/password/": {"token": links.password_link(other).split("/")[3]},
        "/mailings/tables/": {"name": "mailings"},
        "/users/tables/": {"name": "users"},
    }
    made = {}
    for address in patterns():  # a 1 for whatever is new: the last test but one says that nothing is behind it
        here = values | next((more for beginning, more in own.items() if address.startswith(beginning)), {})
        made[address] = re.sub(r"{(\w+)}", lambda found, here=here: str(here.get(found[1], 1)), address)
    return made


def ask(client: Client, method: str, address: str) -> Any:
    """Ask, and undo whatever came of it."""
    cookies = copy.deepcopy(client.cookies)
    with transaction.atomic():
        answer = client.get(address) if method == "GET" else client.post(address)
        transaction.set_rollback(True)
    client.cookies = cookies
    return answer


def lets_in(answer: Any) -> bool:
    is_led_to_sign_in = answer.status_code == 302 and answer["Location"].startswith("/sign-in/?next=")
    return answer.status_code not in (401, 403, 405, 429) and not is_led_to_sign_in


def client_of(who: str) -> Client:
    client = Client()
    if who != NOBODY:
        user = User.objects.create_user(who.lower())
        user.groups.add(Group.objects.get(name=who))
        client.force_login(user)
        # The API takes no session: a token of every scope, so that the role alone decides. Pages do not look at it.
        client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {tokens.create(user, 'all', list(SCOPES), 1)[1]}"
    return client


def test_every_address_is_in_the_table_and_no_other() -> None:
    there, here = set(patterns()), {address for address, _ in written()}
    assert sorted(there - here) == [], "add them to docs/permissions.md"
    assert sorted(here - there) == [], "take them out of docs/permissions.md"


@pytest.mark.django_db
@pytest.mark.parametrize("who", PEOPLE)
def test_every_address_lets_in_exactly_whom_the_table_says(who: str, addresses: dict[str, str]) -> None:
    client, table, wrong = client_of(who), written(), []
    for (address, method), expected in table.items():
        answer = ask(client, method, addresses[address])
        if lets_in(answer) != expected[who]:
            wrong.append(f"{method} {address}: {answer.status_code}, the table says {expected[who]}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.django_db
@pytest.mark.parametrize("who", [NOBODY, "Administrator"])
def test_what_is_in_no_line_of_the_table_is_done_for_nobody(who: str, addresses: dict[str, str]) -> None:
    client, table = client_of(who), written()
    missing = [(method, address) for address in addresses for method in ("GET", "POST")]
    missing = [(method, address) for method, address in missing if (address, method) not in table]
    assert not [pair for pair in missing if lets_in(ask(client, pair[0], addresses[pair[1]]))]


@pytest.mark.django_db
def test_behind_every_page_of_the_table_there_is_something_to_refuse(addresses: dict[str, str]) -> None:
    client, table = client_of("Administrator"), written()
    found = {
        address: ask(client, "GET", addresses[address]).status_code
        for (address, how), may in table.items()
        if how == "GET" and any(may.values())
    }
    assert {address: code for address, code in found.items() if code not in (200, 302)} == {}


@pytest.mark.django_db
def test_r16_every_export_is_recorded_and_in_the_audit_logs_family_of_exports(addresses: dict[str, str]) -> None:
    client, exports = client_of("Administrator"), [address for address in addresses if address.endswith("/csv/")]
    assert len(exports) > 10
    for address in exports:
        before = AuditEntry.objects.count()
        assert client.post(addresses[address], {"q": "ada@lamps"}).status_code == 200, address
        entries = list(AuditEntry.objects.all()[: AuditEntry.objects.count() - before])
        assert [actions()[entry.action][0] for entry in entries] == ["exports"], address
        assert entries[0].actor_label == "administrator" and "ada@" not in str(entries[0].after)


def test_the_rights_of_each_role_are_those_of_the_table() -> None:
    names = [role.name for role in ROLES]
    lines = {cells[0]: cells[1:] for cells in tables() if cells[0] in RIGHTS.values()}
    assert lines == {words: [YES if right in role.rights else NO for role in ROLES] for right, words in RIGHTS.items()}
    assert ["A role may", *names] in list(tables())
