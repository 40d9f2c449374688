"""What is asked of every page, whatever it shows: axe, both themes, three widths, and a round of the Tab key."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.e2e.conftest import keep_picture, violations, violations_of_colour

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROUND = (Path(__file__).parent / "round.js").read_text()
TO_THE_TOP = """() => { document.body.tabIndex = -1; document.body.focus(); document.body.removeAttribute("tabindex");
    document.querySelectorAll("tbody").forEach(body => [...body.rows].slice(4, -4).forEach(row => row.remove())) }"""
# Two frames later what follows the window's size (a chart) has followed.
SETTLED = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
# Width, theme, and what is asked of axe: what needs no colour, once a width. The first is as a page is opened, and two
# beside each other differ in one thing: each change lays out or paints the whole page anew.
LOOKS = (
    (1280, "light", violations),
    (1280, "dark", violations_of_colour),
    (1600, "dark", None),
    (1600, "light", None),
    (320, "light", violations_of_colour),
    (320, "dark", violations),
)


def assert_well_made(page: Page, name: str, *, from_top: bool = False, and_back: bool = False) -> None:
    """See that a page that was just opened in a wide window can be used by keys, fits, and has no violation.

    Tab goes round once, past the menu unless `from_top`; `and_back` goes back on a phone, under the bar at its top.
    """
    assert page.viewport_size == {"width": 1280, "height": 820}
    assert page.evaluate("matchMedia('(prefers-color-scheme: light)').matches")
    wrong = by_tab(page, from_top=from_top)
    assert wrong == [], f"{name}: {wrong}"
    page.evaluate("scrollTo(0, 0)")  # or the bar lies over whatever the last Tab left under it
    was_wide, was_in = 1280, "light"
    for width, theme, ask_axe in LOOKS:
        if width != was_wide:
            page.set_viewport_size({"width": width, "height": 820})
            page.evaluate(SETTLED)
        if theme != was_in:
            page.emulate_media(color_scheme=theme)
        was_wide, was_in = width, theme
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{name}, {width}, {theme}"
        keep_picture(page, f"{name}-{width}-{theme}")
        if ask_axe is not None:
            found = ask_axe(page)
            assert found == [], f"{name}, {width}, {theme}: {found}"
    if and_back:
        count = page.evaluate(ROUND, {"from": "main", "back": True})
        page.evaluate("round.begin()")
        wrong = finish(page, "Shift+Tab", count - 1)
        assert wrong == [], f"{name}, back: {wrong}"
    page.set_viewport_size({"width": 1280, "height": 820})
    page.emulate_media(color_scheme="light")


def by_tab(page: Page, *, from_top: bool = False) -> list[str]:
    """Go once round by Tab, past the menu by the skip link unless from the top; return what was wrong."""
    page.evaluate(TO_THE_TOP)
    has_frame = page.locator(".skip").count() > 0
    count = page.evaluate(ROUND, {"from": "main" if has_frame and not from_top else "body", "back": False})
    if has_frame and not from_top:
        page.keyboard.press("Tab")
        expect(page.locator(".skip")).to_be_focused()
        expect(page.locator(".skip")).to_be_in_viewport(ratio=1)
        page.keyboard.press("Enter")
        expect(page.locator("main")).to_be_focused()
    return finish(page, "Tab", count)


def finish(page: Page, key: str, count: int) -> list[str]:
    """Press the key until the round is over; return what was wrong."""
    has_frame = len(page.frames) > 1  # whose way out is another process's matter, and comes a little later
    for _ in range(count + 1):
        page.keyboard.press(key)
        if has_frame:
            page.evaluate(SETTLED)
    for _ in range(count + 20):  # the parts of a date, and what is in a frame
        if page.evaluate("round.isOver()"):
            break
        page.keyboard.press(key)
    wrong: list[str] = page.evaluate("round.result()")
    page.evaluate("document.activeElement.blur()")  # or the skip link lies over what axe measures
    return wrong
