"""Lists as each person wants them: columns in an order of their own, files and paper that say what is shown."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

import audit
from targetgroups import suppression
from targetgroups.choices import SuppressionCause
from targetgroups.models import Bridge, RunProgress, SyncRun, TargetGroup
from tests.e2e.conftest import PASSWORD, keep_picture, sign_in, violations
from tests.targetgroups.views.conftest import FIGURES, Rows

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def group(site: str) -> TargetGroup:
    rows = Rows(Bridge.objects.get())
    group = rows.group("Members", member_count=12, attribute_names=["Chapter", "A rather long name of an extra field"])
    for number, count in enumerate((9, 14, 11, 12)):
        run = rows.run(group, figures=FIGURES | {"members_after": count})
        SyncRun.objects.filter(pk=run.pk).update(finished_at=timezone.now() - timedelta(days=4 - number))
    for number in range(12):
        values = {"Chapter": "=North", "A rather long name of an extra field": "x" * 40}
        rows.member(group, f"person{number:02}@lamps.example", "Zoë", "Ångström", attributes=values)
    return group


def headers(page: Page) -> Locator:
    return page.locator("#people thead th")


def row_of(chooser: Locator, name: str) -> Locator:
    return chooser.get_by_role("listitem").filter(has=chooser.page.get_by_role("checkbox", name=name, exact=True))


def test_columns_are_ordered_by_keys_and_by_dragging_and_stay_so_in_page_and_file(
    group: TargetGroup, open_browser: Callable[..., Page]
) -> None:
    page = open_browser()
    sign_in(page)
    address = f"/target-groups/{group.pk}/subscribers/"
    page.goto(address)
    page.get_by_label("Search subscribers").fill("person0")
    page.get_by_label("Search subscribers").press("Enter")
    expect(page.get_by_text("10 found")).to_be_visible()
    page.get_by_role("button", name="6 columns").press("Enter")
    chooser = page.get_by_role("form", name="Columns")
    expect(chooser.get_by_role("checkbox", name="First Name")).to_be_focused()
    chooser.get_by_role("checkbox", name="Remote ID").check()
    for _ in range(6):
        page.keyboard.press("Alt+ArrowUp")
    expect(chooser.get_by_role("checkbox", name="Remote ID")).to_be_focused()
    expect(chooser.get_by_role("status")).to_have_text("Remote ID: 2 of 11")
    chooser.get_by_role("button", name="Move Last Name up").click()
    chooser.get_by_role("checkbox", name="Chapter").check()
    grip, first = row_of(chooser, "Chapter").locator("[data-grip]"), row_of(chooser, "E-mail")
    grip.hover()
    page.mouse.down()
    box = first.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 5, box["y"] - 30)
    for _ in range(12):
        page.mouse.move(box["x"] + 5, box["y"] + 2)
    page.mouse.up()
    assert violations(page) == []
    keep_picture(page, "chooser")
    chooser.get_by_label("Rows per page").select_option("25")
    chooser.get_by_role("button", name="Use these").last.click()
    wanted = ["Chapter", "E-mail", "Remote ID", "Last Name", "First Name", "Status", "Subscribed", "Last Changed"]
    expect(headers(page)).to_have_text(wanted)
    expect(page.get_by_text("10 found")).to_be_visible()
    with page.expect_download() as started:
        page.get_by_role("button", name="CSV of what is shown here").click()
    lines = list(csv.reader(Path(started.value.path()).read_text("utf-8-sig").splitlines()))
    assert lines[0] == wanted
    assert [line[1] for line in lines[1:]] == [f"person{number:02}@lamps.example" for number in range(10)]
    assert {line[0] for line in lines[1:]} == {"'=North"}
    page.goto(address)
    expect(headers(page)).to_have_text(wanted)


def test_what_is_being_chosen_outlives_the_poll_of_the_list(
    group: TargetGroup, open_browser: Callable[..., Page]
) -> None:
    run = SyncRun.objects.order_by("pk").last()
    assert run is not None
    SyncRun.objects.filter(pk=run.pk).update(status="running", finished_at=None)
    now = timezone.now()
    RunProgress.objects.create(run=run, beat_at=now, phase_started_at=now, phase="reading")
    page = open_browser()
    sign_in(page)
    page.goto("/sync-activity/")
    page.get_by_role("button", name="11 columns").click()
    chooser = page.get_by_role("form", name="Columns")
    chooser.get_by_role("checkbox", name="Unchanged").check()
    chooser.get_by_role("button", name="Move Unchanged up").click()
    with page.expect_response(lambda answer: answer.url.endswith("/sync-activity/?")):
        pass
    page.wait_for_timeout(100)
    expect(chooser.get_by_role("checkbox", name="Unchanged")).to_be_checked()
    last = chooser.get_by_role("checkbox").nth(-3)
    expect(last).to_have_attribute("value", "unchanged")


def test_columns_are_ordered_without_javascript_too(group: TargetGroup, open_browser: Callable[..., Page]) -> None:
    page = open_browser(java_script_enabled=False)
    page.goto("/sign-in/")
    page.get_by_label("User name").fill("dana")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.goto(f"/target-groups/{group.pk}/subscribers/?sort=-email")
    page.get_by_role("button", name="6 columns").click()
    page.get_by_role("checkbox", name="Chapter").check()
    page.get_by_role("button", name="Move First Name up").click()
    expect(page.get_by_role("heading", name="Columns")).to_be_visible()
    keep_picture(page, "chooser-page")
    page.get_by_role("button", name="Use these").last.click()
    expect(headers(page)).to_contain_text(["First Name", "E-mail", "Last Name", "Chapter"])
    expect(headers(page).first).to_have_text("First Name")
    expect(headers(page).last).to_have_text("Chapter")
    assert "sort=-email" in page.url


def test_info_takes_the_focus_and_gives_it_back_and_its_history_is_a_chart_and_a_table(
    group: TargetGroup, open_browser: Callable[..., Page]
) -> None:
    page = open_browser()
    sign_in(page)
    list_address = page.url
    page.get_by_role("button", name="Members", exact=True).press("Enter")
    dialog = page.get_by_role("dialog", name="Members")
    expect(dialog).to_be_visible()
    assert page.evaluate("document.querySelector('#sheet').contains(document.activeElement)")
    dialog.get_by_role("link", name="History").press("Enter")
    expect(dialog.locator(".count-chart canvas")).to_be_visible()
    expect(dialog.get_by_role("link", name="History")).to_be_focused()
    dialog.get_by_text("The same as a table").click()
    row = dialog.get_by_role("region", name="Members over time").get_by_role("row").nth(2)
    expect(row).to_contain_text("11")
    expect(row).to_contain_text("−3")
    assert violations(page) == []
    keep_picture(page, "history-in-dialog")
    page.get_by_label("Dark").evaluate("button => button.click()")
    expect(dialog.locator(".count-chart canvas")).to_have_count(1)
    keep_picture(page, "history-dark")
    page.emulate_media(media="print")
    expect(page.locator(".frame")).to_be_hidden()
    keep_picture(page, "print-info")
    page.emulate_media(media="screen")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("button", name="Members", exact=True)).to_be_focused()
    # The browser hides the dialog and moves the focus at once, and tells the page, which puts its address back, after.
    expect(page).to_have_url(list_address)
    page.go_back()
    expect(page).to_have_url(f"{list_address}{group.pk}/history/")
    expect(page.locator(".count-chart canvas")).to_be_visible()  # going back loads the page: a reload would cut it off
    page.reload()
    expect(page.locator(".count-chart canvas")).to_be_visible()
    run = SyncRun.objects.filter(status="completed").first()
    assert run is not None
    page.goto(f"/sync-activity/{run.pk}/")
    page.emulate_media(media="print")
    expect(page.get_by_role("navigation", name="Main")).to_be_hidden()
    expect(page.get_by_role("heading", name="What changed")).to_be_visible()
    keep_picture(page, "print-run")
    page.goto("/sync-activity/")
    keep_picture(page, "print-activity")


def test_what_is_typed_in_the_search_goes_along_when_a_filter_is_changed(
    group: TargetGroup, open_browser: Callable[..., Page]
) -> None:
    suppression.suppress("person03@lamps.example", SuppressionCause.OPT_OUT)
    suppression.suppress("person04@lamps.example", SuppressionCause.OPT_OUT)
    audit.record("command", "target_group.moved", group)
    page = open_browser()
    sign_in(page)
    # A form of filters beside the search, and the links of it.
    page.goto("/audit-log/")
    box = page.get_by_role("searchbox", name="Search by who")
    box.fill("nobody at all")
    page.get_by_role("search", name="Filters").get_by_label("What").select_option("groups")
    expect(page).to_have_url(re.compile(r"/audit-log/\?what=groups$"))
    expect(box).to_have_value("nobody at all")
    expect(page.get_by_role("heading", name="Nothing like it")).to_be_visible()
    box.fill("members")
    page.get_by_role("link", name="Today").click()
    expect(page).to_have_url(re.compile(r"/audit-log/\?.*when=today"))
    expect(box).to_have_value("members")
    expect(page.get_by_role("row", name="Members")).to_be_visible()
    # Links that replace the list alone.
    page.goto("/suppressions/")
    box = page.get_by_role("searchbox", name="Search by e-mail")
    box.fill("person03@lamps.example")
    page.get_by_role("navigation", name="Causes").get_by_role("link", name="Opt").first.click()
    expect(page.get_by_text("person04@lamps.example")).to_be_hidden()
    expect(page.get_by_text("person03@lamps.example")).to_be_visible()
    expect(box).to_have_value("person03@lamps.example")
    assert "cause=opt_out" in page.url and "person03" not in page.url
    # On to the next page: what is searched for now begins with its first.
    for number in range(60):
        suppression.suppress(f"zoe{number:02}@lamps.example", SuppressionCause.OPT_OUT)
    page.goto("/suppressions/")
    box.fill("zoe59@lamps.example")  # the newest, on the first page
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_text("zoe58@lamps.example")).to_be_hidden()
    expect(page.get_by_text("zoe59@lamps.example")).to_be_visible()
    # Tabs of a list.
    page.goto("/subscribers/")
    box = page.get_by_role("searchbox", name="Search by e-mail, name")
    box.fill("person04")
    page.get_by_role("navigation", name="Which subscribers").get_by_role("link", name="Opted out").click()
    expect(page).to_have_url(re.compile("show=opted_out"))
    expect(box).to_have_value("person04")
    expect(page.get_by_text("person03@lamps.example")).to_be_hidden()
    expect(page.get_by_text("person04@lamps.example")).to_be_visible()
