"""Who receives a mailing and who does not, and why: one copy an address, and every number adds up (R13, R15)."""

from __future__ import annotations

import pytest
from django.utils import timezone

from mailings import enqueue, persons
from mailings.exceptions import StopMailing, TurnLost
from mailings.models import LeftOut, Mailing, Recipient, Tally
from mailings.querysets import figures_of
from mailings.send import freeze
from mailings.send.turn import Turn
from targetgroups import suppression
from targetgroups.choices import SuppressionCause
from targetgroups.models import Subscriber
from tests.support.post import Post

ADA, BO, CY = "ada@lamps.example", "bo@lamps.example", "cy@lamps.example"


def test_r13_two_spellings_of_one_address_get_one_copy_and_it_is_always_the_same_persons(post: Post) -> None:
    group = post.group(
        "Straße@Lämps.example", "straße@xn--lmps-loa.example", "ADA+x@lamps.example", "ada+x@lamps.example"
    )
    first, second, third, fourth = Subscriber.objects.order_by("pk")
    mailing = post.frozen(group)
    assert set(mailing.recipients.values_list("subscriber", flat=True)) == {first.pk, third.pk}
    shared = LeftOut.objects.filter(mailing=mailing, reason="shared_address")
    assert set(shared.values_list("subscriber", flat=True)) == {second.pk, fourth.pk}
    again = post.frozen(group)
    assert set(again.recipients.values_list("subscriber", flat=True)) == {first.pk, third.pk}
    assert post.complaints(mailing) == []


def test_a_person_in_two_groups_gets_one_copy(post: Post) -> None:
    group, other = post.group(ADA, BO), post.group(name="Others")
    post.join(other, Subscriber.objects.filter(email=ADA))
    mailing = post.frozen(group, other)
    assert post.outcomes(mailing) == {ADA: "queued", BO: "queued"}
    assert dict(mailing.groups.values_list("target_group__name", "member_count")) == {"Lamp keepers": 2, "Others": 1}
    assert post.complaints(mailing) == []


def test_r11_r15_whoever_may_not_be_mailed_is_left_out_with_the_reason_and_the_sums_add_up(post: Post) -> None:
    group, barred = post.group(ADA, BO, CY, "dee@lamps.example", "eve@lamps.example"), post.group(name="Barred")
    suppression.suppress(BO.upper(), SuppressionCause.OPT_OUT)
    suppression.suppress("eve@lamps.example", SuppressionCause.OPT_OUT)
    suppression.lift("eve@lamps.example", SuppressionCause.OPT_OUT)
    erased = post.person("", remote_id="E-1", remote_key="e-1", do_not_email_at=timezone.now())
    post.join(group, [erased])
    post.join(barred, [post.person(CY.upper())])  # another record of the same person
    mailing = post.frozen(group, not_to=[barred])
    assert set(post.outcomes(mailing)) == {ADA, "dee@lamps.example", "eve@lamps.example"}
    assert post.left_out(mailing) == {BO: "opt_out", CY: "not_to_group", "": "do_not_email"}
    figures = figures_of(mailing)
    assert figures["left_out"] == {"opt_out": 1, "not_to_group": 1, "do_not_email": 1}
    assert (figures["total"], figures["left_out_total"], figures["left"], figures["settled"]) == (3, 3, 3, 0)
    assert post.complaints(mailing) == []


def test_r13_the_one_copy_goes_to_the_sharer_who_may_be_mailed(post: Post) -> None:
    group = post.group(ADA, "Ada@lamps.example")
    Subscriber.objects.filter(email=ADA).update(do_not_email_at=timezone.now())
    mailing = post.frozen(group)
    assert post.outcomes(mailing) == {"Ada@lamps.example": "queued"}
    assert post.left_out(mailing) == {ADA: "do_not_email"}


def test_the_frozen_list_keeps_names_and_addresses_whatever_becomes_of_the_people(post: Post) -> None:
    mailing = post.frozen(post.group(ADA))
    Subscriber.objects.update(email="", address_key="", first_name="", last_name="", do_not_email_at=timezone.now())
    recipient = Recipient.objects.get(mailing=mailing)
    assert (recipient.email, recipient.first_name, recipient.remote_id) == (ADA, "Ada", "P-000001")


def frozen_by(turn: Turn, mailing: Mailing) -> None:
    mailing.refresh_from_db()
    freeze.freeze(mailing, turn)


def resyncing(post: Post, *groups: object) -> tuple[Mailing, Turn]:
    mailing = post.mailing(*groups)
    Mailing.objects.filter(pk=mailing.pk).update(status="resyncing", moment_at=timezone.now())
    turn = Turn(mailing.pk)
    assert turn.take()
    return mailing, turn


def test_r12_a_mailing_that_nobody_would_get_is_stopped_and_nothing_is_kept_of_it(post: Post) -> None:
    group = post.group(ADA)
    suppression.suppress(ADA, SuppressionCause.COMPLAINT)
    mailing, turn = resyncing(post, group)
    with pytest.raises(StopMailing, match="The one person in the target groups may not be mailed") as stop:
        frozen_by(turn, mailing)
    assert stop.value.code == "nobody"
    assert not Recipient.objects.exists()
    assert not LeftOut.objects.exists()
    assert not Tally.objects.exists()


def test_an_address_not_to_send_to_is_left_out_however_it_is_written_and_a_stronger_reason_is_told(post: Post) -> None:
    group, barred = post.group(ADA, BO.upper(), CY), post.group(name="Barred")
    suppression.suppress(CY, SuppressionCause.OPT_OUT)
    post.join(barred, Subscriber.objects.filter(email=BO.upper()))
    mailing = post.frozen(group, not_to=[barred], not_to_addresses=[BO, CY, "nobody@lamps.example"])
    assert post.outcomes(mailing) == {ADA: "queued"}
    assert post.left_out(mailing) == {BO.upper(): "not_to_address", CY: "opt_out"}
    assert post.complaints(mailing) == []


def test_r13_a_mailing_cancelled_during_its_freeze_has_no_recipients(post: Post) -> None:
    mailing, turn = resyncing(post, post.group(ADA))
    enqueue.request_cancel(mailing, None)
    with pytest.raises(TurnLost):
        frozen_by(turn, mailing)
    assert not Recipient.objects.exists()


def test_r13_a_worker_whose_turn_is_over_freezes_nothing(post: Post) -> None:
    mailing, turn = resyncing(post, post.group(ADA))
    Mailing.objects.update(worker_until=timezone.now())
    other = Turn(mailing.pk)
    assert other.take()
    with pytest.raises(TurnLost):
        frozen_by(turn, mailing)
    frozen_by(other, mailing)
    assert post.outcomes(mailing) == {ADA: "queued"}


def test_r13_a_worker_that_stood_still_while_another_fixed_the_list_adds_nothing_to_it(post: Post) -> None:
    mailing, turn = resyncing(post, post.group(ADA))
    Mailing.objects.update(worker_until=timezone.now())
    other = Turn(mailing.pk)
    assert other.take()
    frozen_by(other, mailing)
    with pytest.raises(TurnLost):
        frozen_by(turn, mailing)
    assert post.outcomes(mailing) == {ADA: "queued"}
    assert post.complaints(mailing) == []


def test_r1_an_address_not_to_send_to_goes_when_its_owner_is_erased_on_request(post: Post) -> None:
    mailing = post.mailing(post.group(ADA, BO), not_to_addresses=[ADA, BO])
    assert persons.erase(Subscriber.objects.get(email=ADA)) == 1
    mailing.refresh_from_db()
    assert mailing.not_to_addresses == [BO]
