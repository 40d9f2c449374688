"""What mail providers tell of messages, read from their webhooks by django-anymail: signed or not at all.

A provider's address exists while its secret is set: the shared user name and password of MAIL_WEBHOOK_SECRET, or the
provider's own key, with which it signs. Nothing here stores anything, or logs what came.
"""

from __future__ import annotations

import functools
import hashlib
import json
import logging
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from anymail.exceptions import AnymailWebhookValidationFailure
from anymail.signals import AnymailTrackingEvent, EventType, RejectReason
from anymail.webhooks.amazon_ses import AmazonSESTrackingWebhookView
from anymail.webhooks.base import AnymailBasicAuthMixin, AnymailCoreWebhookView
from anymail.webhooks.brevo import BrevoTrackingWebhookView
from anymail.webhooks.mailersend import MailerSendTrackingWebhookView
from anymail.webhooks.mailgun import MailgunTrackingWebhookView
from anymail.webhooks.mailjet import MailjetTrackingWebhookView
from anymail.webhooks.mandrill import MandrillCombinedWebhookView
from anymail.webhooks.postmark import PostmarkTrackingWebhookView
from anymail.webhooks.sendgrid import SendGridTrackingWebhookView
from anymail.webhooks.sparkpost import SparkPostTrackingWebhookView
from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from .choices import EventKind
from .refusals import is_no_hard_bounce, is_nobody_there

log = logging.getLogger(__name__)

_LONGEST_SAID = 500
_LONGEST_ADDRESS = 320
_LONGEST_MESSAGE_ID = 500


class NotSigned(Exception):
    """The request does not prove that it comes from the provider."""


class NotReadable(Exception):
    """The body is not what this provider sends."""


@dataclass(frozen=True)
class Report:
    """One thing that a provider told of one message; `key` is the same when it is told again."""

    kind: EventKind
    key: str
    address: str
    message_id: str
    said: str
    happened_at: datetime


@dataclass(frozen=True)
class Provider:
    """A provider whose webhook we read.

    Attributes:
        view: of django-anymail: checks the signature, and reads the body.
        own_key: its setting in ANYMAIL, with which it signs; empty: it has none, the shared secret is all.
        needs_own_key: the shared secret is not enough.
        is_hard: says of its own account of a bounce whether it is a hard one; None: it does not tell.
    """

    word: str
    label: str
    view: type[AnymailCoreWebhookView]
    is_hard: Callable[[Mapping[str, Any]], bool | None]
    own_key: str = ""
    needs_own_key: bool = False

    @property
    def is_set_up(self) -> bool:
        has_own = bool(self.own_key and settings.ANYMAIL.get(self.own_key))
        return has_own or (bool(settings.ANYMAIL.get("WEBHOOK_SECRET")) and not self.needs_own_key)


class _Mandrill(MandrillCombinedWebhookView):
    """Without inbound mail, of which django-anymail's view would remember that it came."""

    def esp_to_anymail_event(self, esp_event: dict[str, Any]) -> Any:
        return self.mandrill_tracking_to_anymail_event(esp_event)


class _AmazonSES(AmazonSESTrackingWebhookView):
    """As django-anymail reads it, but without Amazon's own client, which would only confirm the subscription."""

    def __init__(self, **kwargs: Any) -> None:
        self.auto_confirm_enabled = False
        AnymailBasicAuthMixin.__init__(self, **kwargs)

    def auto_confirm_sns_subscription(self, sns_message: dict[str, Any]) -> None:
        """Let whoever sets it up confirm it: the address to open stands in the log."""
        address = str(sns_message.get("SubscribeURL", ""))
        host = urlsplit(address).hostname or ""
        if address.startswith("https://") and host.startswith("sns.") and host.endswith(".amazonaws.com"):
            log.warning("Amazon SNS asks to confirm its subscription to this webhook: open %s", address)


def _inner(event: Mapping[str, Any], *names: str) -> Any:
    found: Any = event
    for name in names:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _one_of(hard: Iterable[str], soft: Iterable[str], *names: str) -> Callable[[Mapping[str, Any]], bool | None]:
    """Tell hard from soft by a word of the provider's."""
    words = dict.fromkeys(soft, False) | dict.fromkeys(hard, True)
    return lambda event: words.get(str(_inner(event, *names)))


PROVIDERS = {
    one.word: one
    for one in (
        Provider(
            "amazon_ses",
            "Amazon SES",
            _AmazonSES,
            _one_of(["Permanent"], ["Transient", "Undetermined"], "bounce", "bounceType"),
        ),
        Provider("brevo", "Brevo", BrevoTrackingWebhookView, _one_of(["hard_bounce"], ["soft_bounce"], "event")),
        Provider(
            "mailersend",
            "MailerSend",
            MailerSendTrackingWebhookView,
            _one_of(["activity.hard_bounced"], ["activity.soft_bounced"], "type"),
            own_key="MAILERSEND_SIGNING_SECRET",
            needs_own_key=True,
        ),
        Provider(
            "mailgun",
            "Mailgun",
            MailgunTrackingWebhookView,
            _one_of(["bounce", "suppress-bounce"], ["generic", "old", "espblock"], "event-data", "reason"),
            own_key="MAILGUN_WEBHOOK_SIGNING_KEY",
            needs_own_key=True,
        ),
        Provider("mailjet", "Mailjet", MailjetTrackingWebhookView, _one_of(["True"], ["False"], "hard_bounce")),
        Provider(
            "mandrill",
            "Mandrill",
            _Mandrill,
            _one_of(["hard_bounce"], ["soft_bounce"], "event"),
            own_key="MANDRILL_WEBHOOK_KEY",
            needs_own_key=True,
        ),
        Provider("postmark", "Postmark", PostmarkTrackingWebhookView, _one_of(["HardBounce"], ["SoftBounce"], "Type")),
        Provider(
            "sendgrid",
            "SendGrid",
            SendGridTrackingWebhookView,
            _one_of(["bounce"], ["blocked"], "type"),
            own_key="SENDGRID_TRACKING_WEBHOOK_VERIFICATION_KEY",
        ),
        Provider(
            "sparkpost",
            "SparkPost",
            SparkPostTrackingWebhookView,
            _one_of(["10", "30", "90"], ["20", "21", "22", "23", "24", "40", "60", "70", "100"],
                    "msys", "message_event", "bounce_class"),
        ),
    )
}  # fmt: skip


