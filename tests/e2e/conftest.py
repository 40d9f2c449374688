"""Browser tests: Playwright drives the machine's own Chromium against the live server."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.test import Client
from playwright.sync_api import expect

from accounts.models import User
from targetgroups.models import Bridge
from tests.support.chromium import find_chromium, flags

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page
    from pytest_django.live_server_helper import LiveServer

    from memberSuite.standin.server import StandIn

PASSWORD = "a-long-pass-phrase"
AXE = (Path(__file__).parent / "vendor/axe-core-4.14.1/axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
COLOURS = ["color-contrast", "link-in-text-block"]  # the rules whose answer depends on the theme
ASK_AXE = """rules => axe.run({runOnly: rules, resultTypes: ["violations"]}).then(found => found.violations.map(
    one => `${one.id}: ` + one.nodes.map(node => node.target.join(" ")).join(", ")))"""

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


@pytest.fixture
def site(live_server: LiveServer, standin: StandIn) -> str:
    """The live site with a bridge to the stand-in and an administrator; nothing is synced yet."""
    Bridge.objects.create(
        name="Society of Lamp Keepers",
        service_address=standin.url,
        association_id=standin.association_id,
        access_key_id=standin.access_key_id,
        secret_access_key=standin.secret_access_key,
    )
    user = User.objects.create_user("dana", password=PASSWORD, timezone="America/New_York", first_name="Dana")
    user.groups.add(Group.objects.get(name="Administrator"))
    return str(live_server.url)


@pytest.fixture
def open_browser(browser: Browser, site: str) -> Iterator[Callable[..., Page]]:
    """Open a window whose every complaint fails the test: script errors, refused by the CSP, missing files."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_window(width: int = 1280, height: int = 820, theme: str = "light", **options: Any) -> Page:
        size: Any = {"width": width, "height": height}
        context = browser.new_context(viewport=size, color_scheme=theme, base_url=site, **options)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if is_complaint(said.type, said.text) else None)
        return page

    yield open_window
    for context in contexts:
        context.close()
    assert complaints == []


def is_complaint(kind: str, text: str) -> bool:
    """Say whether a line of the console is one; a poll that is cut off because the test leaves the page is none."""
    is_cut_off = text.startswith(("htmx:sendAbort", "htmx:afterRequest"))
    return kind in ("error", "warning") and not is_cut_off


def sign_in_by_keyboard(page: Page) -> None:
    """Sign in as the page leads, and go from Home to Target Groups."""
    page.goto("/")
    expect(page.get_by_label("User name")).to_be_focused()
    page.keyboard.type("dana")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_title("Home · thrive-sync")
    page.goto("/target-groups/")


def sign_in(page: Page) -> None:
    """Come back to Target Groups with a session that is there already, as nearly every visit begins."""
    client = Client()
    client.force_login(User.objects.get(username="dana"))
    morsel = client.cookies[settings.SESSION_COOKIE_NAME]
    page.context.add_cookies([{"name": morsel.key, "value": morsel.value, "domain": "localhost", "path": "/"}])
    page.goto("/target-groups/")


def violations(page: Page) -> list[str]:
    """Ask axe what is wrong with the page as it is now."""
    return _ask_axe(page, RULES)


def violations_of_colour(page: Page) -> list[str]:
    """Ask axe about contrast alone: in the other theme, nothing else of a page is another."""
    return _ask_axe(page, COLOURS)


def _ask_axe(page: Page, rules: list[str]) -> list[str]:
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    found: list[str] = page.evaluate(ASK_AXE, rules)
    return found


def keep_picture(page: Page, name: str) -> None:
    """Keep a screenshot where SCREENSHOTS says; nowhere without it."""
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png")
