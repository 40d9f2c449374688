"""What is not good now: one look a kind, each bounded by what is not good. Reads only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db.models import F, Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext

from mailings.choices import MailingStatus
from mailings.models import Mailing
from targetgroups.choices import ACTIVE, CALL_CODES, CONNECTION_CODES, GOOD, RunKind, RunStatus
from targetgroups.models import Bridge, SyncRun, TargetGroup
from thrive_sync.lib.words import number

from .choices import AlertKind
from .models import Alert, AlertState, Webhook

# A silent run is taken over by itself; whoever is told of every one of them stops reading.
SILENCES = 3
# A group that shrank is no news for longer.
SHRUNK_FOR = timedelta(days=7)
_OF_THE_BRIDGE = CONNECTION_CODES | CALL_CODES
_NEVER, _EVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Condition:
    """Something that is not good: what it is about, in words, and where to look."""

    kind: AlertKind
    key: str
    about: str
    text: str
    link: str
    run_id: int = 0
    level: int | None = None


def unreachable() -> Iterator[Condition]:
    for bridge in _failing():
        said = bridge.last_error_text or gettext("MemberSuite did not answer.")
        text = f"{said} {gettext('No sync works until it does.')}"
        link = reverse("targetgroups:bridge_configuration")
        yield Condition(AlertKind.UNREACHABLE, f"bridge:{bridge.pk}", bridge.name, text, link)


def failed() -> Iterator[Condition]:
    """Return the groups and lists whose sync failed, but for those that an unreachable bridge's one alert tells of."""
    told = AlertState.objects.filter(kind=AlertKind.FAILED, is_bad=True).values_list("key", flat=True)
    down, until = {bridge.pk for bridge in _failing()}, _last_outages()
    for group in TargetGroup.objects.present().exclude(error_code=""):
        is_of_bridge = group.bridge_id in down or (group.error_at or _EVER) < until.get(group.bridge_id, _NEVER)
        if is_of_bridge and group.error_code in _OF_THE_BRIDGE and f"group:{group.pk}" not in told:
            continue
        text = f"{group.error_text} {gettext('Its members are as they were.')}"
        yield Condition(
            AlertKind.FAILED, f"group:{group.pk}", group.name, text, reverse("targetgroups:info", args=[group.pk])
        )
    for bridge in Bridge.objects.filter(is_active=True):
        newest = SyncRun.objects.filter(bridge=bridge, kind=RunKind.LIST).exclude(status__in=ACTIVE).order_by("-id")
        run = newest.first()
        is_of_bridge = bridge.pk in down and run is not None and run.error_code in _OF_THE_BRIDGE
        if run and run.status == RunStatus.FAILED and not (is_of_bridge and f"list:{bridge.pk}" not in told):
            said = run.error_text or gettext("The list was not refreshed.")
            text = f"{said} {gettext('Nothing was changed.')}"
            about = gettext("List refresh of %(bridge)s") % {"bridge": bridge.name}
            yield Condition(AlertKind.FAILED, f"list:{bridge.pk}", about, text, _run(run))


def _failing() -> QuerySet[Bridge]:
    failing = Q(last_good_contact_at__isnull=True) | Q(last_failed_contact_at__gt=F("last_good_contact_at"))
    return Bridge.objects.filter(failing, is_active=True, last_failed_contact_at__isnull=False)


def _last_outages() -> dict[int, datetime]:
    """Return until when each bridge was unreachable last: {bridge's ID: the end, far ahead while it lasts}."""
    outages = Alert.objects.filter(kind=AlertKind.UNREACHABLE).order_by("key", "-raised_at").distinct("key")
    ends = outages.values_list("key", "recovered_at")
    return {int(key.partition(":")[2]): end or _EVER for key, end in ends}


def held() -> Iterator[Condition]:
    under_way = SyncRun.objects.active().filter(applies__isnull=False)
    runs = SyncRun.objects.filter(status=RunStatus.HELD).exclude(pk__in=under_way.values("applies"))
    newest = {_key(run): run for run in runs.select_related("bridge", "target_group").order_by("id")}
    for key, run in newest.items():
        yield Condition(AlertKind.HELD, key, _about(run), run.sentence, _run(run))


