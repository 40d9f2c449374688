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
# Width, its themes, and whether axe looks at it: at what needs no colour in the last of them alone.
LOOKS = ((1600, ("light", "dark"), False), (1280, ("dark", "light"), True), (320, ("light", "dark"), True))


def assert_well_made(page: Page, name: str, *, from_top: bool = False, and_back: bool = False) -> None:
    """See that a page that was just opened in a wide window can be used by keys, fits, and has no violation.

    Tab goes round once, past the menu unless `from_top`; `and_back` goes back on a phone, under the bar at its top.
    """
    assert page.viewport_size == {"width": 1280, "height": 820}
    wrong = by_tab(page, from_top=from_top)
    assert wrong == [], f"{name}: {wrong}"
    for width, themes, has_axe in LOOKS:
        page.set_viewport_size({"width": width, "height": 820})
        page.evaluate(SETTLED)
        for theme in themes:
            page.emulate_media(color_scheme=theme)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{name}, {width}, {theme}"
            keep_picture(page, f"{name}-{width}-{theme}")
            if has_axe:
                found = violations(page) if theme == themes[-1] else violations_of_colour(page)
                assert found == [], f"{name}, {width}, {theme}"
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
