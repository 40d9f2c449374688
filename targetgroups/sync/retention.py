"""The nightly clean-up, in bounded steps: what was kept for a while goes, figures stay for good (product section 2)."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from ..choices import RunStatus
from ..models import Exclusion, RunOutcome
from . import stage

_STEP = 5_000


def clean_up() -> None:
    """Delete outcomes and ended exclusions older than SYNC_OUTCOME_DAYS, and stages that nobody owns."""
    stage.sweep()
    old = timezone.now() - timedelta(days=settings.SYNC_OUTCOME_DAYS)
    _delete_in_steps(_old_outcomes(old))
    _delete_in_steps(Exclusion.objects.filter(ended_at__lt=old))


def _old_outcomes(old: datetime) -> QuerySet[RunOutcome]:
    # Held runs keep their people until somebody decides.
    return RunOutcome.objects.filter(recorded_at__lt=old).exclude(run__status=RunStatus.HELD)


def _delete_in_steps(rows: QuerySet[Any]) -> None:
    while ids := list(rows.order_by("pk").values_list("pk", flat=True)[:_STEP]):
        rows.model._default_manager.filter(pk__in=ids).delete()
