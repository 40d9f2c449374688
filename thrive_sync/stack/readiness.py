"""Questions that tell whether a started program does its work."""

from __future__ import annotations

import socket
import urllib.request
from typing import Any

from celery import Celery
from kombu.exceptions import KombuError


def answers(address: str) -> bool:
    """Say whether a page is there."""
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def greets(address: str, port: int) -> bool:
    """Say whether a mail server is there."""
    try:
        with socket.create_connection((address, port), timeout=5) as connection:
            greeting = connection.recv(4)
            connection.sendall(b"QUIT\r\n")
            return greeting.startswith(b"220")
    except OSError:
        return False


def pings(app: Celery, worker: str) -> bool:
    """Say whether a worker listens to its broker."""
    try:
        return bool(app.control.inspect(destination=[worker], timeout=0.5).ping())
    except (KombuError, OSError):
        return False


def has_worked(app: Celery, worker: str, task: str) -> bool:
    """Say whether a worker has taken a task of this name and has none in hand any more."""
    asked = app.control.inspect(destination=[worker], timeout=2)
    stats: Any = (asked.stats() or {}).get(worker) or {}
    return task in stats.get("total", {}) and not (asked.active() or {}).get(worker)
