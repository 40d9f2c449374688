"""What this room hears of the one below it: a sync that ended may be the one a mailing waits for.

The sweep is the guarantee, this the shortcut.
"""

from typing import Any

from django.dispatch import receiver

from targetgroups.models import SyncRun
from targetgroups.signals import sync_finished

from .enqueue import wake_mailing
from .models import Mailing


@receiver(sync_finished)
def wake_waiting_mailings(sender: type[SyncRun], run: SyncRun, **_kwargs: Any) -> None:
    for mailing_id in Mailing.objects.waiting_for(run.pk).hurry():
        wake_mailing(mailing_id)
