"""Mailings in every state, made without any worker: a page only reads."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from mailings.choices import GroupRole, LeftOutReason, MailingStatus, Outcome
from mailings.models import LeftOut, Mailing, MailingGroup, Recipient, Tally
from targetgroups.models import TargetGroup
from tests.targetgroups.views.conftest import Rows, SignIn, rows, sign_in, text_of
from thrive_sync.stack.mailbox import Mailbox

__all__ = ["Desk", "SignIn", "rows", "sign_in", "text_of"]
COMPLETE = {
    "name": "Spring letter",
    "from_name": "Society of Lamp Keepers",
    "from_email": "news@lamps.example",
    "subject": "Lamps in spring",
    "text": "Dear member,\nthe lamps are lit.",
}


class Desk:
    """Makes mailings with plain defaults; every name can be said otherwise."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows

    def mailing(self, *groups: TargetGroup, status: str = MailingStatus.DRAFT, **fields: Any) -> Mailing:
        mailing = Mailing.objects.create(**{**COMPLETE, "status": status, **fields})
        for group in groups:
            MailingGroup.objects.create(mailing=mailing, target_group=group, role=GroupRole.TO)
        return mailing

    def frozen(self, group: TargetGroup, status: str = MailingStatus.SENT, **outcomes: int) -> Mailing:
        """Make a mailing with so many recipients of each outcome, and two members who were left out."""
        now = timezone.now()
        times = {"moment_at": now, "frozen_at": now, "started_at": now}
        times |= {} if status in (MailingStatus.SENDING, MailingStatus.PAUSED) else {"finished_at": now}
        mailing = self.mailing(group, status=status, **times)
        tally: Counter[tuple[str, str]] = Counter()
        for outcome, count in outcomes.items():
            for number in range(count):
                self._recipient(mailing, group, outcome, number)
                tally[outcome, LeftOutReason.OPT_OUT if outcome == Outcome.SKIPPED else ""] += 1
        for reason in (LeftOutReason.OPT_OUT, LeftOutReason.SHARED_ADDRESS):
            person = self.rows.member(group, f"{reason}@example.org", "Left", "Out")
            ids = {"subscriber": person, "target_group": group, "remote_id": person.remote_id}
            LeftOut.objects.create(mailing=mailing, reason=reason, **ids)
            tally["left_out", reason] += 1
        for (kind, reason), count in tally.items():
            Tally.objects.create(mailing=mailing, kind=kind, reason=reason, people_count=count)
        return mailing

    def _recipient(self, mailing: Mailing, group: TargetGroup, outcome: str, number: int) -> Recipient:
        email = f"{outcome}{number:02}@example.org"
        person = self.rows.member(group, email, "Ada", f"Lamp{number}")
        return Recipient.objects.create(
            mailing=mailing,
            subscriber=person,
            target_group=group,
            remote_id=person.remote_id,
            email=email,
            address_key=email,
            first_name="Ada",
            last_name=f"Lamp{number}",
            outcome=outcome,
            reason=LeftOutReason.OPT_OUT if outcome == Outcome.SKIPPED else "",
            settled_at=timezone.now() if outcome in (Outcome.SENT, Outcome.SKIPPED) else None,
        )


@pytest.fixture
def desk(rows: Rows) -> Desk:
    return Desk(rows)


@pytest.fixture
def mailbox(tmp_path: Path, settings: Any) -> Mailbox:
    """The demo's mail sink, with whatever a test lets it keep."""
    settings.MAIL_SINK_DIR = str(tmp_path / "mail")
    box = Mailbox(tmp_path / "mail")
    box.open()
    return box
