"""A marketer's first mailing, and the person who wants no second one."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from mailings import optout
from mailings.choices import StopCode
from mailings.letterbox import BEGINNINGS
from mailings.models import (
    EventCount,
    LeftOut,
    Mailing,
    MailingTest,
    MailingTestCopy,
    MinuteTally,
    Recipient,
    RefusedEvents,
)
from targetgroups import suppression
from targetgroups.models import Bridge, Folder, TargetGroup
from tests.e2e.conftest import keep_picture, sign_in, violations
from tests.e2e.measuring import assert_well_made
from tests.mailings.views.conftest import COMPLETE, Desk
from tests.support.programs import Program, wait_until
from tests.targetgroups.views.conftest import Rows
from thrive_sync.stack import ports, readiness
from thrive_sync.stack.mailbox import Mailbox

if TYPE_CHECKING:
    from memberSuite.standin.server import StandIn

pytestmark = pytest.mark.django_db(transaction=True)


SHOWN = """<style>h1 { color: #0b6b53 } td { padding: 8px; background: #eef0ec }</style>
<h1>Dear {{ first_name | default: "friend" }}</h1><p>The lamps are <a href="https://lamps.example/">lit again</a>.</p>
<table width="100%"><tr><td>Friday</td><td>18:00</td></tr></table>"""

TESTED = (("sent", "", ""), ("failed", "550", "5.1.1 nobody here"), ("skipped", "opt_out", ""), ("unknown", "", ""))


@pytest.fixture
def mail_sink(tmp_path: Path, settings: Any, site: str) -> Iterator[dict[str, str]]:
    """The demo's mail server and inbox; yields what a worker needs to send there."""
    port = ports.next_free(28025)
    words = ["-m", "thrive_sync.stack.mail_sink", "--folder", tmp_path / "mail", "--port", str(port)]
    program = Program(words, output=tmp_path / "sink.txt", environment=dict(os.environ))
    wait_until(partial(readiness.greets, ports.ADDRESS, port), within=30, what=program.said)
    settings.MAIL_SINK_DIR, settings.SITE_URL = str(tmp_path / "mail"), site
    yield {
        "EMAIL_URL": f"smtp://{ports.ADDRESS}:{port}",
        "SITE_URL": site,
        "MAIL_POSTAL_ADDRESS": "1 Wick Lane, Lanternham",
    }
    program.send(signal.SIGTERM)
    program.exit_code()


@pytest.fixture
def pages(site: str, tmp_path: Path, settings: Any) -> dict[str, str]:
    """Mailings in every state that a page can show, and the pages that show them."""
    settings.MAIL_SINK_DIR = str(tmp_path / "mail")
    settings.ANYMAIL = {"MAILGUN_WEBHOOK_SIGNING_KEY": "the demo's own"}
    mailbox = Mailbox(tmp_path / "mail")
    mailbox.open()
    head = "From: Society <news@lamps.example>\r\nTo: Zoë <zoe@a-rather-long-domain.example.org>\r\nSubject: Lamps"
    out = f"List-Unsubscribe: <{site}/opt-out/no-such-token/>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click"
    content = f"{head}\r\n{out}\r\n\r\nHello. {site}/opt-out/no-such-token/\r\n".encode()
    number = mailbox.keep(content, "zoe@a-rather-long-domain.example.org")
    rows = Rows(Bridge.objects.get())
    desk = Desk(rows)
    group = rows.group("Members of the London chapter", member_count=40)
    gone = rows.group("Past members", member_count=9, gone_at=timezone.now())
    broken = rows.group("Twin", member_count=12, error_code="timed_out", error_text="MemberSuite took too long.")
    for letter in "ABCDE":
        rows.group(f"Group {letter}")
    new = desk.mailing(name="New mailing", subject="", text="", from_email="")
    draft = desk.mailing(group, broken, gone)
    wrong = desk.mailing(group, html="<h1>Lamps</h1>\n<script>x()</script>\n<p>{{ frist_name }}", text="{% if name %}")
    rows.member(group, "ada@a-rather-long-domain.example.org", "Ada", "Lamp")
    rows.member(group, "bo@example.org", "Bo", "Wick")
    rows.member(group, "cy@example.org", "", "Wick")
    letters = [
        desk.mailing(group, name=each.label, subject=each.subject, preheader=each.preheader, html=each.html, text="")
        for each in BEGINNINGS
    ]
    shown = desk.mailing(group, name="Shown", text="", html=SHOWN, subject="{{ first_name }}, the lamps are lit")
    tested = MailingTest.objects.create(mailing=shown, asked_at=timezone.now(), version=1)
    for outcome, reason, said in TESTED:
        address = f"an.unusually.long.{outcome}@a-rather-long-domain.example.org"
        values = {"address": address, "address_key": address, "outcome": outcome, "reason": reason, "said": said}
        MailingTestCopy.objects.create(test=tested, **values)
    named = {"not_to_addresses": ["an.unusually.long.address@a-rather-long-domain.example.org", "bo@example.org"]}
    ready = desk.mailing(group, broken, name="Ready", **named)
    now = timezone.now()
    stopped = desk.mailing(
        gone, status="stopped", stop_code=StopCode.GROUP_GONE, stop_text="The search is gone.", stopped_at=now
    )
    was = {"least": 640, "most": 900, "is_known": True, "at": now.isoformat(), "by": "mia"}
    is_now = {"least": 41, "most": 41, "is_known": True, "groups": [[group.pk, "to", 40], [gone.pk, "to", 9]]}
    moved = desk.mailing(group, gone, status="stopped", stop_code=StopCode.LIST_MOVED, stopped_at=now, found=is_now)
    was["groups"] = [[group.pk, "to", 900], [gone.pk, "to", None]]
    Mailing.objects.filter(pk=moved.pk).update(
        reviewed=was, stop_text="It would go to 41 people now.", notice_text="Told by e-mail: Dana."
    )
    rows.run(group, "completed", figures={"added": 12, "removed": 872}, finished_at=timezone.now())
    TargetGroup.objects.filter(pk=gone.pk).update(read_at=now)
    late = desk.mailing(group, status="stopped", stop_code=StopCode.TOO_LATE, stopped_at=now, scheduled_for=now)
    Mailing.objects.filter(pk=late.pk).update(stop_text="No worker was running when it was to go out.")
    waits = desk.mailing(gone, group, status="scheduled", scheduled_for=now + timedelta(days=2))
    sending = desk.frozen(group, "sending", sent=3, queued=2, failed=1)
    desk.frozen(group, "paused", sent=1, queued=1)
    sent = desk.frozen(group, "sent_with_errors", sent=4, failed=1, skipped=2, unknown=1)
    for minute in range(12):
        at = now.replace(second=0, microsecond=0) - timedelta(minutes=12 - minute)
        MinuteTally.objects.create(mailing=sent, minute=at, outcome="sent", people_count=900 + 40 * (minute % 5))
        MinuteTally.objects.create(mailing=sent, minute=at, outcome="failed", people_count=3 * minute)
    for kind, effect in (("hard_bounce", "suppressed"), ("complaint", "unknown_address")):
        EventCount.objects.create(provider="mailgun", kind=kind, effect=effect, event_count=1234, last_at=now)
    RefusedEvents.objects.create(provider="mailgun", refused_count=3, last_at=now)
    return {
        "list": "/mailings/",
        "compose": f"/mailings/{draft.pk}/",
        "compose-wrong": f"/mailings/{wrong.pk}/",
        **{f"letter-{number}": f"/mailings/{one.pk}/preview/" for number, one in enumerate(letters)},
        "compose-empty": f"/mailings/{new.pk}/",
        "preview": f"/mailings/{shown.pk}/preview/",
        "preview-mobile": f"/mailings/{shown.pk}/preview/?view=mobile&test=1",
        "preview-text": f"/mailings/{shown.pk}/preview/?view=text",
        "preview-wrong": f"/mailings/{wrong.pk}/preview/",
        "compose-locked": f"/mailings/{sent.pk}/",
        "compose-addresses": f"/mailings/{ready.pk}/",
        "send-problems": f"/mailings/{new.pk}/send/",
        "send-ready": f"/mailings/{ready.pk}/send/",
        "would-receive": f"/mailings/{ready.pk}/recipients/",
        "would-be-removed": f"/mailings/{ready.pk}/left-out/",
        "send-stopped": f"/mailings/{stopped.pk}/send/",
        "send-moved": f"/mailings/{moved.pk}/send/",
        "send-late": f"/mailings/{late.pk}/send/",
        "send-would-stop": f"/mailings/{waits.pk}/send/",
        "sending": f"/mailings/{sending.pk}/send/",
        "report": f"/mailings/{sent.pk}/report/",
        "recipients": f"/mailings/{sent.pk}/recipients/",
        "left-out": f"/mailings/{sent.pk}/left-out/",
        "of-a-group": f"/target-groups/{group.pk}/mailings/",
        "inbox": "/demo/inbox/",
        "letter": f"/demo/inbox/{number}/",
        "providers": "/mail-providers/",
        "opt-out-test": optout.test_link(shown.pk).removeprefix(settings.SITE_URL),
        "opt-out": f"/opt-out/{optout.token_for(sent.recipients.all()[0])}/",
    }


def test_every_page_fits_and_is_accessible_by_eye_and_by_keys(
    pages: dict[str, str], open_browser: Callable[..., Page]
) -> None:
    page = open_browser()
    sign_in(page)
    for name, address in pages.items():
        page.goto(address)
        assert_well_made(page, f"mailing-{name}", and_back=name == "compose")
        if name.startswith("letter-"):  # the messages in the box fit a phone and a desk, and the frame is one
            for width in (1280, 320):
                page.set_viewport_size({"width": width, "height": 820})
                assert page.frames[-1].evaluate("document.documentElement.scrollWidth <= innerWidth"), name
            page.set_viewport_size({"width": 1280, "height": 820})


def test_a_question_stays_at_its_button_while_the_page_below_it_moves_on(
    pages: dict[str, str], open_browser: Callable[..., Page]
) -> None:
    page = open_browser()
    sign_in(page)
    page.goto(pages["sending"])
    button = page.get_by_role("button", name="Cancel mailing").first
    button.press("Enter")
    question = page.get_by_role("dialog", name="Cancel this mailing for good?")
    before = question.bounding_box()
    with page.expect_response(lambda answer: answer.url.endswith("/send/")):
        pass  # the poll
    page.wait_for_timeout(100)
    assert question.bounding_box() == before
    expect(button).to_have_attribute("aria-expanded", "true")
    assert violations(page) == []
    question.get_by_role("button", name="Cancel mailing").press("Enter")  # and it says what has already gone
    expect(page.get_by_text("3 of 6 had gone before it was cancelled.")).to_be_visible()
    expect(page.get_by_role("button", name="Cancel mailing")).to_have_count(0)
    keep_picture(page, "cancelled-while-sending")


def test_a_message_is_checked_and_kept_while_it_is_typed(
    pages: dict[str, str], open_browser: Callable[..., Page]
) -> None:
    page = open_browser()
    sign_in(page)
    page.goto(pages["compose-wrong"])
    expect(page.get_by_text("Delete this draft?")).to_be_hidden()  # other pages' styles once kept it open
    page.get_by_role("link", name="HTML, line 3").first.click()
    assert page.evaluate("document.activeElement.value.slice(document.activeElement.selectionStart)").startswith("<p>")
    page.get_by_label("HTML").fill("<p>Dear ")
    page.get_by_text("Fields that you can use").click()
    page.get_by_role("button", name="Insert {{ first_name").click()
    page.get_by_label("Text", exact=True).fill("")
    expect(page.get_by_label("HTML")).to_have_value('<p>Dear {{ first_name | default: "friend" }}')
    expect(page.locator("#findings")).to_contain_text("Nothing is wrong")
    expect(page.locator("#saved")).to_contain_text("Saved ")
    expect(page.locator("#saved [data-kept]")).to_be_visible()
    page.get_by_role("button", name="Save", exact=True).click()  # the version that was kept is the one it goes on from
    expect(page.get_by_text("The mailing was saved.")).to_be_visible()
    assert Mailing.objects.get(pk=int(pages["compose-wrong"].split("/")[2])).html.endswith('default: "friend" }}')


def test_a_message_is_seen_as_any_subscriber_gets_it(pages: dict[str, str], open_browser: Callable[..., Page]) -> None:
    page = open_browser()
    sign_in(page)
    page.goto(pages["preview"])
    letter = page.frame_locator("iframe")
    expect(letter.get_by_role("heading", name="Dear Ada")).to_be_visible()
    page.get_by_label("Find a subscriber by name or address").press_sequentially("wick")
    page.get_by_role("link", name="Bo Wick").click()
    expect(letter.get_by_role("heading", name="Dear Bo")).to_be_visible()
    page.get_by_role("link", name="Text", exact=True).click()
    expect(page.get_by_label("Text part")).to_contain_text("lit again (https://lamps.example/)")
    expect(page.get_by_text("Bo, the lamps are lit")).to_be_visible()


def test_from_compose_to_an_opt_out_that_the_next_mailing_obeys(
    standin: StandIn, mail_sink: dict[str, str], open_browser: Callable[..., Page], start_worker: Callable[..., Any]
) -> None:
    limits = {"MAILING_MOVED_PERCENT": "0", "MAILING_MOVED_PEOPLE": "2"}
    start_worker("interactive", "mailings", environment=mail_sink | limits)
    search_id = standin.search_id("Newsletter readers")
    TargetGroup.objects.create(
        bridge=Bridge.objects.get(),
        folder=Folder.objects.get(name=Folder.MEMBERSUITE),
        name="Newsletter readers",
        search_id=search_id,
        search_key=search_id.lower(),
        search_type="Individual",
    )
    page = open_browser()
    sign_in(page)
    page.get_by_role("link", name="Mailings", exact=True).press("Enter")
    page.get_by_role("button", name="New mailing").first.press("Enter")
    for label, value in (("Mailing name", "name"), ("From name", "from_name"), ("From address", "from_email")):
        page.get_by_label(label).fill(COMPLETE[value])
    page.get_by_label("Subject").fill(COMPLETE["subject"])
    page.get_by_label("Text", exact=True).fill(COMPLETE["text"])
    page.get_by_label("Newsletter readers").first.press("Space")
    expect(page.locator("#estimate")).to_contain_text("not known yet")
    page.get_by_role("button", name="Save and go to Send").press("Enter")
    page.get_by_role("link", name="Preview", exact=True).press("Enter")
    page.get_by_label("Send a test to").fill("mia@society.example")
    page.get_by_role("button", name="Send test").press("Enter")
    expect(page.locator("#sent-tests")).to_contain_text("Sent mia@society.example", timeout=15_000)
    assert violations(page) == []
    keep_picture(page, "walk-0-tested")
    page.get_by_role("link", name="Send", exact=True).press("Enter")
    send_from_here(page, "walk-1-sent")

    page.get_by_role("link", name="Demo inbox").press("Enter")
    first = Recipient.objects.filter(outcome="sent").order_by("pk")[0]
    page.get_by_label("Search messages by address").fill(first.email)
    page.get_by_label("Search messages by address").press("Enter")
    page.get_by_role("link", name=first.email, exact=True).press("Enter")
    expect(page.get_by_text("the lamps are lit.")).to_be_visible()
    page.get_by_role("link", name="Open the opt-out page").press("Enter")
    expect(page.get_by_role("heading", name="Unsubscribe?")).to_be_visible()
    assert violations(page) == []
    assert first.email not in page.content() + page.url
    assert not suppression.is_suppressed(first.email)  # looking changes nothing
    keep_picture(page, "walk-2-opt-out")
    page.get_by_role("button", name="Unsubscribe").press("Enter")
    expect(page.get_by_role("heading", name="You have been unsubscribed")).to_be_visible()
    assert suppression.in_force(first.email).get().cause == "opt_out"
    assert violations(page) == []
    keep_picture(page, "walk-3-opted-out")

    page.goto("/mailings/")
    page.get_by_role("link", name=COMPLETE["name"]).press("Enter")
    page.get_by_role("button", name="Copy").press("Enter")
    page.get_by_role("link", name="Send", exact=True).press("Enter")
    page.get_by_role("link", name="Subscribers Removed").press("Enter")  # seen before it is sent
    expect(page.get_by_role("cell", name=first.email)).to_be_visible()
    page.go_back()
    standin.delete(ids=[str(person["id"]) for person in standin.mailable(search_id)[-3:]])
    send_from_here(page, "walk-4-second", has_moved=True)
    second = Mailing.objects.get(name__startswith="Copy of")
    assert not second.recipients.filter(address_key=first.address_key).exists()
    assert LeftOut.objects.get(mailing=second, subscriber=first.subscriber_id).reason == "opt_out"
    page.get_by_role("link", name="Report", exact=True).press("Enter")
    page.get_by_role("row", name="Opted out here").get_by_role("link").press("Enter")
    expect(page.get_by_role("cell", name=first.email)).to_be_visible()

    page.goto(f"/mailings/{second.pk}/send/")
    page.get_by_role("button", name="Copy").press("Enter")
    page.get_by_role("link", name="Send", exact=True).press("Enter")
    standin.flip_do_not_email(ids=[str(person["id"]) for person in standin.mailable(search_id)], to=True)
    ask_to_send(page)
    decide_about_a_held_resync(page)
    third = Mailing.objects.get(name__startswith="Copy of Copy of")
    assert third.groups.get().stale_read_at is not None
    assert third.recipients.filter(outcome="sent").count() == second.recipients.filter(outcome="sent").count()


def decide_about_a_held_resync(page: Page) -> None:
    """See that nothing was sent and what can be done, then send to the last good list, knowing how old it is."""
    last_good = page.get_by_role("button", name="Send to the last good list")
    expect(last_good).to_be_visible(timeout=30_000)
    expect(page.get_by_text("A target group's resync is held.")).to_be_visible()
    for answer in ("Retry now", "Cancel mailing"):
        expect(page.get_by_role("button", name=answer).first).to_be_visible()
    assert violations(page) == []
    keep_picture(page, "walk-5-held")
    page.get_by_label("I know how old this list is").press("Space")
    last_good.press("Enter")
    expect(page.get_by_role("link", name="See the report")).to_be_visible(timeout=30_000)


def send_from_here(page: Page, picture: str, *, has_moved: bool = False) -> None:
    """Press Send, answer the question, and wait until the mailing is over, however it was reloaded meanwhile.

    A list that has moved since is accepted as it is then.
    """
    ask_to_send(page)
    page.reload()
    if has_moved:
        accept = page.get_by_role("button", name="Send to the list as it is now")
        expect(accept).to_be_visible(timeout=30_000)
        expect(page.get_by_role("link", name="3 left")).to_be_visible()
        expect(page.get_by_role("heading", name="When")).to_be_visible()
        assert violations(page) == []
        keep_picture(page, f"{picture}-moved")
        accept.press("Enter")
    expect(page.get_by_role("link", name="See the report")).to_be_visible(timeout=30_000)
    keep_picture(page, picture)


def ask_to_send(page: Page) -> None:
    page.get_by_role("button", name="Send…").press("Enter")
    dialog = page.get_by_role("dialog", name="Send “")
    expect(dialog).to_contain_text("Newsletter readers (")
    assert violations(page) == []
    dialog.get_by_role("button", name="Send now").press("Enter")
    expect(page.get_by_role("list", name="Steps")).to_be_visible()
