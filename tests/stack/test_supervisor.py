"""Whatever ends a supervisor, nothing that it started stays."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from tests.support.programs import Program, marked_with, open_folder, wait_until
from thrive_sync.stack import binaries
from thrive_sync.stack.supervisor import ChildFailed, Supervisor
from thrive_sync.stack.watcher import read_ledger

SCRIPT = Path(__file__).with_name("servers_script.py")
Start = Callable[[], Program]


@pytest.fixture
def folder() -> Iterator[Path]:
    with open_folder() as folder:
        yield folder / "var"


@pytest.fixture
def start(folder: Path, tmp_path: Path) -> Iterator[Start]:
    started: list[Program] = []

    def run() -> Program:
        environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent.parent), "FOLDER": str(folder)}
        output = tmp_path / f"output-{len(started)}.txt"
        started.append(Program([SCRIPT, folder], output=output, environment=environment))
        return started[-1]

    yield run
    for program in started:
        if program.process.poll() is None:
            program.send(signal.SIGTERM)
            program.exit_code()
    assert not left_over(folder)


def left_over(folder: Path) -> list[str]:
    return list(marked_with(str(folder)).values())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_stops_both_servers_and_is_no_failure(start: Start, folder: Path, number: signal.Signals) -> None:
    program = start()
    sockets = socket_folder(program)
    program.send(number)
    assert program.exit_code() == 0
    assert not left_over(folder)
    assert not sockets.exists()


def test_a_second_ctrl_c_does_not_break_the_stop(start: Start, folder: Path) -> None:
    program = start()
    socket_folder(program)
    program.send_to_group(signal.SIGINT)
    program.send_to_group(signal.SIGINT)
    assert program.exit_code() == 0
    assert not left_over(folder)


def test_ctrl_c_in_the_middle_of_the_start_leaves_nothing(start: Start, folder: Path) -> None:
    program = start()
    wait_until(lambda: "initdb" in " ".join(left_over(folder)), within=20, what=program.said)
    program.send_to_group(signal.SIGINT)
    assert program.exit_code() == 0
    assert not left_over(folder)


def test_the_watcher_stops_everything_after_a_kill_and_the_data_is_still_there(start: Start, folder: Path) -> None:
    program = start()
    sockets = socket_folder(program)
    with psycopg.connect(host=str(sockets / "postgres"), user="thrive", dbname="kept") as connection:
        connection.execute("CREATE TABLE note AS SELECT 'still here' AS text")
    program.send(signal.SIGKILL)
    wait_until(lambda: not left_over(folder), within=15, what=lambda: left_over(folder))
    assert not sockets.exists()

    again = socket_folder(start())
    with psycopg.connect(host=str(again / "postgres"), user="thrive", dbname="kept") as connection:
        assert connection.execute("SELECT text FROM note").fetchone() == ("still here",)


def test_the_next_start_stops_what_was_left_when_the_watcher_was_killed_too(start: Start, folder: Path) -> None:
    program = start()
    socket_folder(program)
    for process, command in marked_with(str(folder)).items():
        if "watcher.py" in command:
            process.kill()
    program.send(signal.SIGKILL)
    program.exit_code()
    assert len(left_over(folder)) >= 2

    said = start().wait_until_it_says("postgres://")
    assert "Stopping PostgreSQL, left over from a killed run" in said


def test_a_second_start_in_the_same_folder_is_refused(start: Start) -> None:
    socket_folder(start())
    second = start()
    assert second.exit_code() == 1
    assert "already running" in second.said()


def test_a_server_that_dies_ends_the_run_and_its_log_is_told(start: Start, folder: Path) -> None:
    program = start()
    socket_folder(program)
    ledger = read_ledger(folder / "pids.json")
    assert ledger is not None
    os.kill(next(entry["pid"] for entry in ledger["entries"] if entry["name"] == "Valkey"), signal.SIGKILL)
    assert program.exit_code() == 1
    assert "Valkey has ended (killed by SIGKILL)" in program.said()
    assert str(folder / "logs" / "valkey.log") in program.said()
    assert not left_over(folder)


def test_a_start_that_fails_says_why_and_leaves_nothing(folder: Path) -> None:
    with (
        pytest.raises(ChildFailed, match=r"Broken failed \(exit code 3\)(.|\n)*no such luck"),
        Supervisor(folder) as it,
    ):
        it.start("Sleeper", [sys.executable, "-c", "import time; time.sleep(600)", str(folder)])
        script = "import sys; print('no such luck'); sys.exit(3)"
        it.finish(it.start("Broken", [sys.executable, "-c", script], is_brief=True), within=20)
    assert not left_over(folder)


def test_children_of_children_are_stopped_too(folder: Path) -> None:
    sleeper = "[sys.executable, '-c', 'import time; time.sleep(600)']"
    nested = f"import subprocess, sys; subprocess.Popen({sleeper}, start_new_session=True)"
    with Supervisor(folder) as supervisor:
        environment = {"FOLDER": str(folder)}
        child = supervisor.start("Runaway", [sys.executable, "-c", nested], environment=environment, is_brief=True)
        supervisor.finish(child, within=20)
        assert left_over(folder)
    assert not left_over(folder)


def socket_folder(program: Program) -> Path:
    said = program.wait_until_it_says("unix://")
    return Path(said.partition("unix://")[2].partition("/valkey.sock")[0])


@pytest.mark.skipif(os.getuid() != 0, reason="only root runs PostgreSQL as another user")
def test_data_goes_elsewhere_when_its_user_cannot_reach_the_folder(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    runner = binaries.account()
    found = binaries.reachable_folder(tmp_path / "postgres", runner)
    try:
        assert found == binaries.away(tmp_path / "postgres")
        assert (found.stat().st_uid, found.stat().st_mode & 0o777) == (runner.uid, 0o700)
    finally:
        found.rmdir()
