"""The commands: exit code 0 only on success, 1 failed, 2 bad use, 3 held; one JSON object on stdout."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import CommandError, call_command

from targetgroups.models import Bridge, SyncRequest, SyncRun, TargetGroup
from targetgroups.sync import single_flight

if TYPE_CHECKING:
    from tests.support.engine import Engine


@pytest.fixture
def worked(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """Do each run as soon as it is sent, as an idle worker does."""
    monkeypatch.setattr(single_flight, "send", lambda run_id, queue: engine.work(SyncRun.objects.get(pk=run_id)))
    return engine


def test_sync_searches_waits_and_prints_one_json_object(worked: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("sync_searches", "--wait", "--json")
    told = _json(capsys)
    assert (told["kind"], told["status"]) == ("list", "completed")
    assert told["figures"]["new"] == TargetGroup.objects.count() > 0
    assert SyncRequest.objects.get().trigger == "command"


@pytest.mark.parametrize("by", ["search ID", "number", "name", "name in other case"])
def test_sync_group_finds_its_group(worked: Engine, capsys: pytest.CaptureFixture[str], by: str) -> None:
    group = worked.group("Lapsed 2025")
    word = {
        "search ID": group.search_id.upper(),
        "number": str(group.pk),
        "name": group.name,
        "name in other case": "LAPSED 2025",
    }[by]
    call_command("sync_group", word, "--wait", "--json")
    told = _json(capsys)
    assert (told["status"], told["target_group"]) == ("completed", group.pk)
    assert worked.complaints(group) == []


def test_check_bridge_tells_each_step(worked: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("check_bridge", "--wait")
    said = capsys.readouterr().out
    for step in ("reach_host", "sign_in", "list_searches", "read_one_record"):
        assert f"{step}: ok" in said


def test_without_wait_a_command_only_asks(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("sync_searches", "--json")
    assert _json(capsys)["status"] == "waiting"


def test_a_failed_run_leaves_with_1(worked: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    worked.group("Member organizations")
    with pytest.raises(SystemExit) as left:
        call_command("sync_group", "Member organizations", "--wait", "--json")
    assert left.value.code == 1
    assert _json(capsys)["error"]["code"] == "search_not_people"


def test_a_held_run_leaves_with_3(worked: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    worked.sync("All individuals")
    worked.standin.flip_do_not_email(percent=90, to=True)
    with pytest.raises(SystemExit) as left:
        call_command("sync_group", "All individuals", "--wait")
    assert left.value.code == 3
    assert "Held" in capsys.readouterr().out


def test_preview_group_tells_what_a_sync_would_do_and_leaves_with_3_if_it_would_be_held(
    worked: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    worked.sync("Lapsed 2025")
    members = sorted(worked.members("Lapsed 2025"))
    worked.standin.delete(ids=members[:1])
    call_command("preview_group", "lapsed 2025", "--json")
    told = _json(capsys)
    assert (told["kind"], told["trigger"], told["status"]) == ("preview", "command", "completed")
    assert told["figures"]["would_remove_by_reason"] == {"record_deleted": 1}
    assert len(worked.members("Lapsed 2025")) == len(members)
    worked.standin.delete(ids=members[1:])
    with pytest.raises(SystemExit) as left:
        call_command("preview_group", "lapsed 2025")
    assert left.value.code == 3
    assert "would be held" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("No such group", "No target group is called"),
        ("Volunteers", "Several target groups"),
        ("999999", "No target group is called"),
    ],
)
def test_a_group_that_is_not_clear_is_bad_use(worked: Engine, word: str, said: str) -> None:
    worked.refresh()
    with pytest.raises(CommandError, match=said) as refusal:
        call_command("sync_group", word, "--wait")
    assert refusal.value.returncode == 2


def test_several_bridges_or_none_are_bad_use(engine: Engine) -> None:
    Bridge.objects.create(name="Another association")
    with pytest.raises(CommandError, match="several bridges") as refusal:
        call_command("sync_searches")
    assert refusal.value.returncode == 2
    with pytest.raises(CommandError, match="no such bridge"):
        call_command("sync_searches", "--bridge", "999")


def test_waiting_ends_at_its_limit_and_says_that_the_run_goes_on(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        call_command("sync_searches", "--wait", "--timeout", "0.2")
    assert left.value.code == 1
    assert "Is a worker running?" in capsys.readouterr().err


def test_bad_use_leaves_the_program_with_2(db: None) -> None:
    program = [sys.executable, "manage.py", "sync_group", "--wait"]
    assert subprocess.run(program, capture_output=True, timeout=60, check=False).returncode == 2


def _json(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    lines = capsys.readouterr().out.strip().splitlines()
    assert len(lines) == 1
    found = json.loads(lines[0])
    assert isinstance(found, dict)
    return found
