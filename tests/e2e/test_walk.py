"""A marketer's first day: sign in, refresh the list, open Info, watch the sync, read the people. All by keyboard."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Page, expect

from targetgroups.models import Membership, SyncRun
from tests.e2e.conftest import keep_picture, sign_in, sign_in_by_keyboard, violations
from tests.support.truth import expected

if TYPE_CHECKING:
    from memberSuite.standin.server import StandIn

pytestmark = pytest.mark.django_db(transaction=True)


def test_from_sign_in_to_the_people_with_their_remote_ids(
    standin: StandIn, open_browser: Callable[..., Page], start_worker: Callable[..., Any]
) -> None:
    start_worker("interactive")
    page = open_browser()
    sign_in_by_keyboard(page)
    expect(page.get_by_role("heading", name="No target groups yet")).to_be_visible()
    keep_picture(page, "1-nothing-yet")

    page.get_by_role("button", name="Refresh Target Group List").first.click()
    expect(page.get_by_text("20 new, 0 unchanged")).to_be_visible(timeout=20_000)
    row = page.get_by_role("row").filter(has_text="Newsletter readers")
    expect(row).to_contain_text("Not counted yet")
    assert violations(page) == []
    keep_picture(page, "2-target-groups")

    with standin.holds("ExecuteSearch", on_page=1) as held:
        row.get_by_role("button", name="Menu of Newsletter readers").press("Enter")
        expect(page.get_by_role("menuitem", name="Info")).to_be_focused()
        assert violations(page) == []
        page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog", name="Newsletter readers")
        expect(dialog).to_be_visible()
        assert held.wait_until_held()
        expect(dialog).to_contain_text("Reading from MemberSuite", timeout=10_000)
        expect(dialog.get_by_role("button", name="Cancel")).to_be_visible()
        assert violations(page) == []
        keep_picture(page, "3-syncing")
    expect(dialog.get_by_text("Completed").first).to_be_visible(timeout=20_000)
    members = expected(standin.url, standin.search_id("Newsletter readers")).members
    expect(dialog.locator(".big")).to_have_text(f"{len(members):,}")
    keep_picture(page, "4-synced")

    dialog.get_by_role("link", name="Subscribers").press("Enter")
    dialog.get_by_role("button", name="6 columns").press("Enter")
    page.get_by_role("checkbox", name="Remote ID").check()
    page.get_by_role("button", name="Use these").press("Enter")
    expect(dialog.get_by_role("columnheader", name="Remote ID")).to_be_visible()
    shown = {code.lower() for code in dialog.locator("td code").all_inner_texts()}
    assert shown
    assert shown <= members.keys()
    assert violations(page) == []
    keep_picture(page, "5-subscribers")

    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("button", name="Menu of Newsletter readers")).to_be_focused()
    assert page.url.endswith("/target-groups/")
    expect(row).to_contain_text("Counted")
    assert Membership.objects.count() == len(members)


def test_cancel_stops_a_sync_within_two_seconds_and_changes_nothing(
    standin: StandIn, open_browser: Callable[..., Page], start_worker: Callable[..., Any]
) -> None:
    start_worker("interactive")
    page = open_browser()
    sign_in(page)
    page.get_by_role("button", name="Refresh Target Group List").first.click()
    with standin.holds("ExecuteSearch", on_page=1) as held:
        page.get_by_role("button", name="All individuals", exact=True).click(timeout=20_000)
        dialog = page.get_by_role("dialog", name="All individuals")
        assert held.wait_until_held()
        dialog.get_by_role("button", name="Cancel").click()
        expect(dialog.get_by_text("Cancelled").first).to_be_visible(timeout=5_000)
    run = SyncRun.objects.filter(status="cancelled").get()
    wish = run.cancel_wishes.get()
    assert run.finished_at is not None
    assert (run.finished_at - wish.wished_at).total_seconds() < 2


def test_a_reload_in_the_middle_of_a_sync_shows_the_same_progress_and_its_end(
    standin: StandIn, open_browser: Callable[..., Page], start_worker: Callable[..., Any]
) -> None:
    start_worker("interactive")
    page = open_browser()
    sign_in(page)
    page.get_by_role("button", name="Refresh Target Group List").first.click()
    with standin.holds("ExecuteSearch", on_page=2) as held:
        page.get_by_role("button", name="All individuals", exact=True).click(timeout=20_000)
        assert held.wait_until_held()
        bar = page.locator("#info-live progress")
        expect(bar).to_have_attribute("value", re.compile("[1-9][0-9]*"), timeout=10_000)
        before = int(bar.get_attribute("value") or 0)
        page.reload()
        expect(page.locator("#info-live")).to_contain_text("Reading from MemberSuite")
        # All rows may have come by then: which page is the second depends on whose answer is first.
        assert before <= int(bar.get_attribute("value") or 0) <= int(bar.get_attribute("max") or 0)
    expect(page.locator("#info-live").get_by_text("Completed")).to_be_visible(timeout=20_000)
    expect(page.locator(".big")).not_to_be_empty()
    run = SyncRun.objects.get(kind="group")
    assert (run.status, run.requests.count()) == ("completed", 1)  # R8: a reload asks for nothing


def test_test_connection_shows_its_steps_one_by_one(
    open_browser: Callable[..., Page], start_worker: Callable[..., Any]
) -> None:
    start_worker("interactive")
    page = open_browser()
    sign_in(page)
    page.get_by_role("link", name="Bridge Configuration").press("Enter")
    page.get_by_label("Transport").select_option("rest")
    expect(page.get_by_label("Tenant ID")).to_be_visible()
    expect(page.get_by_label("Association ID")).to_be_hidden()
    page.get_by_role("button", name="Test connection").press("Enter")
    for step in ("Reach host", "Sign in", "List searches", "Read one record"):
        expect(page.get_by_role("listitem").filter(has_text=step)).to_contain_text("OK", timeout=20_000)
    expect(page.get_by_text("Connected", exact=True)).to_be_visible()
    assert violations(page) == []
