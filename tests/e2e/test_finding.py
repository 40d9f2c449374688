"""Home, the search box, the filters of Sync Activity and a held run's decision: by keyboard, and what the tips tell."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from targetgroups.choices import OutcomeKind
from targetgroups.models import Bridge, SyncRun, TargetGroup
from tests.e2e.conftest import keep_picture, sign_in, violations
from tests.e2e.measuring import assert_well_made
from tests.targetgroups.views.conftest import FIGURES, Rows, outcome

if TYPE_CHECKING:
    from memberSuite.standin.server import StandIn

pytestmark = pytest.mark.django_db(transaction=True)
HELD = {"in_search": 20, "eligible": 1, "do_not_email": 19, "members_before": 2, "would_remove": 1}


def test_three_steps_lead_from_nothing_to_the_first_synced_group(
    standin: StandIn, open_browser: Callable[..., Page], start_worker: Callable[..., Any]
) -> None:
    start_worker("interactive")
    page = open_browser()
    sign_in(page)
    page.get_by_role("link", name="Home").press("Enter")
    expect(page.get_by_role("heading", name="Welcome: three steps to your first target group")).to_be_visible()
    assert violations(page) == []
    keep_picture(page, "home-1-first-steps")
    page.get_by_role("button", name="Refresh Target Group List").press("Enter")
    expect(page.get_by_text("20 new, 0 unchanged")).to_be_visible(timeout=20_000)
    expect(page.get_by_text("Step 1, done:")).to_be_attached()
    page.get_by_label("Target group", exact=True).select_option(label="Newsletter readers")
    keep_picture(page, "home-2-second-step-done")
    page.get_by_role("button", name="Sync it").press("Enter")
    expect(page.get_by_text("Your first target group is synced: Newsletter readers")).to_be_visible(timeout=20_000)
    expect(page.get_by_text("Never counted")).to_be_visible()
    assert violations(page) == []
    keep_picture(page, "home-3-synced")


@pytest.fixture
def rows(site: str) -> Rows:
    """A group that grew, a held run of it, and people to find."""
    rows = Rows(Bridge.objects.get())
    group = rows.group("Lamp lovers", member_count=1200)
    for days, size in ((9, 1000), (4, 1150), (1, 1200)):
        run = rows.run(group, figures=FIGURES | {"members_after": size})
        SyncRun.objects.filter(pk=run.pk).update(finished_at=timezone.now() - timedelta(days=days))
    held = rows.run(group, "held", figures=HELD, sentence="This sync would remove 1 of 2 people.")
    outcome(held, rows.member(group, "goes@lamps.example", "Gus", "Goes"), OutcomeKind.WOULD_REMOVE)
    rows.member(group, "stays@lamps.example", "Stella", "Stays")
    return rows


def test_slash_finds_by_keyboard_and_nothing_typed_reaches_an_address(
    rows: Rows, open_browser: Callable[..., Page]
) -> None:
    page = open_browser(1280)
    sign_in(page)
    page.goto("/sync-activity/")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_role("link", name="Sync Activity").focus()
    page.keyboard.press("/")
    box = page.get_by_role("combobox", name="Search groups, subscribers, runs, mailings and pages")
    expect(box).to_be_focused()
    page.keyboard.type("stella")
    option = page.get_by_role("option", name="Stella Stays")
    expect(option).to_be_visible()
    assert violations(page) == []
    keep_picture(page, "search-box")
    page.keyboard.press("Escape")
    expect(option).to_be_hidden()
    expect(page.get_by_role("link", name="Sync Activity")).to_be_focused()
    page.keyboard.press("/")
    page.keyboard.type("contacts groups")
    expect(page.get_by_role("option", name="Contacts > Groups is here")).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("option", name="Contacts > Groups is here")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    page.wait_for_url("**/target-groups/")
    page.keyboard.press("/")
    page.keyboard.type("lamp")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search/")
    expect(page.get_by_role("heading", name="Target Groups")).to_be_visible()
    assert violations(page) == []
    keep_picture(page, "search-page")
    assert not [url for url in asked if "stella" in url or "lamp" in url]


def test_search_works_without_javascript(rows: Rows, open_browser: Callable[..., Page]) -> None:
    page = open_browser(360, java_script_enabled=False)
    page.goto("/sign-in/")
    page.get_by_label("User name").fill("dana")
    page.get_by_label("Password").fill("a-long-pass-phrase")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="Search", exact=True).click()
    page.get_by_label("Search everything").fill("goes@lamps.example")
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page.get_by_text("Gus Goes")).to_be_visible()


def test_filters_are_chosen_by_keyboard_and_taken_off_as_chips(rows: Rows, open_browser: Callable[..., Page]) -> None:
    rows.run(rows.group("Lamp buyers"), "failed")
    page = open_browser(1600)
    sign_in(page)
    page.goto("/sync-activity/")
    page.get_by_label("Outcome").first.select_option("held")
    page.wait_for_url("**/sync-activity/?outcome=held")  # what is not chosen stays out of the address
    page.get_by_role("combobox", name="Target group").press_sequentially("lamp")
    expect(page.get_by_role("option", name="Lamp buyers")).to_be_visible()
    assert violations(page) == []
    keep_picture(page, "filters-1-typing")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="No run matches all of these filters together")).to_be_visible()
    assert violations(page) == []
    keep_picture(page, "filters-2-nothing")
    page.get_by_role("link", name="Take off Outcome: Held").first.press("Enter")
    expect(page.get_by_role("cell", name="Failed")).to_be_visible()
    page.get_by_role("link", name="7 days").press("Enter")
    expect(page.get_by_role("link", name="Take off Asked for: in the last 7 days")).to_be_visible()
    keep_picture(page, "filters-3-chips")


def test_r6_a_held_run_is_decided_after_its_number_was_named(rows: Rows, open_browser: Callable[..., Page]) -> None:
    page = open_browser(1280)
    sign_in(page)
    page.goto("/")
    page.get_by_role("link", name="Look and decide Lamp lovers").press("Enter")
    expect(page.get_by_role("heading", name="Decide: may 1 person be removed?")).to_be_visible()
    expect(page.get_by_role("row", name="Gus Goes")).to_be_visible()
    keep_picture(page, "held-1-decide")
    page.get_by_label("Search by name, e-mail or Remote ID").fill("stella")
    page.get_by_role("button", name="Search", exact=True).press("Enter")
    expect(page.get_by_role("heading", name="Nobody found")).to_be_visible()
    page.get_by_role("button", name="Apply", exact=True).press("Enter")
    expect(page.get_by_role("dialog", name="Remove 1 person from Lamp lovers?")).to_be_visible()
    assert violations(page) == []
    keep_picture(page, "held-2-sure")
    page.get_by_role("button", name="Yes, remove 1 person").press("Enter")
    expect(page.get_by_text("Asked for", exact=True)).to_be_visible()
    run = SyncRun.objects.get(trigger="apply")
    assert page.url.endswith(f"/sync-activity/{run.pk}/")
    page.get_by_role("link", name=f"Held run {run.applies_id}").click()
    expect(page.get_by_text("Dana applied it")).to_be_visible()
    assert violations(page) == []
    keep_picture(page, "held-3-decided")


def test_exact_times_show_on_hover_and_where_the_keyboard_is(rows: Rows, open_browser: Callable[..., Page]) -> None:
    moment = timezone.now().replace(year=2026, month=1, day=5, hour=17, minute=4, second=9, microsecond=0)
    SyncRun.objects.filter(status="held").update(started_at=moment)
    assert User.objects.get(username="dana").timezone == "America/New_York"
    page = open_browser(1280)
    sign_in(page)
    page.goto("/sync-activity/")
    tip = page.get_by_role("tooltip").filter(has_text="Jan 5, 2026, 12:04:09 EST")
    held = page.get_by_role("row").filter(has_text="Held")
    held.get_by_role("link").first.focus()
    page.keyboard.press("Tab")  # the keyboard is in this row, so its times are told
    expect(tip).to_be_visible()
    keep_picture(page, "exact-time")
    page.keyboard.press("Escape")
    expect(tip).to_be_hidden()
    held.locator("time").first.hover()
    expect(tip).to_be_visible()
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto("/target-groups/")
    page.get_by_role("button", name="Lamp lovers", exact=True).focus()
    page.keyboard.press("Tab")
    expect(page.get_by_role("tooltip")).to_have_count(1)  # Count tells its age; Last Synced has no place on a phone
    page.goto(f"/sync-activity/{SyncRun.objects.get(status='held').pk}/")
    started = page.locator("dt", has_text="Started").locator("+ dd time")
    for _ in range(60):  # outside of tables a time is a stop of its own
        page.keyboard.press("Tab")
        if started.evaluate("time => time === document.activeElement"):
            break
    expect(started).to_be_focused()
    expect(page.get_by_role("tooltip")).to_contain_text("ago")
    assert violations(page) == []


def test_these_pages_fit_and_are_accessible(rows: Rows, open_browser: Callable[..., Page]) -> None:
    long = "A target group whose name somebody made as long as only somebody in a hurry would: " + "x" * 80
    TargetGroup.objects.create(
        bridge=rows.bridge, folder=rows.folder, search_id="x", search_key="x", name=long, error_code="timed_out",
        error_text="MemberSuite took too long.", member_count=7,
    )  # fmt: skip
    page = open_browser()
    sign_in(page)
    held = SyncRun.objects.get(status="held")
    for name, address in {
        "home": "/",
        "search": "/search/",
        "filters": f"/sync-activity/?group={held.target_group_id}&outcome=held&when=7d",
        "filters-none": "/sync-activity/?kind=preview&when=today",
        "held": f"/sync-activity/{held.pk}/",
        "would-stay": f"/sync-activity/{held.pk}/would_stay/",
    }.items():
        page.goto(address)
        assert_well_made(page, name)
