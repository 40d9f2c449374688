"""`manage.py demo` as a person uses it: one terminal that runs it, another beside it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.programs import ROOT, Program, marked_with, open_folder, wait_until
from thrive_sync.stack import ports

DONE = "Ctrl-C stops everything."
ITS_OWN = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "FIELD_ENCRYPTION_KEYS", "ALLOWED_HOSTS", "HTTPS_ONLY")


class Terminal:
    """Where a demo is started, with a folder of its own for data."""

    def __init__(self, folder: Path) -> None:
        self.var = folder / "var"
        self.folder = folder
        self.demos: list[Program] = []
        # What the tests' own servers are called must not reach the demo.
        kept = {name: value for name, value in os.environ.items() if name not in ITS_OWN}
        self.environment = kept | {"THRIVE_VAR": str(self.var), "DJANGO_SETTINGS_MODULE": "thrive_sync.settings"}

    def demo(self, *words: str) -> Program:
        output = self.folder / f"demo-{len(self.demos)}.txt"
        command = ["manage.py", "demo", "--people", "50", *words]
        self.demos.append(Program(command, output=output, environment=self.environment))
        return self.demos[-1]

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "manage.py", *words]
        return subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False)

    def left_over(self) -> list[str]:
        return list(marked_with(str(self.var)).values())


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    with open_folder() as folder:
        terminal = Terminal(folder)
        yield terminal
        for demo in terminal.demos:
            if demo.process.poll() is None:
                demo.send(signal.SIGTERM)
                demo.exit_code()
        assert not terminal.left_over()


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind((ports.ADDRESS, 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_demo_serves_and_is_found_by_commands_and_stops_without_a_trace(terminal: Terminal, taken_port: int) -> None:
    demo = terminal.demo("--port", str(taken_port))
    said = demo.wait_until_it_says(DONE, within=90)
    address = the(r"Open +(http://127\.0\.0\.1:\d+)", said)
    assert f"Port {taken_port} is taken; using {address.rpartition(':')[2]}." in said
    assert "User name  demo" in said
    assert "manager, subscribers, publisher, reporter" in said
    assert f"Inbox      {address}/demo/inbox/" in said
    assert len(the(r"Password +(\S+)", said)) >= 12
    with urllib.request.urlopen(f"{address}/healthz", timeout=10) as answer:
        assert answer.read() == b"ok\n"

    find = "from targetgroups.models import Bridge; print([bridge.is_configured for bridge in Bridge.objects.all()])"
    assert terminal.command("shell", "--no-imports", "-c", find).stdout == "[True]\n"

    second = terminal.demo()
    assert second.exit_code() == 1
    assert f"already running: {address}" in second.said()

    demo.send_to_group(signal.SIGINT)
    assert demo.exit_code() == 0
    assert not terminal.left_over()
    assert "Start the demo" in terminal.command("check").stderr


@pytest.mark.soak
@pytest.mark.parametrize("after", ["initdb", "seed_demo", "gunicorn"])
def test_ctrl_c_at_any_moment_of_the_start_leaves_nothing(terminal: Terminal, after: str) -> None:
    demo = terminal.demo()
    wait_until(lambda: after in " ".join(terminal.left_over()), within=60, what=demo.said)
    demo.send_to_group(signal.SIGINT)
    assert demo.exit_code() == 0
    assert not terminal.left_over()


@pytest.mark.soak
def test_a_killed_demo_leaves_nothing_and_starts_again_with_its_data(terminal: Terminal) -> None:
    demo = terminal.demo()
    password = the(r"Password +(\S+)", demo.wait_until_it_says(DONE, within=90))
    demo.send(signal.SIGKILL)
    wait_until(lambda: not terminal.left_over(), within=20, what=terminal.left_over)
    assert terminal.command("check").returncode == 1, "its servers are gone, and nothing claims otherwise"
    assert the(r"Password +(\S+)", terminal.demo().wait_until_it_says(DONE, within=90)) == password


@pytest.mark.soak
def test_what_a_kill_of_the_watcher_too_leaves_is_stopped_by_the_next_start(terminal: Terminal) -> None:
    demo = terminal.demo()
    demo.wait_until_it_says(DONE, within=90)
    for process, command in marked_with(str(terminal.var)).items():
        if "watcher.py" in command:
            process.kill()
    demo.send(signal.SIGKILL)
    demo.exit_code()
    assert len(terminal.left_over()) >= 6
    assert "left over from a killed run" in terminal.demo().wait_until_it_says(DONE, within=90)


@pytest.mark.soak
def test_a_worker_that_dies_ends_the_demo_and_its_log_is_told(terminal: Terminal) -> None:
    demo = terminal.demo()
    demo.wait_until_it_says(DONE, within=90)
    beat = next(process for process, command in marked_with(str(terminal.var)).items() if " beat " in command)
    beat.kill()
    assert demo.exit_code() == 1
    assert "Beat has ended (killed by SIGKILL). The end of" in demo.said()
    assert not terminal.left_over()


def the(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    assert found, text
    return found[1]


def test_the_next_free_port_is_used_when_one_is_taken(taken_port: int) -> None:
    assert ports.next_free(taken_port) > taken_port
