"""What pages are for, done by keys alone; what they say with nothing on them, and when asked for what can't be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Locator, Page, expect

from accounts.models import User
from targetgroups.choices import OutcomeKind
from targetgroups.models import Bridge, Folder, Subscriber, SyncRun, TargetGroup
from tests.e2e.conftest import PASSWORD, sign_in
from tests.e2e.measuring import assert_well_made
from tests.mailings.views.conftest import Desk
from tests.targetgroups.views.conftest import FIGURES, Rows, outcome
from thrive_sync.stack.mailbox import Mailbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def page(site: str, browser: Browser) -> Iterator[Page]:
    """A window that may complain of an answer that refuses, as the console does of each."""
    page = browser.new_page(base_url=site, viewport={"width": 1280, "height": 820}, color_scheme="light")
    sign_in(page)
    yield page
    page.close()


@pytest.fixture
def group(site: str) -> TargetGroup:
    """A group of more people than one page has, some left out, and a mailing that went to two of them."""
    rows = Rows(Bridge.objects.get())
    reasons = {"do_not_email": 57, "no_address": 3, "malformed_address": 0, "duplicate_row": 0, "unreadable_row": 0}
    group = rows.group("Members", member_count=60, exclusion_counts=reasons)
    run = rows.run(group, figures=FIGURES)
    TargetGroup.objects.filter(pk=group.pk).update(counted_run=run, search_count=120)
    for number in range(60):
        person = rows.member(group, f"person{number:02}@lamps.example", "Zoë", "Ångström")
        rows.excluded(group, "do_not_email" if number > 2 else "no_address")
    outcome(run, person, OutcomeKind.CHANGED, changes={"last_name": ["Angstrom", "Ångström"]})
    Desk(rows).frozen(group, "sent", sent=2)
    return group


def tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until it is focused, from wherever the keyboard is."""
    wanted.wait_for()
    for _ in range(150):
        if wanted.evaluate("one => one === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"no key reaches {wanted}")


def go(page: Page, wanted: Locator) -> None:
    """Go there by Tab, and press Enter."""
    tab_to(page, wanted)
    page.keyboard.press("Enter")


def test_every_number_of_info_leads_to_its_people_by_keys_alone(
    group: TargetGroup, open_browser: Callable[..., Page]
) -> None:
    page = open_browser()
    sign_in(page)
    page.goto(f"/target-groups/{group.pk}/")
    go(page, page.get_by_role("link", name="Counts", exact=True))
    go(page, page.get_by_role("row", name="No e-mail address").get_by_role("link"))
    expect(page.get_by_text("3 shown of 3")).to_be_visible()
    go(page, page.get_by_role("link", name="Do Not Email is Yes"))
    expect(page.get_by_text("50 shown of 57")).to_be_visible()
    go(page, page.get_by_role("link", name="Remote ID"))
    expect(page.locator("th[aria-sort]")).to_contain_text("Remote ID")
    go(page, page.get_by_role("link", name="Next"))
    expect(page.get_by_text("7 shown of 57")).to_be_visible()
    go(page, page.get_by_role("link", name="Counts", exact=True))
    go(page, page.get_by_role("row", name="In the search").get_by_role("link"))
    expect(page.get_by_role("heading", name="In the search")).to_be_visible()
    tab_to(page, page.get_by_label("Search by name, e-mail or Remote ID"))
    page.keyboard.type("person59")
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 found")).to_be_visible()
    page.keyboard.press("Control+a")
    page.keyboard.type("nobody at all")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Nobody found")).to_be_visible()
    go(page, page.get_by_role("link", name="Reset"))
    expect(page.get_by_text("50 shown")).to_be_visible()

    go(page, page.get_by_role("link", name="Active Mailings"))
    go(page, page.get_by_role("link", name="Spring letter"))
    expect(page.get_by_role("heading", name="Spring letter", level=1)).to_be_visible()
    go(page, page.get_by_role("row", name="Opted out here").get_by_role("link"))
    expect(page.get_by_role("cell", name="opt_out@example.org")).to_be_visible()

    page.goto("/sync-activity/")
    go(page, page.get_by_role("row").filter(has_text="Completed").get_by_role("link").first)
    go(page, page.get_by_role("link", name="Changed").first)
    expect(page.get_by_role("cell", name="person59@lamps.example")).to_be_visible()


def test_the_lists_of_people_are_worked_by_tab_alone(group: TargetGroup, open_browser: Callable[..., Page]) -> None:
    page = open_browser()
    sign_in(page)
    page.goto("/subscribers/")
    go(page, page.get_by_role("button", name="6 columns"))
    chooser = page.get_by_role("form", name="Columns")
    tab_to(page, chooser.get_by_role("checkbox", name="Local ID"))
    page.keyboard.press("Space")
    go(page, chooser.get_by_role("button", name="Move Local ID up"))
    expect(chooser.get_by_role("status")).to_contain_text("Local ID: ")
    tab_to(page, chooser.get_by_label("Rows per page"))
    page.keyboard.press("ArrowUp")
    expect(chooser.get_by_label("Rows per page")).to_have_value("25")
    go(page, chooser.get_by_role("button", name="Use these").last)
    expect(page.get_by_role("columnheader", name="Local ID")).to_be_visible()
    expect(page.get_by_role("button", name="7 columns")).to_be_focused()
    expect(page.get_by_text("25 shown of 64")).to_be_visible()
    tab_to(page, page.get_by_role("button", name="CSV of this list"))
    with page.expect_download():
        page.keyboard.press("Enter")
    go(page, page.get_by_role("link", name="Next"))
    expect(page.get_by_role("link", name="Previous")).to_be_visible()
    go(page, page.get_by_role("link", name="person30@lamps.example"))
    tab_to(page, page.get_by_label("Why should the address not be mailed?"))
    page.keyboard.type("asked by phone")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="No, because")).to_be_visible()

    go(page, page.get_by_role("link", name="Suppressions", exact=True))
    tab_to(page, page.get_by_role("checkbox", name="Tick person30@lamps.example"))
    page.keyboard.press("Space")
    go(page, page.get_by_role("button", name="Lift ticked"))
    tab_to(page, page.get_by_role("checkbox", name="The people themselves asked"))
    page.keyboard.press("Space")
    tab_to(page, page.get_by_label("Why may it be mailed again?"))
    page.keyboard.type("signed the form")
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 suppression lifted.")).to_be_visible()
    go(page, page.get_by_role("link", name="Suppress addresses").first)
    tab_to(page, page.get_by_label("E-mail addresses"))
    page.keyboard.type("nobody@lamps.example")
    tab_to(page, page.get_by_label("Why, and from where"))
    page.keyboard.type("the former system")
    page.keyboard.press("Enter")
    expect(page.get_by_role("rowheader", name="nobody@lamps.example")).to_be_visible()


