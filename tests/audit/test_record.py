"""R16 and R17: every change leaves an entry, no entry holds a secret, and entries stay as they are."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, transaction
from django.utils.translation import get_language, override

from accounts.models import User
from audit import record, without_secrets
from audit.models import AuditEntry

pytestmark = pytest.mark.django_db


def test_r16_an_entry_says_who_when_what_before_and_after() -> None:
    user = User.objects.create_user("ann")
    entry = record(user, "renamed", user, before={"name": "a"}, after={"name": "b"})
    entry.refresh_from_db()
    assert (entry.actor, entry.actor_label, entry.action) == (user, "ann", "renamed")
    assert (entry.object_type, entry.object_id, entry.object_label) == ("accounts.user", str(user.pk), "ann")
    assert (entry.before, entry.after) == ({"name": "a"}, {"name": "b"})
    assert entry.at is not None


def test_a_things_name_is_kept_in_the_sites_language_whoever_did_it(monkeypatch: pytest.MonkeyPatch) -> None:
    user = User.objects.create_user("ann")
    monkeypatch.setattr(User, "__str__", lambda _: f"in {get_language()}")
    with override("de"):
        assert record("schedule", "renamed", user).object_label == "in en"
        assert get_language() == "de"


@pytest.mark.parametrize(("actor", "label"), [("schedule", "schedule"), (None, "system")])
def test_r16_what_acts_by_itself_is_named_too(actor: str | None, label: str) -> None:
    entry = record(actor, "synced", User.objects.create_user("ann"))
    assert (entry.actor, entry.actor_label) == (None, label)


def test_r17_secrets_are_left_out_at_any_depth_and_in_any_spelling() -> None:
    value = {
        "page_size": 200,
        "api_password": "x",
        "SecretAccessKey": "x",
        "nested": [{"Token": "x", "host": "h"}],
        "replaced": ["api_password"],
    }
    assert without_secrets(value) == {"page_size": 200, "nested": [{"host": "h"}], "replaced": ["api_password"]}


def test_r17_record_drops_secrets_before_they_reach_the_database() -> None:
    entry = record("command", "changed", User.objects.create_user("ann"), after={"access_key_id": "x", "note": "kept"})
    entry.refresh_from_db()
    assert entry.after == {"note": "kept"}


@pytest.mark.parametrize("change", ["update", "delete"])
def test_r16_an_entry_cannot_be_changed_or_removed(change: str) -> None:
    entry = record("command", "changed", User.objects.create_user("ann"))
    entries = AuditEntry.objects.filter(pk=entry.pk)
    with pytest.raises(DatabaseError, match="only ever added"), transaction.atomic():
        entries.update(action="never") if change == "update" else entries.delete()


def test_r16_entries_outlive_the_user_and_keep_the_name() -> None:
    user = User.objects.create_user("ann")
    entry = record(user, "changed", user)
    user.delete()
    entry.refresh_from_db()
    assert (entry.actor, entry.actor_label) == (None, "ann")
