"""The page of one subscriber: the answer first, then why, what happened, and what may be done."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from audit.models import AuditEntry
from targetgroups import suppression
from targetgroups.choices import OutcomeKind, SuppressionCause
from targetgroups.models import Subscriber, Suppression, SyncRun, TargetGroup
from tests.targetgroups.views.conftest import Rows, SignIn, outcome, text_of


@pytest.fixture
def zoe(rows: Rows) -> Subscriber:
    group = rows.group("Members", counted_at=timezone.now(), read_at=timezone.now())
    return rows.member(group, "zoe@lamps.example", "Zoë", "Ångström", attributes={"Chapter": "North"})


def page_of(person: Subscriber, sign_in: SignIn, role: str = "Administrator") -> str:
    return text_of(sign_in(role).get(f"/subscribers/{person.pk}/"))


def test_whoever_may_be_mailed_is_told_so_with_groups_fields_and_their_age(zoe: Subscriber, sign_in: SignIn) -> None:
    page = page_of(zoe, sign_in)
    assert "Can this person be mailed? Yes" in page
    assert "A mailing to the target group below reaches zoe@lamps.example" in page
    assert "Members In Its search found the record" in page
    assert "Chapter North" in page and "As of just now" in page


def test_every_reason_against_is_told_and_the_strongest_alone_where_it_decides(
    rows: Rows, zoe: Subscriber, sign_in: SignIn
) -> None:
    for cause in (SuppressionCause.OPT_OUT, SuppressionCause.HARD_BOUNCE):
        suppression.suppress(zoe.email, cause)
    zoe.memberships.all().delete()
    page = page_of(zoe, sign_in)
    assert all(word in page for word in ("No, because", "Opted out", "Hard bounce", "In no target group"))
    erased = rows.member(rows.group(), "", do_not_email_at=timezone.now())
    page = page_of(erased, sign_in)
    assert "MemberSuite says Do Not Email = Yes since" in page and "There is no e-mail" not in page


def test_why_somebody_is_not_in_a_group_is_told(rows: Rows, zoe: Subscriber, sign_in: SignIn) -> None:
    left, out = rows.group("Former"), rows.group("Donors")
    outcome(rows.run(left), zoe, OutcomeKind.REMOVED, reason="no_longer_in_search")
    rows.excluded(out, "malformed_address", remote_id=zoe.remote_id, remote_key=zoe.remote_key)
    page = page_of(zoe, sign_in)
    assert "Former Left No longer in the search." in page
    assert "Donors Left out In the search, but: Malformed e-mail address." in page


def test_who_shares_the_address_is_told_and_leads_to_them(rows: Rows, zoe: Subscriber, sign_in: SignIn) -> None:
    twin = rows.member(TargetGroup.objects.get(), zoe.email, "Åsa")
    reply = sign_in().get(f"/subscribers/{zoe.pk}/").content.decode()
    assert f'<a href="/subscribers/{twin.pk}/">Åsa</a>' in reply and "1 more at this address" in reply


def test_the_timeline_tells_what_happened_and_who_did_it_newest_first(
    rows: Rows, zoe: Subscriber, sign_in: SignIn
) -> None:
    run = rows.run(TargetGroup.objects.get())
    outcome(run, zoe, OutcomeKind.CHANGED, changes={"email": ["z@lamps.example", "zoe@lamps.example"]})
    sign_in().post(f"/subscribers/{zoe.pk}/opt-out/", {"reason": "asked by phone"})
    sign_in().post(f"/subscribers/{zoe.pk}/opt-in/", {"reason": "signed the form"})
    told = page_of(zoe, sign_in).split("Timeline")[1]
    words = ("Ended: Opted out by administrator", "signed the form", "here: asked by phone", "before: z@lamps.example")
    order = [*words, "Joined Members", "First kept here"]
    places = [told.index(words) for words in order]
    assert places == sorted(places) and told.count("Opted out by administrator") == 2


def test_r8_checking_again_is_a_run_that_the_page_follows(zoe: Subscriber, sign_in: SignIn) -> None:
    client = sign_in()
    part = {"HTTP_HX_REQUEST": "true", "HTTP_HX_TARGET": "person-check"}
    reply = client.post(f"/subscribers/{zoe.pk}/check/", **part).content.decode()
    run = SyncRun.objects.get()
    assert (run.kind, run.trigger, run.remote_id, run.status) == ("person", "check_again", zoe.remote_id, "waiting")
    assert "data-poll" in reply and "disabled" in reply
    assert f'href="/subscribers/{zoe.pk}/"' in client.get(f"/sync-activity/{run.pk}/").content.decode()
    SyncRun.objects.update(status="completed", started_at=timezone.now(), finished_at=timezone.now(), sentence="Said.")
    ended = client.get(f"/subscribers/{zoe.pk}/live/")
    assert ended["HX-Trigger"] == "check-ended"
    assert "data-poll" not in ended.content.decode() and "Said." in page_of(zoe, sign_in)


def test_a_wish_that_is_refused_says_why_and_changes_nothing(zoe: Subscriber, sign_in: SignIn) -> None:
    client, address = sign_in(), f"/subscribers/{zoe.pk}"
    for wish, given, words in (
        ("opt-out", {}, "Say why"),
        ("opt-in", {"reason": "x"}, "Nothing keeps this address from being mailed."),
        ("erase", {}, "Tick that you mean it"),
    ):
        assert words in text_of(client.post(f"{address}/{wish}/", given, follow=True))
    assert not Suppression.objects.exists() and not AuditEntry.objects.exists()


def test_erasing_leaves_the_page_with_the_remote_id_alone(zoe: Subscriber, sign_in: SignIn) -> None:
    page = text_of(sign_in().post(f"/subscribers/{zoe.pk}/erase/", {"is_meant": "yes"}, follow=True))
    assert "Erased here on request" in page and zoe.remote_id in page
    assert not [word for word in ("Zoë", "Ångström", "zoe@", "North") if word in page]


def test_who_may_only_look_sees_no_button_that_would_be_refused(zoe: Subscriber, sign_in: SignIn) -> None:
    page = page_of(zoe, sign_in, "Manager")
    assert not [word for word in ("Check again in MemberSuite", "Opt out here", "Erase") if word in page]


def test_mailings_add_theirs_to_the_timeline_for_whom_may_see_them(
    rows: Rows, zoe: Subscriber, sign_in: SignIn, django_user_model: Any
) -> None:
    from mailings.models import LeftOut, Mailing, Recipient

    now, group = timezone.now(), TargetGroup.objects.get()
    sent, other = (Mailing.objects.create(name=name, frozen_at=now) for name in ("Spring news", "Autumn news"))
    given = {"subscriber": zoe, "target_group": group, "remote_id": zoe.remote_id}
    address = {"email": zoe.email, "address_key": zoe.address_key, "first_name": "Zoë", "last_name": "Ångström"}
    Recipient.objects.create(mailing=sent, outcome="sent", settled_at=now, **given, **address)
    LeftOut.objects.create(mailing=other, reason="opt_out", **given)
    page = page_of(zoe, sign_in)
    assert "Mailed Spring news" in page and "Not mailed Autumn news Opted out here" in page
    assert f"/mailings/{sent.pk}/report/" not in sign_in("Subscribers").get(f"/subscribers/{zoe.pk}/").content.decode()
    sign_in().post(f"/subscribers/{zoe.pk}/erase/", {"is_meant": "yes"})
    kept = Recipient.objects.get()
    assert (kept.first_name, kept.last_name, kept.email) == ("", "", "zoe@lamps.example")
