"""The rules of who may import whom, and of what may stand where."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("memberSuite", "targetgroups", "accounts", "audit", "mailings", "alerts", "api", "thrive_sync")
# Set-based work on a whole group; everything else goes through querysets.
MAY_USE_CURSORS = {f"targetgroups/sync/{name}.py" for name in ("stage", "compare", "apply", "counts", "clock")}
MAY_USE_CURSORS |= {f"mailings/send/{name}.py" for name in ("tally", "freeze")}
# The rows of a page of people, with what suppresses them: one statement that no queryset can say.
MAY_USE_CURSORS |= {"targetgroups/listed.py"}
# The last sync of each group and day: one look a pair, which no queryset can say either.
MAY_USE_CURSORS |= {"targetgroups/views/growth.py"}
# The one way by which entries of the audit log go is opened for a transaction.
MAY_USE_CURSORS |= {"audit/retention.py"}
MAIL_PACKAGES = ("django.core.mail", "smtplib", "mailings.send.smtp", "smtp")
# How a message looks and to whom it goes; the connections to the mail server; any other of Django's backends; what
# tells of a stop.
MAY_SEND_MAIL = {
    f"mailings/send/{name}.py" for name in ("letter", "press", "mould", "deliver", "fleet", "line", "backend", "notice")
}
# Invitations and links to a new password.
MAY_SEND_MAIL |= {"accounts/letters.py"}
# Alerts, to users.
MAY_SEND_MAIL |= {"alerts/letters.py"}


@cache
def modules() -> tuple[tuple[str, ast.Module], ...]:
    found = []
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if "/migrations/" not in name:
                found.append((name, ast.parse(path.read_text(), name)))
    return tuple(found)


def test_no_module_imports_what_its_room_may_not() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([program, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_body_of_a_task_is_one_statement() -> None:
    found = [f"{name}: {function.name}" for name, function in tasks() if len(without_docstring(function)) != 1]
    assert not found


def test_a_task_holds_neither_a_branch_nor_a_catch() -> None:
    kinds = (ast.If, ast.Try, ast.For, ast.While, ast.With)
    found = [
        f"{name}: {function.name}"
        for name, function in tasks()
        if any(isinstance(node, kinds) for node in ast.walk(function))
    ]
    assert not found


def test_only_the_delivery_of_mailings_and_the_letters_to_users_send_mail() -> None:
    asked = {name for name, tree in modules() if any(each.startswith(MAIL_PACKAGES) for each in imported(tree))}
    assert asked == MAY_SEND_MAIL


def test_a_mailings_tally_is_written_in_one_place() -> None:
    writes = re.compile(
        r"(INSERT INTO|UPDATE|DELETE FROM) mailings_(minute)?tally|Tally\.objects\.(bulk_)?(create|update|get_or)"
    )
    found = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "mailings").rglob("*.py")
        if path.parent.name != "migrations" and writes.search(path.read_text())
    }
    assert found == {"mailings/send/tally.py"}


def test_cursors_are_opened_only_where_a_whole_group_is_worked_on() -> None:
    found = {
        name
        for name, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr == "cursor"
    }
    assert found == MAY_USE_CURSORS


@pytest.mark.parametrize("name", ["utils.py", "helpers.py", "misc.py", "common.py"])
def test_no_module_is_named_for_nothing(name: str) -> None:
    assert not [path for room in ROOMS for path in (ROOT / room).rglob(name)]


def tasks() -> Iterator[tuple[str, ast.FunctionDef]]:
    for name, tree in modules():
        if name.endswith("/tasks.py"):
            yield from ((name, node) for node in tree.body if isinstance(node, ast.FunctionDef) and is_task(node))


def is_task(function: ast.FunctionDef) -> bool:
    return any("shared_task" in ast.unparse(decorator) for decorator in function.decorator_list)


def without_docstring(function: ast.FunctionDef) -> list[ast.stmt]:
    has_docstring = ast.get_docstring(function) is not None
    return function.body[1:] if has_docstring else function.body


def imported(tree: ast.Module) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names
