"""Settings that are missing or malformed stop the start, named, and without telling their value."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.core.exceptions import ImproperlyConfigured

from thrive_sync.lib import env

A_KEY = "bm90LWEtc2VjcmV0LW9ubHktZm9yLXRoaXMtdGVzdCE="
ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    return lambda value: monkeypatch.setenv("SOME_SETTING", value)


def test_a_missing_setting_is_named_with_what_to_do() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"SOME_SETTING is not set\. Do this\."):
        env.text("SOME_SETTING", hint="Do this.")


def test_an_empty_setting_counts_as_missing(given: Callable[[str], None]) -> None:
    given("  ")
    with pytest.raises(ImproperlyConfigured, match="SOME_SETTING is not set"):
        env.text("SOME_SETTING")


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (lambda name: env.flag(name, default=True), "perhaps"),
        (lambda name: env.whole(name, 1), "1.5"),
        (lambda name: env.whole(name, 1), "0"),
        (lambda name: env.seconds(name, 1, least=0.1), "soon"),
        (lambda name: env.seconds(name, 1, least=0.1), "nan"),
        (lambda name: env.seconds(name, 1, least=0.1), "0.01"),
        (lambda name: env.zone(name, "UTC"), "Middle-Earth/Shire"),
        (lambda name: env.log_level(name, "INFO"), "CHATTY"),
        (env.fernet_keys, "not-a-key"),
        (env.fernet_keys, f"{A_KEY},short"),
        (env.database, "mysql://somebody:hunter2@host/name"),
        (env.database, "postgres://somebody:hunter2@host:port/name"),
        (env.database, "postgres://somebody:hunter2@host"),
        (env.database, "hunter2"),
        (env.broker, "amqp://somebody:hunter2@host"),
        (env.broker, "hunter2"),
        (lambda name: env.mail_server(name, ""), "smtps://somebody:hunter2@host"),
        (lambda name: env.mail_server(name, ""), "smtp://somebody:hunter2@host:port"),
        (lambda name: env.mail_server(name, ""), "smtp+tls://"),
        (lambda name: env.mail_server(name, ""), "hunter2"),
        (lambda name: env.origin(name, ""), "https://thrive.example.org/below"),
        (lambda name: env.origin(name, ""), "https://somebody:hunter2@thrive.example.org"),
        (lambda name: env.origin(name, ""), "thrive.example.org"),
        (env.sign_ins, "hunter2"),
        (env.sign_ins, ":hunter2-and-some-more"),
        (env.sign_ins, "somebody:hunter2"),
        (env.sign_ins, "somebody:a-long-enough-password,other:hunter2"),
        (env.public_key, "hunter2"),
        (env.public_key, A_KEY),
    ],
)
def test_a_malformed_setting_is_named_and_its_value_is_not_told(
    read: Callable[[str], object], value: str, given: Callable[[str], None]
) -> None:
    given(value)
    with pytest.raises(ImproperlyConfigured, match="SOME_SETTING is malformed") as caught:
        read("SOME_SETTING")
    assert "hunter2" not in str(caught.value)


def test_the_folder_of_a_unix_socket_is_the_host_of_a_database(given: Callable[[str], None]) -> None:
    given("postgres://thrive@/name?host=/run/postgresql")
    found = env.database("SOME_SETTING")
    assert (found["HOST"], found["NAME"], found["USER"]) == ("/run/postgresql", "name", "thrive")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("redis://host:6379/3", "redis://host:6379/3"),
        ("rediss://:secret@host/0", "rediss://:secret@host/0"),
        ("unix:///run/valkey.sock?db=3", "redis+socket:///run/valkey.sock?virtual_host=3"),
        ("unix:///run/valkey.sock", "redis+socket:///run/valkey.sock?virtual_host=0"),
        ("redis+socket:///run/valkey.sock?virtual_host=3", "redis+socket:///run/valkey.sock?virtual_host=3"),
    ],
)
def test_both_spellings_of_a_broker_are_taken(given: Callable[[str], None], value: str, expected: str) -> None:
    given(value)
    assert env.broker("SOME_SETTING") == expected


def test_the_environment_wins_over_the_file(given: Callable[[str], None], tmp_path: Path) -> None:
    given("from the environment")
    (tmp_path / ".env").write_text("SOME_SETTING=from the file\n")
    env.read_file(tmp_path / ".env")
    assert env.text("SOME_SETTING") == "from the environment"


@pytest.mark.parametrize("name", ["SECRET_KEY", "FIELD_ENCRYPTION_KEYS", "DATABASE_URL", "REDIS_URL"])
def test_a_command_without_a_required_setting_says_which_and_how(name: str, tmp_path: Path) -> None:
    environment = os.environ | {name: "", "THRIVE_VAR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "thrive_sync.settings"}
    command = [sys.executable, "manage.py", "check"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(f"{name} is not set. Start the demo (`make demo`)")


def test_every_setting_is_in_the_example_file() -> None:
    example = (ROOT / ".env.example").read_text()
    settings = (ROOT / "thrive_sync" / "settings.py").read_text()
    names = {part.partition('"')[0] for call in settings.split("env.")[1:] for part in call.split('("')[1:2]}
    assert names >= {"SECRET_KEY", "DATABASE_URL", "SYNC_OUTCOME_DAYS"}
    assert not [name for name in names if name.isupper() and f"\n{name}=" not in example]


def test_several_sign_ins_stand_beside_each_other_and_a_password_may_hold_a_colon(given: Callable[[str], None]) -> None:
    assert env.sign_ins("SOME_SETTING") == []
    given("old:a-long-enough-password, new:another:long-password")
    assert env.sign_ins("SOME_SETTING") == ["old:a-long-enough-password", "new:another:long-password"]


def test_a_public_key_is_returned_as_it_was_given(given: Callable[[str], None]) -> None:
    assert env.public_key("SOME_SETTING") == ""
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    shown = base64.b64encode(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
    given(shown)
    assert env.public_key("SOME_SETTING") == shown