def test_users_are_invited_given_roles_and_deactivated_by_tab_alone(
    site: str, open_browser: Callable[..., Page]
) -> None:
    page = open_browser()
    sign_in(page)
    ben = User.objects.create_user("ben", password=PASSWORD)
    page.goto("/users/")
    go(page, page.get_by_role("button", name="7 columns"))
    tab_to(page, page.get_by_role("checkbox", name="Time zone"))
    page.keyboard.press("Space")
    go(page, page.get_by_role("button", name="Use these").last)
    expect(page.get_by_role("columnheader", name="Time zone")).to_be_visible()
    tab_to(page, page.get_by_role("button", name="CSV of this list"))
    with page.expect_download():
        page.keyboard.press("Enter")
    page.goto("/users/")
    go(page, page.get_by_role("link", name="Invite"))
    tab_to(page, page.get_by_label("E-mail address"))
    page.keyboard.type("mia@lamps.example")
    tab_to(page, page.get_by_role("checkbox", name="Publisher"))
    page.keyboard.press("Space")
    go(page, page.get_by_role("button", name="Invite"))
    expect(page.get_by_text("Invitation link, shown only now")).to_be_visible()
    tab_to(page, page.get_by_label("The link"))
    go(page, page.get_by_role("button", name="Withdraw invitation"))
    go(page, page.get_by_role("button", name="Keep it"))
    expect(page.get_by_role("button", name="Withdraw invitation")).to_be_focused()
    page.keyboard.press("Enter")
    go(page, page.get_by_role("dialog").get_by_role("button", name="Withdraw invitation"))
    expect(page.get_by_text("The invitation of mia@lamps.example is withdrawn.")).to_be_visible()

    go(page, page.get_by_role("link", name="ben", exact=True))
    tab_to(page, page.get_by_role("checkbox", name="Reporter"))
    page.keyboard.press("Space")
    go(page, page.get_by_role("button", name="Save roles"))
    expect(page.get_by_text("The roles of ben were saved.")).to_be_visible()
    go(page, page.get_by_role("button", name="Deactivate"))
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Deactivate")).to_be_focused()
    page.keyboard.press("Enter")
    go(page, page.get_by_role("dialog").get_by_role("button", name="Deactivate"))
    expect(page.get_by_text("ben is deactivated and signed out everywhere.")).to_be_visible()
    go(page, page.get_by_role("button", name="Reactivate"))
    expect(page.get_by_text("ben can sign in again")).to_be_visible()
    ben.refresh_from_db()
    assert (ben.is_active, [role.name for role in ben.groups.all()]) == (True, ["Reporter"])