def stalled(now: datetime) -> Iterator[Condition]:
    since = now - SILENCES * timedelta(seconds=settings.SYNC_SILENCE_SECONDS)
    running = SyncRun.objects.filter(status=RunStatus.RUNNING)
    silent = running.filter(Q(progress__beat_at__lt=since) | Q(progress__isnull=True, started_at__lt=since))
    for run in silent.select_related("bridge", "target_group"):
        text = gettext("Its worker has gone silent and nobody has taken the run over: the workers may be down.")
        yield Condition(AlertKind.STALLED, _key(run), _about(run), text, _run(run))


def shrunk(after_run: int, now: datetime) -> Iterator[Condition]:
    """Return the groups that completed runs after this one made smaller, and those told of that are small still."""
    states = {state.key: state for state in AlertState.objects.filter(kind=AlertKind.SHRUNK)}
    runs = SyncRun.objects.filter(pk__gt=after_run, kind=RunKind.GROUP, status__in=GOOD)
    for run in runs.filter(target_group__deleted_at__isnull=True).select_related("target_group").order_by("id"):
        before, after = run.figures.get("members_before"), run.figures.get("members_after")
        if (known := states.get(_key(run))) and run.pk <= known.run_id:  # told already
            continue
        if run.target_group and before is not None and after is not None and is_shrunk(before, after):
            said = gettext("From %(before)s to %(after)s members with one sync. The run lists who left, and why.")
            text = said % {"before": number(before), "after": number(after)}
            yield Condition(AlertKind.SHRUNK, _key(run), run.target_group.name, text, _run(run), run.pk, before)
    told = {int(key.partition(":")[2]): state for key, state in states.items() if state.is_bad}
    for group in TargetGroup.objects.present().filter(pk__in=told):
        state = told[group.pk]
        is_news = SyncRun.objects.filter(pk=state.run_id, finished_at__gt=now - SHRUNK_FOR).exists()
        if is_news and is_shrunk(state.level or 0, group.member_count or 0):
            yield Condition(AlertKind.SHRUNK, state.key, "", "", "", state.run_id, state.level)


def stopped_mailings() -> Iterator[Condition]:
    """Return the mailings that a person has to decide about; one that a person paused is theirs already."""
    waiting = Mailing.objects.filter(status__in=(MailingStatus.STOPPED, MailingStatus.PAUSED)).exclude(stop_code="")
    for mailing in waiting.only("name", "status", "stop_code"):
        words = {"status": mailing.get_status_display(), "reason": mailing.get_stop_code_display()}
        # Translators: of a mailing: "Stopped: the list moved.", as the two are named there.
        text = gettext("%(status)s: %(reason)s.") % words
        link = reverse("mailings:send", args=[mailing.pk])
        yield Condition(AlertKind.MAILING, f"mailing:{mailing.pk}", mailing.name, text, link)


def switched_off_webhooks() -> Iterator[Condition]:
    for hook in Webhook.objects.filter(is_on=False, off_at__isnull=False):
        link = reverse("alerts:webhook", args=[hook.pk])
        yield Condition(AlertKind.WEBHOOK, f"webhook:{hook.pk}", hook.name, hook.off_text, link)


def is_shrunk(before: int, after: int) -> bool:
    """Say whether a group got smaller by more than both limits. Pure but for the settings."""
    lost = before - after
    return lost > settings.ALERT_SHRINK_PEOPLE and lost * 100 > before * settings.ALERT_SHRINK_PERCENT


def all_now(after_run: int, now: datetime) -> dict[tuple[str, str], Condition]:
    """Return everything that is not good, by kind and key; of two about one thing, the first."""
    found: dict[tuple[str, str], Condition] = {}
    parts: tuple[Iterable[Condition], ...] = (
        *(unreachable(), failed(), held(), stalled(now), shrunk(after_run, now), stopped_mailings()),
        switched_off_webhooks(),
    )
    for condition in (each for part in parts for each in part):
        found.setdefault((condition.kind, condition.key), condition)
    return found


def _key(run: SyncRun) -> str:
    return f"group:{run.target_group_id}" if run.target_group_id else f"{run.kind}:{run.bridge_id}"


def _about(run: SyncRun) -> str:
    if run.target_group:
        return run.target_group.name
    # Translators: "List refresh of Lamp Society".
    return gettext("%(kind)s of %(bridge)s") % {"kind": run.get_kind_display(), "bridge": run.bridge.name}


def _run(run: SyncRun) -> str:
    return reverse("targetgroups:run", args=[run.pk])
