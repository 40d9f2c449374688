"""Words and small pictures of mailings, as pages show them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from django import template
from django.conf import settings
from django.urls import ResolverMatch
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy

from mailings.choices import LeftOutReason, MailingStatus, Outcome
from mailings.models import Mailing, MailingGroup
from targetgroups.models import TargetGroup
from targetgroups.templatetags.ui import chip, moment, number

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
# Why a mailing can't be changed, by its status.
WHY_FIXED = {
    MailingStatus.SCHEDULED: gettext_lazy("This mailing can't be changed: it is scheduled. A copy can."),
    MailingStatus.RESYNCING: gettext_lazy("This mailing can't be changed: it is resyncing. A copy can."),
    MailingStatus.SENDING: gettext_lazy("This mailing can't be changed: it is sending. A copy can."),
    MailingStatus.PAUSED: gettext_lazy("This mailing can't be changed: it is paused. A copy can."),
    MailingStatus.SENT: gettext_lazy("This mailing can't be changed: it is sent. A copy can."),
    MailingStatus.SENT_WITH_ERRORS: gettext_lazy("This mailing can't be changed: it is sent with errors. A copy can."),
    MailingStatus.CANCELLED: gettext_lazy("This mailing can't be changed: it is cancelled. A copy can."),
    MailingStatus.FAILED: gettext_lazy("This mailing can't be changed: it is failed. A copy can."),
}
# Why a test did not go to an address, by what is known against it.
WHY_REFUSED = {
    LeftOutReason.OPT_OUT: gettext_lazy("Refused: opted out here."),
    LeftOutReason.HARD_BOUNCE: gettext_lazy("Refused: hard bounce."),
    LeftOutReason.SOFT_BOUNCES: gettext_lazy("Refused: repeated soft bounces."),
    LeftOutReason.COMPLAINT: gettext_lazy("Refused: complaint."),
    LeftOutReason.MANUAL: gettext_lazy("Refused: suppressed by a person."),
    LeftOutReason.ERASED: gettext_lazy("Refused: erased on request."),
    LeftOutReason.DO_NOT_EMAIL: gettext_lazy("Refused: Do Not Email seen elsewhere."),
}


class Estimated(Protocol):
    """How many people a mailing would reach: between two numbers."""

    @property
    def least(self) -> int: ...
    @property
    def most(self) -> int: ...
    @property
    def is_known(self) -> bool: ...


@register.filter
def between(numbers: Estimated) -> str:
    """Write between which numbers something is, as far as it is known."""
    if not numbers.is_known:
        return gettext("not known")
    return number(numbers.most) if numbers.least == numbers.most else _range(numbers)


@register.filter
def about(estimate: Any, is_short: bool = False) -> str:
    """Write how many people a mailing would reach; short in a table."""
    if not estimate.has_groups:
        return "–" if is_short else gettext("no group chosen yet")
    if not estimate.is_known:
        return gettext("Not counted yet") if is_short else gettext("not known yet")
    if estimate.is_exact:
        return gettext("about %(count)s") % {"count": number(estimate.most)}
    return _range(estimate)


def _range(numbers: Estimated) -> str:
    if not numbers.least:
        return gettext("at most %(count)s") % {"count": number(numbers.most)}
    return gettext("%(least)s to %(most)s") % {"least": number(numbers.least), "most": number(numbers.most)}


@register.filter
def sent_of_all(count: Mapping[str, int] | None) -> str:
    """Write how many of a mailing's recipients got it, of all."""
    found = count or {}
    words = {"sent": number(found.get("sent") or 0), "total": number(found.get("total") or 0)}
    return gettext("%(sent)s of %(total)s") % words


@register.filter
def decided_by(who: object) -> str:
    return gettext("decided by %(who)s") % {"who": who}


@register.filter
def why_fixed(status: str) -> str:
    """Say why a mailing of a status can't be changed."""
    return str(WHY_FIXED[MailingStatus(status)])


@register.filter
def why_refused(cause: str) -> str:
    """Say why a test did not go to an address."""
    return str(WHY_REFUSED[LeftOutReason(cause)])


@register.simple_tag
def changed(at: datetime) -> SafeString:
    """Write when a mailing was changed, as a table's cell does where nothing else happened yet."""
    return format_html(gettext("changed {ago}"), ago=moment(at))


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
