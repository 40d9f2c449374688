"""What needs a person, for Home: the most urgent first. Few rows of each kind, and how many more there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from accounts.models import User
from accounts.permissions import APPLY_HELD_RUN, VIEW_BRIDGE
from thrive_sync.lib.words import number

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
        told = (
            bridge.last_error_text or gettext("MemberSuite did not answer."),
            gettext("No sync works until it does."),
            gettext("Test the connection to see which step fails.") if may_look else gettext("Tell an administrator."),
        )
        yield Alarm(
            "bad", "plug", gettext("Not reachable"), bridge.name, " ".join(told),
            reverse("targetgroups:bridge_configuration") if may_look else "", gettext("Open Bridge Configuration"),
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
            told = gettext(
                "MemberSuite still has the old Do Not Email of these records. The list says why, and retries."
            )
            yield Alarm(
                "bad", "x-circle-fill", gettext("Not written back"), _in(bridge, figures.shown(figures.failed)), told,
                f"{address}?state=failed", gettext("Open Writeback List"),
            )  # fmt: skip
        if figures.still_mailable:
            told = gettext(
                "They opted out here, but in MemberSuite Do Not Email is No, so other programs may mail them."
            )
            yield Alarm(
                "warn", "envelope-exclamation", gettext("Still mailable there"),
                _in(bridge, number(figures.still_mailable)), told,
                f"{address}?state=still_mailable", gettext("See who"), figures.checked_at,
            )  # fmt: skip


def _in(bridge: Bridge, count: str) -> str:
    # Translators: so many records of an association.
    return gettext("%(count)s in %(association)s") % {"count": count, "association": bridge.name}


def _silent_runs(now: datetime) -> Iterator[Alarm]:
    running = list(SyncRun.objects.filter(status=RunStatus.RUNNING).select_related("progress", "target_group"))
    for silent in [run for run in running if run.is_stalled(now)][:MOST_OF_A_KIND]:
        yield _of_run(
            silent, "warn", "cloud-slash", gettext("Stalled"),
            gettext(
                "Its worker has gone silent. Another one takes it over by itself; "
                "if it stays so, the workers are down."
            ),
            gettext("Open the run"),
        )  # fmt: skip
    waiting = SyncRun.objects.waiting_and_due().filter(created_at__lt=now - UNTAKEN).select_related("target_group")
    if not running and (untaken := waiting.order_by("id").first()):
        yield _of_run(
            untaken, "bad", "hourglass-split", gettext("Not taken up"),
            gettext(
                "Nothing is running and no worker takes this up. "
                "Tell whoever runs the server: the workers are down."
            ),
            gettext("Open the run"),
        )  # fmt: skip


def _held(user: User) -> Iterator[Alarm]:
    may_decide = user.may(APPLY_HELD_RUN)
    runs = list(undecided().select_related("target_group", "bridge").order_by("-id")[: MOST_OF_A_KIND + 1])
    cannot = gettext("Your role does not let you decide; the run says who may.")
    action = gettext("Look and decide") if may_decide else gettext("See who would go")
    for run in runs[:MOST_OF_A_KIND]:
        text = run.sentence if may_decide else f"{run.sentence} {cannot}"
        yield _of_run(run, "warn", "pause-circle-fill", gettext("Held"), text, action)
    if (more := len(runs) > MOST_OF_A_KIND and undecided().count() - MOST_OF_A_KIND) > 0:
        told = ngettext("%(count)s more held runs", "%(count)s more held runs", more)
        yield _more(told, more, reverse("targetgroups:sync_activity") + "?outcome=held")


def _failed_refreshes(bridges: Sequence[Bridge]) -> Iterator[Alarm]:
    """Tell of each bridge whose newest list refresh failed."""
    for bridge in bridges:
        newest = SyncRun.objects.filter(bridge=bridge, kind=RunKind.LIST).exclude(status__in=ACTIVE)
        run = newest.select_related("bridge", "target_group").order_by("-id").first()
        if run and run.status == RunStatus.FAILED:
            said = run.error_text or gettext("The list was not refreshed.")
            text = f"{said} {gettext('Nothing was changed.')} {what_to_do(run.error_code)}"
            yield _of_run(run, "bad", "x-circle-fill", gettext("Failed"), text, gettext("Open the run"))


def _failed_groups() -> Iterator[Alarm]:
    groups = TargetGroup.objects.present().exclude(error_code="")
    first = list(groups.order_by("-error_at", "pk")[: MOST_OF_A_KIND + 1])
    for group in first[:MOST_OF_A_KIND]:
        kept = gettext("Its members are as they were.")
        text = f"{group.error_text} {kept} {what_to_do(group.error_code)}".strip()
        yield _of_group(group, "bad", "x-circle-fill", gettext("Failed"), text, group.error_at)
    if (more := len(first) > MOST_OF_A_KIND and groups.count() - MOST_OF_A_KIND) > 0:
        told = ngettext("%(count)s more groups with an error", "%(count)s more groups with an error", more)
        yield _more(told, more, _groups_by_count())


def _gone() -> Iterator[Alarm]:
    groups = TargetGroup.objects.present().filter(gone_at__isnull=False, error_code="")
    text = gettext(
        "It keeps its last members and cannot be mailed. Delete it here, or make its search public and active again "
        "in MemberSuite and refresh the list."
    )
    first = list(groups.order_by("-gone_at", "pk")[: MOST_OF_A_KIND + 1])
    for group in first[:MOST_OF_A_KIND]:
        yield _of_group(group, "warn", "cloud-slash", gettext("No longer in MemberSuite"), text, group.gone_at)
    if (more := len(first) > MOST_OF_A_KIND and groups.count() - MOST_OF_A_KIND) > 0:
        told = ngettext(
            "%(count)s more groups no longer in MemberSuite", "%(count)s more groups no longer in MemberSuite", more
        )
        yield _more(told, more, _groups_by_count())


def _never_counted() -> Iterator[Alarm]:
    groups = TargetGroup.objects.present().filter(
        member_count__isnull=True, gone_at__isnull=True, not_runnable_code="", error_code=""
    )
    names = list(groups.order_by("name", "pk").values_list("name", flat=True)[:3])
    if not names:
        return
    count = groups.count()
    if count == 1:
        about = names[0]
        text = gettext("Nobody knows yet who is in it: open Info, which syncs, or Resync.")
    else:
        about = ngettext("%(count)s target group", "%(count)s target groups", count) % {"count": number(count)}
        listed = ", ".join(names)
        text = (
            gettext("%(groups)s and others. Nobody knows yet who is in them: open Info, which syncs, or Resync.")
            if count > len(names)
            else gettext("%(groups)s. Nobody knows yet who is in them: open Info, which syncs, or Resync.")
        ) % {"groups": listed}
    yield Alarm(
        "warn", "dash-circle-dotted", gettext("Never counted"), about, text,
        _groups_by_count(), gettext("Open Target Groups"),
    )  # fmt: skip


def _of_run(run: SyncRun, tone: str, icon: str, word: str, text: str, action: str) -> Alarm:
    about = run.target_group.name if run.target_group else str(run)
    at = run.finished_at or run.started_at or run.created_at
    return Alarm(tone, icon, word, about, text.strip(), reverse("targetgroups:run", args=[run.pk]), action, at)


def _of_group(group: TargetGroup, tone: str, icon: str, word: str, text: str, at: datetime | None) -> Alarm:
    address = reverse("targetgroups:info", args=[group.pk])
    return Alarm(tone, icon, word, group.name, text, address, gettext("Open Info"), at)


def _more(told: str, count: int, address: str) -> Alarm:
    """Say how many there are beyond those that are told one by one."""
    about, action = told % {"count": number(count)}, gettext("See all of them")
    return Alarm("warn", "three-dots", gettext("More"), about, "", address, action)


def _groups_by_count() -> str:
    """Return the list that has groups with errors first, then those unavailable, then those never counted."""
    return reverse("targetgroups:target_groups") + "?folder=all&sort=count"
