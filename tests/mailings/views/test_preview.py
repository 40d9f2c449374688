"""Preview: the message as a subscriber gets it, in a frame that can do nothing."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission

from accounts.models import User
from mailings.models import Mailing, MailingGroup
from mailings.views import reading
from targetgroups import suppression
from targetgroups.choices import SuppressionCause
from targetgroups.models import Subscriber
from tests.mailings.views.conftest import Desk, SignIn, text_of
from tests.targetgroups.views.conftest import Rows

HTML = '<p>Dear {{ first_name | default: "friend" }}</p><script>x()</script><a href="https://lamps.example/">Lamps</a>'


@pytest.fixture
def mailing(rows: Rows, desk: Desk) -> Mailing:
    group = rows.group("Members")
    rows.member(group, "ada@example.org", "Ada", "<Keeper>")
    rows.member(group, "bo@example.org", "Bo", "Wick")
    return desk.mailing(group, subject="{{ first_name }}, lamps", html=HTML, text="")


def person(email: str) -> Subscriber:
    return Subscriber.objects.get(email=email)


def test_the_message_is_shown_as_its_first_subscriber_gets_it_or_as_another(mailing: Mailing, sign_in: SignIn) -> None:
    client, address = sign_in(), f"/mailings/{mailing.pk}/preview/"
    assert "Ada, lamps" in text_of(client.get(address))
    words = text_of(client.get(f"{address}?view=text&as={person('bo@example.org').pk}"))
    assert "Bo, lamps" in words
    assert "Dear Bo Lamps (https://lamps.example/)" in words
    frame = client.get(f"{address}page/?as={person('bo@example.org').pk}").content.decode()
    assert "<p>Dear Bo</p>" in frame
    assert "x()" not in frame


def test_the_frame_may_run_and_load_nothing_and_stand_only_here(mailing: Mailing, sign_in: SignIn) -> None:
    client = sign_in()
    page = client.get(f"/mailings/{mailing.pk}/preview/")
    assert re.search(r"<iframe [^>]*sandbox title=", page.content.decode())
    assert "frame-src 'self'" in page["Content-Security-Policy"]
    frame = client.get(f"/mailings/{mailing.pk}/preview/page/")
    policy = frame["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert re.search(r"(^|; )sandbox *(;|$)", policy)
    assert "frame-ancestors 'self'" in policy
    assert frame["X-Frame-Options"] == "SAMEORIGIN"
    assert frame["Referrer-Policy"] == "no-referrer"
    assert "no-store" in frame["Cache-Control"]


def test_a_subscriber_is_found_by_a_posted_search_among_the_groups_alone(
    rows: Rows, mailing: Mailing, sign_in: SignIn
) -> None:
    stranger = rows.member(rows.group("Others"), "cy@example.org", "Cy", "Wick")
    client, address = sign_in(), f"/mailings/{mailing.pk}/preview/"
    words = text_of(client.post(address, {"q": "wick"}))
    assert "Bo Wick" in words
    assert "Cy Wick" not in words
    assert "Nobody in the chosen groups has “cy@”" in text_of(client.post(address, {"q": "cy@"}))
    assert "Cy" not in text_of(client.get(f"{address}?as={stranger.pk}"))


def test_who_may_not_see_people_sees_the_message_of_nobody(mailing: Mailing, client: Any) -> None:
    user = User.objects.create_user("reader")
    user.user_permissions.set(Permission.objects.filter(codename="view_mailings"))
    client.force_login(user)
    address = f"/mailings/{mailing.pk}/preview/"
    words = text_of(client.post(f"{address}?as={person('ada@example.org').pk}&view=text", {"q": "bo"}))
    assert "Dear friend" in words
    assert not [name for name in ("Ada", "Bo Wick", "@example.org") if name in words]
    assert "Dear friend" in client.get(f"{address}page/?as={person('ada@example.org').pk}").content.decode()


def test_a_message_that_can_not_be_read_says_why_instead(mailing: Mailing, sign_in: SignIn) -> None:
    Mailing.objects.update(html="<p>\n{% if name %}")
    client, address = sign_in(), f"/mailings/{mailing.pk}/preview/"
    assert "The message can't be read" in text_of(client.get(address))
    assert client.get(f"{address}page/").status_code == 200


def test_an_empty_draft_has_a_preview_too(desk: Desk, sign_in: SignIn) -> None:
    mailing = desk.mailing(text="", subject="", from_email="")
    words = text_of(sign_in().get(f"/mailings/{mailing.pk}/preview/"))
    assert "Nobody of the chosen groups." in words
    assert "This message has no HTML" in words


def test_the_personalization_test_says_who_lacks_what_and_with_whom_it_was_tested(
    rows: Rows, mailing: Mailing, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = mailing.target_groups.get()
    nameless = rows.member(group, "cy@example.org", "", "Wick")
    client, address = sign_in(), f"/mailings/{mailing.pk}/preview/?test=1"
    Mailing.objects.update(html='{{ first_name | default: "friend" }}{{ last_name }}{{ nowhere }}')
    page = client.get(address)
    words = text_of(page)
    assert "Tested with all 3 people of the groups who can be mailed now." in words
    assert "first_name : 1 lacks it and gets a gap" in words, "the subject writes it without a default"
    assert "last_name : nobody lacks it" in words
    assert "nowhere : 3 lack it and get a gap" in words
    assert f"as={nameless.pk}" in page.content.decode()
    suppression.suppress("cy@example.org", SuppressionCause.OPT_OUT, "by phone")
    assert "Tested with all 2 people of the groups" in text_of(client.get(address))
    monkeypatch.setattr(reading, "MOST_TESTED", 1)
    assert "Tested with the first person of the groups by address; there are more." in text_of(client.get(address))


def test_the_personalization_test_tells_when_there_is_nothing_to_test(desk: Desk, rows: Rows, sign_in: SignIn) -> None:
    client, group = sign_in(), rows.group("Members")
    empty = desk.mailing(group)
    assert "nobody to test with" in text_of(client.get(f"/mailings/{empty.pk}/preview/?test=1"))
    rows.member(group, "ada@example.org", "Ada", "Keeper")
    assert "says the same to everybody" in text_of(client.get(f"/mailings/{empty.pk}/preview/?test=1"))


def test_the_personalization_test_obeys_do_not_send_to(rows: Rows, mailing: Mailing) -> None:
    other = rows.group("Not these")
    rows.member(other, "bo@example.org", "Bo", "Again")
    MailingGroup.objects.create(mailing=mailing, target_group=other, role="not_to")
    assert [one.email for one in reading.some_recipients(mailing)[0]] == ["ada@example.org"]
    mailing.not_to_addresses = ["ada@example.org"]
    assert reading.some_recipients(mailing) == ([], False)
