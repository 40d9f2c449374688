"""What docs/security.md promises of every page at once; each line there names its test."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group
from django.db import DatabaseError, models, transaction
from django.test import Client

from accounts.models import User
from tests.mailings.views.conftest import desk, mailbox
from tests.targetgroups.views.conftest import rows
from tests.test_permissions import addresses, ask, client_of, written

__all__ = ["addresses", "desk", "mailbox", "rows"]
ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("accounts", "audit", "targetgroups", "mailings", "alerts")
# Whoever posts here shows a token or a signature instead, and no cookie counts.
WITHOUT_COOKIES = ("/opt-out/{token}/", "/mail-events/{provider}/", "/api/", "/healthz", "/readyz", "/metrics")
WITHOUT_COOKIES += ("/demo/webhooks/receive/",)
EVIL = '<script>alert("lamp")</script>'
PASSWORD = "lamps in the window"


@pytest.mark.django_db
def test_no_address_takes_a_post_that_another_site_could_have_made(addresses: dict[str, str]) -> None:
    client = Client(enforce_csrf_checks=True)
    client.cookies = client_of("Administrator").cookies
    took = {
        address: answer.status_code
        for address, how in written()
        if how == "POST"
        and not (address in WITHOUT_COOKIES or address.startswith("/api/"))
        and (answer := ask(client, "POST", addresses[address])).status_code != 403
    }
    assert took == {}


@pytest.mark.django_db
def test_what_people_and_membersuite_wrote_is_shown_as_text_on_every_page(addresses: dict[str, str]) -> None:
    filled = {
        f"{model.__name__}.{field.name}" for model in own_models() for field in texts(model) if fill(model, field)
    }
    assert {"TargetGroup.name", "Subscriber.first_name", "SyncRun.error_text", "Mailing.subject"} <= filled
    client, shown = client_of("Administrator"), 0
    for address, how in written():
        if how != "GET" or address in WITHOUT_COOKIES:
            continue
        answer = ask(client, "GET", addresses[address])
        if answer.status_code != 200 or not answer["Content-Type"].startswith("text/html"):
            continue
        page = answer.content.decode()
        assert EVIL not in page, address
        shown += "&lt;script&gt;alert(" in page
    assert shown > 20, "the pages do not show what was written"


def own_models() -> list[type[models.Model]]:
    return [model for room in ROOMS for model in apps.get_app_config(room).get_models()]


def texts(model: type[models.Model]) -> list[models.Field[Any, Any]]:
    """Return the columns for free text: what code decides by, and addresses of mail, stay as they are."""
    return [
        field
        for field in model._meta.concrete_fields
        if type(field) in (models.CharField, models.TextField)
        and not field.choices
        and not field.unique
        and (field.max_length or 999) >= len(EVIL)
        and not re.search(
            r"(_key|_id|_code|^key|code|sort_\w+|email|address|html|worker|kind|reason|queue)$", field.name
        )
    ]


def fill(model: type[models.Model], field: models.Field[Any, Any]) -> bool:
    """Put it into every row; a column that the database keeps free of it is none that could show it."""
    try:
        with transaction.atomic():
            return model._default_manager.update(**{field.name: EVIL}) > 0
    except DatabaseError:
        return False


@pytest.mark.django_db
@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        "https:evil.example",
        " //evil.example",
    ],
)
def test_signing_in_leads_to_no_other_site(elsewhere: str) -> None:
    user = User.objects.create_user("ann", password=PASSWORD)
    user.groups.add(Group.objects.get(name="Reporter"))
    signed_in = Client().post("/sign-in/", {"username": "ann", "password": PASSWORD, "next": elsewhere})
    assert (signed_in.status_code, signed_in["Location"]) == (302, "/")
    asked = Client()
    answer = asked.post("/sign-in/", {"username": "ann", "password": PASSWORD}, QUERY_STRING=f"next={elsewhere}")
    assert (answer.status_code, answer["Location"]) == (302, "/")


def test_the_cookie_of_a_session_is_for_this_site_and_no_script(settings: Any) -> None:
    assert settings.SESSION_COOKIE_HTTPONLY
    assert settings.CSRF_COOKIE_HTTPONLY
    assert settings.SESSION_COOKIE_SAMESITE == settings.CSRF_COOKIE_SAMESITE == "Lax"


def test_every_test_that_the_threat_table_names_exists() -> None:
    document = (ROOT / "docs" / "security.md").read_text()
    named = re.findall(r"`(tests/[\w/.]+\.py)(?:::(\w+))?`", document)
    assert len(named) > 30
    for path, name in named:
        assert (ROOT / path).is_file(), path
        assert not name or f"def {name}(" in (ROOT / path).read_text(), f"{path}::{name}"
