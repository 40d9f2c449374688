"""The browser of the browser tests."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

FLAGS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def find_chromium() -> Path | None:
    """Return the Chromium of this machine, if it has one."""
    for name in (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name) if name else None
        if found:
            return Path(found)
    return None


def flags() -> list[str]:
    """Return the flags for a browser that reaches for nothing by itself; as root its sandbox can't start."""
    return [*FLAGS, "--no-sandbox"] if os.geteuid() == 0 else FLAGS
