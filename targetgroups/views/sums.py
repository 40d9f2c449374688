"""Numbers that add up on screen (R15): each line is a word, a number (None: not known) and what opens the people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext, gettext_noop

from ..choices import ExclusionReason, NotReceiving, RemovalReason, RunKind, reason_label
from ..models import ReceivingCount, SyncRun, TargetGroup

# The word in an address for the people of a run without a reason; an empty one means all.
NO_REASON = "none"
# Every reason to leave or to be left out, in the order in which they are listed.
REASONS = ("", *RemovalReason.values, *ExclusionReason.values)
KEPT = gettext_noop("Kept on doubt: not readable this time")
PEOPLE_LISTS = ("added", "changed", "removed", "kept", "would_add", "would_change", "would_remove")


@dataclass(frozen=True)
class Line:
    word: str  # a figure's word in figures, or an exclusion's reason
    label: str
    count: int | None
    sign: str = ""  # "", "−", "+" or "="
    note: str = ""
    has_people: bool = True  # False: a run that wrote nothing keeps no list of whom it excluded
    reason: str = ""  # this line is a part of the one above it: its people with this reason

    @property
    def is_reason(self) -> bool:
        return self.word in ExclusionReason.values

    @property
    def people(self) -> str:
        """The list of a run's people behind this number, by its word in the address."""
        if not self.has_people:
            return ""
        return "excluded" if self.is_reason else self.word if self.word in PEOPLE_LISTS else ""

    @property
    def query(self) -> str:
        """What narrows that list to these people."""
        reason = self.word if self.is_reason else self.reason
        return f"?reason={reason}" if reason else ""


def group_sums(group: TargetGroup) -> list[Line]:
    """Return the sum of the Counts tab: in the search, minus each reason, is the members."""
    if group.member_count is None:
        return []
    reasons = _reasons(group.exclusion_counts, is_calculated=group.is_do_not_email_calculated)
    kept = kept_count(group)
    doubtful = [Line("kept", gettext(KEPT), abs(kept), sign="+" if kept > 0 else "−")] if kept else []
    return [
        Line("in_search", gettext("In the search"), group.search_count),
        *reasons,
        *doubtful,
        Line("members", gettext("Members of this group"), group.member_count, sign="="),
    ]


def kept_count(group: TargetGroup) -> int:
    """Return how many members the last completed sync did not find eligible, and kept on doubt (R5)."""
    eligible = (group.search_count or 0) - sum(int(group.exclusion_counts.get(one, 0)) for one in ExclusionReason)
    return (group.member_count or 0) - eligible


# Told even when nobody is among them: what a marketer looks for.
_ALWAYS = (NotReceiving.DO_NOT_EMAIL, NotReceiving.OPT_OUT, NotReceiving.HARD_BOUNCE, NotReceiving.SHARED_ADDRESS)


def receiving_sums(counted: ReceivingCount) -> list[Line]:
    """Return the lower sum of the Counts tab: the members, minus each reason, will receive a mailing."""
    counts = {reason: int(counted.not_receiving_counts.get(reason, 0)) for reason in NotReceiving}
    members = counted.receiving_count + sum(counts.values())
    return [
        Line("members", gettext("Members of this group"), members),
        *(Line(word, str(word.label), count, "−") for word, count in counts.items() if count or word in _ALWAYS),
        Line("receiving", gettext("Will receive a mailing"), counted.receiving_count, sign="="),
    ]


def reading_sums(run: SyncRun) -> list[Line]:
    """Return how a run's reading adds up: in the search, minus each reason, is the eligible."""
    figures: dict[str, Any] = run.figures
    if "in_search" not in figures:
        return []
    return [
        Line("in_search", gettext("In the search"), figures["in_search"]),
        *_reasons(
            figures,
            is_calculated=bool(figures.get("is_do_not_email_calculated")),
            has_people=run.is_good and run.kind == RunKind.GROUP,
        ),
        Line("eligible", gettext("Eligible"), figures.get("eligible"), sign="="),
    ]


def member_sums(run: SyncRun) -> list[Line]:
    """Return how a run's change adds up: before, plus added, minus removed, is after."""
    figures: dict[str, Any] = run.figures
    if "members_before" not in figures:
        return []
    before = Line("members_before", gettext("Members before"), figures["members_before"])
    if "members_after" not in figures:  # held, or a preview: nothing was written
        return [before, *_would(figures)]
    kept = [Line("kept", gettext(KEPT), figures["kept"])] if figures.get("kept") else []
    return [
        before,
        Line("added", gettext("Added"), figures.get("added"), sign="+"),
        Line("removed", gettext("Removed"), figures.get("removed"), sign="−"),
        *_parts("removed", figures.get("removed_by_reason")),
        Line("members_after", gettext("Members after"), figures["members_after"], sign="="),
        Line("changed", gettext("Changed"), figures.get("changed")),
        Line("unchanged", gettext("Unchanged"), figures.get("unchanged")),
        *kept,
    ]


def _would(figures: dict[str, Any]) -> list[Line]:
    """Return what a sync would change; a held one has not come so far as to know whom it would add."""
    removed = Line("would_remove", gettext("Would be removed"), figures.get("would_remove"), sign="−")
    reasons = _parts("would_remove", figures.get("would_remove_by_reason"))
    if "would_add" not in figures:
        return [removed, *reasons]
    after = figures["members_before"] + figures["would_add"] - figures["would_remove"]
    return [
        Line("would_add", gettext("Would be added"), figures["would_add"], sign="+"),
        removed,
        *reasons,
        Line("members_after", gettext("Members after"), after, sign="="),
        Line("would_change", gettext("Would be changed"), figures.get("would_change")),
    ]


def _parts(word: str, by_reason: dict[str, int] | None) -> list[Line]:
    """Return why the people of the line above leave, as parts of it."""
    return [
        Line(word, reason_label(reason), count, reason=reason or NO_REASON)
        for reason, count in (by_reason or {}).items()
    ]


def _reasons(counts: dict[str, Any], *, is_calculated: bool, has_people: bool = True) -> list[Line]:
    calculated = (
        {ExclusionReason.DO_NOT_EMAIL: gettext("calculated: all rows minus the mailable ones")} if is_calculated else {}
    )
    return [
        Line(reason, str(reason.label), int(counts.get(reason, 0)), "−", calculated.get(reason, ""), has_people)
        for reason in ExclusionReason
    ]
