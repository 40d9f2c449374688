"""Check again in MemberSuite: one person is read and stored everywhere at once; membership and counts stay."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from targetgroups import enqueue
from targetgroups.choices import Transport
from targetgroups.models import Bridge, Membership, RunOutcome, Subscriber, SyncRun, TargetGroup

if TYPE_CHECKING:
    from tests.support.engine import Engine

ONE, OTHER = "Current members", "All individuals"


@pytest.fixture
def person(engine: Engine) -> Subscriber:
    """Somebody who is in two groups."""
    engine.sync(ONE)
    engine.sync(OTHER)
    return Subscriber.objects.filter(memberships__target_group=engine.group(ONE)).order_by("pk")[0]


def check(engine: Engine, person: Subscriber) -> SyncRun:
    return engine.work(enqueue.request_person_check(person))


def keys_of(person: Subscriber) -> set[tuple[str, str]]:
    return set(Membership.objects.filter(subscriber=person).values_list("sort_email", "sort_name"))


@pytest.mark.parametrize("transport", Transport.values)
def test_r4_a_changed_address_is_stored_in_all_groups_at_once(
    transport: str, engine: Engine, person: Subscriber
) -> None:
    Bridge.objects.update(transport=transport)
    engine.standin.set_address(person.remote_id, "Fresh@Lamps.Example")
    before = list(TargetGroup.objects.values_list("member_count", "counted_at"))
    run = check(engine, person)
    person.refresh_from_db()
    assert (run.status, run.figures["changed_fields"]) == ("completed", ["email"])
    assert run.sentence == "MemberSuite says Do Not Email = No. Changed: E-mail."
    assert (person.email, person.address_key) == ("Fresh@Lamps.Example", "fresh@lamps.example")
    assert keys_of(person) == {("fresh@lamps.example", person.sort_name)}
    assert list(TargetGroup.objects.values_list("member_count", "counted_at")) == before
    assert RunOutcome.objects.get(run=run).changes["email"][1] == "Fresh@Lamps.Example"
    assert check(engine, person).sentence.endswith("Nothing has changed.")


def test_r1_whoever_is_do_not_email_now_is_erased_in_all_groups_and_mailed_by_none(
    engine: Engine, person: Subscriber
) -> None:
    engine.standin.set_address(person.remote_id, "fresh@lamps.example")
    changed = check(engine, person)
    engine.standin.flip_do_not_email(ids=[person.remote_id], to=True)
    run = check(engine, person)
    person.refresh_from_db()
    assert run.figures["answer"] == "do_not_email"
    assert (person.email, person.first_name, person.last_name, person.address_key) == ("", "", "", "")
    assert (person.attributes, person.local_id, person.do_not_email_at is not None) == ({}, None, True)
    assert keys_of(person) == {("", "")}
    assert RunOutcome.objects.get(run=changed).changes is None
    assert not Membership.objects.filter(subscriber=person).mailable().exists()
    assert Membership.objects.filter(subscriber=person).count() == 2  # each group's own sync takes them out (R4)
    assert "fresh@lamps.example" not in str(SyncRun.objects.filter(pk__in=(run.pk, changed.pk)).values())
    assert check(engine, person).sentence.endswith("That was known already.")


def test_whoever_may_be_mailed_again_is_stored_again(engine: Engine, person: Subscriber) -> None:
    email = person.email
    engine.standin.flip_do_not_email(ids=[person.remote_id], to=True)
    check(engine, person)
    engine.standin.flip_do_not_email(ids=[person.remote_id], to=False)
    run = check(engine, person)
    person.refresh_from_db()
    assert (person.email, person.do_not_email_at) == (email, None)
    assert RunOutcome.objects.get(run=run, kind="changed").changes["do_not_email"] == ["Yes", "No"]
    engine.sync(ONE)
    assert engine.complaints(ONE) == []


@pytest.mark.parametrize("is_flagged", [True, False])
def test_r14_an_answer_older_than_what_is_known_changes_nothing(
    is_flagged: bool, engine: Engine, person: Subscriber
) -> None:
    engine.standin.set_address(person.remote_id, "older@lamps.example")
    engine.standin.flip_do_not_email(ids=[person.remote_id], to=is_flagged)
    # As if another group's run had confirmed the person while the answer was on its way.
    TargetGroup.objects.filter(name=OTHER).update(read_at=timezone.now() + timedelta(hours=1))
    run = check(engine, person)
    assert "newer is known" in run.sentence
    email = person.email
    person.refresh_from_db()
    assert (person.email, person.do_not_email_at) == (email, None)


def test_r5_a_deleted_record_or_a_missing_address_lets_nobody_go_without_a_sync(
    engine: Engine, person: Subscriber
) -> None:
    engine.standin.set_address(person.remote_id, "")
    assert check(engine, person).figures["answer"] == "no_address"
    engine.standin.delete(ids=[person.remote_id])
    assert check(engine, person).figures["answer"] == "record_deleted"
    assert Membership.objects.filter(subscriber=person).count() == 2


def test_r7_two_clicks_are_one_check_and_another_person_has_their_own(engine: Engine, person: Subscriber) -> None:
    other = Subscriber.objects.exclude(pk=person.pk)[0]
    first, second = enqueue.request_person_check(person), enqueue.request_person_check(person)
    assert first == second
    assert enqueue.request_person_check(other) != first
