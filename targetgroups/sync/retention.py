"""The nightly clean-up, in bounded steps: what was kept for a while goes, figures stay for good (product section 2)."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from ..choices import FINAL, RunStatus
from ..models import Exclusion, RunOutcome, RunProgress, ScheduleFiring, SyncRequest
from . import stage

_STEP = 5_000
# Pages stop telling of a run's people when it is SYNC_OUTCOME_DAYS old: no row goes before that.
_LATER = timedelta(days=1)


def clean_up() -> None:
    """Delete what is older than SYNC_OUTCOME_DAYS, and stages that nobody owns.

    Each step is a transaction of its own: stopped at any moment, the next night goes on.
    """
    stage.sweep()
    old = timezone.now() - timedelta(days=settings.SYNC_OUTCOME_DAYS) - _LATER
    _delete_in_steps(_old_outcomes(old))
    _delete_in_steps(Exclusion.objects.filter(ended_at__lt=old))
    _delete_in_steps(_joined_requests(old))
    _delete_in_steps(ScheduleFiring.objects.filter(finished_at__lt=old))
    _delete_in_steps(RunProgress.objects.filter(run__finished_at__lt=old, run__status__in=FINAL))


def _old_outcomes(old: datetime) -> QuerySet[RunOutcome]:
    # Held runs keep their people until somebody decides.
    return RunOutcome.objects.filter(recorded_at__lt=old).exclude(run__status=RunStatus.HELD)


def _joined_requests(old: datetime) -> QuerySet[SyncRequest]:
    # Who started a run stays beside its figures; who joined it stays in the audit log.
    earlier = SyncRequest.objects.filter(run=OuterRef("run"), pk__lt=OuterRef("pk"))
    return SyncRequest.objects.filter(Exists(earlier), requested_at__lt=old, run__status__in=FINAL)


def _delete_in_steps(rows: QuerySet[Any]) -> None:
    last = 0
    while ids := list(rows.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:_STEP]):
        rows.model._default_manager.filter(pk__in=ids).delete()
        last = ids[-1]
