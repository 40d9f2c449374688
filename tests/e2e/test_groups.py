"""Target Groups: folders, ticked rows, search, undelete; by keyboard, on a phone in the dark, and without scripts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, Route, expect

from targetgroups.choices import Phase
from targetgroups.models import Bridge, RunProgress, TargetGroup
from tests.e2e.conftest import PASSWORD, keep_picture, sign_in, violations
from tests.targetgroups.views.conftest import Rows

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/target-groups/?folder=all"
SHIFTS = """() => { window.shifts = []; new PerformanceObserver(list => list.getEntries().forEach(
    entry => window.shifts.push(entry.value))).observe({type: "layout-shift"}) }"""

HEARS = """() => { window.heard = false; document.body.addEventListener(
    "htmx:afterOnLoad", () => { window.heard = true }, {once: true}) }"""

# A language that marks what it says, and one whose words did not come.
WORDS = {
    "marks": "gettext = text => `⟦${text}⟧`; ngettext = (one, many, count) => `⟦${count === 1 ? one : many}⟧`;",
    "none": "",
}


@pytest.fixture
def groups(site: str) -> dict[str, TargetGroup]:
    """Some groups, one of them being synced: so the list polls all the time."""
    rows = Rows(Bridge.objects.get())
    made = {name: rows.group(name, member_count=40) for name in ("Board", "Chapter", "Donors", "Events")}
    run, now = rows.run(made["Events"], "running"), timezone.now()
    RunProgress.objects.create(
        run=run, beat_at=now, phase_started_at=now, phase=Phase.READING, rows_read=1_200, rows_total=41_000
    )
    return made


def names(page: Page) -> Locator:
    return page.locator("#groups tbody th .name-link")


def test_ticked_groups_are_moved_deleted_and_undeleted_by_keyboard(
    groups: dict[str, TargetGroup], open_browser: Callable[..., Page]
) -> None:
    page = open_browser(1600)
    sign_in(page)
    page.goto(LIST)
    move, delete = page.locator("#bulk-move"), page.locator("#bulk-delete")
    expect(move).to_be_disabled()
    page.get_by_label("Tick Board").press("Space")
    page.get_by_label("Tick Events").press("Space")
    page.evaluate(SHIFTS)
    with page.expect_response(lambda answer: "/target-groups/?folder=all" in answer.url):
        pass  # the list is polled meanwhile, and keeps its ticks
    expect(page.get_by_text("2 ticked")).to_be_visible()

    move.press("Enter")
    ask = page.get_by_role("dialog", name="Move 2 target groups to Folder")
    expect(ask).to_be_visible()
    with page.expect_response(lambda answer: "/target-groups/?folder=all" in answer.url):
        pass  # nor does a poll close what is being asked
    expect(ask).to_be_visible()
    assert page.evaluate("window.shifts") == []
    assert violations(page) == []
    page.keyboard.press("Escape")
    expect(move).to_be_focused()
    move.press("Enter")
    ask.get_by_label("New folder", exact=True).press("Space")
    expect(page.get_by_label("Name of the new folder")).to_be_focused()
    page.keyboard.type("Main Folder")
    page.keyboard.press("Enter")
    expect(ask.get_by_role("alert")).to_contain_text("There is a folder “Main Folder” already.")
    page.get_by_label("Name of the new folder").fill("Spring gala")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Moved: 2 target groups.")).to_be_visible()
    expect(page.locator("#messages")).to_be_focused()
    expect(page.get_by_role("row").filter(has_text="Board")).to_contain_text("Spring gala")

    page.locator("#tick-all").press("Space")
    delete.press("Enter")
    ask = page.get_by_role("dialog", name="Delete 3 target groups?")
    expect(ask).to_contain_text("Events: It is being synced.")
    assert violations(page) == []
    keep_picture(page, "groups-delete")
    ask.get_by_role("button", name="Delete 3 target groups").press("Enter")
    expect(page.get_by_text("Deleted: 3 target groups.")).to_be_visible()
    expect(names(page)).to_have_text(["Events"])
    expect(page.get_by_text("ticked", exact=False)).to_have_count(0)

    page.get_by_label("Show Deleted").press("Space")
    page.wait_for_url("**deleted=1**")
    for name in ("Board", "Chapter"):
        page.get_by_label(f"Tick {name}").press("Space")
    assert violations(page) == []
    page.locator("#bulk-undelete").press("Enter")
    expect(page.get_by_text("Undeleted: 2 target groups.")).to_be_visible()
    expect(names(page)).to_have_text(["Board", "Chapter", "Events"])


def test_a_poll_that_was_on_its_way_while_groups_were_deleted_does_not_bring_them_back(
    groups: dict[str, TargetGroup], open_browser: Callable[..., Page]
) -> None:
    page = open_browser()
    sign_in(page)
    page.goto(LIST)
    late: list[Route] = []
    with page.expect_request("**" + LIST):
        page.route("**" + LIST, lambda route: late.append(route))
    page.get_by_label("Tick Board").check()
    page.locator("#bulk-delete").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    before = late[0].fetch()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Deleted: “Board”.")).to_be_visible()
    page.evaluate(HEARS)
    late[0].fulfill(response=before)
    page.wait_for_function("window.heard")
    expect(names(page)).to_have_text(["Chapter", "Donors", "Events"])
    expect(page.get_by_text("Deleted: “Board”.")).to_be_visible()


def test_the_search_on_a_phone_in_the_dark_and_the_folders_page(
    groups: dict[str, TargetGroup], open_browser: Callable[..., Page]
) -> None:
    page = open_browser(360, theme="dark")
    sign_in(page)
    page.goto(LIST)
    frame = page.get_by_role("region", name="Target groups")
    expect(frame.get_by_text("Reading from MemberSuite")).to_be_visible()
    assert frame.evaluate("frame => frame.scrollWidth <= frame.clientWidth")  # what a sync does is not cut off
    page.set_viewport_size({"width": 320, "height": 820})
    page.get_by_role("link", name="Search…").press("Enter")
    search = page.get_by_role("dialog", name="Search target groups")
    search.get_by_label("Compare condition 1 with").fill("o")
    search.get_by_role("button", name="Add a condition").press("Enter")
    expect(search.get_by_label("Condition 2", exact=True)).to_be_focused()
    search.get_by_label("Condition 2", exact=True).select_option("Name does not contain")
    search.get_by_label("Compare condition 2 with").fill("board")
    assert violations(page) == []
    keep_picture(page, "groups-search-320-dark")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Without “Name contains “o””")).to_be_visible()
    expect(names(page)).to_have_text(["Donors"])
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.get_by_role("link", name="Without “Name does not contain “board””").press("Enter")
    page.wait_for_url(lambda address: "board" not in address)
    expect(names(page)).to_have_text(["Board", "Donors"])

    page.goto("/target-groups/folders/")
    page.get_by_label("New folder").fill("Gala")
    page.keyboard.press("Enter")
    expect(page.get_by_text("The folder “Gala” was created.")).to_be_visible()
    page.get_by_role("link", name="Rename Gala").press("Enter")
    page.get_by_label("New name of Gala").fill("Ball")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Delete Ball").press("Enter")
    expect(page.get_by_role("button", name="Delete folder")).to_be_visible()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    keep_picture(page, "folders-320-dark")
    page.get_by_role("button", name="Delete folder").press("Enter")
    expect(page.get_by_text("“Ball” was deleted; 0 target groups moved to Main Folder.")).to_be_visible()


def test_scripts_say_what_the_catalogue_has_and_english_where_it_did_not_come(
    groups: dict[str, TargetGroup], open_browser: Callable[..., Page]
) -> None:
    page, came = open_browser(), "marks"
    page.route(
        "**/words/en.js", lambda route: route.fulfill(content_type="text/javascript; charset=utf-8", body=WORDS[came])
    )
    sign_in(page)
    page.get_by_label("Tick Board").check()
    expect(page.locator("#ticked-count")).to_have_text("⟦1 ticked⟧")
    page.get_by_role("link", name="Search…").press("Enter")
    expect(page.get_by_label("⟦Compare condition 1 with⟧")).to_be_attached()
    came = "none"
    page.goto(LIST)
    page.get_by_label("Tick Board").check()
    expect(page.locator("#ticked-count")).to_have_text("1 ticked")
    page.get_by_role("link", name="Search…").press("Enter")
    expect(page.get_by_label("Compare condition 1 with")).to_be_attached()


def test_every_action_on_groups_works_without_javascript(
    groups: dict[str, TargetGroup], open_browser: Callable[..., Page]
) -> None:
    page = open_browser(java_script_enabled=False)
    page.goto("/sign-in/")
    page.get_by_label("User name").fill("dana")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="Target Groups", exact=True).click()
    page.get_by_role("link", name="Search…").click()
    page.get_by_role("button", name="Add a condition").click()
    page.get_by_label("Compare condition 1 with").fill("d")
    page.get_by_role("button", name="Find").click()
    expect(page.locator("#groups tbody th .name-link")).to_have_text(["Board", "Donors"])
    for name in ("Board", "Donors"):
        page.get_by_label(f"Tick {name}").check()
    page.get_by_role("button", name="Move to Folder").last.click()
    page.get_by_label("Main Folder").check()
    page.get_by_role("button", name="Move to Folder").click()
    expect(page.get_by_text("Moved: 2 target groups.")).to_be_visible()
    assert "csrf" not in page.url
    page.get_by_label("Tick Board").check()
    page.locator("#bulk-delete").click()
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Deleted: “Board”.")).to_be_visible()
    page.get_by_role("link", name="Show Deleted").click()
    page.get_by_label("Tick Board").check()
    page.locator("#bulk-undelete").click()
    expect(page.get_by_text("Undeleted: “Board”.")).to_be_visible()
    page.get_by_label("Tick Chapter").check()
    page.locator("#bulk-resync").click()
    expect(page.get_by_text("A resync was asked for: “Chapter”.")).to_be_visible()
