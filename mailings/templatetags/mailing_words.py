"""Words and small pictures of mailings, as pages show them."""

from __future__ import annotations

from django import template
from django.conf import settings
from django.urls import ResolverMatch
from django.utils.safestring import SafeString

from mailings.choices import LeftOutReason, MailingStatus, Outcome
from mailings.models import Mailing, MailingGroup
from targetgroups.models import TargetGroup
from targetgroups.templatetags.ui import chip

register = template.Library()

# word -> (tone, icon)
MAILING_LOOK = {
    MailingStatus.DRAFT: ("quiet", "pencil"),
    MailingStatus.SCHEDULED: ("quiet", "stopwatch"),
    MailingStatus.RESYNCING: ("busy", "arrow-repeat"),
    MailingStatus.STOPPED: ("warn", "exclamation-triangle-fill"),
    MailingStatus.SENDING: ("busy", "send"),
    MailingStatus.PAUSED: ("warn", "pause-circle-fill"),
    MailingStatus.SENT: ("ok", "check-circle-fill"),
    MailingStatus.SENT_WITH_ERRORS: ("warn", "exclamation-triangle-fill"),
    MailingStatus.CANCELLED: ("quiet", "slash-circle"),
    MailingStatus.FAILED: ("bad", "x-circle-fill"),
}
OUTCOME_LOOK = {
    Outcome.QUEUED: ("quiet", "hourglass-split"),
    Outcome.LEASED: ("quiet", "hourglass-split"),
    Outcome.IN_FLIGHT: ("busy", "send"),
    Outcome.DEFERRED: ("warn", "stopwatch"),
    Outcome.SENT: ("ok", "check-circle-fill"),
    Outcome.FAILED: ("bad", "x-circle-fill"),
    Outcome.BOUNCED: ("bad", "envelope-exclamation"),
    Outcome.SKIPPED: ("quiet", "skip-end-circle"),
    Outcome.UNKNOWN: ("warn", "question-circle"),
}


@register.simple_tag
def mailing_chip(mailing: Mailing) -> SafeString:
    tone, icon_name = MAILING_LOOK[MailingStatus(mailing.status)]
    is_turning = mailing.status == MailingStatus.RESYNCING
    return chip(tone, icon_name, mailing.get_status_display(), "spin" if is_turning else "")


@register.simple_tag
def outcome_chip(outcome: str) -> SafeString:
    tone, icon_name = OUTCOME_LOOK[Outcome(outcome)]
    return chip(tone, icon_name, str(Outcome(outcome).label))


@register.filter
def why_left_out(reason: str) -> str:
    """Return a reason's label; of a failed recipient the reason is the mail server's reply code, shown as it is."""
    return str(LeftOutReason(reason).label) if reason in LeftOutReason.values else reason


@register.filter
def mailing_count(group: TargetGroup) -> int:
    """Return how many mailings use a group: few, and by the group's own index."""
    return MailingGroup.objects.filter(target_group=group).count()


@register.filter
def mailing_entry(match: ResolverMatch | None) -> str:
    """Return the menu's entry that a page of this room belongs to."""
    if match is None or match.app_name != "mailings":
        return ""
    if match.url_name == "mail_providers":
        return "providers"
    return "inbox" if match.url_name in ("inbox", "letter") else "mailings"


@register.simple_tag
def has_inbox() -> bool:
    """Say whether mail ends in the demo's own inbox."""
    return bool(settings.MAIL_SINK_DIR)
