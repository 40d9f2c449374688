"""Drive mailings as people and workers do, in the test's own process: real database, real SMTP to the sink."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from django.db.models.functions import TruncMinute
from django.utils import timezone

from mailings import enqueue
from mailings.choices import GroupRole, MailingStatus
from mailings.models import LeftOut, Mailing, MinuteTally, Recipient, Tally
from mailings.querysets import figures_of
from mailings.send import freeze, pipeline
from mailings.send.turn import Turn
from targetgroups.models import Bridge, Folder, Membership, Subscriber, SyncRun, TargetGroup
from targetgroups.sync import pipeline as sync_pipeline
from thrive_sync.lib.addresses import address_key
from thrive_sync.lib.steps import Step

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.support.sink import Sink

MOST_STEPS = 50


class Post:
    """A bridge's groups, and verbs for what happens to their mailings."""

    def __init__(self, bridge: Bridge, sink: Sink) -> None:
        self.bridge = bridge
        self.sink = sink

    # --- people and groups, without a sync

    def group(self, *addresses: str, name: str = "Lamp keepers") -> TargetGroup:
        """Make a group of new people with these addresses."""
        now = timezone.now()
        group = TargetGroup.objects.create(
            bridge=self.bridge,
            folder=Folder.objects.get(name=Folder.MEMBERSUITE),
            search_id=f"search-{name}",
            search_key=f"search-{name}".lower(),
            name=name,
            read_at=now,
        )
        self.join(group, [self.person(address) for address in addresses])
        return group

    def person(self, address: str, **fields: Any) -> Subscriber:
        now = timezone.now()
        number = Subscriber.objects.count() + 1
        return Subscriber.objects.create(
            **{
                "bridge": self.bridge,
                "remote_id": f"P-{number:06}",
                "remote_key": f"p-{number:06}",
                "email": address,
                "address_key": address_key(address),
                "first_name": "Ada",
                "last_name": f"Keeper {number}",
                "sort_email": address.lower(),
                "sort_name": f"keeper {number} ada",
                "seen_at": now,
                "created_at": now,
                "changed_at": now,
                **fields,
            }
        )

    def join(self, group: TargetGroup, people: Iterable[Subscriber]) -> None:
        Membership.objects.bulk_create(
            Membership(
                target_group=group,
                subscriber=person,
                sort_email=person.sort_email,
                sort_name=person.sort_name,
                added_run_id=0,
                subscribed_at=timezone.now(),
            )
            for person in people
        )

    # --- mailings

    def mailing(self, *to: TargetGroup, not_to: Sequence[TargetGroup] = (), **fields: Any) -> Mailing:
        """Write a mailing that could be sent."""
        mailing = enqueue.create_mailing(None)
        values = {
            "name": "Spring letter",
            "from_name": "Society of Lamp Keepers",
            "from_email": "letters@lamps.example",
            "subject": "The lamps are lit",
            "text": "Dear keeper,\n\nthe lamps are lit.\n",
            **fields,
        }
        ids, not_to_ids = [group.pk for group in to], [group.pk for group in not_to]
        return enqueue.save_mailing(mailing, values, ids, None, version=1, not_to_ids=not_to_ids)

    def frozen(self, *to: TargetGroup, not_to: Sequence[TargetGroup] = (), **fields: Any) -> Mailing:
        """Give a mailing whose recipients are fixed, as they are after the resync of its groups."""
        return self.freeze(self.mailing(*to, not_to=not_to, **fields))

    def freeze(self, mailing: Mailing) -> Mailing:
        """Fix the recipients of a mailing as the pipeline does after the resync of its groups."""
        Mailing.objects.filter(pk=mailing.pk).update(status=MailingStatus.RESYNCING, moment_at=timezone.now())
        mailing.refresh_from_db()
        turn = Turn(mailing.pk)
        assert turn.take()
        freeze.freeze(mailing, turn)
        turn.release()
        mailing.refresh_from_db()
        return mailing

    def work(self, mailing: Mailing) -> Step:
        """Do what workers would do now with a mailing, and read it again."""
        for _ in range(MOST_STEPS):
            step = pipeline.advance(mailing.pk)
            mailing.refresh_from_db()
            if step is not Step.AGAIN:
                return step
        raise AssertionError(f"the mailing is still not over: {mailing.status}")

    def sync(self) -> None:
        """Do every sync that waits."""
        for pk in SyncRun.objects.filter(status="waiting").values_list("pk", flat=True):
            sync_pipeline.perform(pk)

    def send(self, mailing: Mailing) -> Mailing:
        """Send a mailing as people and workers do, to its end."""
        enqueue.request_send(mailing, None)
        self.work(mailing)
        self.sync()
        self.work(mailing)
        return mailing

    def pause_after_freeze(self, mailing: Mailing) -> None:
        """Fix the recipients of a mailing whose syncs are over, and pause it before anybody gets it."""
        assert pipeline.advance(mailing.pk) is Step.AGAIN
        enqueue.request_pause(mailing, None)
        assert mailing.is_frozen

    def hurry(self, mailing: Mailing) -> None:
        """Let all that waits for a time be due."""
        now = timezone.now()
        Recipient.objects.filter(mailing=mailing, due_at__isnull=False).update(due_at=now)
        Mailing.objects.filter(pk=mailing.pk).update(due_at=None)

    # --- what is true now

    def outcomes(self, mailing: Mailing) -> dict[str, str]:
        """Give each recipient's outcome by address, with its reason."""
        rows = Recipient.objects.filter(mailing=mailing).values_list("email", "outcome", "reason")
        return {email: f"{outcome} {reason}".strip() for email, outcome, reason in rows}

    def left_out(self, mailing: Mailing) -> dict[str, str]:
        rows = LeftOut.objects.filter(mailing=mailing).values_list("subscriber__email", "reason")
        return dict(rows)

    def complaints(self, mailing: Mailing) -> list[str]:
        """Say in words where the tally and the people do not agree, and who got two copies (R13, R15)."""
        recipients = Recipient.objects.filter(mailing=mailing).values_list("outcome", "reason")
        counted = Counter((outcome, reason if outcome == "skipped" else "") for outcome, reason in recipients)
        counted.update(("left_out", reason) for reason in left_out_reasons(mailing))
        told = {
            (tally.kind, tally.reason): tally.people_count
            for tally in Tally.objects.filter(mailing=mailing, people_count__gt=0)
        }
        found = [] if told == dict(counted) else [f"the tally says {told}, but it is {dict(counted)}"]
        settled = Recipient.objects.filter(mailing=mailing, settled_at__isnull=False)
        minutes = Counter(settled.annotate(minute=TruncMinute("settled_at")).values_list("minute", "outcome"))
        charted = {
            (one.minute, one.outcome): one.people_count
            for one in MinuteTally.objects.filter(mailing=mailing).exclude(people_count=0)
        }
        if charted != dict(minutes):
            found.append(f"minute by minute the tally says {charted}, but it is {dict(minutes)}")
        members = Membership.objects.filter(
            target_group__mailing_groups__mailing=mailing, target_group__mailing_groups__role=GroupRole.TO
        )
        people = members.values("subscriber").distinct().count()
        figures = figures_of(mailing)
        if people != figures["total"] + figures["left_out_total"]:
            found.append(
                f"{people} members are not {figures['total']} recipients and {figures['left_out_total']} left out"
            )
        return found + [f"{address} got {count} copies" for address, count in self.sink.copies().items() if count > 1]


def left_out_reasons(mailing: Mailing) -> Iterable[str]:
    return LeftOut.objects.filter(mailing=mailing).values_list("reason", flat=True)
