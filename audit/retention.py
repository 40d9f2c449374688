"""The only way by which entries ever go: those older than AUDIT_DAYS, at night, in bounded steps."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from audit.models import AuditEntry

STEP = 5_000
# The triggers refuse to forget anything younger, whatever AUDIT_DAYS says.
LEAST_DAYS = 30


def forget_old() -> int:
    """Delete what is older than AUDIT_DAYS; return how many entries went. 0 days: everything is kept for good."""
    if not settings.AUDIT_DAYS:
        return 0
    before, forgotten = timezone.now() - timedelta(days=max(settings.AUDIT_DAYS, LEAST_DAYS)), 0
    old = AuditEntry.objects.filter(at__lt=before).order_by("at", "id").values("pk")
    while True:
        with transaction.atomic():
            _open_until_commit(before.isoformat())
            count, _ = AuditEntry.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:STEP])).delete()
        forgotten += count
        if count < STEP:
            return forgotten


def _open_until_commit(before: str) -> None:
    """Let this transaction, and no other, delete entries from before this time."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('thrive_sync.forget_audit_before', %s, true)", [before])
