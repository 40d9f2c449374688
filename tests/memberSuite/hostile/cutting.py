"""Finding rows in genuine replies, and putting something else in their place."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from random import Random
from typing import Any

from tests.memberSuite.hostile.genuine import Reply
from tests.memberSuite.hostile.kinds import Mutated

ROW = re.compile(rb"<Table [^>]*>.*?</Table>", re.DOTALL)
ID = re.compile(rb"<ID>([^<]*)</ID>")
FLAG = b"<DoNotEmail>false</DoNotEmail>"
NOBODY: frozenset[str] = frozenset()


def key_of(row: bytes) -> str:
    found = ID.search(row)
    return found[1].decode().lower() if found else ""


def change_row(
    random: Random, reply: Reply, change: Callable[[bytes], bytes], *, unmailable: bool = False, loose: bool = False
) -> Mutated | None:
    """Change one XML row, or every one."""
    rows = list(ROW.finditer(reply.body))
    if not rows:
        return None
    parts, place, keys = [], 0, set()
    chosen = rows if random.random() < 0.2 else [random.choice(rows)]
    well = {key_of(row[0]) for row in rows if row not in chosen}  # somebody may have several rows
    for row in chosen:
        changed = change(row[0])
        if changed == row[0]:
            well.add(key_of(row[0]))
            continue
        parts += [reply.body[place : row.start()], changed]
        place = row.end()
        keys.add(key_of(row[0]))
    if not keys:
        return None
    body = b"".join([*parts, reply.body[place:]])
    return Mutated(body, frozenset(keys - well) if unmailable else NOBODY, frozenset(keys) if loose else NOBODY)


def rows_of(reply: Reply) -> tuple[Any, list[Any], list[dict[str, Any]]] | None:
    """Return a JSON reply, its list, and the rows of people in it."""
    if reply.is_xml:
        return None
    try:
        whole = json.loads(reply.body)
    except ValueError:
        return None
    listed = whole.get("data", whole.get("results")) if isinstance(whole, dict) else whole
    rows = [row for row in listed if isinstance(row, dict) and "id" in row] if isinstance(listed, list) else []
    return (whole, listed, rows) if rows else None


def change_value(
    random: Random, reply: Reply, name: str, token: str, *, unmailable: bool = False, loose: bool = False
) -> Mutated | None:
    """Put a piece of JSON text, right or wrong, in place of a value of one row, or of every one."""
    found = rows_of(reply)
    named = [row for row in found[2] if name in row] if found else []
    if found is None or not named:
        return None
    keys = set()
    for row in named if random.random() < 0.2 else [random.choice(named)]:
        keys.add(str(row["id"]).lower())
        row[name] = "@@@"
    body = json.dumps(found[0]).replace('"@@@"', token).encode("utf-8", "surrogatepass")
    return Mutated(body, frozenset(keys) if unmailable else NOBODY, frozenset(keys) if loose else NOBODY)
