"""Runs, requests, counts and sums after a round: R3, R4, R6, R7, R9, R10, R11, from the record and plain SQL."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import psycopg

from tests.soak.journal import Journal
from tests.soak.record import Change
from tests.soak.story import FINAL, GOOD, Apply, Story

NUMBERS = ("member_count", "search_count", "exclusion_counts", "counted_at", "counted_run_id", "read_at")
NAMES = ("name", "folder_id", "description", "search_type", "search_id", "deleted_at")
# What may follow what; everything else is a run that was touched by somebody who must not.
FOLLOWS = {
    "waiting": {"waiting", "running", "cancelled"},
    "running": {"running", *FINAL} - {"superseded"},
    "held": {"held", "superseded", "cancelled"},
}
MOST_ATTEMPTS = 5
REASONS = ("do_not_email", "no_address", "malformed_address", "duplicate_row", "unreadable_row")


def complaints(connection: psycopg.Connection[Any], story: Story, journal: Journal) -> Iterator[str]:
    for number in story.transactions:
        yield from _transaction(story, number)
    yield from _states(story, journal)
    yield from _requests(connection, story, journal)
    for apply in story.applies:
        yield from _fence(apply)
        yield from _sums(story, apply)
        yield from _outcomes(story, apply)
        yield from _guard(connection, story, apply)
    yield from _held(story)
    yield from _left_overs(connection)


# --- who may write what ------------------------------------------------------------------------------------------


def _transaction(story: Story, number: int) -> Iterator[str]:
    apply, ended = story.apply_of(number), story.run_ended_in(number)
    for change in story.transactions[number]:
        if change.table == "membership":
            yield from _membership(change, apply)
        elif change.table in ("subscriber", "exclusion") and apply is None:
            yield f"R4: a {change.table} changed outside a completing sync: {_brief(change)}"
        elif change.table == "exclusion" and change.row["target_group_id"] != apply.group:  # type: ignore[union-attr]
            yield f"R3: run {apply.run['id']} changed the exclusions of group {change.row['target_group_id']}"  # type: ignore[union-attr]
        elif change.table == "targetgroup":
            yield from _group(change, apply, ended)
        elif change.table == "runoutcome" and change.before is None:
            yield from _outcome(change, ended)
        elif change.table == "suppression" and ended is not None:
            yield f"R11: run {ended['id']} changed a suppression"


def _membership(change: Change, apply: Apply | None) -> Iterator[str]:
    group = change.row["target_group_id"]
    if apply is None:
        yield f"R4: members of group {group} changed outside a completing sync"
    elif apply.group != group and (change.before is None or change.after is None):
        yield f"R3: run {apply.run['id']} of group {apply.group} changed who is in group {group}"


def _group(change: Change, apply: Apply | None, ended: dict[str, Any] | None) -> Iterator[str]:
    group = change.row["id"]
    if change.before is None:
        if ended is None or ended["kind"] != "list":
            yield f"R3: group {group} was made outside a list refresh"
        return
    if change.changed(*NUMBERS) and (apply is None or apply.group != group):
        yield f"R3: counts of group {group} changed outside its own sync"
    if change.changed(*NAMES) and (ended is None or ended["kind"] != "list" or ended["status"] not in GOOD):
        yield f"R3: name or place of group {group} changed outside a list refresh"


def _outcome(change: Change, ended: dict[str, Any] | None) -> Iterator[str]:
    kind, run = change.row["kind"], change.row["run_id"]
    if ended is None or ended["id"] != run:
        yield f"R4: an outcome of run {run} was kept outside the transaction that ends it"
    elif kind in ("changed", "removed", "kept") and ended["status"] not in GOOD:
        yield f"R4: run {run} is {ended['status']} but says that it {kind} somebody"


def _brief(change: Change) -> str:
    names = {name for name in change.row if change.changed(name)}
    return f"{change.row.get('remote_key')}: {', '.join(sorted(names))}"


# --- runs --------------------------------------------------------------------------------------------------------


def _states(story: Story, journal: Journal) -> Iterator[str]:
    active: dict[tuple[Any, ...], Counter[str]] = {}
    for changes in story.transactions.values():
        for change in changes:
            if change.table == "syncrun" and change.before and change.after:
                yield from _step(change)
    for run in story.runs.values():
        slot = (run["bridge_id"], run["kind"], run["target_group_id"], run["remote_id"])
        active.setdefault(slot, Counter())[run["status"]] += 1
        if run["status"] not in FINAL:
            yield f"R9: run {run['id']} ({run['kind']}) is stuck: {run['status']}, attempt {run['attempt']}"
        if run["error_code"] == "unexpected" and _is_of_round(story, run):
            yield f"R9: run {run['id']} ({run['kind']}) failed unexpectedly"
        if run["error_code"] == "worker_lost" and run["attempt"] <= MOST_ATTEMPTS:
            yield f"R9: run {run['id']} was given up after {run['attempt']} attempts"
    for slot, found in active.items():
        if found["waiting"] > 1 or found["running"] > 1:
            yield f"R7: slot {slot} has {found['waiting']} waiting and {found['running']} running runs"
    if not journal.remote_failed:
        for run in story.runs.values():
            if run["status"] == "failed" and run["error_code"] != "worker_lost" and _is_of_round(story, run):
                yield f"R9: run {run['id']} ({run['kind']}) failed without a fault of the remote: {run['error_code']}"


def _is_of_round(story: Story, run: dict[str, Any]) -> bool:
    changes = (change for group in story.transactions.values() for change in group)
    return any(change.table == "syncrun" and change.row["id"] == run["id"] for change in changes)


def _step(change: Change) -> Iterator[str]:
    before, after = change.before or {}, change.after or {}
    run, was, becomes = after["id"], before["status"], after["status"]
    if becomes not in FOLLOWS.get(was, set()) and (was != becomes or change.changed("figures", "attempt", "sentence")):
        yield f"R9: run {run} went from {was} to {becomes}"
    if was in FINAL and change.changed("attempt", "figures", "finished_at"):
        yield f"R9: run {run} was written after it was {was}"
    if was == becomes == "running" and after["attempt"] <= before["attempt"]:
        yield f"R9: somebody else wrote the running run {run}"


def _fence(apply: Apply) -> Iterator[str]:
    if apply.read_at < apply.taken_at:
        attempt = apply.run["attempt"]
        yield f"R9: an overtaken worker wrote run {apply.run['id']}: it had read before attempt {attempt} began"


def _requests(connection: psycopg.Connection[Any], story: Story, journal: Journal) -> Iterator[str]:
    kept = [c.after for changes in story.transactions.values() for c in changes if c.table == "syncrequest" and c.after]
    found = Counter((row["run_id"], row["trigger"]) for row in kept)
    read_at = {apply.run["id"]: apply.read_at for apply in story.applies}
    for asked in journal.asked:
        run = story.runs.get(asked.run)
        if not found[asked.run, asked.trigger]:
            yield f"R7: a request ({asked.trigger}) for run {asked.run} is lost"
        found[asked.run, asked.trigger] -= 1
        if run is None or (run["kind"], run["target_group_id"]) != (asked.kind, asked.group):
            yield f"R7: a request for {asked.kind} of group {asked.group} joined run {asked.run}, which is another one"
        elif asked.trigger == "mailing" and read_at.get(asked.run, asked.at) < asked.at:
            yield f"R7: a mailing joined run {asked.run}, which had asked for its first page before"
    left = sum(found.values())
    if left > journal.unsure:
        yield f"R7: {left} requests are kept that nobody made"
    (alone,) = connection.execute(
        "SELECT count(*) FROM targetgroups_syncrun r WHERE NOT EXISTS"
        " (SELECT 1 FROM targetgroups_syncrequest q WHERE q.run_id = r.id)"
    ).fetchone() or (0,)
    if alone:
        yield f"R7: {alone} runs have no request"


# --- figures -----------------------------------------------------------------------------------------------------


def _sums(story: Story, apply: Apply) -> Iterator[str]:
    run, says = apply.run["id"], apply.run["figures"]
    if says["in_search"] != says["eligible"] + sum(says[reason] for reason in REASONS):
        yield f"R15: run {run} does not add up: {says}"
    if says["members_before"] + says["added"] - says["removed"] != says["members_after"]:
        yield f"R15: members of run {run} do not add up: {says}"
    if says["added"] + says["changed"] + says["unchanged"] != says["eligible"]:
        yield f"R15: added, changed and unchanged of run {run} are not its eligible people: {says}"
    real = {
        "members_before": len(apply.before),
        "members_after": len(apply.after),
        "added": len(apply.joined),
        "removed": len(apply.left),
    }
    for name, number in real.items():
        if says[name] != number:
            yield f"R4: run {run} says {says[name]} {name}, but it is {number}"


def _outcomes(story: Story, apply: Apply) -> Iterator[str]:
    """Hold the people that a run tells against the people whom its transaction touched."""
    run = apply.run["id"]
    told = {kind: [o for o in story.outcomes.get(run, []) if o["kind"] == kind] for kind in ("changed", "removed")}
    left = sorted(story.keys[number] for number in apply.left)
    if sorted(o["remote_key"] for o in told["removed"]) != left:
        yield f"R4: run {run} tells other people removed than those who left"
    if Counter(o["reason"] for o in told["removed"]) != Counter(apply.run["figures"]["removed_by_reason"]):
        yield f"R15: run {run} counts other reasons of removal than it tells"
    members = {story.keys[number] for number in apply.before}
    changed = {c.row["remote_key"] for c in apply.subscribers if c.before and not _is_erased(c)} & members
    if {o["remote_key"] for o in told["changed"]} != changed or len(told["changed"]) != len(changed):
        yield f"R4: run {run} tells {len(told['changed'])} changed people, but {len(changed)} changed"
    if apply.run["figures"]["changed"] != len(changed):
        yield f"R4: run {run} counts {apply.run['figures']['changed']} changed people, but {len(changed)} changed"
    kept = [o["remote_key"] for o in story.outcomes.get(run, []) if o["kind"] == "kept"]
    if len(kept) != apply.run["figures"].get("kept", 0) or not set(kept) <= members - set(left):
        yield f"R5: run {run} tells {len(kept)} people kept on doubt, others than it kept"


def _is_erased(change: Change) -> bool:
    return bool(change.row["do_not_email_at"])


# --- the guard ---------------------------------------------------------------------------------------------------


def _guard(connection: psycopg.Connection[Any], story: Story, apply: Apply) -> Iterator[str]:
    (percent, people) = connection.execute(
        "SELECT guard_percent, guard_people FROM targetgroups_bridge WHERE id = %s", [apply.run["bridge_id"]]
    ).fetchone() or (0, 0)
    held = story.outcomes.get(apply.run["applies_id"] or 0, [])
    shown = {outcome["remote_key"] for outcome in held if outcome["kind"] == "would_remove"}
    beyond = {story.keys[number] for number in apply.left} - shown
    if len(beyond) > people and len(beyond) * 100 > percent * len(apply.before):
        yield f"R6: run {apply.run['id']} removed {len(beyond)} of {len(apply.before)} people without a decision"
    elif beyond and len(apply.left) == len(apply.before):
        yield f"R6: run {apply.run['id']} removed everybody without a decision"


def _held(story: Story) -> Iterator[str]:
    newest = {}
    for run in story.runs.values():
        if run["status"] in GOOD:
            slot = (run["kind"], run["target_group_id"])
            newest[slot] = max(newest.get(slot, 0), run["id"])
    for run in story.runs.values():
        if run["status"] != "held":
            continue
        if newest.get((run["kind"], run["target_group_id"]), 0) > run["id"]:
            yield f"R6: run {run['id']} is still held although a newer run completed"
        shown = [outcome for outcome in story.outcomes.get(run["id"], []) if outcome["kind"] == "would_remove"]
        if run["kind"] == "group" and run["figures"]["would_remove"] != len(shown):
            yield f"R6: held run {run['id']} does not show the people it is held for"


# --- what is left ------------------------------------------------------------------------------------------------


def _left_overs(connection: psycopg.Connection[Any]) -> Iterator[str]:
    tables = connection.execute(
        "SELECT tablename FROM pg_tables WHERE tablename LIKE 'sync_stage_%' OR tablename LIKE 'sync_removal_%'"
    )
    for (table,) in tables:
        yield f"R9: {table} was left behind"
    wrong = connection.execute(
        "SELECT g.id, g.member_count, count(m.subscriber_id) FROM targetgroups_targetgroup g"
        " LEFT JOIN targetgroups_membership m ON m.target_group_id = g.id GROUP BY g.id"
        " HAVING coalesce(g.member_count, 0) <> count(m.subscriber_id)"
    )
    for group, says, counted in wrong:
        yield f"R4: the count of group {group} says {says}, but {counted} are members"
    odd = connection.execute("SELECT id FROM targetgroups_subscriber WHERE remote_key <> lower(remote_id)")
    for (number,) in odd:
        yield f"R2: subscriber {number} has a key that is not its Remote ID"