def provider_of(word: str) -> Provider | None:
    """Find a provider whose secret is set; None: nothing is there for it."""
    found = PROVIDERS.get(word)
    return found if found is not None and found.is_set_up else None


def read(provider: Provider, request: HttpRequest) -> tuple[list[Report], int]:
    """Read a webhook: what it tells of bounces, complaints and opt-outs, and how many events were not readable.

    Raises NotSigned, and NotReadable if nothing of the body is.
    """
    view = _view(provider.word, json.dumps(settings.ANYMAIL, sort_keys=True))
    try:
        view.run_validators(request)
    except AnymailWebhookValidationFailure:
        raise NotSigned from None
    except Exception:
        raise NotReadable from None
    reports, unreadable_count = [], 0
    for event in _events(view, request):
        try:
            report = _report(provider, event) if event is not None else None
        except Exception:
            event = report = None
        unreadable_count += event is None
        if report is not None:
            reports.append(report)
    return reports, unreadable_count


@functools.lru_cache(maxsize=32)
def _view(word: str, _settings: str) -> AnymailCoreWebhookView:
    """Make a provider's view, which keeps nothing of a request; once for the settings that it reads."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SendGrid's is no longer looked after there; the tests here do
        return PROVIDERS[word].view()


def _events(view: Any, request: HttpRequest) -> list[Any]:
    """Read the events; of a list with one that is not readable the others, with None in its place."""
    try:
        return list(view.parse_events(request))
    except Exception as error:  # whatever django-anymail says to what no provider sends
        log.info("a webhook could not be read at once (%s)", type(error).__name__)
    try:
        body = json.loads(request.body)
    except ValueError:
        raise NotReadable from None
    if not isinstance(body, list) or not body:
        raise NotReadable
    events = [_event(view, one) for one in body]
    if not any(events):
        raise NotReadable
    return events


def _event(view: Any, told: Any) -> Any:
    try:
        if isinstance(view, SparkPostTrackingWebhookView):
            return view.esp_to_anymail_event(*view.unwrap_event(told))
        return view.esp_to_anymail_event(told)
    except Exception:
        return None


def _report(provider: Provider, event: Any) -> Report | None:
    """Put an event in our words; None: it tells nothing that changes anything here."""
    if not isinstance(event, AnymailTrackingEvent):
        return None
    address = str(event.recipient or "").strip().strip("<>").replace("\x00", "")[:_LONGEST_ADDRESS]
    # What a mailbox said, and what the provider makes of it.
    words = " ".join(str(event.mta_response or event.description or "").replace("\x00", "").split())
    kind = _kind(provider, event, words)
    if kind is None or "@" not in address:
        return None
    return Report(
        kind,
        _key(provider, event, kind, address),
        address,
        str(event.message_id or "").strip().replace("\x00", "")[:_LONGEST_MESSAGE_ID],
        words[:_LONGEST_SAID],
        _not_to_come(event.timestamp),
    )


def _not_to_come(at: datetime | None) -> datetime:
    now = timezone.now()
    if at is None:
        return now
    return min(at if timezone.is_aware(at) else at.replace(tzinfo=UTC), now)


_KINDS = {
    EventType.COMPLAINED: EventKind.COMPLAINT,
    EventType.UNSUBSCRIBED: EventKind.OPT_OUT,
    EventType.DELIVERED: EventKind.DELIVERED,
}
# Why a provider would not even try: what it remembers of the address is as good as told now.
_REJECTED = {
    RejectReason.INVALID: EventKind.HARD_BOUNCE,
    RejectReason.BOUNCED: EventKind.HARD_BOUNCE,
    RejectReason.SPAM: EventKind.COMPLAINT,
    RejectReason.UNSUBSCRIBED: EventKind.OPT_OUT,
}


def _kind(provider: Provider, event: AnymailTrackingEvent, words: str) -> EventKind | None:
    if event.event_type == EventType.REJECTED:
        return _REJECTED.get(event.reject_reason, EventKind.REJECTED)
    if event.event_type == EventType.BOUNCED:
        is_hard = provider.is_hard(event.esp_event)
        if is_hard is None:
            is_hard = is_nobody_there("5", words)
        return EventKind.HARD_BOUNCE if is_hard and not is_no_hard_bounce(words) else EventKind.SOFT_BOUNCE
    return _KINDS.get(event.event_type)


def _key(provider: Provider, event: AnymailTrackingEvent, kind: EventKind, address: str) -> str:
    """Name an event, so that told twice it is one: by the provider's own ID, or by all that it says."""
    own = event.event_id
    if provider.word == "mailgun":  # its "ID" is the signature's, which another try may make anew
        own = _inner(event.esp_event, "event-data", "id")
    if not own:
        esp_event = event.esp_event
        own = json.dumps(esp_event if isinstance(esp_event, dict) else dict(esp_event), sort_keys=True, default=str)
    parts = (provider.word, str(kind), address.lower(), str(own))
    return hashlib.sha256("\n".join(parts).encode(errors="replace")).hexdigest()
