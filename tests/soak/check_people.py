"""People after a round: R1, R5, R10, R14, by what was true at every moment, and exactly at the end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import psycopg

from tests.soak.history import History, Line, Person
from tests.soak.journal import Journal
from tests.soak.record import Change, moment
from tests.soak.story import GOOD, Apply, Story, ends
from tests.support import truth

States = list[Person | None]
MOST_TOLD = 4  # of one kind of complaint


def complaints(story: Story, history: History, journal: Journal) -> Iterator[str]:
    """Hold each completed run against what was true while it read and wrote."""
    lines = dict(history.lines())
    seen = _Seen()
    for apply in story.applies:
        search = story.search_of[apply.group]
        if search in history.watched:
            yield from _few(_members(story, apply, search, lines, journal))
            yield from _few(_reasons(story, apply, search, lines, seen))
            yield from _few(_values(apply, search, lines, seen))
            if not journal.twisted:
                seen.note(apply, search, lines)
    yield from _gone(story, history)


def exactly(connection: psycopg.Connection[Any], standin_url: str, group: int) -> Iterator[str]:
    """Hold a group that was just synced undisturbed against the truth, person by person and reason by reason."""
    found = connection.execute("SELECT to_jsonb(g) FROM targetgroups_targetgroup g WHERE id = %s", [group]).fetchone()
    if found is None:
        yield f"R3: group {group} is gone"
        return
    row = found[0]
    name, told = row["name"], truth.complaints(connection, standin_url, group)
    yield from _few(f"R1/R5: {name}: {complaint}" for complaint in told)
    expected = truth.expected(standin_url, row["search_id"])
    excluded: dict[str, dict[str, int]] = defaultdict(dict)
    for reason, key, rows in connection.execute(
        "SELECT reason, remote_key, row_count FROM targetgroups_exclusion"
        " WHERE target_group_id = %s AND until_run_id IS NULL",
        [group],
    ):
        excluded[reason][key] = rows
    for reason in ("do_not_email", "no_address", "malformed_address"):
        right: frozenset[str] = getattr(expected, reason)
        if set(excluded[reason]) != right:
            yield f"R15: {name}: {len(excluded[reason])} people are excluded as {reason}, {len(right)} should be"
    counts = {reason: sum(people.values()) for reason, people in excluded.items() if people}
    if counts.get("duplicate_row", 0) != expected.extra_rows:
        yield f"R15: {name}: {counts.get('duplicate_row', 0)} duplicate rows, {expected.extra_rows} should be"
    if {reason: count for reason, count in row["exclusion_counts"].items() if count} != counts:
        yield f"R15: {name}: the excluded people are {counts}, but the group says {row['exclusion_counts']}"
    in_search = sum(counts.values()) + len(expected.members)
    if row["search_count"] != in_search:
        yield f"R15: {name}: the group says {row['search_count']} rows in the search, but {in_search} add up"


# --- members -----------------------------------------------------------------------------------------------------


def _is_member(search: str) -> Callable[[Person | None], bool]:
    def mailable(person: Person | None) -> bool:
        if person is None or not person.rows_in(search) or person.do_not_email is not False:
            return False
        return bool(person.email) and truth.is_address(person.email)

    return mailable


def _members(
    story: Story, apply: Apply, search: str, lines: dict[str, Line[Person]], journal: Journal
) -> Iterator[str]:
    """Who was mailable in the search all the while must be a member; who never was must not (R1, R5)."""
    mailable, run = _is_member(search), apply.run["id"]
    after = {story.keys[number] for number in apply.after}
    before = {story.keys[number] for number in apply.before}
    for key, line in lines.items():
        states = line.between(apply.read_at, apply.at)
        if all(map(mailable, states)):
            if key not in after and (not journal.twisted or key in before):
                yield f"R5: {key} was mailable all the while, but run {run} {_did(key in before)}"
        elif not any(map(mailable, states)) and key in after:
            rule = "R1" if all(state and state.do_not_email is not False for state in states) else "R5"
            yield f"{rule}: {key} was never mailable in the search, but run {run} made or left them a member"


def _did(was_member: bool) -> str:
    return "removed them" if was_member else "did not add them"


def _reasons(story: Story, apply: Apply, search: str, lines: dict[str, Line[Person]], seen: _Seen) -> Iterator[str]:
    """Each reason of removal must have been true while the run read or, if another group knew it, since then (R5)."""
    for outcome in story.outcomes.get(apply.run["id"], []):
        line = lines.get(outcome["remote_key"])
        if outcome["kind"] != "removed" or line is None:
            continue
        states = line.between(min(apply.read_at, seen.since(outcome["remote_key"], apply.read_at)), apply.at)
        if not any(_explains(outcome["reason"], state, search) for state in states):
            left = f"{outcome['remote_key']} left with run {apply.run['id']}"
            yield f"R5: {left} as {outcome['reason']}, which was never so"


def _explains(reason: str, state: Person | None, search: str) -> bool:
    if reason == "record_deleted" or state is None:
        return reason == "record_deleted" and state is None
    return {
        "now_do_not_email": state.do_not_email is not False,
        "no_longer_in_search": not state.rows_in(search),
        "now_no_address": not state.email,
        "now_malformed_address": not truth.is_address(state.email),
    }.get(reason, False)


# --- values ------------------------------------------------------------------------------------------------------


class _Seen:
    """When each person was last seen for certain by a run that has been written (R14)."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}

    def since(self, key: str, otherwise: float) -> float:
        return self._since.get(key, otherwise)

    def note(self, apply: Apply, search: str, lines: dict[str, Line[Person]]) -> None:
        mailable = _is_member(search)
        for key, line in lines.items():
            states = line.between(apply.read_at, apply.at)
            flagged = all(state and state.rows_in(search) and state.do_not_email is not False for state in states)
            if flagged or all(map(mailable, states)):
                self._since[key] = max(self._since.get(key, 0.0), apply.read_at)


