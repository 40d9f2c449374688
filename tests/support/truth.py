"""What must be true after a sync, by the stand-in's truth and plain SQL: nothing of the sync or the client."""

from __future__ import annotations

import json
import re
import unicodedata
import urllib.request
from dataclasses import dataclass
from typing import Any

import psycopg

# An address that mail can be sent to, judged on its own terms and not by the product's code.
_ADDRESS = re.compile(r"[^@\s\"(),:;<>\[\]\\]+@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W\d_][\w-]*[^\W_]")


@dataclass(frozen=True)
class Expected:
    """Who must be in a group, by Remote ID, and why the others are not."""

    members: dict[str, tuple[str, str, str]]
    do_not_email: frozenset[str]
    no_address: frozenset[str]
    malformed_address: frozenset[str]
    extra_rows: int


def expected(standin_url: str, search_id: str) -> Expected:
    """Ask the stand-in who is in a search, over its control API."""
    members, flagged, blank, bad, rows = {}, set(), set(), set(), 0
    with urllib.request.urlopen(f"{standin_url}/control/searches/{search_id}/members", timeout=300) as reply:
        for line in reply:
            person: dict[str, Any] = json.loads(line)
            key, email = person["id"].lower(), (person["email"] or "").strip()
            rows += person["rows"] - 1
            if person["do_not_email"] is not False:
                flagged.add(key)
            elif not email:
                blank.add(key)
            elif not is_address(email):
                bad.add(key)
            else:
                members[key] = (email, person["first_name"] or "", person["last_name"] or "")
    return Expected(members, frozenset(flagged), frozenset(blank), frozenset(bad), rows)


def is_address(email: str) -> bool:
    local, _, _ = email.rpartition("@")
    if not _ADDRESS.fullmatch(email) or ".." in email or local[:1] == "." or local[-1:] == ".":
        return False
    return len(local.encode()) <= 64 and len(email) <= 254 and not unicodedata.category(email[0]).startswith("M")


def stored_members(connection: psycopg.Connection[Any], group_id: int) -> dict[str, tuple[str, str, str]]:
    """Read a group's members."""
    rows = connection.execute(
        "SELECT t.remote_key, t.email, t.first_name, t.last_name FROM targetgroups_membership m"
        " JOIN targetgroups_subscriber t ON t.id = m.subscriber_id WHERE m.target_group_id = %s",
        [group_id],
    )
    return {key: (email, first, last) for key, email, first, last in rows}


def complaints(connection: psycopg.Connection[Any], standin_url: str, group_id: int) -> list[str]:
    """Compare a group with the truth; return what is wrong with it, in words."""
    (search_id, member_count) = connection.execute(
        "SELECT search_id, member_count FROM targetgroups_targetgroup WHERE id = %s", [group_id]
    ).fetchone() or ("", None)
    truth, stored = expected(standin_url, search_id), stored_members(connection, group_id)
    found = [f"{key} is missing" for key in truth.members.keys() - stored.keys()]
    found += [f"{key} must not be a member" for key in stored.keys() - truth.members.keys()]
    found += [
        f"{key} is {stored[key]}, not {truth.members[key]}"
        for key in stored.keys() & truth.members.keys()
        if stored[key] != truth.members[key]
    ]
    if member_count != len(stored):
        found.append(f"the count says {member_count}, but {len(stored)} are members")
    return found + leaks(connection) + orphans(connection)


def orphans(connection: psycopg.Connection[Any]) -> list[str]:
    """Find rows that speak of somebody or something that is not there: no database constraint watches these tables."""
    return [
        f"{count} rows of {table} have no {column}"
        for table, column, there in (
            ("membership", "subscriber_id", "subscriber"),
            ("membership", "target_group_id", "targetgroup"),
            ("exclusion", "target_group_id", "targetgroup"),
            ("exclusion", "bridge_id", "bridge"),
            ("subscriber", "bridge_id", "bridge"),
            ("runoutcome", "run_id", "syncrun"),
            ("runoutcome", "bridge_id", "bridge"),
        )
        for (count,) in connection.execute(
            f"SELECT count(*) FROM targetgroups_{table} o WHERE NOT EXISTS"
            f" (SELECT 1 FROM targetgroups_{there} t WHERE t.id = o.{column})"
        )
        if count
    ]


def leaks(connection: psycopg.Connection[Any]) -> list[str]:
    """Find what is left of people who are known to be Do Not Email (R1), and stages nobody owns."""
    found = [
        f"subscriber {pk} is Do Not Email but keeps personal data"
        for (pk,) in connection.execute(
            "SELECT id FROM targetgroups_subscriber WHERE do_not_email_at IS NOT NULL AND"
            " (email || first_name || last_name || address_key || sort_email || sort_name <> '' OR attributes <> '{}')"
        )
    ]
    found += [
        f"membership of {pk} keeps the sort keys of a Do Not Email person"
        for (pk,) in connection.execute(
            "SELECT t.id FROM targetgroups_membership m JOIN targetgroups_subscriber t ON t.id = m.subscriber_id"
            " WHERE (m.sort_email, m.sort_name) <> (t.sort_email, t.sort_name)"
        )
    ]
    found += [
        f"a change record of {key} outlives its Do Not Email"
        for (key,) in connection.execute(
            "SELECT o.remote_key FROM targetgroups_runoutcome o JOIN targetgroups_subscriber t"
            " ON t.bridge_id = o.bridge_id AND t.remote_key = o.remote_key"
            " WHERE t.do_not_email_at IS NOT NULL AND o.changes IS NOT NULL AND o.recorded_at < t.changed_at"
        )
    ]
    return found


def stages(connection: psycopg.Connection[Any]) -> list[str]:
    """List the stage tables that exist."""
    rows = connection.execute(
        "SELECT tablename FROM pg_tables WHERE tablename LIKE 'sync_stage_%' OR tablename LIKE 'sync_removal_%'"
    )
    return [name for (name,) in rows]
