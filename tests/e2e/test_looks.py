"""Every page, narrow to wide, light and dark, by keys: no axe violation, nothing too wide, no complaint."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time

import pyotp
import pytest
from django.contrib.auth.models import Group
from django.utils import timezone
from playwright.sync_api import Browser, Page, Request, expect

import audit
from accounts import links, people, tokens, two_step
from accounts.models import User
from accounts.scopes import SCOPES
from alerts import outbox, webhooks
from alerts.models import Alert, Delivery, Try, Webhook
from targetgroups import schedules, suppression
from targetgroups.choices import OutcomeKind, Phase, SuppressionCause
from targetgroups.models import Bridge, RunProgress, Schedule, Subscriber, SyncRun, TargetGroup, Writeback
from targetgroups.sync import firing, receiving
from tests.e2e.conftest import keep_picture, sign_in, violations
from tests.e2e.measuring import assert_well_made
from tests.targetgroups.views.conftest import FIGURES, Rows, outcome

pytestmark = pytest.mark.django_db(transaction=True)
LONG_AGO = datetime(2025, 11, 23, tzinfo=UTC)
LONG = "A rather long name of an extra field"
# The whole form stands in the window, and neither it nor its list needs to be scrolled sideways.
IS_IN_SIGHT = """form => {
    const at = form.getBoundingClientRect();
    const inside = at.left >= 0 && at.top >= 0 && at.right <= innerWidth && at.bottom <= innerHeight;
    return inside && [form, form.querySelector("ol")].every(one => one.scrollWidth <= one.clientWidth);
}"""


@pytest.fixture
def pages(site: str) -> dict[str, str]:
    """Rows in every state that a page can show, and the pages that show them."""
    Bridge.objects.update(record_address="https://console.example.org/{id}")
    rows = Rows(Bridge.objects.get())
    reasons = {"do_not_email": 55, "no_address": 3, "malformed_address": 1, "duplicate_row": 1, "unreadable_row": 0}
    group = rows.group("Members", member_count=40, exclusion_counts=reasons, attribute_names=["Chapter", LONG])
    done, again = rows.run(group, figures=FIGURES), rows.run(group, figures=FIGURES)
    TargetGroup.objects.filter(pk=group.pk).update(counted_run=done, search_count=100)
    group.refresh_from_db()
    for number in range(60):
        rows.member(group, f"person{number:02}@a-rather-long-domain.example.org", "Zoë", "Ångström")
        rows.excluded(group)
    rows.group("Never synced")
    unavailable = rows.group("Organizations", not_runnable_code="not_people")
    rows.group("Twin", error_code="timed_out", error_text="MemberSuite took too long.")
    gone = rows.group("Twin", member_count=12, gone_at=timezone.now())
    failed = rows.run(
        gone, "failed", error_code="timed_out", error_text="MemberSuite took too long.", remote_said="504"
    )
    held = rows.run(rows.group("Held", member_count=9), "held", figures={"members_before": 9, "would_remove": 9})
    SyncRun.objects.filter(pk=held.pk).update(sentence="This sync would remove everybody. Nothing was changed.")
    rows.run(sentence="2 new, 1 renamed, 37 unchanged", figures={"new": 2})
    rows.member(group, "", do_not_email_at=timezone.now())
    receiving.count(group.pk)
    moved = Subscriber.objects.filter(email__startswith="person07")[0]
    suppression.suppress(moved.email, SuppressionCause.OPT_OUT, "here: asked by phone, and then once more in writing")
    said = "550-5.1.1 The email account that you tried to reach does not exist. " * 3
    bounced = "a-rather-long-address-of-nobody-here@a-rather-long-domain.example.org"
    suppression.add(bounced, SuppressionCause.HARD_BOUNCE, "told by the provider", by="Amazon SES", said=said)
    for cause in (SuppressionCause.COMPLAINT, SuppressionCause.MANUAL, SuppressionCause.ERASED):
        suppression.suppress(f"{cause}@lamps.example", cause, by="dana")
    suppression.lift("manual@lamps.example", SuppressionCause.MANUAL, by="dana", because="asked by phone, 3 May")
    for state, reason in (("failed", "MemberSuite refused to change this record. " * 3), ("completed", "")):
        guid = f"AB4CD310-0006-C0B3-6A4E-0B3E6F1C2D{len(state):02}"
        there = {"remote_id": guid, "remote_key": guid.lower()}
        rows.member(group, f"a-rather-long-{state}@a-rather-long-domain.example.org", "Zoë", "Ångström", **there)
        end = {"state": state, "reason": reason, "remote_said": "Access to Individual denied", "finished_at": LONG_AGO}
        wish = {"bridge": rows.bridge, "do_not_email": True, "cause": "opt_out", "queued_at": LONG_AGO, "key": state}
        Writeback.objects.create(**there, **end, **wish)
    check = rows.run(kind="person", remote_id=moved.remote_id, sentence="MemberSuite says Do Not Email = No.")
    erased = Subscriber.objects.get(do_not_email_at__isnull=False)
    changes = {"email": ["a-rather-long-former-address@another-domain.example.org", moved.email], "Chapter": ["", "N"]}
    outcome(done, moved, OutcomeKind.CHANGED, changes=changes)
    would = {"would_add": 5, "would_change": 1, "would_remove": 3, "would_remove_by_reason": {"": 3}}
    would |= {"would_be_held": True, "members_before": 40, "in_search": 100, "eligible": 40}
    preview = rows.run(group, kind="preview", figures=would, sentence="A sync now would add 5. It would be held.")
    return {
        "target-groups": "/target-groups/",
        "nothing-found": "/target-groups/?q=nothing",
        "info": f"/target-groups/{group.pk}/",
        "info-gone": f"/target-groups/{gone.pk}/",
        "info-unavailable": f"/target-groups/{unavailable.pk}/",
        "counts": f"/target-groups/{group.pk}/counts/",
        "subscribers": f"/target-groups/{group.pk}/subscribers/",
        "excluded": f"/target-groups/{group.pk}/excluded/",
        "in-search": f"/target-groups/{group.pk}/in-search/?sort=-email",
        "history": f"/target-groups/{group.pk}/history/",
        "folders": "/target-groups/folders/",
        "sync-activity": "/sync-activity/",
        "run": f"/sync-activity/{again.pk}/",
        "run-failed": f"/sync-activity/{failed.pk}/",
        "run-held": f"/sync-activity/{held.pk}/",
        "run-people": f"/sync-activity/{done.pk}/changed/",
        "run-preview": f"/sync-activity/{preview.pk}/",
        "people": "/subscribers/",
        "people-found-nobody": "/subscribers/?show=bounced",
        "people-opted-out": "/subscribers/?show=opted_out",
        "people-excluded": "/subscribers/?show=excluded",
        "suppressions": "/suppressions/",
        "suppressions-lifted": "/suppressions/?show=lifted",
        "suppress": "/suppressions/add/",
        "subscriber": f"/subscribers/{moved.pk}/",
        "subscriber-erased": f"/subscribers/{erased.pk}/",
        "run-person": f"/sync-activity/{check.pk}/",
        "bridge": "/bridge-configuration/",
        "bridge-new": "/bridge-configuration/new/",
        "writeback": f"/bridge-configuration/{group.bridge_id}/writeback/",
        "preferences": "/preferences/",
        **users(),
        **log(rows),
        **told(),
        **by_the_clock(rows),
    }


def by_the_clock(rows: Rows) -> dict[str, str]:
    """Schedules that went well, not at all and never, one with a long name."""
    group = rows.group("Members of a chapter whose name goes on for rather longer than anybody would ever need it " * 2)
    for one in schedules.add_usual(rows.bridge, "command"):
        firing.begin(one, timezone.now(), due_at=timezone.now(), missed_count=2)
        firing.begin(one, timezone.now(), due_at=timezone.now())
    long = Schedule(bridge=rows.bridge, kind="groups", target_group=group, at_time=time(2), weekdays="135")
    schedules.save(long, "command")
    SyncRun.objects.filter(trigger="schedule").update(status="completed", finished_at=timezone.now())
    firing.sweep()  # pages that poll are looked at elsewhere
    return {
        "schedules": "/schedules/",
        "schedule": f"/schedules/{long.pk}/",
        "schedule-new": "/schedules/new/",
        "schedule-of-group": f"/schedules/new/?group={group.pk}",
    }


def log(rows: Rows) -> dict[str, str]:
    """Entries of the audit log with long values, by people and by themselves."""
    long = rows.group("Members of the chapter, with a name that goes on for rather longer than anybody needs " * 2)
    before = {"service_address": "https://a-rather-long-host.example.org/with/a/path", "page_size": 200}
    after = before | {"service_address": "https://" + "x" * 90 + ".example.org/", "page_size": 25}
    entry = audit.record(User.objects.get(username="dana"), "bridge changed", rows.bridge, before, after)
    audit.record("schedule", "group.requested", long, None, {"run": 7, "trigger": "schedule"})
    return {
        "audit-log": "/audit-log/",
        "audit-none": "/audit-log/?who=schedule&what=users",
        "audit-entry": f"/audit-log/{entry.pk}/",
    }


def told() -> dict[str, str]:
    """Alerts, open and over, and webhooks in every state, with long values."""
    now, long = timezone.now(), "A-target-group-whose-name-has-no-place-to-break-" * 3
    given = {"text": "MemberSuite did not answer in time.", "link": "/target-groups/", "raised_at": now}
    Alert.objects.create(kind="failed", key="group:1", about=long, **given)
    Alert.objects.create(kind="unreachable", key="bridge:1", about="Lamp Keepers", recovered_at=now, **given)
    dana = User.objects.get(username="dana")
    address = f"https://hooks.lamps.example/{'x' * 90}"
    hook = webhooks.create(dana, "Chat room of the membership office", address, ["run.held"])[0]
    off = webhooks.create(dana, "Portal", "https://portal.lamps.example/", ["run.ended"])[0]
    Webhook.objects.filter(pk=off.pk).update(is_on=False, off_at=now, off_text="Every try of 5 days failed.")
    for state, code in (("delivered", 200), ("failed", 503), ("waiting", None)):
        pk = outbox.write_for(hook, "test", {}).pk
        Delivery.objects.filter(pk=pk).update(state=state, status_code=code, said="x" * 300, took_ms=1234, tries=1)
    tries = [Try(now, code, 1234, f"HTTP {code}", "x" * 600).kept() for code in (503, 500)]
    Delivery.objects.filter(state="failed").update(history=[Try(now).kept(), *tries], tries=3)
    return {
        "alerts": "/alerts/",
        "choose-alerts": "/preferences/alerts/",
        "webhooks": "/webhooks/",
        "webhook": f"/webhooks/{hook.pk}/",
        "webhook-off": f"/webhooks/{off.pk}/",
    }


def users() -> dict[str, str]:
    """People in every state, and the pages about them."""
    long = User.objects.create_user(
        "a-user-name-that-is-rather-long-and-has-no-place-to-break@a-rather-long-domain.example.org",
        first_name="Friederike-Alexandra",
        last_name="von Lampenhausen-Wickersdorf",
        email="a-user-name-that-is-rather-long@a-rather-long-domain.example.org",
    )
    long.groups.set(Group.objects.exclude(name="Administrator"))
    two_step.confirm(long, pyotp.TOTP(two_step.begin(long).secret).now())
    invited = people.invite("command", "mia@lamps.example", [Group.objects.get(name="Reporter")])
    off = User.objects.create_user("off", is_active=False)
    dana = User.objects.get(username="dana")
    two_step.begin(dana)
    tokens.create(dana, "nightly report of the membership office, and of nobody else", list(SCOPES), 90)
    tokens.revoke(dana, tokens.create(dana, "former", ["send"], 7)[0])
    return {
        "users": "/users/",
        "users-nobody": "/users/?state=locked",
        "user": f"/users/{long.pk}/",
        "user-invited": f"/users/{invited.pk}/",
        "user-deactivated": f"/users/{off.pk}/",
        "user-self": f"/users/{User.objects.get(username='dana').pk}/",
        "invite": "/users/invite/",
        "two-step": "/preferences/two-step/",
        "tokens": "/preferences/tokens/",
        "all-tokens": "/users/tokens/",
        "forgot": "/password/",
        "invitation": links.invitation_link(invited),
        "set-password": links.password_link(long),
    }


def test_every_page_fits_and_is_accessible_by_eye_and_by_keys(
    pages: dict[str, str], open_browser: Callable[..., Page]
) -> None:
    page = open_browser()
    page.goto("/sign-in/")
    page.get_by_label("User name").fill("somebody-who-is-not-known-here")
    page.get_by_label("Password").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    assert_well_made(page, "sign-in")
    sign_in(page)
    for name, address in pages.items():
        page.goto(address)
        is_first = name == "target-groups"  # the menu is the same on all of them
        assert_well_made(page, name, from_top=is_first, and_back=is_first or name == "bridge")
        if name in ("writeback", "webhook"):
            assert page.locator(".table-frame").evaluate("one => one.scrollWidth <= one.clientWidth"), (
                "at 1280 all of it"
            )
        if name in ("users", "all-tokens"):
            page.set_viewport_size({"width": 320, "height": 820})
            assert page.locator(".table-frame").evaluate("one => one.scrollWidth <= one.clientWidth"), f"{name} folds"
            keep_picture(page, f"{name}-320")
            page.set_viewport_size({"width": 1280, "height": 820})
        if name == "people":
            for width, theme in ((320, "dark"), (1280, "light")):
                page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
                page.set_viewport_size({"width": width, "height": 400})  # a phone that lies, or letters at 200 %
                User.objects.update(table_preferences={})
                page.goto(address)
                columns_are_chosen(page, f"chooser-{width}-{theme}")
            page.set_viewport_size({"width": 1280, "height": 820})


def columns_are_chosen(page: Page, picture: str) -> None:
    """Open the chooser, move a column by keys and by its button, and use it: all of it in sight and within reach."""
    page.get_by_role("button", name="6 columns").press("Enter")
    chooser = page.get_by_role("form", name="Columns")
    expect(chooser.get_by_role("checkbox", name="First Name")).to_be_focused()
    field = chooser.get_by_role("checkbox", name=LONG)
    field.check()
    page.keyboard.press("Alt+ArrowUp")
    expect(field).to_be_focused()
    expect(chooser.get_by_role("status")).to_have_text(f"{LONG}: 9 of 11")
    chooser.get_by_role("button", name=f"Move {LONG} up").click()
    expect(field).to_be_in_viewport(ratio=1)
    keep_picture(page, picture)
    assert violations(page) == []
    assert chooser.evaluate(IS_IN_SIGHT)
    chooser.get_by_role("button", name="Use these").last.press("Enter")
    expect(page.get_by_role("columnheader", name=LONG)).to_be_attached()


def test_the_pages_for_what_goes_wrong_are_accessible_too(site: str, browser: Browser) -> None:
    name = "Members-of-the-chapter-" * 4
    group = Rows(Bridge.objects.get()).group(name, member_count=1_234, deleted_at=timezone.now())
    page = browser.new_page(base_url=site, viewport={"width": 1280, "height": 820}, color_scheme="light")
    sign_in(page)
    wrong = {
        "nothing": ("/no-such-page/", "There is no such page"),
        "deleted": (f"/target-groups/{group.pk}/", name),
        "opt-out": ("/opt-out/no-such-token/", "This link does not work"),
        "link-over": ("/invitation/over/", "This link works no more"),
        "password-over": ("/password/1/no-such-token/", "This link works no more"),
        "refused": ("/bridge-configuration/", "You may not do this"),
        "unreadable": (f"/target-groups/?{'&'.join('a=1' for _ in range(1_001))}", "This request could not be read"),
    }
    for what, (address, heading) in wrong.items():
        if what == "refused":
            User.objects.get(username="dana").groups.set([Group.objects.get(name="Reporter")])
        page.goto(address)
        expect(page.get_by_role("heading", level=1)).to_have_text(heading)
        assert_well_made(page, what)
    page.goto("/preferences/")
    page.context.clear_cookies()
    page.get_by_role("button", name="Save").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("This form has expired")
    assert_well_made(page, "expired")
    page.close()


def test_the_theme_is_remembered(site: str, open_browser: Callable[..., Page]) -> None:
    page = open_browser()
    sign_in(page)
    page.get_by_role("button", name="Dark").click()
    page.reload()
    assert page.evaluate("document.documentElement.dataset.bsTheme") == "dark"
    expect(page.get_by_role("button", name="Dark")).to_have_attribute("aria-pressed", "true")


def test_the_menu_opens_and_closes_on_a_phone(site: str, open_browser: Callable[..., Page]) -> None:
    page = open_browser(360)
    sign_in(page)
    expect(page.get_by_role("link", name="Sync Activity")).to_be_hidden()
    page.get_by_role("button", name="Menu", exact=True).press("Enter")
    expect(page.get_by_role("link", name="Sync Activity")).to_be_visible()
    assert violations(page) == []
    keep_picture(page, "menu-360")
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Sync Activity")).to_be_hidden()


def test_forms_work_without_javascript(pages: dict[str, str], open_browser: Callable[..., Page]) -> None:
    page = open_browser(java_script_enabled=False)
    page.goto("/sign-in/")
    page.get_by_label("User name").fill("dana")
    page.get_by_label("Password").fill("a-long-pass-phrase")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="Target Groups", exact=True).click()
    page.get_by_role("button", name="Never synced", exact=True).click()
    expect(page.get_by_role("heading", name="Never synced")).to_be_visible()
    assert SyncRun.objects.filter(target_group__name="Never synced", trigger="info").count() == 1
    page.goto(pages["subscribers"])
    page.get_by_label("Search subscribers").fill("person07")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_text("1 found")).to_be_visible()
    assert "person07" not in page.url


def test_polling_stops_while_nobody_looks_and_when_the_run_is_over(
    pages: dict[str, str], open_browser: Callable[..., Page]
) -> None:
    rows, now = Rows(Bridge.objects.get()), timezone.now()
    run = rows.run(rows.group("Being synced", search_id="polled", search_key="polled", member_count=9), "running")
    RunProgress.objects.create(run=run, beat_at=now, phase_started_at=now, phase=Phase.READING)
    info, groups = open_browser(), open_browser()
    asked: dict[Page, list[str]] = {info: [], groups: []}
    for page, address in ((info, f"/target-groups/{run.target_group_id}/"), (groups, "/target-groups/")):
        sign_in(page)
        page.on("request", lambda request, page=page: asked[page].append(request.url) if is_poll(request) else None)
        page.goto(address)
    info.wait_for_timeout(2500)
    assert 1 <= len(asked[info]) <= 4
    assert 1 <= len(asked[groups]) <= 4
    for page in asked:
        page.evaluate("Object.defineProperty(document, 'hidden', {value: true, configurable: true})")
    info.wait_for_timeout(300)
    stop_counting(asked)
    info.wait_for_timeout(2500)
    assert asked == {info: [], groups: []}
    SyncRun.objects.filter(pk=run.pk).update(status="completed", finished_at=now, sentence="4 added.")
    for page in asked:
        page.evaluate("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))")
    expect(info.get_by_text("4 added.").first).to_be_visible()
    expect(groups.locator("#groups[data-poll]")).to_have_count(0)
    stop_counting(asked)
    info.wait_for_timeout(2500)
    assert asked == {info: [], groups: []}


def is_poll(request: Request) -> bool:
    return "hx-request" in request.headers


def stop_counting(asked: dict[Page, list[str]]) -> None:
    for urls in asked.values():
        urls.clear()
