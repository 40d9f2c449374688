"""Named reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from .choices import SENDABLE, MailingStatus

if TYPE_CHECKING:
    from .models import Mailing, Recipient  # noqa: F401 - named in base classes alone


class MailingQuerySet(models.QuerySet["Mailing"]):
    def wanting_work(self) -> Self:
        """Mailings that a worker should advance now and none does."""
        is_due = Q(due_at__isnull=True) | Q(due_at__lte=Now())
        has_come = Q(status=MailingStatus.SCHEDULED) & (Q(scheduled_for__isnull=True) | Q(scheduled_for__lte=Now()))
        is_under_way = Q(status__in=(MailingStatus.RESYNCING, MailingStatus.SENDING)) & is_due
        return self.filter(has_come | is_under_way).filter(Q(worker_until__isnull=True) | Q(worker_until__lt=Now()))


class RecipientQuerySet(models.QuerySet["Recipient"]):
    def sendable(self) -> Self:
        """Recipients that may be leased now."""
        return self.filter(Q(due_at__isnull=True) | Q(due_at__lte=Now()), outcome__in=SENDABLE)
