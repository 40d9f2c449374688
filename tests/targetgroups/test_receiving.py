"""Whom a mailing reaches: one rule for counts, lists and mailings (R1, R11, R13), counted in the background (R15)."""

from __future__ import annotations

import random

import pytest
from django.utils import timezone

from targetgroups import querysets, suppression
from targetgroups.choices import RECEIVING, NotReceiving, SuppressionCause
from targetgroups.models import Bridge, Membership, ReceivingCount, Subscriber, Suppression, TargetGroup
from targetgroups.sync import receiving
from tests.targetgroups.views.conftest import Rows


@pytest.fixture
def rows(transactional_db: None) -> Rows:
    return Rows()


@pytest.fixture
def group(rows: Rows) -> TargetGroup:
    """Nine members: three at one address, two suppressed (one for two causes), one let in again, one erased."""
    group = rows.group(member_count=9)
    for name in ("ann", "bob", "cleo", "dan", "eve"):
        rows.member(group, f"{name}@lamps.example")
    for _ in range(3):
        rows.member(group, "desk@lamps.example")
    rows.member(group, "", do_not_email_at=timezone.now())
    suppression.suppress("Bob@lamps.example", SuppressionCause.COMPLAINT)
    suppression.suppress("Bob@lamps.example", SuppressionCause.OPT_OUT)
    suppression.suppress("cleo@lamps.example", SuppressionCause.HARD_BOUNCE)
    suppression.suppress("dan@lamps.example", SuppressionCause.OPT_OUT)
    suppression.lift("dan@lamps.example", SuppressionCause.OPT_OUT)
    return group


def members(group: TargetGroup) -> list[Membership]:
    return Membership.objects.filter(target_group=group)


def addresses(found: object) -> list[str]:
    return sorted(found.values_list("subscriber__email", flat=True))  # type: ignore[attr-defined]


def test_r1_r11_mailable_is_who_has_an_address_and_no_objection(group: TargetGroup) -> None:
    mailable = [f"{name}@lamps.example" for name in ("ann", "dan", "desk", "desk", "desk", "eve")]
    assert addresses(members(group).mailable()) == mailable


def test_r13_one_copy_goes_to_each_address(group: TargetGroup) -> None:
    once = addresses(members(group).mailable().one_per_address())
    assert once == [f"{name}@lamps.example" for name in ("ann", "dan", "desk", "eve")]


def test_r15_members_minus_each_reason_are_those_who_receive_and_each_number_has_its_people(group: TargetGroup) -> None:
    receiving.count(group.pk)
    counted = ReceivingCount.objects.get(target_group=group)
    expected = {"do_not_email": 1, "opt_out": 1, "hard_bounce": 1, "shared_address": 2}
    assert counted.not_receiving_counts == {str(word): expected.get(word, 0) for word in NotReceiving}
    assert counted.receiving_count == members(group).mailable().one_per_address().count() == 4
    assert counted.receiving_count + sum(expected.values()) == group.member_count
    for reason in NotReceiving:
        assert members(group).not_receiving(reason).count() == expected.get(reason, 0), reason


def test_r15_a_suppression_marks_only_the_groups_of_its_people_and_the_sweep_counts_them(
    group: TargetGroup, rows: Rows
) -> None:
    other = rows.group(member_count=1)
    rows.member(other, "zoe@lamps.example")
    assert receiving.count_outdated() == 2
    assert receiving.count_outdated() == 0
    suppression.suppress("EVE@lamps.example", SuppressionCause.OPT_OUT)
    assert list(receiving.outdated()) == [group]
    receiving.count_outdated()
    assert ReceivingCount.objects.get(target_group=group).not_receiving_counts["opt_out"] == 2
    suppression.lift("eve@lamps.example", SuppressionCause.OPT_OUT)
    assert list(receiving.outdated()) == [group]


