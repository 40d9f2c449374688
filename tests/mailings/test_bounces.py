"""What providers tell, applied: once, in any order, to the right message, and never to a stranger."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from audit.models import AuditEntry
from mailings import bounces
from mailings.choices import EventKind
from mailings.models import EventCount, MailEvent, Mailing, Recipient
from mailings.querysets import MOST_TRIES
from mailings.send.render import message_id
from mailings.webhooks import Report
from targetgroups import suppression
from targetgroups.choices import SuppressionCause
from targetgroups.models import ReceivingCount, Suppression
from tests.support.post import Post
from thrive_sync.lib.steps import Step

ADA, BO = "Ada@lamps.example", "bo@lamps.example"
_NUMBER = iter(range(1_000_000))


def told(kind: EventKind, address: str = ADA, *, about: str = "", key: str = "", **fields: object) -> Report:
    values = {"said": "550 5.1.1 Nobody", "happened_at": timezone.now(), **fields}
    return Report(kind, key or f"event-{next(_NUMBER)}", address, about, **values)  # type: ignore[arg-type]


def tell(*reports: Report, provider: str = "postmark") -> None:
    bounces.keep(provider, reports)
    bounces.work()


def in_force() -> dict[str, str]:
    return dict(Suppression.objects.in_force().values_list("address_key", "cause"))


@pytest.fixture
def mailing(post: Post) -> Mailing:
    """A mailing that Ada and Bo were sent."""
    mailing = post.frozen(post.group(ADA, BO))
    post.work(mailing)
    return mailing


def send_another(post: Post, mailing: Mailing) -> Mailing:
    other = post.frozen(*[group.target_group for group in mailing.groups.all()])
    post.work(other)
    return other


def name_of(mailing: Mailing, address: str) -> str:
    recipient = Recipient.objects.get(mailing=mailing, email=address)
    return message_id(mailing, recipient.pk, settings.SITE_URL)


def test_a_hard_bounce_suppresses_at_once_and_the_report_still_adds_up(post: Post, mailing: Mailing) -> None:
    tell(told(EventKind.HARD_BOUNCE, said="550 5.1.1 No Ada here"))
    assert post.outcomes(mailing) == {ADA: "bounced 5.1.1", BO: "sent"}
    assert post.complaints(mailing) == []
    row = Suppression.objects.in_force().get()
    assert (row.address, row.cause, row.said, row.mailing_id) == (
        ADA,
        "hard_bounce",
        "550 5.1.1 No Ada here",
        mailing.pk,
    )
    assert row.added_by == "Postmark"
    entry = AuditEntry.objects.get(action="suppressed")
    assert (entry.actor_label, entry.object_id) == ("Postmark", str(row.pk))
    assert ADA not in str(entry.after)


def test_r15_groups_with_members_at_the_address_are_counted_again(post: Post, mailing: Mailing) -> None:
    group = mailing.groups.get().target_group
    ReceivingCount.objects.create(target_group=group, receiving_count=2, counted_at=timezone.now())
    tell(told(EventKind.COMPLAINT))
    assert ReceivingCount.objects.get(target_group=group).is_outdated


def test_a_complaint_suppresses_with_its_own_cause_and_the_message_stays_sent(post: Post, mailing: Mailing) -> None:
    tell(told(EventKind.COMPLAINT, said=""))
    assert in_force() == {ADA.lower(): "complaint"}
    assert post.outcomes(mailing) == {ADA: "sent", BO: "sent"}


def test_r11_who_opts_out_at_the_provider_has_opted_out(mailing: Mailing) -> None:
    tell(told(EventKind.OPT_OUT, said=""))
    assert in_force() == {ADA.lower(): "opt_out"}


def test_what_is_told_twice_is_applied_once(post: Post, mailing: Mailing) -> None:
    again = told(EventKind.HARD_BOUNCE, key="same")
    tell(again, again)
    tell(again)
    assert MailEvent.objects.count() == EventCount.objects.get().event_count == 1
    assert post.complaints(mailing) == []


def test_nothing_of_a_person_is_kept_with_an_applied_event(mailing: Mailing) -> None:
    tell(told(EventKind.HARD_BOUNCE), told(EventKind.COMPLAINT, "stranger@elsewhere.example"))
    assert not MailEvent.objects.exclude(told=None)


def test_a_stranger_is_counted_and_not_suppressed(mailing: Mailing) -> None:
    tell(told(EventKind.COMPLAINT, "stranger@elsewhere.example"))
    assert in_force() == {}
    assert EventCount.objects.get().effect == "unknown_address"


def test_a_known_address_that_was_never_mailed_is_suppressed(post: Post) -> None:
    post.person("cy@lamps.example")
    tell(told(EventKind.HARD_BOUNCE, "CY@lamps.example"))
    assert in_force() == {"cy@lamps.example": "hard_bounce"}


def test_our_own_message_id_finds_the_mailing_and_not_the_newest_one(post: Post, mailing: Mailing) -> None:
    other = send_another(post, mailing)
    tell(told(EventKind.HARD_BOUNCE, about=name_of(mailing, ADA)))
    assert post.outcomes(mailing)[ADA] == "bounced 5.1.1"
    assert post.outcomes(other)[ADA] == "sent"
    assert Suppression.objects.get().mailing_id == mailing.pk


def test_a_providers_own_id_leads_to_the_last_message_sent_before(post: Post, mailing: Mailing) -> None:
    other = send_another(post, mailing)
    tell(told(EventKind.HARD_BOUNCE, about="883953f4-6105-42a2-a16a-77a8eac79483"))
    assert (post.outcomes(mailing)[ADA], post.outcomes(other)[ADA]) == ("sent", "bounced 5.1.1")


def test_somebody_elses_message_changes_no_outcome_but_is_believed(post: Post, mailing: Mailing) -> None:
    tell(told(EventKind.HARD_BOUNCE, about="<invoice-7@shop.example>"))
    assert post.outcomes(mailing)[ADA] == "sent"
    assert in_force() == {ADA.lower(): "hard_bounce"}


def test_soft_bounces_of_so_many_mailings_suppress_and_those_of_one_mailing_count_once(
    post: Post, mailing: Mailing, settings: object
) -> None:
    settings.SOFT_BOUNCE_MAILINGS = 3  # type: ignore[attr-defined]
    soft = {"said": "452 4.2.2 Mailbox full"}
    tell(told(EventKind.SOFT_BOUNCE, **soft), told(EventKind.SOFT_BOUNCE, **soft))
    assert post.outcomes(mailing)[ADA] == "bounced 4.2.2"
    for expected in ({}, {ADA.lower(): "soft_bounces"}):
        other = send_another(post, mailing)
        tell(told(EventKind.SOFT_BOUNCE, about=name_of(other, ADA), **soft))
        assert in_force() == expected
    assert Suppression.objects.get().note == "3 mailings within 30 days"


def test_a_delivery_since_makes_soft_bounces_count_anew(post: Post, mailing: Mailing, settings: object) -> None:
    settings.SOFT_BOUNCE_MAILINGS = 2  # type: ignore[attr-defined]
    tell(told(EventKind.SOFT_BOUNCE))
    tell(told(EventKind.DELIVERED), told(EventKind.DELIVERED, BO))
    assert MailEvent.objects.filter(kind="delivered").count() == 1, "of others nothing is kept"
    send_another(post, mailing)
    tell(told(EventKind.SOFT_BOUNCE))
    assert in_force() == {}


def test_soft_bounces_of_long_ago_no_longer_count(post: Post, mailing: Mailing, settings: object) -> None:
    settings.SOFT_BOUNCE_MAILINGS = 2  # type: ignore[attr-defined]
    tell(told(EventKind.SOFT_BOUNCE))
    MailEvent.objects.update(happened_at=timezone.now() - timedelta(days=31))
    send_another(post, mailing)
    tell(told(EventKind.SOFT_BOUNCE))
    assert in_force() == {}


def test_r14_what_happened_before_a_suppression_was_lifted_does_not_bring_it_back(mailing: Mailing) -> None:
    before = timezone.now()
    tell(told(EventKind.HARD_BOUNCE))
    suppression.lift(ADA, SuppressionCause.HARD_BOUNCE)
    tell(told(EventKind.HARD_BOUNCE, happened_at=before))
    assert in_force() == {}
    assert EventCount.objects.filter(effect="outlived").exists()
    tell(told(EventKind.HARD_BOUNCE))
    assert in_force() == {ADA.lower(): "hard_bounce"}


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_delivery_and_the_bounce_after_it_come_in_any_order(
    post: Post, mailing: Mailing, order: tuple[int, int]
) -> None:
    now = timezone.now()
    reports = [
        told(EventKind.DELIVERED, happened_at=now - timedelta(seconds=5)),
        told(EventKind.HARD_BOUNCE, happened_at=now),
    ]
    for place in order:
        tell(reports[place])
    assert post.outcomes(mailing)[ADA] == "bounced 5.1.1"
    assert in_force() == {ADA.lower(): "hard_bounce"}


def test_what_the_provider_would_not_send_has_failed_and_suppresses_nobody(post: Post, mailing: Mailing) -> None:
    tell(told(EventKind.REJECTED, said="Account limit"))
    assert post.outcomes(mailing)[ADA] == "failed"
    assert (in_force(), post.complaints(mailing)) == ({}, [])


@pytest.mark.parametrize("kind", [EventKind.HARD_BOUNCE, EventKind.COMPLAINT, EventKind.OPT_OUT])
def test_r14_who_is_not_in_flight_yet_is_skipped_for_what_was_told_meanwhile(post: Post, kind: EventKind) -> None:
    mailing = post.frozen(post.group(ADA, BO))
    tell(told(kind))
    post.work(mailing)
    reason = kind.value
    assert post.outcomes(mailing) == {ADA: f"skipped {reason}", BO: "sent"}
    assert ADA not in post.sink.copies()
    assert post.complaints(mailing) == []


def test_an_event_that_cannot_be_applied_is_left_alone_after_some_tries(mailing: Mailing, monkeypatch) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError

    bounces.keep("postmark", [told(EventKind.HARD_BOUNCE)])
    with monkeypatch.context() as broken:
        broken.setattr(bounces, "_act", fails)
        for _ in range(MOST_TRIES):
            with pytest.raises(RuntimeError):
                bounces.work()
        assert bounces.work() is Step.DONE
    assert MailEvent.objects.get().tries == MOST_TRIES
    tell(told(EventKind.COMPLAINT, BO))
    assert in_force() == {BO: "complaint"}


# --- refused while it was sent


def test_nobody_there_is_a_hard_bounce_while_sending_and_suppresses_at_once(post: Post) -> None:
    post.sink.replies[ADA] = "550 5.1.1 No such user"
    mailing = post.frozen(post.group(ADA, BO))
    post.work(mailing)
    assert post.outcomes(mailing) == {ADA: "bounced 550", BO: "sent"}
    row = Suppression.objects.in_force().get()
    assert (row.cause, row.said, row.mailing_id, row.added_by) == (
        "hard_bounce", "5.1.1 No such user", mailing.pk, "mail server",
    )  # fmt: skip
    assert post.complaints(mailing) == []


@pytest.mark.parametrize(
    "reply",
    ["550 5.7.1 Blocked", "552 5.2.2 Mailbox full", "554 5.7.1 Relay access denied", "550 5.1.8 Bad sender",
     "550 5.1.1 User unknown in relay recipient table", "550 Spam"],
)  # fmt: skip
def test_policy_a_full_mailbox_and_our_own_side_suppress_nobody(post: Post, reply: str) -> None:
    post.sink.replies[ADA] = reply
    mailing = post.frozen(post.group(ADA))
    post.work(mailing)
    assert post.outcomes(mailing) == {ADA: f"failed {reply[:3]}"}
    assert in_force() == {}


def test_a_full_mailbox_while_sending_counts_as_a_soft_bounce(post: Post, settings: object) -> None:
    settings.SOFT_BOUNCE_MAILINGS = 2  # type: ignore[attr-defined]
    post.sink.replies[ADA] = "552 5.2.2 Mailbox full"
    group = post.group(ADA)
    for expected in ({}, {ADA.lower(): "soft_bounces"}):
        post.work(post.frozen(group))
        bounces.work()
        assert in_force() == expected
