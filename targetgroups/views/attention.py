"""What needs a person, for Home: the most urgent first. Few rows of each kind, and how many more there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.permissions import APPLY_HELD_RUN, VIEW_BRIDGE

from ..choices import ACTIVE, RunKind, RunStatus
from ..models import Bridge, SyncRun, TargetGroup
from ..querysets import SyncRunQuerySet
from ..rooms import Alarm, above
from ..templatetags.sync_words import what_to_do
from . import writeback_figures

MOST_OF_A_KIND = 5
# A waiting run that nobody takes for so long, while nothing runs: no worker is there.
UNTAKEN = timedelta(minutes=2)


def alarms(user: User) -> list[Alarm]:
    """Return what needs attention and this person may see."""
    now = timezone.now()
    bridges = list(Bridge.objects.filter(is_active=True))
    found = [*_bridges(user, bridges), *_silent_runs(now), *_held(user), *_failed_refreshes(bridges), *_failed_groups()]
    found += _writebacks(user, bridges)
    for room in above():
        if user.may(room.right):
            found += room.alarms(MOST_OF_A_KIND)
    found += [*_gone(), *_never_counted()]
    return sorted(found, key=lambda alarm: alarm.tone != "bad")


def undecided() -> SyncRunQuerySet:
    """Return the held runs that wait for a person: one whose Apply is under way waits for nobody."""
    under_way = SyncRun.objects.active().filter(applies__isnull=False)
    return SyncRun.objects.filter(status=RunStatus.HELD).exclude(pk__in=under_way.values("applies"))


def _bridges(user: User, bridges: Sequence[Bridge]) -> Iterator[Alarm]:
    may_look = user.may(VIEW_BRIDGE)
    for bridge in bridges:
        good, failed = bridge.last_good_contact_at, bridge.last_failed_contact_at
        if failed is None or (good is not None and failed <= good):
            continue
        told = f"{bridge.last_error_text or 'MemberSuite did not answer.'} No sync works until it does. "
        yield Alarm(
            "bad", "plug", "Not reachable", bridge.name,
            told + ("Test the connection to see which step fails." if may_look else "Tell an administrator."),
            reverse("targetgroups:bridge_configuration") if may_look else "", "Open Bridge Configuration",
            bridge.last_failed_contact_at,
        )  # fmt: skip


def _writebacks(user: User, bridges: Sequence[Bridge]) -> Iterator[Alarm]:
    """Tell of what MemberSuite refused, and of opt-outs that it does not know of."""
    if not user.may(VIEW_BRIDGE):
        return
    for bridge in bridges:
        if not bridge.writes_back:
            continue
        figures = writeback_figures.of(bridge)
        address = reverse("targetgroups:writebacks", args=[bridge.pk])
        if figures.failed:
            told = "MemberSuite still has the old Do Not Email of these records. The list says why, and retries."
            yield Alarm(
                "bad", "x-circle-fill", "Not written back", f"{figures.shown(figures.failed)} in {bridge.name}", told,
                f"{address}?state=failed", "Open Writeback List",
            )  # fmt: skip
        if figures.still_mailable:
            told = "They opted out here, but in MemberSuite Do Not Email is No, so other programs may mail them."
            yield Alarm(
                "warn", "envelope-exclamation", "Still mailable there",
                f"{figures.still_mailable:,} in {bridge.name}", told,
                f"{address}?state=still_mailable", "See who", figures.checked_at,
            )  # fmt: skip


def _silent_runs(now: datetime) -> Iterator[Alarm]:
    running = list(SyncRun.objects.filter(status=RunStatus.RUNNING).select_related("progress", "target_group"))
    for silent in [run for run in running if run.is_stalled(now)][:MOST_OF_A_KIND]:
        yield _of_run(
            silent, "warn", "cloud-slash", "Stalled",
            "Its worker has gone silent. Another one takes it over by itself; if it stays so, the workers are down.",
            "Open the run",
        )  # fmt: skip
    waiting = SyncRun.objects.waiting_and_due().filter(created_at__lt=now - UNTAKEN).select_related("target_group")
    if not running and (untaken := waiting.order_by("id").first()):
        yield _of_run(
            untaken, "bad", "hourglass-split", "Not taken up",
            "Nothing is running and no worker takes this up. Tell whoever runs the server: the workers are down.",
            "Open the run",
        )  # fmt: skip


def _held(user: User) -> Iterator[Alarm]:
    may_decide = user.may(APPLY_HELD_RUN)
    runs = list(undecided().select_related("target_group", "bridge").order_by("-id")[: MOST_OF_A_KIND + 1])
    for run in runs[:MOST_OF_A_KIND]:
        yield _of_run(
            run, "warn", "pause-circle-fill", "Held",
            run.sentence if may_decide else f"{run.sentence} Your role does not let you decide; the run says who may.",
            "Look and decide" if may_decide else "See who would go",
        )  # fmt: skip
    if len(runs) > MOST_OF_A_KIND:
        yield _more(undecided().count(), reverse("targetgroups:sync_activity") + "?outcome=held", "held runs")


def _failed_refreshes(bridges: Sequence[Bridge]) -> Iterator[Alarm]:
    """Tell of each bridge whose newest list refresh failed."""
    for bridge in bridges:
        newest = SyncRun.objects.filter(bridge=bridge, kind=RunKind.LIST).exclude(status__in=ACTIVE)
        run = newest.select_related("bridge", "target_group").order_by("-id").first()
        if run and run.status == RunStatus.FAILED:
            text = (
                f"{run.error_text or 'The list was not refreshed.'} Nothing was changed. {what_to_do(run.error_code)}"
            )
            yield _of_run(run, "bad", "x-circle-fill", "Failed", text, "Open the run")


def _failed_groups() -> Iterator[Alarm]:
    groups = TargetGroup.objects.present().exclude(error_code="")
    first = list(groups.order_by("-error_at", "pk")[: MOST_OF_A_KIND + 1])
    for group in first[:MOST_OF_A_KIND]:
        text = f"{group.error_text} Its members are as they were. {what_to_do(group.error_code)}".strip()
        yield _of_group(group, "bad", "x-circle-fill", "Failed", text, "Open Info", group.error_at)
    if len(first) > MOST_OF_A_KIND:
        yield _more(groups.count(), _groups_by_count(), "groups with an error")


def _gone() -> Iterator[Alarm]:
    groups = TargetGroup.objects.present().filter(gone_at__isnull=False, error_code="")
    text = (
        "It keeps its last members and cannot be mailed. Delete it here, or make its search public and active again "
        "in MemberSuite and refresh the list."
    )
    first = list(groups.order_by("-gone_at", "pk")[: MOST_OF_A_KIND + 1])
    for group in first[:MOST_OF_A_KIND]:
        yield _of_group(group, "warn", "cloud-slash", "No longer in MemberSuite", text, "Open Info", group.gone_at)
    if len(first) > MOST_OF_A_KIND:
        yield _more(groups.count(), _groups_by_count(), "groups no longer in MemberSuite")


def _never_counted() -> Iterator[Alarm]:
    groups = TargetGroup.objects.present().filter(
        member_count__isnull=True, gone_at__isnull=True, not_runnable_code="", error_code=""
    )
    names = list(groups.order_by("name", "pk").values_list("name", flat=True)[:3])
    if not names:
        return
    count = groups.count()
    about = names[0] if count == 1 else f"{count:,} target groups"
    listed = "" if count == 1 else f"{', '.join(names)}{' and others' if count > len(names) else ''}. "
    text = f"{listed}Nobody knows yet who is in {'it' if count == 1 else 'them'}: open Info, which syncs, or Resync."
    yield Alarm("warn", "dash-circle-dotted", "Never counted", about, text, _groups_by_count(), "Open Target Groups")


def _of_run(run: SyncRun, tone: str, icon: str, word: str, text: str, action: str) -> Alarm:
    about = run.target_group.name if run.target_group else f"{run.get_kind_display()} {run.pk}"
    at = run.finished_at or run.started_at or run.created_at
    return Alarm(tone, icon, word, about, text.strip(), reverse("targetgroups:run", args=[run.pk]), action, at)


def _of_group(
    group: TargetGroup, tone: str, icon: str, word: str, text: str, action: str, at: datetime | None
) -> Alarm:
    return Alarm(tone, icon, word, group.name, text, reverse("targetgroups:info", args=[group.pk]), action, at)


def _more(count: int, address: str, what: str) -> Alarm:
    """Say how many there are beyond those that are told one by one."""
    return Alarm(
        "warn", "three-dots", "More", f"{count - MOST_OF_A_KIND:,} more {what}", "", address, "See all of them"
    )


def _groups_by_count() -> str:
    """Return the list that has groups with errors first, then those unavailable, then those never counted."""
    return reverse("targetgroups:target_groups") + "?folder=all&sort=count"