def test_r15_a_newer_run_and_an_erased_member_make_the_numbers_outdated(group: TargetGroup, rows: Rows) -> None:
    receiving.count(group.pk)
    group.counted_run = rows.run(group)
    group.save()
    assert list(receiving.outdated()) == [group]
    receiving.count(group.pk)
    Membership.objects.filter(target_group=group, sort_email="ann@lamps.example").update(sort_email="", sort_name="")
    assert list(receiving.outdated()) == [group]


def test_an_older_count_does_not_overwrite_a_younger_one(group: TargetGroup) -> None:
    receiving.count(group.pk)
    ReceivingCount.objects.update(counted_at=timezone.now() + timezone.timedelta(hours=1), receiving_count=77)
    receiving.count(group.pk)
    assert ReceivingCount.objects.get().receiving_count == 77


# --- the lists behind the numbers -----------------------------------------------------------------------------------


@pytest.fixture
def mixed(rows: Rows) -> TargetGroup:
    """Members of every kind and of several at once, beside people of another group and bridge at the same addresses."""
    group, other = rows.group("Mixed"), rows.group("Other")
    elsewhere = Rows(Bridge.objects.create(name="Elsewhere"))
    theirs = elsewhere.group("Theirs")
    chance = random.Random(7)  # the same people each time
    addresses = [f"p{number}@lamps.example" for number in range(40)]
    for _ in range(120):
        where, whose = chance.choice([(rows, group), (rows, group), (rows, other), (elsewhere, theirs)])
        kind = chance.random()
        if kind < 0.1:
            where.member(whose, "", do_not_email_at=timezone.now())
        elif kind < 0.15:
            where.member(whose, "")
        else:
            where.member(whose, chance.choice(addresses))
    for cause in SuppressionCause:
        for address in chance.sample(addresses, 5):
            suppression.suppress(address, cause)
        suppression.lift(chance.choice(addresses), cause)
    return group


def told_plainly(group: TargetGroup) -> dict[int, str]:
    """Say of each member, by the rules alone, why no mailing reaches them, or that one does."""
    found, taken = {}, set()
    for person in Subscriber.objects.filter(memberships__target_group=group).order_by("pk"):
        here = Suppression.objects.filter(address_key=person.address_key, lifted_at=None)
        causes = set(here.values_list("cause", flat=True))
        if person.do_not_email_at:
            found[person.pk] = "do_not_email"
        elif not person.address_key:
            found[person.pk] = "no_address"
        elif causes:
            found[person.pk] = next(cause for cause in SuppressionCause.values if cause in causes)
        else:
            found[person.pk] = "shared_address" if person.address_key in taken else RECEIVING
            taken.add(person.address_key)
    return found


@pytest.mark.parametrize("counted", [None, 0, 10_000], ids=["not counted", "as few", "as many"])
@pytest.mark.parametrize("member_count", [80, 1_000_000])
@pytest.mark.parametrize("most_addresses", [0, 10_000], ids=["at many addresses", "at few"])
def test_r15_each_list_has_who_belongs_there_whatever_way_they_are_found(
    counted: int | None, most_addresses: int, member_count: int, mixed: TargetGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(querysets, "_MOST_ADDRESSES", most_addresses)
    mixed.member_count = member_count
    if counted is not None:
        numbers = dict.fromkeys(NotReceiving.values, counted)
        ReceivingCount.objects.create(
            target_group=mixed, receiving_count=counted, not_receiving_counts=numbers, counted_at=timezone.now()
        )
    expected = told_plainly(mixed)
    assert {RECEIVING, "do_not_email", "no_address", "opt_out", "erased", "shared_address"} <= set(expected.values())
    for only in (RECEIVING, *NotReceiving.values):
        listed = Membership.objects.narrowed(only, mixed).order_by("sort_email", "subscriber_id")
        wanted = sorted(person for person, word in expected.items() if word == only)
        assert sorted(listed.values_list("subscriber_id", flat=True)) == wanted, only
