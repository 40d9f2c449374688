"""A version's processes go on working while the next version's migrations run, and after: none may break them."""

from __future__ import annotations

from typing import Any

import pytest
from django_migration_linter import MigrationLinter

from tests.support.programs import ROOT

pytestmark = pytest.mark.django_db
# The last migrations that no version in production has behind it.
FIRST_VERSION = {
    "accounts": "0012_two_step",
    "alerts": "0001_initial",
    "api": "0001_initial",
    "audit": "0002_append_only",
    "mailings": "0038_restored",
    "targetgroups": "0011_record_address",
}


class Linter(MigrationLinter):
    """Lints one migration at a time and keeps what it says."""

    def __init__(self) -> None:
        super().__init__(str(ROOT), no_cache=True, no_output=True)
        self.said: list[str] = []

    def print_errors(self, errors: list[Any]) -> None:
        self.said += [error.message for error in errors]

    def names(self, room: str) -> list[str]:
        return sorted(name for label, name in self.migration_loader.disk_migrations if label == room)

    def errors(self, room: str, name: str) -> list[str]:
        self.said = []
        self.lint_migration(self.migration_loader.disk_migrations[room, name])
        return self.said


def test_no_migration_breaks_the_version_before() -> None:
    linter = Linter()
    newer = [(room, name) for room, first in FIRST_VERSION.items() for name in linter.names(room) if name > first]
    assert {name: said for room, name in newer if (said := linter.errors(room, name))} == {}


def test_a_migration_that_would_is_noticed() -> None:
    linter = Linter()
    assert linter.errors("targetgroups", "0011_record_address") == ["NOT NULL constraint on columns"]
    assert linter.errors("targetgroups", "0010_kept_on_doubt") == []


def test_every_room_with_tables_is_looked_at() -> None:
    linter = Linter()
    rooms = {label for label, _ in linter.migration_loader.disk_migrations if (ROOT / label / "migrations").is_dir()}
    assert rooms == set(FIRST_VERSION)
    assert all(first in linter.names(room) for room, first in FIRST_VERSION.items())
