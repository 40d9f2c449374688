"""What happened in a round, put together from the record alone: which transaction ended which run, and what it did."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import psycopg

from tests.soak.record import Change, moment

GOOD = frozenset({"completed", "completed_with_rejects"})
FINAL = GOOD | {"held", "superseded", "failed", "cancelled"}


@dataclass(frozen=True)
class Snapshot:
    """Who was in which group when the round began, by the subscribers' own numbers."""

    members: dict[int, frozenset[int]]


@dataclass
class Apply:
    """One transaction that completed a group's run, and what it changed."""

    run: dict[str, Any]
    transaction: int
    read_at: float
    at: float
    taken_at: float
    before: frozenset[int]
    joined: set[int] = field(default_factory=set)
    left: set[int] = field(default_factory=set)
    subscribers: list[Change] = field(default_factory=list)

    @property
    def group(self) -> int:
        return int(self.run["target_group_id"])

    @property
    def after(self) -> set[int]:
        return (set(self.before) | self.joined) - self.left


@dataclass
class Story:
    transactions: dict[int, list[Change]]
    applies: list[Apply]
    runs: dict[int, dict[str, Any]]  # as they are now
    keys: dict[int, str]  # of subscribers
    search_of: dict[int, str]  # of groups
    outcomes: dict[int, list[dict[str, Any]]]  # by run

    def apply_of(self, transaction: int) -> Apply | None:
        return next((apply for apply in self.applies if apply.transaction == transaction), None)

    def run_ended_in(self, transaction: int) -> dict[str, Any] | None:
        return next((change.after for change in self.transactions[transaction] if ends(change)), None)


def ends(change: Change) -> bool:
    """Say whether this change is a worker's end of a running run."""
    if change.table != "syncrun" or change.before is None or change.after is None:
        return False
    return change.before["status"] == "running" and change.after["status"] in FINAL


def snapshot(connection: psycopg.Connection[Any]) -> Snapshot:
    members: dict[int, set[int]] = defaultdict(set)
    for group, subscriber in connection.execute("SELECT target_group_id, subscriber_id FROM targetgroups_membership"):
        members[group].add(subscriber)
    return Snapshot({group: frozenset(found) for group, found in members.items()})


def tell(connection: psycopg.Connection[Any], changes: list[Change], begun: Snapshot) -> Story:
    """Go through the record from the beginning of the round."""
    transactions: dict[int, list[Change]] = defaultdict(list)
    for change in changes:
        transactions[change.transaction].append(change)
    runs = {row["id"]: row for (row,) in connection.execute("SELECT to_jsonb(r) FROM targetgroups_syncrun r")}
    outcomes: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for (row,) in connection.execute("SELECT to_jsonb(o) FROM targetgroups_runoutcome o"):
        outcomes[row["run_id"]].append(row)
    return Story(
        transactions=dict(transactions),
        applies=_applies(changes, transactions, begun),
        runs=runs,
        keys=dict(connection.execute("SELECT id, remote_key FROM targetgroups_subscriber").fetchall()),
        search_of=dict(connection.execute("SELECT id, search_key FROM targetgroups_targetgroup").fetchall()),
        outcomes=outcomes,
    )


def _applies(changes: list[Change], transactions: dict[int, list[Change]], begun: Snapshot) -> list[Apply]:
    members = dict(begun.members)
    taken: dict[int, float] = {}
    found = []
    for change in changes:
        if change.table != "syncrun" or change.after is None:
            continue
        run = change.after
        if run["status"] == "running" and (change.before is None or change.changed("attempt")):
            taken[run["id"]] = change.at
        if run["kind"] == "group" and run["status"] in GOOD and (change.before or {}).get("status") not in GOOD:
            apply = _apply(change, transactions[change.transaction], taken, members)
            members[apply.group] = frozenset(apply.after)
            found.append(apply)
    return found


def _apply(
    end: Change, transaction: list[Change], taken: dict[int, float], members: dict[int, frozenset[int]]
) -> Apply:
    run = end.row
    group = run["target_group_id"]
    read_at = [c.row["read_at"] for c in transaction if c.table == "targetgroup" and c.row["id"] == group]
    apply = Apply(
        run=run,
        transaction=end.transaction,
        read_at=moment(read_at[-1]) if read_at else 0.0,
        at=end.at,
        taken_at=taken.get(run["id"], 0.0),
        before=members.get(group, frozenset()),
    )
    for change in transaction:
        if change.table == "subscriber":
            apply.subscribers.append(change)
        if change.table != "membership" or change.row["target_group_id"] != group:
            continue
        if change.before is None:
            apply.joined.add(change.row["subscriber_id"])
        elif change.after is None:
            apply.left.add(change.row["subscriber_id"])
    return apply
