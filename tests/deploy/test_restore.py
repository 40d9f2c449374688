"""A dump, as the back-up unit makes it, restored into another database: rows, secrets and the audit log's lock."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
from cryptography.fernet import Fernet
from django.conf import settings
from django.db import connection

from audit import record
from targetgroups.models import Bridge
from tests.support.programs import ROOT
from tests.targetgroups.views.conftest import Rows
from thrive_sync.stack.binaries import account, postgres_programs

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def restored() -> Iterator[str]:
    """The name of an empty database that goes with the test."""
    name = f"{connection.settings_dict['NAME']}_restored"
    with connection.cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}"')
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
    yield name
    with connection.cursor() as cursor:
        cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def flags_of_the_unit() -> list[str]:
    unit = (ROOT / "deploy/systemd/thrive-sync-backup.service").read_text()
    return re.findall(r"--[a-z-]+(?:=custom)?", re.search(r"pg_dump (.*) --file", unit).group(1))  # type: ignore[union-attr]


def flags_of_the_guide() -> list[str]:
    guide = (ROOT / "docs/deploy.md").read_text()
    return re.findall(r"--[a-z-]+", re.search(r"pg_restore (.*) --dbname", guide).group(1))  # type: ignore[union-attr]


def run(program: str, *words: str) -> None:
    path = postgres_programs(account()) / program
    done = subprocess.run([str(path), *words], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr


def test_r16_r17_what_was_dumped_is_there_again(restored: str, tmp_path: Path) -> None:
    bridge = Bridge.objects.create(name="Lamps", secret_access_key="wick")
    rows = Rows(bridge)
    group = rows.group("Members", member_count=3)
    for number in range(3):
        rows.member(group, f"person{number}@lamps.example", "Zoë", "Ångström")
    record("command", "bridge created", bridge, after={"name": "Lamps"})
    with connection.cursor() as cursor:  # a stage of a sync that runs meanwhile
        cursor.execute("CREATE UNLOGGED TABLE sync_stage_1_1 AS SELECT 1 AS reading")
    host = parse_qs(urlsplit(os.environ["DATABASE_URL"]).query)["host"][0]
    where = ["--host", host, "--username", "thrive"]
    dump = str(tmp_path / "thrive.dump")
    try:
        name = str(connection.settings_dict["NAME"])
        run("pg_dump", *where, *flags_of_the_unit(), "--file", dump, name)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE sync_stage_1_1")
    run("pg_restore", *where, *flags_of_the_guide(), "--dbname", restored, dump)
    with psycopg.connect(host=host, user="thrive", dbname=restored) as copy:
        members = """
            SELECT count(*), min(s.last_name)
            FROM targetgroups_membership JOIN targetgroups_subscriber s ON s.id = subscriber_id
        """
        assert copy.execute(members).fetchone() == (3, "Ångström")
        assert copy.execute("SELECT count(*) FROM sync_stage_1_1").fetchone() == (0,)
        (token,) = copy.execute("SELECT secret_access_key FROM targetgroups_bridge").fetchone()  # type: ignore[misc]
        assert "wick" not in token
        assert Fernet(settings.FIELD_ENCRYPTION_KEYS[0]).decrypt(token.encode()) == b"wick"
        with pytest.raises(psycopg.errors.RaiseException):
            copy.execute("DELETE FROM audit_auditentry")
