"""Before sending: who would get it and who would be left out, exactly as the freeze would say at this moment."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from mailings.models import Mailing
from mailings.views import would
from targetgroups import suppression
from targetgroups.choices import SuppressionCause
from targetgroups.models import Subscriber
from tests.mailings.views.conftest import SignIn, text_of
from tests.support.post import Post


@pytest.fixture
def mailing(post: Post) -> Mailing:
    """A mailing with somebody left out for every reason, people in two groups, and shared addresses."""
    group = post.group(*(f"k{number:02}@lamps.example" for number in range(12)), "bo@lamps.example", "BO@lamps.example")
    other, barred = post.group("dee@lamps.example", name="Others"), post.group("k03@lamps.example", name="Barred")
    post.join(other, Subscriber.objects.filter(email__in=["k01@lamps.example", "k02@lamps.example"]))
    post.join(group, [post.person("", do_not_email_at=timezone.now()), post.person("")])
    suppression.suppress("k04@lamps.example", SuppressionCause.OPT_OUT)
    suppression.suppress("k05@lamps.example", SuppressionCause.HARD_BOUNCE)
    suppression.suppress("k04@lamps.example", SuppressionCause.HARD_BOUNCE)  # told is the stronger cause
    return post.mailing(group, other, not_to=[barred], not_to_addresses=["k06@lamps.example"])


def test_r15_what_is_seen_before_is_what_the_freeze_then_takes(mailing: Mailing, post: Post) -> None:
    receiving = [person.email for person in would.everybody(mailing, would.RECEIVING, "")]
    removed = {person.pk: str(why) for why in would.REASONS for person in would.everybody(mailing, why, "")}
    counted = {one.word: one.count for one in would.reasons(mailing)}
    frozen = post.freeze(mailing)
    assert receiving == list(frozen.recipients.order_by("address_key").values_list("email", flat=True))
    assert removed == dict(frozen.left_out.values_list("subscriber", "reason"))
    assert sum(counted.values()) == len(removed) == 7
    assert {one.reason for one in frozen.left_out.all()} == set(counted)


@pytest.mark.parametrize("size", [1, 2, 5, 100])
def test_pages_show_everybody_once_whichever_way_they_are_turned(mailing: Mailing, size: int) -> None:
    everybody = [person.pk for person in would.everybody(mailing, would.RECEIVING, "")]
    seen, page = [], would.page(mailing, would.RECEIVING, "", size=size, after=None, before=None)
    seen += [row.pk for row in page.rows]
    while page.has_next:
        page = would.page(mailing, would.RECEIVING, "", size=size, after=page.after, before=None)
        seen += [row.pk for row in page.rows]
    assert seen == everybody
    back = [row.pk for row in page.rows]
    while page.has_previous:
        page = would.page(mailing, would.RECEIVING, "", size=size, after=None, before=page.before)
        back = [row.pk for row in page.rows] + back
    assert back == everybody


def test_a_walk_that_finds_nobody_stops_and_goes_on_from_there(
    mailing: Mailing, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = {f"k{number:02}@lamps.example": "" for number in range(12)}
    suppression.add_many(keys, SuppressionCause.MANUAL, "", by="Ada")
    monkeypatch.setattr(would, "_STEP", 2)
    monkeypatch.setattr(would, "_LONGER_STEP", 2)
    monkeypatch.setattr(would, "_MOST_ROUNDS", 1)
    page, emails = would.page(mailing, would.RECEIVING, "", size=1, after=None, before=None), []
    for _ in range(20):
        emails += [row.email for row in page.rows]
        if not page.has_next:
            break
        page = would.page(mailing, would.RECEIVING, "", size=1, after=page.after, before=None)
    assert emails == ["bo@lamps.example", "dee@lamps.example"]


def test_the_pages_say_that_they_are_as_of_now_and_find_a_person(mailing: Mailing, sign_in: SignIn) -> None:
    client = sign_in("Publisher")
    text = text_of(client.get(reverse("mailings:recipients", args=[mailing.pk])))
    assert "Subscribers Receiving This Mailing" in text
    assert "every group is synced again first" in text
    assert "k00@lamps.example" in text and "k05@lamps.example" not in text
    left_out = reverse("mailings:left_out", args=[mailing.pk])
    text = text_of(client.get(left_out, {"reason": "hard_bounce"}))
    assert "k05@lamps.example" in text and "k04@lamps.example" not in text
    assert "Hard bounce 1" in text
    found = text_of(client.post(reverse("mailings:recipients", args=[mailing.pk]), {"q": "k07@lamps.example"}))
    assert "k07@lamps.example" in found and "k08@lamps.example" not in found
    assert "Nobody found" in text_of(client.post(left_out, {"q": "nobody at all"}))


def test_the_send_page_leads_there_only_whoever_may_see_people(
    mailing: Mailing, client: Client, sign_in: SignIn
) -> None:
    address = reverse("mailings:send", args=[mailing.pk])
    assert "View Subscribers Receiving This Mailing" in text_of(sign_in("Publisher").get(address))
    user = User.objects.create_user("sender")
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_mailings", "send_mailing"]))
    client.force_login(user)
    assert "View Subscribers Receiving This Mailing" not in text_of(client.get(address))


def test_the_file_holds_each_reason_and_no_address_of_the_erased(mailing: Mailing, sign_in: SignIn) -> None:
    client = sign_in("Administrator")
    answer = client.post(reverse("mailings:left_out_csv", args=[mailing.pk]))
    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    assert lines[0].startswith("Remote ID,Reason,E-mail")
    assert len(lines) == 8
    assert sum("erased: Do Not Email" in line for line in lines) == 1
    answer = client.post(reverse("mailings:recipients_csv", args=[mailing.pk]))
    assert b"k00@lamps.example" in b"".join(answer.streaming_content)


def test_a_group_less_draft_says_what_to_do(post: Post, sign_in: SignIn) -> None:
    mailing = post.mailing()
    text = text_of(sign_in("Publisher").get(reverse("mailings:recipients", args=[mailing.pk])))
    assert "Choose the mailing's groups" in text
