"""The product's pages as a site serves them: gunicorn in a process of its own, and a signed-in visitor."""

from __future__ import annotations

import http.client
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.test import Client

from accounts.models import User
from accounts.permissions import ADMINISTRATOR
from thrive_sync.stack import ports, readiness

ROOT = Path(__file__).resolve().parent.parent
_FIRST_PORT = 8400
# As the demo starts it, and as the documentation tells.
_GUNICORN = ("--worker-class", "gthread", "--threads", "8", "--graceful-timeout", "3", "--no-control-socket")


@dataclass(frozen=True)
class Visitor:
    """A person with a session; every request is a connection of its own."""

    port: int
    headers: dict[str, str]

    def get(self, path: str) -> bytes:
        connection = self.ask("GET", path)
        return self.answer(connection)

    def post(self, path: str, **fields: str) -> bytes:
        return self.answer(self.ask("POST", path, **fields))

    def ask(self, method: str, path: str, **fields: str) -> http.client.HTTPConnection:
        """Send a request and return at once; `answer` waits for what comes back."""
        connection = http.client.HTTPConnection(ports.ADDRESS, self.port, timeout=60)
        form = {"Content-Type": "application/x-www-form-urlencoded"} if method == "POST" else {}
        connection.request(method, path, urlencode(fields) if method == "POST" else None, self.headers | form)
        return connection

    def answer(self, connection: http.client.HTTPConnection) -> bytes:
        """Read the reply to its end. Raises RuntimeError unless it is a page or a redirect into the site."""
        reply = connection.getresponse()
        body = reply.read()
        connection.close()
        if reply.status not in (200, 302) or "sign-in" in reply.headers.get("Location", ""):
            raise RuntimeError(f"the site answered {reply.status}")
        return body


def make_person() -> User:
    """Make an administrator."""
    user, _ = User.objects.get_or_create(username="bench")
    user.groups.add(Group.objects.get(name=ADMINISTRATOR.name))
    return user


@contextmanager
def visited_site() -> Iterator[Visitor]:
    """Start the site and yield a signed-in administrator; static files must have their names, as in production."""
    call_command("collectstatic", interactive=False, verbosity=0)
    port = ports.next_free(_FIRST_PORT)
    command = [sys.executable, "-m", "gunicorn", "thrive_sync.wsgi", "--bind", f"{ports.ADDRESS}:{port}", *_GUNICORN]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 60
        while not readiness.answers(f"http://{ports.ADDRESS}:{port}/healthz"):
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError("The site did not start.")
            time.sleep(0.05)
        yield Visitor(port, _session_headers())
    finally:
        process.terminate()
        process.wait(10)


def _session_headers() -> dict[str, str]:
    """Sign in; the CSRF secret may be any of the right form, as long as cookie and header hold the same."""
    browser = Client()
    browser.force_login(make_person())
    session, secret = browser.cookies[settings.SESSION_COOKIE_NAME].value, "b" * 32
    return {
        "Cookie": f"{settings.SESSION_COOKIE_NAME}={session}; {settings.CSRF_COOKIE_NAME}={secret}",
        "X-CSRFToken": secret,
    }
