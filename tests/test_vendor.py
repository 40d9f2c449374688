"""Third-party files are exactly what VENDOR.md says, each beside its licence."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = [ROOT / "thrive_sync/static/vendor", ROOT / "tests/e2e/vendor"]
ROW = re.compile(
    r"^\| `(?P<file>[^`]+)` \| (?P<name>\S+) \| (?P<version>\S+) \| (?P<licence>[^|]+) "
    r"\| `(?P<sha256>[0-9a-f]{64})` \|$"
)


def rows(room: Path) -> dict[str, str]:
    lines = (room / "VENDOR.md").read_text().splitlines()
    return {found["file"]: found["sha256"] for line in lines if (found := ROW.match(line))}


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.parent.name)
def test_every_vendored_file_has_the_hash_written_down(room: Path) -> None:
    table = rows(room)
    assert table
    for name, digest in table.items():
        assert hashlib.sha256((room / name).read_bytes()).hexdigest() == digest, name


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.parent.name)
def test_no_vendored_file_is_missing_from_the_table_and_each_has_its_licence(room: Path) -> None:
    table = rows(room)
    for path in room.rglob("*"):
        if path.is_dir() or path.name == "VENDOR.md" or path.name.startswith("LICENSE"):
            continue
        assert str(path.relative_to(room)) in table
        assert (path.parent / "LICENSE").is_file()