def _values(apply: Apply, search: str, lines: dict[str, Line[Person]], seen: _Seen) -> Iterator[str]:
    """What a run writes of a person was true after the newest certain knowledge of them (R1, R2, R14)."""
    for change in apply.subscribers:
        line = lines.get(change.row["remote_key"])
        if line is None or change.after is None:
            yield f"R2: run {apply.run['id']} wrote a subscriber whom MemberSuite never had"
            continue
        since = max(apply.read_at, seen.since(change.row["remote_key"], apply.read_at))
        yield from _value(apply, change, [state for state in line.between(since, apply.at) if state])
    mailable = _is_member(search)
    for key, line in lines.items():
        since = seen.since(key, 0.0)
        if since > apply.read_at and not any(map(mailable, line.between(since, apply.at))) and key in _joined(apply):
            yield f"R14: run {apply.run['id']} added {key}, whom a newer reading had shown as not mailable"


def _joined(apply: Apply) -> set[str]:
    return {c.row["remote_key"] for c in apply.subscribers if c.before is None}


def _value(apply: Apply, change: Change, states: list[Person]) -> Iterator[str]:
    row, run = change.row, apply.run["id"]
    if row["do_not_email_at"]:
        if not any(state.do_not_email is not False for state in states):
            yield f"R14: run {run} erased {row['remote_key']}, who was Do Not Email = No since the newest reading"
        return
    for name in ("email", "first_name", "last_name"):
        if row[name] not in {getattr(state, name) for state in states}:
            yield f"R14: run {run} wrote an older {name} of {row['remote_key']} over newer knowledge"
    if not any(state.do_not_email is False for state in states):
        yield f"R1: run {run} wrote {row['remote_key']}, who was Do Not Email"


# --- searches ----------------------------------------------------------------------------------------------------


def _gone(story: Story, history: History) -> Iterator[str]:
    """A run fails because its search is gone only if it was, and completes only if it was there (R10)."""
    for changes in story.transactions.values():
        for change in filter(_ends_a_sync, changes):
            run = change.row
            line = history.searches.get(story.search_of.get(run["target_group_id"], ""))
            if line is None:
                continue
            offered = [bool(o and o.is_offered) for o in line.between(moment(run["started_at"]), change.at)]
            if run["error_code"] == "search_gone" and all(offered):
                yield f"R10: run {run['id']} says that its search is gone, but it was offered all the while"
            if run["status"] in GOOD and not any(offered):
                yield f"R10: run {run['id']} completed although its search was not offered"


def _ends_a_sync(change: Change) -> bool:
    return ends(change) and change.row["kind"] == "group"


def listed(connection: psycopg.Connection[Any], history: History) -> Iterator[str]:
    """After an undisturbed list refresh the groups are the offered searches, and the others are marked (R10)."""
    rows = connection.execute("SELECT search_key, name, gone_at IS NOT NULL FROM targetgroups_targetgroup").fetchall()
    groups = {key: (name, is_gone) for key, name, is_gone in rows}
    for key, line in history.searches.items():
        offer = line.states[-1]
        if offer is None or not offer.is_offered:
            if key in groups and not groups[key][1]:
                yield f"R10: {groups[key][0]} is not offered any more, but not marked"
        elif key not in groups:
            yield f"R10: {offer.name} is offered, but no group"
        elif groups[key] != (offer.name, False):
            yield f"R10: {offer.name} is offered, but the group is {groups[key]}"


def _few(found: Iterator[str]) -> Iterator[str]:
    """Pass on the first few, and how many more there are."""
    told = list(found)
    yield from told[:MOST_TOLD]
    if len(told) > MOST_TOLD:
        yield f"... and {len(told) - MOST_TOLD} more of this"
