"""The checker of a soak complains when a rule is broken, by its number, and knows nothing of the sync."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.soak import check_people, check_runs, steps
from tests.soak.history import Line, Person
from tests.soak.journal import Asked, Journal
from tests.soak.record import Change
from tests.soak.story import Apply, Snapshot, Story, _applies

SEARCH = "a-search"
ADA = Person("ada@lamps.example", "Ada", "Byron", False, ((SEARCH, 1),))
FLAGGED = Person("ada@lamps.example", "Ada", "Byron", True, ((SEARCH, 1),))
FIGURES = dict.fromkeys(check_runs.REASONS, 0) | {
    "in_search": 1,
    "eligible": 1,
    "members_before": 0,
    "members_after": 1,
}
FIGURES |= {"added": 1, "changed": 0, "unchanged": 0, "removed": 0}
FIGURES["removed_by_reason"] = {}  # type: ignore[assignment]


def run(**fields: Any) -> dict[str, Any]:
    row = {"id": 1, "bridge_id": 1, "kind": "group", "target_group_id": 7, "remote_id": "", "status": "completed"}
    row |= {"attempt": 1, "figures": FIGURES, "sentence": "", "error_code": "", "applies_id": None}
    return row | {"started_at": "1970-01-01T00:00:10+00:00", "finished_at": None} | fields


def change(table: str, before: dict[str, Any] | None, after: dict[str, Any] | None, transaction: int = 1) -> Change:
    return Change(transaction, 20.0, table, before, after)


def completion(transaction: int = 1, **fields: Any) -> list[Change]:
    """Return what a sync of group 7 leaves in the record: its count, one new member, and its end."""
    group = {"id": 7, "read_at": "1970-01-01T00:00:12+00:00"}
    return [
        change("targetgroup", {**group, "read_at": None}, group, transaction),
        change("membership", None, {"target_group_id": 7, "subscriber_id": 3}, transaction),
        change("syncrun", run(status="running"), run(**fields), transaction),
    ]


def story(changes: list[Change], **runs: Any) -> Story:
    transactions: dict[int, list[Change]] = {}
    for one in changes:
        transactions.setdefault(one.transaction, []).append(one)
    found = _applies(changes, transactions, Snapshot({}))
    return Story(transactions, found, runs.get("runs", {1: run()}), {3: "ada"}, {7: SEARCH}, {})


def told(changes: list[Change], journal: Journal | None = None, **how: Any) -> list[str]:
    """Return what is said of the record, without what needs a database."""
    happened, notes = story(changes, **how), journal or Journal(1)
    found = [said for number in happened.transactions for said in check_runs._transaction(happened, number)]
    found += check_runs._states(happened, notes)
    for apply in happened.applies:
        found += [*check_runs._fence(apply), *check_runs._sums(happened, apply), *check_runs._outcomes(happened, apply)]
    return found


def test_nothing_is_said_of_a_sync_that_is_right() -> None:
    assert told(completion()) == []


def test_r5_people_kept_on_doubt_whom_the_run_does_not_tell_are_told() -> None:
    figures = FIGURES | {"kept": 1, "members_after": 2}
    assert any(said.startswith("R5: run 1 tells 0 people kept on doubt") for said in told(completion(figures=figures)))


def test_r4_members_that_change_outside_a_completing_sync_are_told() -> None:
    joined = change("membership", None, {"target_group_id": 7, "subscriber_id": 3})
    failed = change("syncrun", run(status="running"), run(status="failed"))
    assert any(said.startswith("R4") for said in told([joined, failed]))


def test_r3_a_sync_that_changes_the_members_of_another_group_is_told() -> None:
    other = change("membership", None, {"target_group_id": 8, "subscriber_id": 3})
    assert any(said.startswith("R3") for said in told([*completion(), other]))


def test_r3_counts_that_change_with_a_list_refresh_are_told() -> None:
    counted = change("targetgroup", {"id": 7, "member_count": 1}, {"id": 7, "member_count": 2}, 2)
    listed = change("syncrun", run(status="running", kind="list"), run(kind="list"), 2)
    assert any(said.startswith("R3") for said in told([counted, listed]))


def test_r4_figures_that_are_not_what_changed_are_told() -> None:
    wrong = {**FIGURES, "added": 2, "members_after": 2, "eligible": 2, "in_search": 2}
    assert any(said.startswith("R4") for said in told(completion(figures=wrong)))


def test_r9_a_run_that_is_written_after_its_end_is_told() -> None:
    again = change("syncrun", run(), run(figures={**FIGURES, "changed": 1}), 2)
    assert any(said.startswith("R9") for said in told([*completion(), again]))


def test_r9_an_overtaken_worker_that_writes_is_told() -> None:
    taken_over = change("syncrun", run(status="running"), run(status="running", attempt=2), 2)
    assert any("overtaken" in said for said in told([taken_over, *completion(attempt=2)]))


def test_r9_a_run_that_does_not_end_is_told() -> None:
    assert any("stuck" in said for said in told([], runs={1: run(status="waiting")}))


def test_r7_a_lost_request_and_a_mailing_that_joined_too_late_are_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class NoRuns:
        def execute(self, *_: object) -> NoRuns:
            return self

        def fetchone(self) -> tuple[int]:
            return (0,)

    kept = change("syncrequest", None, {"run_id": 1, "trigger": "mailing"})
    journal = Journal(1, asked=[Asked("group", 7, "mailing", 1, 15.0), Asked("group", 7, "info", 1, 11.0)])
    found = list(check_runs._requests(NoRuns(), story([*completion(), kept]), journal))  # type: ignore[arg-type]
    assert [said[:2] for said in found] == ["R7", "R7"]


def members(line: Line[Person], members_after: set[int]) -> list[str]:
    apply = Apply(run(), 1, 12.0, 20.0, 10.0, frozenset(), joined=members_after)
    happened = Story({}, [apply], {}, {3: "ada"}, {7: SEARCH}, {})
    return list(check_people._members(happened, apply, SEARCH, {"ada": line}, Journal(1)))


def test_r5_whoever_was_mailable_all_the_while_must_be_a_member() -> None:
    assert members(Line(ADA, 0.0), {3}) == []
    assert members(Line(ADA, 0.0), set())[0].startswith("R5")


def test_r1_whoever_was_do_not_email_all_the_while_must_not_be_a_member() -> None:
    assert members(Line(FLAGGED, 0.0), set()) == []
    assert members(Line(FLAGGED, 0.0), {3})[0].startswith("R1")


def test_whoever_changed_while_it_was_read_may_be_a_member_or_not() -> None:
    line = Line(ADA, 0.0)
    line.add(15.0, FLAGGED)
    assert members(line, {3}) == members(line, set()) == []


def test_r14_an_older_value_over_newer_knowledge_is_told() -> None:
    line = Line(ADA, 0.0)
    line.add(15.0, Person("new@lamps.example", "Ada", "Byron", False, ((SEARCH, 1),)))
    row = {"remote_key": "ada", "email": "ada@lamps.example", "first_name": "Ada", "last_name": "Byron"}
    written = change("subscriber", {**row, "email": "new@lamps.example"}, {**row, "do_not_email_at": None})
    older = Apply(run(), 1, 12.0, 20.0, 10.0, frozenset(), subscribers=[written])
    seen = check_people._Seen()
    assert list(check_people._values(older, SEARCH, {"ada": line}, seen)) == []
    newer = Apply(run(), 2, 16.0, 19.0, 10.0, frozenset())
    seen.note(newer, SEARCH, {"ada": line})
    assert next(check_people._values(older, SEARCH, {"ada": line}, seen)).startswith("R14")


def test_the_checker_imports_nothing_of_the_sync_or_the_client() -> None:
    seen: set[str] = set()
    left = ["tests.soak.checker"]
    while left:
        name = left.pop()
        if name in seen:
            continue
        seen.add(name)
        source = Path(str(importlib.import_module(name).__file__)).read_text()
        for node in ast.walk(ast.parse(_without_types(source))):
            found = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                found = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            left += [one for one in found if one.startswith("tests.") and _is_module(one)]
            assert not [one for one in found if one.split(".")[0] in ("targetgroups", "memberSuite", "mailings")], name


def _without_types(source: str) -> str:
    """Leave out what only type checkers import."""
    head, _, rest = source.partition("if TYPE_CHECKING:\n")
    return head + rest.lstrip(" ").partition("\n\n")[2] if rest else source


def _is_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def test_every_write_of_an_apply_is_a_step_at_which_a_worker_is_killed() -> None:
    tree = ast.parse(Path("targetgroups/sync/pipeline.py").read_text())
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    called = {
        f"{node.func.value.id}.{node.func.attr}"
        for name in ("_write", "_apply")
        for node in ast.walk(functions[name])
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name)
    }
    writes, _ = steps.names()
    known = {step.removeprefix("after ") for step in writes} | {f"apply.{n}" for n in steps.NOT_WRITES}
    known |= {f"counts.{n}" for n in steps.NOT_WRITES}
    assert {name for name in called if name.split(".")[0] in steps.WRITERS} <= known


def test_every_step_and_every_planted_defect_still_finds_its_place() -> None:
    """A place that went would make a soak kill, or plant, nothing: each puts itself there or raises."""
    lines = (
        "import django; django.setup()",
        "from tests.soak import mail_plants, nursery, plants, steps",
        "nursery._copy_each_page(); nursery._hurry_mailings()",
        "[plant() for plant in mail_plants.MAIL_PLANTS.values() if plant.__name__ != 'claim_after_send']",
        "mail_plants.claim_after_send()  # replaces what the others look into",
        "steps.install(); [plant() for plant in plants.PLANTS.values()]",
    )
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
