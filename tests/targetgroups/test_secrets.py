"""Secrets are encrypted at rest, never shown, never logged: R17."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.db import connection

from targetgroups.models import Bridge
from targetgroups.remote import connect
from targetgroups.sync.clock import TickingClock

if TYPE_CHECKING:
    from pytest_django.fixtures import SettingsWrapper

    from tests.support.engine import Engine

SECRET = "c3VwZXItc2VjcmV0LWtleS1mb3ItdGVzdHM="


@pytest.fixture
def bridge_row(db: None) -> Bridge:
    return Bridge.objects.create(name="Lamps", secret_access_key=SECRET, api_password="pass-phrase")


def test_r17_the_database_holds_no_secret_in_the_clear(bridge_row: Bridge) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(b)::text FROM targetgroups_bridge b")
        (row,) = cursor.fetchone()
    assert SECRET not in row
    assert "pass-phrase" not in row
    assert Bridge.objects.get().secret_access_key == SECRET


def test_r17_an_older_key_still_opens_what_it_encrypted(bridge_row: Bridge, settings: SettingsWrapper) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode(), *settings.FIELD_ENCRYPTION_KEYS]
    assert Bridge.objects.get().api_password == "pass-phrase"


def test_r17_a_lost_key_is_named_in_a_clear_error(bridge_row: Bridge, settings: SettingsWrapper) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(ImproperlyConfigured, match="FIELD_ENCRYPTION_KEYS"):
        Bridge.objects.get()


def test_r17_a_secret_can_be_looked_for_by_nobody(bridge_row: Bridge) -> None:
    with pytest.raises(FieldError):
        Bridge.objects.filter(secret_access_key__startswith="c3").exists()


def test_r17_a_sync_logs_neither_secrets_nor_people(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    engine.sync("Board of directors")
    Bridge.objects.update(secret_access_key=SECRET)
    assert engine.sync("Board of directors").status == "failed"
    said = caplog.text
    assert said
    people = engine.standin.truth(engine.standin.search_id("Board of directors"))
    secrets = [SECRET, engine.bridge.secret_access_key, engine.bridge.api_password]
    for word in [*secrets, *[str(person["email"]) for person in people if person["email"]]]:
        assert word not in said


def test_r17_neither_the_client_nor_its_settings_tell_a_secret(engine: Engine) -> None:
    import threading

    with connect(engine.bridge, clock=TickingClock(), stop=threading.Event()) as client:
        assert engine.bridge.secret_access_key not in repr(vars(client))
