"""What `deploy/` and `docs/deploy.md` say is so: queues, commands, settings, and that the programs read the files."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import get_commands
from django.urls import URLResolver, get_resolver

from tests.support.programs import ROOT
from thrive_sync.celery import app

DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").iterdir())
GUIDE = (ROOT / "docs/deploy.md").read_text()
TEXTS = [GUIDE, (ROOT / "README.md").read_text(), *(unit.read_text() for unit in UNITS)]
TEXTS += [(DEPLOY / name).read_text() for name in ("compose.yaml", "Containerfile")]


def queues() -> set[str]:
    return {queue.name for queue in app.conf.task_queues}


def test_every_queue_has_its_worker_with_compose_and_with_systemd() -> None:
    compose = (DEPLOY / "compose.yaml").read_text()
    assert set(re.findall(r"--queues, (\w+)", compose)) == queues()
    target = (DEPLOY / "systemd/thrive-sync.target").read_text()
    assert set(re.findall(r"thrive-sync-worker@(\w+)\.service", target)) == queues()
    assert {name for name in queues() if f"thrive-sync-worker@{name}" in GUIDE} == queues()


def test_every_command_that_a_document_names_exists() -> None:
    named = {name for text in TEXTS for name in re.findall(r"(?:manage\.py|^    thrive|`thrive) ([a-z_]+)", text, re.M)}
    assert {"migrate", "collectstatic", "createsuperuser", "rotate_keys", "pause_sending"} <= named
    assert named - set(get_commands()) == set()


def test_every_setting_that_the_guide_names_is_explained() -> None:
    explained = set(re.findall(r"^#? ?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.M))
    named = set(re.findall(r"`([A-Z]+(?:_[A-Z]+)+)[=`]", GUIDE))
    of_compose = {"POSTGRES_PASSWORD", "THRIVE_NAME", "THRIVE_TLS"}
    assert {"FIELD_ENCRYPTION_KEYS", "BEHIND_PROXY"} <= named
    assert named - explained - of_compose - {"CONCURRENCY", "LC_COLLATE", "LC_CTYPE", "THRIVE_WEB"} == set()


def test_the_image_holds_every_room_and_nothing_of_the_tests() -> None:
    image = (DEPLOY / "Containerfile").read_text()
    rooms = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "bench"}
    assert set(re.findall(r"^COPY (\w+) \1$", image, re.M)) == rooms | {"templates"}
    let_in = set(re.findall(r"^!(\S+)$", (DEPLOY / "Containerfile.dockerignore").read_text(), re.M))
    assert let_in == rooms | {"templates", "manage.py", "LICENSE", "NOTICE", "requirements.txt"}
    assert "\nUSER 10001:10001\n" in image


def test_no_token_of_a_link_reaches_the_log_of_nginx() -> None:
    rooms = {route.split("/")[0] for route in routes(get_resolver()) if ":token>" in route}
    assert {"opt-out", "invitation"} <= rooms
    kept_out = set(re.findall(r"^    ~\^/([a-z-]+)/ +/\1/\.\.\.;$", (DEPLOY / "nginx.conf").read_text(), re.M))
    assert kept_out == rooms


def routes(resolver: URLResolver) -> Iterator[str]:
    for one in resolver.url_patterns:
        if isinstance(one, URLResolver):
            yield from (str(one.pattern) + route for route in routes(one))
        else:
            yield str(one.pattern)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd on this machine")
def test_systemd_reads_the_units(tmp_path: Path) -> None:
    for unit in UNITS:
        here = unit.read_text().replace("/srv/thrive-sync/venv/bin/gunicorn", "/bin/true")
        (tmp_path / unit.name).write_text(here.replace("/srv/thrive-sync/venv/bin/celery", "/bin/true"))
    asked = ["systemd-analyze", "verify", "--man=no", *map(str, sorted(tmp_path.iterdir()))]
    done = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=60)
    ours = [line for line in done.stderr.splitlines() if "thrive-sync" in line]
    assert ours == []


@pytest.mark.skipif(not (shutil.which("nginx") and shutil.which("openssl")), reason="no nginx on this machine")
def test_nginx_reads_its_file(tmp_path: Path) -> None:
    pair = ["-keyout", str(tmp_path / "privkey.pem"), "-out", str(tmp_path / "fullchain.pem")]
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *pair, "-days", "2", "-subj", "/CN=x"]
    subprocess.run(make, check=True, capture_output=True, timeout=60)
    site = (DEPLOY / "nginx.conf").read_text().replace("${THRIVE_WEB}", "127.0.0.1:8000")
    site = site.replace("${THRIVE_NAME}", "thrive.example.org").replace("/etc/nginx/tls", str(tmp_path))
    site = site.replace("/var/log/nginx", str(tmp_path)).replace("http2 on;", "")  # before 1.25 a word of listen
    (tmp_path / "nginx.conf").write_text(
        f"pid {tmp_path}/pid; error_log {tmp_path}/error.log; events {{}} http {{ {site} }}"
    )
    asked = ["nginx", "-t", "-c", str(tmp_path / "nginx.conf")]
    done = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
