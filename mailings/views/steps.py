"""The five steps of a mailing, as the Send tab shows them: plain values in, plain values out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext, ngettext

from thrive_sync.lib.words import number

from ..choices import MailingStatus, Outcome, StopCode
from ..models import Mailing, MailingGroup
from ..reviewed import Numbers

# Every group was made current before a mailing stopped for one of these.
AFTER_RESYNC = (StopCode.LIST_MOVED, StopCode.NOBODY)


@dataclass(frozen=True)
class Step:
    label: str
    state: str  # "done", "present", "ahead"; where it ended, "warn", "bad" or "quiet"
    word: str

    @property
    def picture(self) -> str:
        return PICTURES[self.state]


PICTURES = {
    "done": "check-circle-fill",
    "present": "arrow-repeat",
    "ahead": "circle",
    "warn": "exclamation-triangle-fill",
    "bad": "x-circle-fill",
    "quiet": "slash-circle",
}


def steps_of(mailing: Mailing, groups: Sequence[MailingGroup], figures: dict[str, Any] | None) -> list[Step]:
    """Say of each step whether it is done, at work, ahead, or where the mailing ended."""
    return [
        Step(gettext("Resync"), *_resync(mailing, groups)),
        Step(gettext("Compare"), *_compare(mailing)),
        Step(gettext("Freeze"), *_freeze(mailing, figures)),
        Step(gettext("Send"), *_send(mailing, figures)),
        Step(gettext("Done"), *_done(mailing)),
    ]


def seconds_left(mailing: Mailing, figures: dict[str, Any] | None, now: datetime) -> float | None:
    """Foretell how long the rest takes at the pace so far; None while there is no pace."""
    if mailing.status != MailingStatus.SENDING or not figures or not mailing.started_at or not figures["settled"]:
        return None
    return float((now - mailing.started_at).total_seconds() / figures["settled"] * figures["left"])


def _resync(mailing: Mailing, groups: Sequence[MailingGroup]) -> tuple[str, str]:
    if mailing.is_frozen or mailing.stop_code in AFTER_RESYNC:
        stale = sum(1 for group in groups if group.stale_read_at is not None)
        count = _groups(len(groups))
        if not stale:
            return "done", count
        # Translators: %(groups)s is "3 groups", %(stale)s a number of them.
        return "done", gettext("%(groups)s, %(stale)s not current") % {"groups": count, "stale": number(stale)}
    if mailing.status == MailingStatus.RESYNCING:
        current = sum(1 for group in groups if group.run is not None and group.run.is_good)
        of_all = ngettext("%(current)s of %(count)s group", "%(current)s of %(count)s groups", len(groups))
        return "present", of_all % {"current": number(current), "count": number(len(groups))}
    if mailing.status == MailingStatus.STOPPED and mailing.stop_code == StopCode.TOO_LATE:
        return "warn", gettext("not begun in time")
    if mailing.status in (MailingStatus.STOPPED, MailingStatus.FAILED):
        return ("warn" if mailing.status == MailingStatus.STOPPED else "bad"), gettext("stopped here")
    return _ended(mailing) or ("ahead", gettext("not reached"))


def _compare(mailing: Mailing) -> tuple[str, str]:
    if mailing.stop_code == StopCode.LIST_MOVED and mailing.status == MailingStatus.STOPPED:
        # Translators: %(change)s is "120 → 95".
        return "warn", gettext("moved: %(change)s") % {"change": _change(mailing)}
    if mailing.is_frozen:
        return "done", _change(mailing) or gettext("nothing to compare with")
    return "ahead", gettext("not reached")


def _change(mailing: Mailing) -> str:
    """Say what was reviewed, and what is so now; "" where no number was reviewed."""
    if not mailing.reviewed or not mailing.found:
        return ""
    reviewed, found = Numbers.of_json(mailing.reviewed), Numbers.of_json(mailing.found)
    if not reviewed.is_known:
        return ""
    return f"{reviewed.words} → {number(found.most)}"


def _freeze(mailing: Mailing, figures: dict[str, Any] | None) -> tuple[str, str]:
    if mailing.stop_code == StopCode.NOBODY and mailing.status == MailingStatus.STOPPED:
        return "warn", gettext("stopped here")
    if not mailing.is_frozen:
        return "ahead", gettext("not reached")
    count = figures["total"] if figures else 0
    return "done", ngettext("%(count)s recipient", "%(count)s recipients", count) % {"count": number(count)}


def _send(mailing: Mailing, figures: dict[str, Any] | None) -> tuple[str, str]:
    if not mailing.is_frozen or not figures:
        return "ahead", gettext("not reached")
    sent, total = number(figures["outcomes"].get(Outcome.SENT, 0)), number(figures["total"])
    word = gettext("%(sent)s of %(total)s") % {"sent": sent, "total": total}
    if mailing.status == MailingStatus.SENDING:
        return "present", word
    if mailing.status == MailingStatus.PAUSED:
        # Translators: %(progress)s is "120 of 500".
        return "warn", gettext("paused, %(progress)s") % {"progress": word}
    return _ended(mailing) or ("done", word)


def _done(mailing: Mailing) -> tuple[str, str]:
    if mailing.status == MailingStatus.SENT:
        return "done", ""
    if mailing.status == MailingStatus.SENT_WITH_ERRORS:
        return "warn", gettext("with errors")
    return "ahead", gettext("not reached")


def _ended(mailing: Mailing) -> tuple[str, str] | None:
    if mailing.status == MailingStatus.CANCELLED:
        return "quiet", gettext("cancelled here")
    return ("bad", gettext("failed here")) if mailing.status == MailingStatus.FAILED else None


def _groups(count: int) -> str:
    return ngettext("%(count)s group", "%(count)s groups", count) % {"count": number(count)}
