"""Browser tests: Playwright drives the machine's own Chromium against the live server."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.support.chromium import find_chromium, flags

# Playwright's synchronous calls keep an event loop in the test's thread, where Django would refuse the database.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


@pytest.fixture(scope="session", autouse=True)
def chromium() -> Path:
    """The browser; without one the tests are skipped, or fail where BROWSER=required says so."""
    found = find_chromium()
    if found is None and os.environ.get("BROWSER") == "required":
        pytest.fail("BROWSER=required, and there is no Chromium on this machine", pytrace=False)
    if found is None:
        pytest.skip("no Chromium on this machine")
    return found


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any], chromium: Path) -> dict[str, Any]:
    return browser_type_launch_args | {"executable_path": str(chromium), "args": flags()}
