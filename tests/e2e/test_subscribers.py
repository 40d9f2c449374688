"""One person, found among all: may they be mailed, and what can be done. By keyboard, beside a worker."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Page, expect

from targetgroups.choices import Trigger
from targetgroups.models import Bridge, Membership, Subscriber
from tests.e2e.conftest import keep_picture, sign_in, violations
from tests.support.engine import Engine

if TYPE_CHECKING:
    from memberSuite.standin.server import StandIn

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_person_is_found_checked_opted_out_and_in_and_erased(
    standin: StandIn, open_browser: Callable[..., Page], start_worker: Callable[..., Any]
) -> None:
    engine = Engine(standin, Bridge.objects.get())
    assert engine.sync("Newsletter readers", Trigger.COMMAND).is_good
    start_worker("interactive")
    person, other = Subscriber.objects.order_by("pk")[:2]
    page = open_browser(1600, 900)
    sign_in(page)

    page.get_by_role("link", name="Manage Subscribers").press("Enter")
    search = page.get_by_label("Search by e-mail, name or Remote ID")
    search.fill(person.email)
    search.press("Enter")
    expect(page.get_by_text("1 found")).to_be_visible()
    assert person.email not in page.url
    page.get_by_role("link", name=person.email).press("Enter")
    expect(page.get_by_role("heading", name="Can this person be mailed? Yes")).to_be_visible()
    assert violations(page) == []
    keep_picture(page, "person-1-yes")

    standin.set_address(person.remote_id, "fresh@lamps.example")
    page.get_by_role("button", name="Check again in MemberSuite").press("Enter")
    expect(page.get_by_text("Changed: E-mail.").first).to_be_visible(timeout=20_000)
    expect(page.get_by_role("definition").filter(has_text="fresh@lamps.example")).to_be_visible()
    expect(page.get_by_text("Changed in MemberSuite")).to_be_visible()

    page.get_by_label("Why should the address not be mailed?").fill("asked by phone")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="No, because")).to_be_visible()
    expect(page.get_by_text("here: asked by phone").first).to_be_visible()
    keep_picture(page, "person-2-opted-out")
    page.get_by_label("Why may the address be mailed again?").fill("signed the form")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Ended: Opted out")).to_be_visible()

    page.get_by_text("Erase this person on request").press("Enter")
    page.get_by_label("I mean it: erase this person").press("Space")
    assert violations(page) == []
    page.get_by_role("button", name="Erase", exact=True).press("Enter")
    expect(page.get_by_text("Erased here on request")).to_be_visible()
    expect(page.get_by_text("fresh@lamps.example")).to_have_count(0)
    keep_picture(page, "person-3-erased")

    # Somebody else opts out in MemberSuite itself: one check, and no group mails them any more (R1).
    standin.flip_do_not_email(ids=[other.remote_id], to=True)
    page.goto(f"/subscribers/{other.pk}/")
    page.get_by_role("button", name="Check again in MemberSuite").press("Enter")
    expect(page.get_by_role("heading", name="No, because")).to_be_visible(timeout=20_000)
    expect(page.get_by_text("MemberSuite says Do Not Email = Yes since")).to_be_visible()
    expect(page.get_by_text(other.email)).to_have_count(0)
    assert not Membership.objects.filter(subscriber=other).mailable().exists()
