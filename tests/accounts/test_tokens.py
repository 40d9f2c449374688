"""Tokens of the API: shown once, kept as a hash, revoked by their owner or an administrator, all of it recorded."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from accounts import tokens
from accounts.exceptions import NotAllowedNow
from accounts.models import ApiToken, User
from audit.models import AuditEntry
from thrive_sync.lib.logs import redact

pytestmark = pytest.mark.django_db
PASSWORD = "lamps in the window"
GIVEN = {"name": "nightly report", "scopes": ["read:groups", "sync"], "days": "30", "password": PASSWORD}


def person(role: str = "Administrator", name: str = "dana") -> User:
    user = User.objects.create_user(name, password=PASSWORD)
    user.groups.add(Group.objects.get(name=role))
    return user


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def shown(answer: Any) -> str:
    return str(answer.context["text"])


def test_a_token_is_shown_once_and_kept_as_a_hash() -> None:
    client = client_of(person())
    answer = client.post("/preferences/tokens/create/", GIVEN)
    text, kept = shown(answer), ApiToken.objects.get()
    assert text in answer.content.decode() and "no-store" in answer["Cache-Control"]
    assert tokens.find(text) == kept
    assert text not in str(ApiToken.objects.values().get()) and text.rpartition("_")[2] not in str(kept.__dict__)
    assert text not in client.get("/preferences/tokens/").content.decode()
    assert kept.prefix in client.get("/preferences/tokens/").content.decode()


def test_making_one_asks_for_the_password() -> None:
    answer = client_of(person()).post("/preferences/tokens/create/", GIVEN | {"password": "wrong"})
    assert answer.status_code == 422 and not ApiToken.objects.exists()


def test_scopes_that_the_role_can_not_use_are_refused() -> None:
    answer = client_of(person("Reporter")).post("/preferences/tokens/create/", GIVEN)
    assert answer.status_code == 422 and not ApiToken.objects.exists()


def test_making_and_revoking_are_recorded_without_the_token() -> None:
    user = person()
    client = client_of(user)
    text = shown(client.post("/preferences/tokens/create/", GIVEN))
    client.post(f"/preferences/tokens/{ApiToken.objects.get().pk}/revoke/")
    made, revoked = AuditEntry.objects.filter(action__startswith="api_token").order_by("id")
    assert (made.action, revoked.action) == ("api_token.created", "api_token.revoked")
    assert made.after["scopes"] == ["read:groups", "sync"] and made.actor == user
    assert text.rpartition("_")[2] not in str(AuditEntry.objects.values())


def test_nobody_revokes_the_token_of_another_but_an_administrator() -> None:
    token, text = tokens.create(person(name="mia"), "theirs", ["read:groups"], 30)
    assert client_of(person("Manager", "per")).post(f"/preferences/tokens/{token.pk}/revoke/").status_code == 404
    assert client_of(person("Manager", "ada")).post(f"/users/tokens/{token.pk}/revoke/").status_code == 403
    assert tokens.find(text)
    administrator = client_of(person())
    assert "theirs" in administrator.get("/users/tokens/").content.decode()
    administrator.post(f"/users/tokens/{token.pk}/revoke/")
    assert tokens.find(text) is None and ApiToken.objects.get().revoked_by == "dana"


def test_a_token_is_revoked_once() -> None:
    user = person()
    token, _ = tokens.create(user, "one", ["sync"], 30)
    assert tokens.revoke(user, token) and not tokens.revoke(user, token)
    assert AuditEntry.objects.filter(action="api_token.revoked").count() == 1


def test_nobody_has_more_than_so_many() -> None:
    user = person()
    for number in range(tokens.MOST_LIVE):
        token, _ = tokens.create(user, str(number), ["sync"], 30)
    with pytest.raises(NotAllowedNow):
        tokens.create(user, "one more", ["sync"], 30)
    assert client_of(user).post("/preferences/tokens/create/", GIVEN).status_code == 422
    tokens.revoke(user, token)
    tokens.create(user, "one more", ["sync"], 30)


def test_dead_tokens_are_forgotten_after_some_months() -> None:
    user = person()
    old, kept = (tokens.create(user, name, ["sync"], 30)[0] for name in ("old", "kept"))
    ApiToken.objects.filter(pk=old.pk).update(expires_at=timezone.now() - tokens.KEPT - timedelta(days=1))
    ApiToken.objects.filter(pk=kept.pk).update(revoked_at=timezone.now())
    tokens.forget_old()
    assert list(ApiToken.objects.all()) == [kept]


def test_no_token_reaches_a_log() -> None:
    _, text = tokens.create(person(), "one", ["sync"], 30)
    assert text.rpartition("_")[2] not in redact(f"refused {text} of nobody")
