"""The figures of mailings for whoever watches."""

from __future__ import annotations

from django.db.models import Count, Sum

from .models import Mailing
from .models.recipient import Tally


def by_status() -> dict[str, int]:
    """Return how many mailings are in which status."""
    found = Mailing.objects.order_by().values("status").annotate(count=Count("pk"))
    return {row["status"]: row["count"] for row in found}


def by_outcome() -> dict[str, int]:
    """Return how many recipients of all mailings have which outcome, from the tallies."""
    found = Tally.objects.exclude(kind=Tally.LEFT_OUT).order_by().values("kind").annotate(people=Sum("people_count"))
    return {row["kind"]: row["people"] for row in found}
