"""The keys of secrets can change (R17): every secret comes under the first one, and what no key opens is told."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.db import connection

from audit.models import AuditEntry
from targetgroups.models import Bridge

if TYPE_CHECKING:
    from pytest_django.fixtures import SettingsWrapper

pytestmark = pytest.mark.django_db
OLD, NEW, LOST = (Fernet.generate_key().decode() for _ in range(3))


@pytest.fixture
def bridge(settings: SettingsWrapper) -> Bridge:
    settings.FIELD_ENCRYPTION_KEYS = [OLD]
    bridge = Bridge.objects.create(name="Lamps", secret_access_key="wick", api_password="oil")
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    return bridge


def rotate(*words: str) -> str:
    said = StringIO()
    call_command("rotate_keys", *words, stdout=said)
    return said.getvalue()


def stored(name: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {name} FROM targetgroups_bridge")
        return str(cursor.fetchone()[0])


def test_r17_after_it_the_older_key_is_needed_no_more(bridge: Bridge, settings: SettingsWrapper) -> None:
    assert "Bridges: 2 secrets, 2 encrypted anew, 0 unreadable." in rotate()
    settings.FIELD_ENCRYPTION_KEYS = [NEW]
    fresh = Bridge.objects.get()
    assert (fresh.secret_access_key, fresh.api_password) == ("wick", "oil")
    before = stored("api_password")
    assert "2 secrets, 0 encrypted anew" in rotate()
    assert stored("api_password") == before


def test_r16_r17_it_is_recorded_without_a_secret(bridge: Bridge) -> None:
    rotate()
    entry = AuditEntry.objects.get(action="secrets_encrypted_anew")
    assert (entry.actor_label, entry.object_id) == ("command", str(bridge.pk))
    assert entry.after == {"fields": ["secret access key", "api password"]}


def test_r17_check_changes_nothing_and_says_what_is_left(bridge: Bridge) -> None:
    before = stored("secret_access_key")
    said = rotate("--check")
    assert "2 under an older key" in said
    assert "still needed" in said
    assert stored("secret_access_key") == before
    rotate()
    assert "the keys behind it can go" in rotate("--check")


def test_r17_what_no_key_opens_is_named_and_kept_and_the_rest_goes_on(
    bridge: Bridge, settings: SettingsWrapper
) -> None:
    lost = Fernet(LOST).encrypt(b"gone").decode()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE targetgroups_bridge SET api_password = %s", [lost])
    with pytest.raises(CommandError, match=f"opens: api password of bridge {bridge.pk}. They were left as they are"):
        rotate()
    assert stored("api_password") == lost
    settings.FIELD_ENCRYPTION_KEYS = [NEW]
    assert Bridge.objects.defer("api_password").get().secret_access_key == "wick"
