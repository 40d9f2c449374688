"""Admin > Webhooks: which programs are told of what, and how the telling went."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext, pgettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.decorators import requires
from accounts.models import User
from accounts.permissions import MANAGE_SETTINGS
from accounts.views.asking import whole

from .. import webhooks as service
from ..choices import TEST, DeliveryState, Event
from ..forms import WebhookForm
from ..models import Delivery, Webhook
from .looks import DELIVERY_LOOKS

PAGE = 50


@requires(MANAGE_SETTINGS)
@require_GET
def webhooks(request: HttpRequest) -> HttpResponse:
    return _list(request, WebhookForm())


@never_cache
@requires(MANAGE_SETTINGS)
@require_POST
def create(request: HttpRequest) -> HttpResponse:
    """Make a webhook and show its secret this once, on the answer itself: no session and no address holds it."""
    form = WebhookForm(request.POST)
    if not form.is_valid():
        return _list(request, form)
    hook, secret = service.create(cast(User, request.user), **form.cleaned_data)
    return _page(request, hook, secret=secret)


@requires(MANAGE_SETTINGS)
@require_GET
def webhook(request: HttpRequest, webhook_id: int) -> HttpResponse:
    return _page(request, get_object_or_404(Webhook, pk=webhook_id))


@requires(MANAGE_SETTINGS)
@require_POST
def change(request: HttpRequest, webhook_id: int) -> HttpResponse:
    hook, form = get_object_or_404(Webhook, pk=webhook_id), WebhookForm(request.POST)
    if not form.is_valid():
        return _page(request, hook, form=form)
    service.change(cast(User, request.user), hook, **form.cleaned_data)
    messages.success(request, gettext("The webhook was saved."))
    return redirect("alerts:webhook", hook.pk)


@never_cache
@requires(MANAGE_SETTINGS)
@require_POST
def rotate(request: HttpRequest, webhook_id: int) -> HttpResponse:
    hook = get_object_or_404(Webhook, pk=webhook_id)
    secret = service.rotate(cast(User, request.user), hook)
    hook.refresh_from_db()
    return _page(request, hook, secret=secret)


@requires(MANAGE_SETTINGS)
@require_POST
def switch(request: HttpRequest, webhook_id: int) -> HttpResponse:
    hook, on = get_object_or_404(Webhook, pk=webhook_id), request.POST.get("to") == "on"
    service.switch(cast(User, request.user), hook, on=on)
    said = gettext("“%(name)s” is on.") if on else gettext("“%(name)s” is off: it is told nothing.")
    messages.success(request, said % {"name": hook.name})
    return redirect("alerts:webhook", hook.pk)


@requires(MANAGE_SETTINGS)
@require_POST
def remove(request: HttpRequest, webhook_id: int) -> HttpResponse:
    hook = get_object_or_404(Webhook, pk=webhook_id)
    service.remove(cast(User, request.user), hook)
    messages.success(request, gettext("“%(name)s” was removed, and its log with it.") % {"name": hook.name})
    return redirect("alerts:webhooks")


@requires(MANAGE_SETTINGS)
@require_POST
def send_test(request: HttpRequest, webhook_id: int) -> HttpResponse:
    hook = get_object_or_404(Webhook, pk=webhook_id)
    if hook.is_on:
        service.request_test(cast(User, request.user), hook)
        messages.success(request, gettext("A test event is on its way; the log below says what became of it."))
    else:
        messages.info(request, gettext("It is off, so nothing is sent. Switch it on first."))
    return redirect("alerts:webhook", hook.pk)


@requires(MANAGE_SETTINGS)
@require_POST
def try_again(request: HttpRequest, delivery_id: int) -> HttpResponse:
    delivery = get_object_or_404(Delivery.objects.select_related("webhook"), pk=delivery_id)
    if not delivery.webhook.is_on:
        messages.info(request, gettext("It is off, so nothing is sent. Switch it on first."))
    elif service.request_again(cast(User, request.user), delivery):
        messages.success(request, gettext("It is tried again now."))
    else:
        messages.info(request, gettext("It was delivered already."))
    return redirect("alerts:webhook", delivery.webhook_id)


def _list(request: HttpRequest, form: WebhookForm) -> HttpResponse:
    lines = [{"hook": hook, "chip": _chip(hook), "count": len(hook.events)} for hook in Webhook.objects.all()]
    context = {"lines": lines, "form": form}
    return render(request, "alerts/webhooks.html", context, status=422 if form.errors else 200)


def _page(request: HttpRequest, hook: Webhook, form: WebhookForm | None = None, secret: str = "") -> HttpResponse:
    before = whole(request, "before")
    log = Delivery.objects.filter(webhook=hook).order_by("-id")
    rows = list((log.filter(pk__lt=before) if before else log)[: PAGE + 1])
    stored = {"name": hook.name, "address": hook.address, "events": hook.events}
    is_rotating = hook.old_secret_until is not None and hook.old_secret_until > timezone.now()
    context: dict[str, Any] = {
        "hook": hook,
        "chip": _chip(hook),
        "form": form or WebhookForm(initial=stored),
        "secret": secret,
        "old_until": hook.old_secret_until if is_rotating else None,
        "log": [_line(delivery) for delivery in rows[:PAGE]],
        "older": rows[PAGE - 1].pk if len(rows) > PAGE else None,
        "is_first": not before,
    }
    return render(request, "alerts/webhook.html", context, status=422 if form and form.errors else 200)


def _chip(hook: Webhook) -> tuple[str, str, str]:
    if not hook.is_on:
        return (
            ("bad", "x-circle-fill", gettext("Switched off"))
            if hook.off_at
            else ("quiet", "slash-circle", gettext("Off"))
        )
    if hook.failing_since:
        return "warn", "exclamation-triangle-fill", gettext("Failing")
    return "ok", "check-circle-fill", gettext("On")


def _line(delivery: Delivery) -> dict[str, Any]:
    state = DeliveryState(delivery.state)
    word = gettext("Trying again") if state == DeliveryState.WAITING and delivery.tries else state.label
    told = {TEST: pgettext("event", "Test"), **dict(Event.choices)}.get(delivery.event, delivery.event)
    tries = delivery.past_tries[::-1]
    # A single one stands in the line itself, unless something else became of it since.
    shown = tries if len(tries) > 1 or (tries and tries[0].problem != delivery.problem) else []
    return {"delivery": delivery, "look": DELIVERY_LOOKS[state], "word": word, "told": told, "tries": shown}