def test_a_wrong_form_says_so_where_the_keyboard_is_and_keeps_what_was_typed(site: str, page: Page) -> None:
    page.goto("/preferences/")
    tab_to(page, page.get_by_label("E-mail address"))
    page.keyboard.type("no-address@-")
    page.keyboard.press("Enter")
    assert page.get_by_label("E-mail address").evaluate("box => box.matches(':invalid') || box.ariaInvalid === 'true'")
    page.keyboard.press("Control+a")
    page.keyboard.type("dana@lamps.example")
    go(page, page.get_by_role("button", name="Save"))
    expect(page.get_by_text("Your preferences were saved.")).to_be_visible()
    assert User.objects.get(username="dana").email == "dana@lamps.example"

    page.goto("/target-groups/folders/")
    tab_to(page, page.get_by_label("New folder"))
    page.keyboard.type(Folder.MAIN)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("already")
    assert_well_made(page, "folder-wrong")
    expect(page.get_by_label("New folder")).to_have_value(Folder.MAIN)

    page.goto("/bridge-configuration/")
    page.get_by_label("Page size").fill("7")
    go(page, page.get_by_role("button", name="Save", exact=True))
    expect(page.get_by_role("alert")).to_contain_text("Nothing was saved.")
    page.set_viewport_size({"width": 320, "height": 600})
    go(page, page.get_by_role("alert").get_by_role("link", name="Page size"))
    expect(page.get_by_label("Page size")).to_have_value("7")
    top = page.get_by_text("Page size", exact=True).last.bounding_box()
    bar = page.locator(".topbar").bounding_box()
    assert top and bar and top["y"] >= bar["height"], "the bar lies over the label of what the link leads to"
    page.set_viewport_size({"width": 1280, "height": 820})
    assert_well_made(page, "bridge-wrong")


def test_what_went_away_meanwhile_is_told(group: TargetGroup, page: Page) -> None:
    folder = Folder.objects.create(name="Gala")
    page.goto("/target-groups/?folder=all")
    TargetGroup.objects.filter(pk=group.pk).update(deleted_at=timezone.now())
    go(page, page.get_by_role("button", name="Members", exact=True))
    expect(page.get_by_role("button", name="Undelete")).to_be_visible()
    page.goto("/target-groups/folders/")
    go(page, page.get_by_role("link", name="Rename Gala"))
    tab_to(page, page.get_by_label("New name of Gala"))
    folder.delete()
    page.keyboard.type("Ball")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("That could not be done.")
    assert_well_made(page, "folder-gone")
    page.route("**/folders/create/", lambda route: route.abort())
    page.get_by_label("New folder").fill("Ball")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("That did not reach the server.")
    page.unroute("**/folders/create/")
    page.keyboard.press("Enter")
    expect(page.get_by_text("The folder “Ball” was created.")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_every_page_with_nothing_on_it_says_why(
    site: str, tmp_path: Path, settings: Any, open_browser: Callable[..., Page]
) -> None:
    settings.MAIL_SINK_DIR = str(tmp_path / "mail")
    Mailbox(tmp_path / "mail").open()
    page = open_browser()
    sign_in(page)
    empty = {
        "/target-groups/?folder=all": "No target groups yet",
        f"/target-groups/?folder={Folder.objects.get(name=Folder.MAIN).pk}": "No target group here",
        "/sync-activity/": "Nothing has run yet",
        "/subscribers/": "No subscribers yet",
        "/mailings/": "No mailings yet",
        "/demo/inbox/": "No mail yet",
    }
    seen(page, empty)
    rows = Rows(Bridge.objects.get())
    group, draft = rows.group("Never synced"), Desk(rows).mailing(name="Draft")
    run = rows.run(rows.group("Old"), figures=FIGURES)
    long_ago = timezone.now() - timedelta(days=400)
    SyncRun.objects.filter(pk=run.pk).update(created_at=long_ago, finished_at=long_ago)
    person = rows.member(group, "ada@lamps.example", "Ada", "Lamp")
    Subscriber.objects.get(pk=person.pk).memberships.all().delete()
    info = f"/target-groups/{group.pk}"
    seen(page, {
        f"{info}/counts/": "Not counted yet",
        f"{info}/subscribers/": "Not synced yet",
        f"{info}/excluded/": "Not synced yet",
        f"{info}/in-search/": "Not synced yet",
        f"{info}/history/": "No runs yet",
        f"{info}/mailings/": "No mailing uses this group",
        f"/mailings/{draft.pk}/recipients/": "No group chosen yet",
        f"/mailings/{draft.pk}/left-out/": "No group chosen yet",
        f"/mailings/{draft.pk}/report/": "Nothing to report yet",
        f"/sync-activity/{run.pk}/added/": "Lists of people are kept for",
        f"/subscribers/{person.pk}/": "In no target group",
    })  # fmt: skip


def seen(page: Page, pages: dict[str, str]) -> None:
    for address, said in pages.items():
        page.goto(address)
        expect(page.get_by_role("heading", name=said)).to_be_visible()
        assert_well_made(page, f"empty{address.replace('/', '-')}")
