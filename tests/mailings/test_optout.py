"""The opt-out link in a message: looking changes nothing, posting acts, and it wins over everything (R11)."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.test import Client

from audit.models import AuditEntry
from mailings import optout
from mailings.models import Recipient
from targetgroups import suppression
from targetgroups.choices import SuppressionCause
from targetgroups.models import Suppression
from tests.support.post import Post

ADA = "Ada@lamps.example"


@pytest.fixture
def link(post: Post) -> str:
    """The one-click address in a message that was really sent, without the site."""
    mailing = post.frozen(post.group(ADA))
    post.work(mailing)
    return post.sink.to(ADA)["List-Unsubscribe"].strip("<>").removeprefix(settings.SITE_URL)


@pytest.fixture
def mail_program() -> Client:
    return Client(enforce_csrf_checks=True)


def test_r11_one_click_in_the_message_opts_out_for_all_mailings_that_come(
    post: Post, link: str, mail_program: Client
) -> None:
    reply = mail_program.post(link, "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded")
    assert reply.status_code == 200
    [suppressed] = Suppression.objects.in_force()
    assert (suppressed.address_key, suppressed.cause) == (ADA.lower(), "opt_out")
    bo = "bo@lamps.example"
    other = post.group(ADA.upper(), bo, name="Others")
    mailing = post.frozen(other)
    assert post.outcomes(mailing) == {bo: "queued"}
    assert post.left_out(mailing) == {ADA.upper(): "opt_out"}


def test_looking_at_the_link_changes_nothing(link: str, mail_program: Client) -> None:
    assert mail_program.get(link).status_code == 200
    assert mail_program.head(link).status_code == 200
    assert not Suppression.objects.exists()


def test_r11_an_opt_out_holds_until_the_person_opts_in_again_and_both_are_recorded_once(link: str) -> None:
    recipient = Recipient.objects.get()
    for _ in range(2):
        optout.opt_out(recipient, "page")
    assert optout.is_opted_out(recipient)
    for _ in range(2):
        optout.opt_in(recipient)
    assert not optout.is_opted_out(recipient)
    entries = AuditEntry.objects.filter(action__in=("opt_out", "opt_in")).order_by("pk")
    assert [entry.action for entry in entries] == ["opt_out", "opt_in"]
    assert "@" not in "".join(f"{entry.object_label}{entry.before}{entry.after}" for entry in entries)


def test_opting_in_again_lifts_no_other_cause(link: str) -> None:
    recipient = Recipient.objects.get()
    suppression.suppress(ADA, SuppressionCause.COMPLAINT)
    optout.opt_out(recipient, "page")
    optout.opt_in(recipient)
    assert suppression.is_suppressed(ADA)


def test_a_token_that_is_not_ours_finds_nobody(post: Post, link: str, settings) -> None:
    recipient = Recipient.objects.get()
    token = optout.token_for(recipient)
    assert f"/{token}/" in optout.link_for(recipient)
    assert optout.find(token) == recipient
    forged = f"{recipient.pk + 1}.{token.partition('.')[2]}"
    for wrong in ("", "x", str(recipient.pk), forged, token[:-1], "9" * 5_000, f"{token}\x00", "1.2.3"):
        assert optout.find(wrong) is None


def test_the_links_of_old_messages_work_after_the_secret_key_was_changed(post: Post, link: str, settings) -> None:
    token = link.split("/")[-2]
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another key, as long as it should be"
    assert optout.find(token) is not None
