"""Every page of mailings checks its permission on the server, and looking starts and changes nothing (R8)."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.permissions import ROLES, Role
from audit.models import AuditEntry
from mailings import optout
from mailings.models import Mailing
from mailings.urls import urlpatterns
from targetgroups.models import SyncRequest
from tests.mailings.views.conftest import Desk, SignIn
from tests.targetgroups.views.conftest import Rows
from thrive_sync.stack.mailbox import Mailbox

PUBLIC = ["opt_out", "opt_in", "mail_events"]
NAMES = [str(pattern.name) for pattern in urlpatterns if pattern.name not in PUBLIC]
POSTED = {
    "create", "save", "begin", "check", "copy", "delete", "request_send", "retry", "accept", "send_stale", "pause",
    "resume", "cancel", "decide", "opt_in", "mail_events", "recipients_csv", "left_out_csv", "mailings_csv",
    "send_test", "tell_of_letter",
    "choose_columns",
}  # fmt: skip


@pytest.fixture
def addresses(rows: Rows, desk: Desk, mailbox: Mailbox) -> dict[str, str]:
    """One address of each page, with something behind it."""
    mailing = desk.frozen(rows.group(member_count=3), sent=1, unknown=1)
    values: dict[str, Any] = {
        "mailing_id": mailing.pk,
        "name": "mailings",
        "provider": "postmark",
        "token": optout.token_for(mailing.recipients.first()),
        "number": mailbox.keep(b"Subject: Lamps\r\n\r\nHello.\r\n", "ada@example.org"),
        "group_id": mailing.groups.get().target_group_id,
    }
    return {
        str(pattern.name): reverse(
            f"mailings:{pattern.name}", kwargs={name: values[name] for name in pattern.pattern.converters}
        )
        for pattern in urlpatterns
    }


def ask(client: Client, name: str, address: str) -> Any:
    return client.post(address, {"letter": "newsletter"}) if name in POSTED else client.get(address)


def may(name: str, rights: frozenset[str]) -> bool:
    view = next(pattern.callback for pattern in urlpatterns if pattern.name == name)
    return set(getattr(view, "required_codenames", ())) <= rights


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_each_page_opens_for_exactly_the_roles_that_have_its_permissions(
    role: Role, addresses: dict[str, str], sign_in: SignIn
) -> None:
    client = sign_in(role.name)
    for name in NAMES:
        assert (ask(client, name, addresses[name]).status_code == 403) == (not may(name, role.rights)), name


def test_writing_and_sending_are_rights_of_their_own(addresses: dict[str, str], client: Client) -> None:
    user = User.objects.create_user("sender")
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_mailings", "send_mailing"]))
    client.force_login(user)
    for name in NAMES:
        allowed = name in {"mailings", "compose", "estimate", "send", "report", "inbox", "letter", "choose_columns"}
        allowed = allowed or name in {"preview", "preview_page", "tests", "tell_of_letter"}
        allowed = allowed or name in {"request_send", "retry", "accept", "pause", "resume", "cancel", "decide"}
        assert (ask(client, name, addresses[name]).status_code != 403) == allowed, name


@pytest.mark.parametrize("name", NAMES)
def test_nobody_sees_anything_without_signing_in(name: str, addresses: dict[str, str], client: Client) -> None:
    response = ask(client, name, addresses[name])
    assert response.status_code == 302
    assert response["Location"].startswith("/sign-in/")


@pytest.mark.parametrize("name", [*NAMES, *PUBLIC])
def test_r8_get_never_starts_or_changes_anything(name: str, addresses: dict[str, str], sign_in: SignIn) -> None:
    client = sign_in()
    before = (list(Mailing.objects.values()), SyncRequest.objects.count(), AuditEntry.objects.count())
    assert client.get(addresses[name]).status_code == (405 if name in POSTED else 200)
    assert (list(Mailing.objects.values()), SyncRequest.objects.count(), AuditEntry.objects.count()) == before


def test_nothing_on_any_page_needs_inline_scripts_or_styles(addresses: dict[str, str], sign_in: SignIn) -> None:
    client = sign_in()
    for name in [*NAMES, "opt_out"]:
        if name in POSTED or name == "preview_page":  # that is a message, with a policy of its own
            continue
        response = client.get(addresses[name])
        page = response.content.decode()
        assert " style=" not in page, name
        assert " onclick=" not in page, name
        assert page.count("<script") == page.count("<script src="), name
        assert "script-src 'self'" in response["Content-Security-Policy"]


def test_the_menu_leads_to_mailings_only_for_those_who_may(addresses: dict[str, str], sign_in: SignIn) -> None:
    for role in ("Reporter", "Manager"):
        assert 'href="/mailings/"' in sign_in(role).get("/preferences/").content.decode()
    assert 'href="/mailings/"' not in sign_in("Subscribers").get("/preferences/").content.decode()
