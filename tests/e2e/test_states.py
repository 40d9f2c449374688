"""States that few people ever see: a fault, a lock, a code, no bridge at all, a form that the server alone refuses."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pyotp
import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Locator, Page, expect

from accounts import two_step
from accounts.models import User
from targetgroups.models import Bridge, Folder, SyncRun
from tests.e2e.conftest import PASSWORD, keep_picture, sign_in
from tests.e2e.measuring import assert_well_made
from tests.targetgroups.views.conftest import FIGURES, Rows

IS_ON_ONE_LINE = """heads => heads.every(head => {
    const [number, words] = [".step-number", "h2"].map(name => head.querySelector(name).getBoundingClientRect());
    return number.top < words.bottom && words.top < number.bottom;
})"""
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def page(site: str, browser: Browser) -> Iterator[Page]:
    """A window that may complain of an answer that refuses, as the console does of each."""
    page = browser.new_page(base_url=site, viewport={"width": 1280, "height": 820}, color_scheme="light")
    yield page
    page.close()


def heading(page: Page, words: str) -> Locator:
    return page.get_by_role("heading", level=1, name=words, exact=True)


def test_a_fault_says_that_nothing_half_done_is_kept(page: Page, settings: Any, caplog: Any) -> None:
    caplog.set_level(logging.CRITICAL, "django.request")
    settings.ROOT_URLCONF = "tests.e2e.faulty_urls"
    answer = page.goto("/fault/")
    assert answer is not None and answer.status == 500
    expect(heading(page, "Something went wrong here")).to_be_visible()
    expect(page.get_by_text("Nothing half-done is kept")).to_be_visible()
    expect(page.get_by_text("broken on purpose")).to_have_count(0)
    assert_well_made(page, "fault")
    page.get_by_role("link", name="Go to the first page").press("Enter")
    expect(heading(page, "Sign in")).to_be_visible()


def test_the_code_at_the_sign_in_is_asked_for_and_five_wrong_ones_lock(page: Page) -> None:
    dana = User.objects.get(username="dana")
    app = pyotp.TOTP(two_step.begin(dana).secret)
    two_step.confirm(dana, app.at(timezone.now() - timedelta(seconds=30)))
    page.goto("/sign-in/")
    page.get_by_label("User name").fill("dana")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(heading(page, "Enter your code")).to_be_visible()
    expect(page.get_by_label("Code")).to_be_focused()
    assert_well_made(page, "code")
    for number in range(4):
        page.goto("/sign-in/code/")
        page.get_by_label("Code").fill(f"wrong {number}")
        page.keyboard.press("Enter")
        expect(page.get_by_text("This code is not right")).to_be_visible()
    expect(page.get_by_label("Code")).to_be_focused()
    assert_well_made(page, "code-wrong")
    page.get_by_label("Code").fill("wrong again")
    page.keyboard.press("Enter")
    expect(heading(page, "Locked for a while")).to_be_visible()
    assert_well_made(page, "locked")
    page.get_by_role("link", name="Back to the sign-in").press("Enter")
    page.get_by_label("User name").fill("dana")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(heading(page, "Locked for a while")).to_be_visible()


def test_home_and_the_bridge_say_how_to_begin_where_there_is_no_bridge(page: Page) -> None:
    Bridge.objects.all().delete()
    sign_in(page)
    page.goto("/")
    expect(page.get_by_role("heading", name="Connect MemberSuite")).to_be_visible()
    expect(page.get_by_role("button", name="Refresh Target Group List")).to_be_disabled()
    assert_well_made(page, "home-no-bridge")
    page.set_viewport_size({"width": 320, "height": 820})
    assert page.locator(".step-head").evaluate_all(IS_ON_ONE_LINE), "a step's number stands over its heading"
    page.set_viewport_size({"width": 1280, "height": 820})
    page.get_by_role("link", name="Open Bridge Configuration").press("Enter")
    expect(page.get_by_text("Fill in the connection and its keys")).to_be_visible()
    expect(page.get_by_role("button", name="Test connection")).to_have_count(0)
    assert_well_made(page, "bridge-none")
    for address, said in {
        "/target-groups/": "First connect MemberSuite",
        "/subscribers/": "First connect MemberSuite",
    }.items():
        page.goto(address)
        expect(page.get_by_role("heading", name=said)).to_be_visible()
        assert_well_made(page, f"no-bridge{address.replace('/', '-')}")
        expect(page.get_by_text("Fetches the list of searches")).to_have_count(0)  # nothing there does


def test_what_the_server_alone_refuses_has_the_focus_and_its_reason(page: Page) -> None:
    sign_in(page)
    page.goto("/preferences/")
    # To the browser's own check, this is an address.
    page.get_by_label("E-mail address").fill("dana@lamps")
    page.keyboard.press("Enter")
    refused(page.get_by_label("E-mail address"), "Enter a valid email address.")
    expect(page.get_by_label("E-mail address")).to_have_value("dana@lamps")
    assert_well_made(page, "preferences-wrong")
    page.get_by_label("Your password").fill("not it")
    page.get_by_label("New password", exact=True).fill("a new long pass phrase")
    page.get_by_label("New password, once more").fill("a new long pass phrase")
    page.keyboard.press("Enter")
    refused(page.get_by_label("Your password"), "This is not your password.")
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_label("New password", exact=True).fill("a new long pass phrase")
    page.get_by_label("New password, once more").fill("another long pass phrase")
    page.keyboard.press("Enter")
    refused(page.get_by_label("New password, once more"), "The two passwords are not the same.")
    page.goto("/users/invite/")
    page.get_by_label("E-mail address").fill("mia@lamps.example")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Choose at least one role.")).to_be_visible()
    expect(page.get_by_role("checkbox").first).to_be_focused()
    expect(page.get_by_role("group", name="Roles")).to_have_accessible_description("Choose at least one role.")
    assert_well_made(page, "invite-wrong")
    page.goto("/suppressions/add/")
    page.get_by_label("E-mail addresses").fill("nobody here, nor there")
    page.get_by_label("Why, and from where").fill("asked by phone")
    page.keyboard.press("Enter")
    refused(page.get_by_label("E-mail addresses"), "")
    assert_well_made(page, "suppress-wrong")


def refused(box: Locator, reason: str) -> None:
    expect(box).to_have_attribute("aria-invalid", "true")
    expect(box).to_be_focused()
    assert reason in box.evaluate("""one => one.getAttribute("aria-describedby").split(" ")
        .map(id => document.getElementById(id)?.innerText ?? `no ${id}`).join(" ")""")


def test_the_axis_of_a_chart_is_as_long_as_what_it_shows(page: Page) -> None:
    rows, now = Rows(Bridge.objects.get()), timezone.now()
    short, long = rows.group("Synced twice at once", member_count=9), rows.group("Synced for weeks", member_count=9)
    for group, days in ((short, 0), (long, 10)):
        for number in range(3):
            run = rows.run(group, figures=FIGURES | {"members_after": 9 + number})
            SyncRun.objects.filter(pk=run.pk).update(finished_at=now - timedelta(days=days * (2 - number)))
    sign_in(page)
    for group, places in ((short, (0.5, 0.5)), (long, (0, 1))):
        page.goto(f"/target-groups/{group.pk}/history/")
        plot = page.locator(".count-chart .u-over")
        box = plot.bounding_box()
        assert box is not None
        for side, place in zip((1, box["width"] - 1), places, strict=True):
            plot.hover(position={"x": side, "y": box["height"] / 2})
            expect(page.locator(".chart-note")).to_contain_text("members, ")
            point = page.locator(".u-cursor-pt").bounding_box()
            assert point is not None
            middle = point["x"] + point["width"] / 2
            assert abs((middle - box["x"]) / box["width"] - place) < 0.02, group.name


def test_a_folder_of_a_long_name_breaks_and_the_short_ones_stay_in_one_piece(page: Page) -> None:
    name = "Chapter" * 14
    rows = Rows(Bridge.objects.get())
    rows.group("Members", folder=Folder.objects.create(name=name))
    sign_in(page)
    for width in (320, 1280):
        page.set_viewport_size({"width": width, "height": 820})
        page.goto("/target-groups/folders/")
        for folder, is_whole in ((Folder.MEMBERSUITE, True), (Folder.MAIN, True), (name, False)):
            link = page.get_by_role("link", name=folder, exact=True)
            expect(link).to_be_visible()
            assert link.evaluate("one => one.getClientRects().length === 1") is is_whole, (width, folder)
        for address in ("/target-groups/folders/", "/target-groups/?folder=all"):
            page.goto(address)
            expect(page.get_by_text(name, exact=True).first).to_be_attached()
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (width, address)
            frame = page.locator(".table-frame")
            is_wide = frame.evaluate("one => one.scrollWidth > one.clientWidth")
            assert not is_wide or width == 320, "a wide window has room for the list"
            keep_picture(page, f"folder-long-{width}-{address.strip('/').split('/')[1][:7].strip('?=')}")
