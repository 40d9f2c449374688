"""What is imported is also required, so that a fresh installation has it."""

from __future__ import annotations

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROOMS = {"memberSuite", "targetgroups", "accounts", "audit", "mailings", "alerts", "api", "thrive_sync"}
# The servers of the demo and of the tests are not for production.
EMBEDDED = "thrive_sync/stack/"


def test_production_requires_whatever_the_rooms_import() -> None:
    assert not missing(required("requirements.txt"), lambda name: not name.startswith(EMBEDDED))


def test_the_demo_requires_whatever_its_servers_import() -> None:
    both = required("requirements.txt") | required("requirements-embedded.txt")
    assert not missing(both, lambda name: name.startswith(EMBEDDED))


def test_every_requirement_is_pinned() -> None:
    files = [*ROOT.glob("requirements*.txt"), *ROOT.glob("bench/requirements/*.txt")]
    lines = [line for path in files for line in path.read_text().splitlines()]
    assert not [
        line for line in lines if line and line[0] not in "#-" and not re.fullmatch(r"[\w.\[\]-]+==[\w.]+", line)
    ]


def required(name: str) -> set[str]:
    return {normal(line.partition("==")[0]) for line in (ROOT / name).read_text().splitlines() if "==" in line}


def missing(have: set[str], concerns) -> list[str]:
    distributions = packages_distributions()
    return [
        f"{name} imports {package}"
        for name, package in imports()
        if concerns(name) and not {normal(found) for found in distributions.get(package, [package])} & have
    ]


def imports() -> list[tuple[str, str]]:
    found = set()
    for path in (path for room in ROOMS for path in (ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
                names = [node.module]
            tops = {name.partition(".")[0] for name in names} - sys.stdlib_module_names - ROOMS
            found |= {(path.relative_to(ROOT).as_posix(), top) for top in tops}
    return sorted(found)


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name.partition("[")[0]).lower()
