"""Opt out, opt in and erase, wished for one person here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from accounts.models import User
from audit.models import AuditEntry
from targetgroups import enqueue, suppression, wishes
from targetgroups.choices import SuppressionCause
from targetgroups.exceptions import NotAllowedNow
from targetgroups.models import Membership, RunOutcome, Subscriber, Suppression
from tests.support import truth
from tests.support.engine import raw_connection
from tests.targetgroups.views.conftest import Rows, rows  # noqa: F401 - a fixture

if TYPE_CHECKING:
    from tests.support.engine import Engine

GROUP, OTHER = "Current members", "All individuals"


@pytest.fixture
def mia(db: None) -> User:
    return get_user_model().objects.create_user("mia")


def test_r11_an_opt_out_here_and_its_end_are_recorded_with_who_and_why(rows: Rows, mia: User) -> None:  # noqa: F811
    ada = rows.member(rows.group(), "ada@lamps.example", "Ada")
    wishes.opt_out(ada, mia, "asked by phone")
    assert suppression.is_suppressed("ADA@lamps.example")
    assert not Membership.objects.mailable().exists()
    wishes.opt_in(ada, mia, "signed the form")
    assert not suppression.is_suppressed("ada@lamps.example")
    told = AuditEntry.objects.order_by("pk").values_list("actor_label", "action", "after__remote_id")
    assert list(told) == [("mia", "opt_out", ada.remote_id), ("mia", "opt_in", ada.remote_id)]
    row = Suppression.objects.get()
    assert (row.note, row.lifted_because) == ("here: asked by phone", "signed the form")
    assert not any(words in str(AuditEntry.objects.values()) for words in ("ada@", "phone", "form"))


def test_a_wish_without_a_reason_is_refused(rows: Rows, mia: User) -> None:  # noqa: F811
    ada = rows.member(rows.group(), "ada@lamps.example")
    with pytest.raises(NotAllowedNow, match="Say why"):
        wishes.opt_out(ada, mia, "  ")
    assert not Suppression.objects.exists()


def test_r1_opting_in_is_refused_while_member_suite_says_do_not_email(rows: Rows, mia: User) -> None:  # noqa: F811
    ada = rows.member(rows.group(), "", do_not_email_at=timezone.now())
    with pytest.raises(NotAllowedNow, match="Do Not Email = Yes"):
        wishes.opt_in(ada, mia, "wants mail")


def test_a_complaint_is_not_taken_back_here_and_neither_is_what_stands_beside_it(
    rows: Rows,  # noqa: F811
    mia: User,
) -> None:
    ada = rows.member(rows.group(), "ada@lamps.example")
    for cause in (SuppressionCause.OPT_OUT, SuppressionCause.COMPLAINT):
        suppression.suppress(ada.email, cause)
    with pytest.raises(NotAllowedNow, match="Complaint"):
        wishes.opt_in(ada, mia, "wants mail")
    assert Suppression.objects.in_force().count() == 2


def test_r1_who_is_erased_on_request_is_kept_nowhere_and_no_sync_stores_them_again(engine: Engine, mia: User) -> None:
    for name in (GROUP, OTHER):
        engine.sync(name)
    person = Subscriber.objects.filter(memberships__target_group=engine.group(GROUP)).order_by("pk")[0]
    engine.standin.set_address(person.remote_id, "fresh@lamps.example")
    engine.work(enqueue.request_person_check(person))
    person.refresh_from_db()
    last_name = person.last_name
    wishes.erase(person, mia)

    # The address is left in the suppression alone, the name nowhere.
    [kept] = Suppression.objects.in_force()
    assert (kept.address, kept.cause) == ("fresh@lamps.example", "erased")
    assert "fresh@" not in str(list(AuditEntry.objects.values())) and last_name not in str(kept.note)
    assert not RunOutcome.objects.filter(remote_key=person.remote_key, changes__isnull=False).exists()
    assert not Membership.objects.filter(subscriber=person).mailable().exists()

    # MemberSuite still has the record and says No.
    run = engine.sync(GROUP)
    erased = Subscriber.objects.get(pk=person.pk)
    assert (erased.email, erased.last_name, erased.attributes) == ("", "", {})
    assert person.remote_key not in engine.members(GROUP)
    assert run.figures["removed_by_reason"] == {"erased": 1}
    assert run.figures["members_after"] == run.figures["eligible"] == len(engine.members(GROUP))
    assert person.remote_key in engine.excluded(GROUP, "do_not_email")
    again = engine.sync(GROUP)
    assert (again.figures["added"], again.figures["removed"]) == (0, 0)
    assert "erased here on request" in engine.work(enqueue.request_person_check(person)).sentence
    assert Subscriber.objects.get(pk=person.pk).email == ""
    assert truth.leaks(raw_connection()) == []
    with pytest.raises(NotAllowedNow, match="already"):
        wishes.erase(person, mia)


def test_erasing_waits_for_no_sync_that_is_writing(engine: Engine, mia: User) -> None:
    import os

    import psycopg

    from targetgroups.sync import apply

    engine.sync(GROUP)
    person = Subscriber.objects.all()[0]
    with psycopg.connect(raw_connection().info.dsn, password=os.environ.get("PGPASSWORD")) as writing:
        writing.execute("SELECT pg_advisory_xact_lock(%s, %s)", [apply._LOCK_SPACE, person.bridge_id])
        with pytest.raises(NotAllowedNow, match="A sync is writing"):
            wishes.erase(person, mia)
    assert not Suppression.objects.exists()
