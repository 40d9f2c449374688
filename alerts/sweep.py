"""What the clock asks for: look at how things stand, and tell what has changed. Nothing depends on a message."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Max, Min
from django.utils import timezone

from targetgroups.models import SyncRun

from . import conditions, delivery, events, letters, states
from .models import Alert, Swept

# A run may be written a moment after one with a higher number.
_LATE = timedelta(minutes=5)


def sweep() -> None:
    now = timezone.now()
    before = _swept(now)
    # Asked before anything is read: what ends meanwhile is looked at again.
    over = _last_run_that_is_over(now)
    states.bring_level(conditions.all_now(before.run_id, now), now)
    events.write_new(before.run_id, before.at)
    delivery.send_due()
    Swept.objects.filter(pk=before.pk, run_id__lte=over).update(run_id=over, at=now)


def clean_up() -> None:
    now = timezone.now()
    Alert.objects.filter(recovered_at__lt=now - timedelta(days=settings.ALERT_DAYS)).delete()
    letters.forget_old(now)
    delivery.forget_old(now)


def _swept(now: datetime) -> Swept:
    """Return how far the last sweep came; the first of all has nothing to tell of the past."""
    newest = SyncRun.objects.aggregate(newest=Max("pk"))["newest"] or 0
    return Swept.objects.get_or_create(pk=1, defaults={"run_id": newest, "at": now})[0]


def _last_run_that_is_over(now: datetime) -> int:
    """Return the run up to which nothing will change any more."""
    open_ones = SyncRun.objects.active().aggregate(first=Min("pk"))["first"]
    young = SyncRun.objects.filter(created_at__gt=now - _LATE).aggregate(first=Min("pk"))["first"]
    newest = SyncRun.objects.aggregate(newest=Max("pk"))["newest"] or 0
    return min(newest, *(first - 1 for first in (open_ones, young) if first is not None), newest)
