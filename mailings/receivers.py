"""What this room hears of and tells the one below it.

A sync that ended may be the one a mailing waits for: the sweep is the guarantee, this the shortcut. And a group that an
unfinished mailing uses is not to be deleted.
"""

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from django.dispatch import receiver

from targetgroups.models import SyncRun
from targetgroups.signals import sync_finished
from targetgroups.uses import tells_uses

from .choices import FINAL, MailingStatus
from .enqueue import wake_mailing
from .models import Mailing, MailingGroup


@receiver(sync_finished)
def wake_waiting_mailings(sender: type[SyncRun], run: SyncRun, **_kwargs: Any) -> None:
    for mailing_id in Mailing.objects.waiting_for(run.pk).hurry():
        wake_mailing(mailing_id)


@tells_uses
def unfinished_mailings_of(group_ids: Collection[int]) -> dict[int, list[str]]:
    """Return the mailings that still need these groups, to send to or not to send to, the newest first."""
    uses = MailingGroup.objects.filter(target_group__in=group_ids).exclude(mailing__status__in=FINAL)
    names: defaultdict[int, list[str]] = defaultdict(list)
    rows = uses.order_by("-mailing_id").values_list("target_group_id", "mailing__name", "mailing__status")
    for group_id, name, status in rows:
        names[group_id].append(f"the mailing “{name}” ({MailingStatus(status).label})")
    return names
