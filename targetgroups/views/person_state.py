"""Can this person be mailed, and by which groups: read from what is known, decided from plain values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext, gettext_lazy, pgettext

from thrive_sync.lib.addresses import address_key

from ..choices import ExclusionReason, OutcomeKind, SuppressionCause, detail_label, reason_label
from ..models import Exclusion, Membership, RunOutcome, Subscriber, Suppression, TargetGroup
from ..wishes import LIFTABLE, suppressed_address

MOST_GROUPS = 100


@dataclass(frozen=True)
class Why:
    """One reason why somebody is not mailed: since when, and what would change it."""

    what: str
    since: datetime | None
    remedy: str
    note: str = ""


@dataclass(frozen=True)
class GroupLine:
    """A group and what the person is in it: `state` is "in", "left_out" or "left", and `word` says it."""

    group: TargetGroup
    state: str
    word: str
    icon: str
    tone: str
    why: str
    since: datetime | None

    @property
    def is_in(self) -> bool:
        return self.state == "in"


_REMEDIES = {
    SuppressionCause.OPT_OUT: gettext_lazy("Opt in here, if the person asks for it."),
    SuppressionCause.HARD_BOUNCE: gettext_lazy("Correct the address in MemberSuite. If it is right, opt in here."),
    SuppressionCause.SOFT_BOUNCES: gettext_lazy("Correct the address in MemberSuite. If it is right, opt in here."),
    SuppressionCause.COMPLAINT: gettext_lazy(
        "The person called a message spam. If they ask to be mailed, lift it in Suppressions."
    ),
    SuppressionCause.MANUAL: gettext_lazy("Opt in here, if the reason no longer holds."),
    SuppressionCause.ERASED: gettext_lazy("This can't be taken back."),
}


def reasons_against(person: Subscriber, suppressions: list[Suppression], group_count: int) -> list[Why]:
    """Say every reason why no mailing reaches this person, the strongest first; empty: one does."""
    if person.erased_at:
        return [Why(gettext("Erased here on request"), person.erased_at, gettext("This can't be taken back."))]
    if person.do_not_email_at:
        remedy = gettext("Only MemberSuite can change this. When it did, check again.")
        if suppressions:
            remedy = gettext(
                "It was told so from here, after an opt-out. Opt in here, if the person asks for it: it is told again."
            )
        return [Why(gettext("MemberSuite says Do Not Email = Yes"), person.do_not_email_at, remedy)]
    against = [
        Why(row.get_cause_display(), row.suppressed_at, str(_REMEDIES[SuppressionCause(row.cause)]), row.note)
        for row in suppressions
    ]
    if not person.address_key:
        against.append(Why(gettext("There is no e-mail address"), None, gettext("Enter one in MemberSuite.")))
    if not group_count:
        remedy = gettext(
            "Mailings go to target groups: the person must be in a search in MemberSuite, and that be synced."
        )
        against.append(Why(gettext("In no target group"), None, remedy))
    return against


def in_force(person: Subscriber) -> list[Suppression]:
    address = suppressed_address(person)
    if not address:
        return []
    return list(Suppression.objects.in_force().filter(address_key=address_key(address)).order_by("suppressed_at"))


def is_liftable(suppressions: list[Suppression]) -> bool:
    """Say whether all that keeps an address from being mailed can be taken back here."""
    return bool(suppressions) and all(row.cause in LIFTABLE for row in suppressions)


def others_at_address(person: Subscriber) -> list[Subscriber]:
    """Return who shares the address: several people, one copy of a mailing."""
    if not person.address_key:
        return []
    same = Subscriber.objects.filter(bridge=person.bridge_id, address_key=person.address_key).exclude(pk=person.pk)
    return list(same.order_by("pk")[:20])


def group_lines(person: Subscriber) -> list[GroupLine]:
    """Return the groups the person is in, is left out of, or has left; each once, and why."""
    lines: dict[int, GroupLine] = {}
    for line in (*_member_lines(person), *_left_out_lines(person), *_left_lines(person)):
        lines.setdefault(line.group.pk, line)
    return list(lines.values())


def _member_lines(person: Subscriber) -> Iterator[GroupLine]:
    why = gettext("Its search found the record, with Do Not Email = No and an address.")
    if person.do_not_email_at:
        why = gettext("Was in it at its last sync; the next one lets the person go.")
    members = Membership.objects.filter(subscriber=person, target_group__deleted_at__isnull=True)
    for row in members.select_related("target_group").order_by("target_group__name")[:MOST_GROUPS]:
        word = pgettext("a person is in a group", "In")
        yield GroupLine(row.target_group, "in", word, "check-circle-fill", "ok", why, row.subscribed_at)


def _left_out_lines(person: Subscriber) -> Iterator[GroupLine]:
    rows = Exclusion.objects.filter(
        bridge=person.bridge_id,
        reason__in=ExclusionReason.values,  # leads to the index
        remote_key=person.remote_key,
        until_run_id__isnull=True,
        target_group__deleted_at__isnull=True,
    ).exclude(reason=ExclusionReason.DUPLICATE_ROW)
    for row in rows.select_related("target_group").order_by("target_group__name")[:MOST_GROUPS]:
        told = (
            gettext("In the search, but: %(reason)s (%(detail)s).")
            if row.detail
            else gettext("In the search, but: %(reason)s.")
        )
        why = told % {"reason": row.get_reason_display(), "detail": detail_label(row.detail)}
        word = gettext("Left out")
        yield GroupLine(row.target_group, "left_out", word, "envelope-slash", "warn", why, row.seen_at)


def _left_lines(person: Subscriber) -> Iterator[GroupLine]:
    rows = RunOutcome.objects.filter(bridge=person.bridge_id, remote_key=person.remote_key, kind=OutcomeKind.REMOVED)
    present = rows.filter(run__target_group__deleted_at__isnull=True).select_related("run__target_group")
    for row in present.order_by("-recorded_at")[:MOST_GROUPS]:
        if row.run.target_group:
            why = f"{reason_label(row.reason)}."
            word = pgettext("a person has left a group", "Left")
            yield GroupLine(row.run.target_group, "left", word, "dash-circle", "quiet", why, row.recorded_at)


def read_at(lines: list[GroupLine]) -> datetime | None:
    """Return the age of the fields: the last completed sync of any group that the person is in."""
    times = [line.group.read_at for line in lines if line.is_in and line.group.read_at]
    return max(times, default=None)
