"""Admin > Mail Providers: what each provider's webhook told and when, and what was refused as not signed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from accounts.decorators import requires
from accounts.permissions import VIEW_BRIDGE

from ..choices import EventEffect, EventKind
from ..models import EventCount, RefusedEvents
from ..webhooks import PROVIDERS, Provider


@dataclass(frozen=True)
class Told:
    """One kind of event that a provider told: how often, when last, and of how many addresses nobody here has."""

    label: str
    count: int
    of_nobody: int
    last_at: datetime


@dataclass(frozen=True)
class Line:
    provider: Provider
    address: str
    told: Sequence[Told]
    refused: RefusedEvents | None

    @property
    def last_at(self) -> datetime | None:
        return max((one.last_at for one in self.told), default=None)


@requires(VIEW_BRIDGE)
@require_GET
def mail_providers(request: HttpRequest) -> HttpResponse:
    """Show every provider that is set up, told something, or was refused; the tables have a few rows each."""
    told: dict[str, list[EventCount]] = {}
    for count in EventCount.objects.all():
        told.setdefault(count.provider, []).append(count)
    refused = {row.provider: row for row in RefusedEvents.objects.all()}
    lines, others = [], []
    for word, provider in PROVIDERS.items():
        if provider.is_set_up or word in told or word in refused:
            lines.append(Line(provider, _address(provider), _by_kind(told.get(word, [])), refused.get(word)))
        else:
            others.append(provider.label)
    return render(request, "mailings/providers.html", {"lines": lines, "others": others})


def _address(provider: Provider) -> str:
    return settings.SITE_URL + reverse("mailings:mail_events", args=[provider.word])


def _by_kind(counts: Sequence[EventCount]) -> list[Told]:
    found = []
    for kind in EventKind:
        of_kind = [count for count in counts if count.kind == kind]
        if of_kind:
            of_nobody = [count.event_count for count in of_kind if count.effect == EventEffect.UNKNOWN_ADDRESS]
            every = sum(count.event_count for count in of_kind)
            found.append(Told(str(kind.label), every, sum(of_nobody), max(count.last_at for count in of_kind)))
    return found
