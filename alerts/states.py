"""From what is not good now to what is told: once when it begins, once when it has been good again for a while.

Every change is a claim on the state's row: however many sweeps look at once, one of them tells.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from mailings.models import Mailing
from thrive_sync.lib.claims import claim

from . import audience, outbox
from .choices import AlertKind, Event
from .conditions import Condition
from .models import Alert, AlertLetter, AlertState

# A run that ended well ends these.
_OF_RUNS = (AlertKind.FAILED, AlertKind.HELD, AlertKind.STALLED)
Found = dict[tuple[str, str], Condition]


def bring_level(found: Found, now: datetime) -> int:
    """Tell what has changed; return how much that was."""
    bad = {(state.kind, state.key): state for state in AlertState.objects.filter(is_bad=True)}
    changes = sum(_raise(condition, now) for key, condition in found.items() if key not in bad)
    changes += sum(_recover(state, now) for key, state in bad.items() if key not in found)
    again = [state.pk for key, state in bad.items() if key in found and state.good_since is not None]
    AlertState.objects.filter(pk__in=again, is_bad=True).update(good_since=None)
    for key, state in bad.items():  # told of already, and it happened again
        if key in found and found[key].run_id > state.run_id:
            claim(AlertState.objects.filter(pk=state.pk, run_id__lt=found[key].run_id), run_id=found[key].run_id)
    _reword({key: condition for key, condition in found.items() if key in bad and condition.link})
    return changes


def _raise(condition: Condition, now: datetime) -> bool:
    here = {"kind": condition.kind, "key": condition.key}
    AlertState.objects.bulk_create([AlertState(**here)], ignore_conflicts=True)
    states = AlertState.objects.filter(**here, is_bad=False)
    if condition.run_id:  # a run is told of once, also after the alert is over
        states = states.filter(run_id__lt=condition.run_id)
    with transaction.atomic():
        if not claim(states, is_bad=True, good_since=None, run_id=condition.run_id, level=condition.level):
            return False
        alert = Alert.objects.create(
            **here, about=condition.about[:500], text=condition.text, link=condition.link, raised_at=now
        )
        _write_letters(alert, now, is_recovery=False)
        outbox.write(Event.ALERT_RAISED, f"alert.raised:{alert.pk}", _told(alert), now)
    return True


def _recover(state: AlertState, now: datetime) -> bool:
    """Begin to wait whether it stays good, or end the waiting."""
    mine = AlertState.objects.filter(pk=state.pk, is_bad=True, good_since=state.good_since)
    if state.good_since is None:
        claim(mine, good_since=now)
        return False
    if now - state.good_since < timedelta(seconds=settings.ALERT_SETTLE_SECONDS):
        return False
    with transaction.atomic():
        if not claim(mine, is_bad=False, good_since=None):
            return False
        for alert in Alert.objects.filter(kind=state.kind, key=state.key, recovered_at__isnull=True):
            alert.recovered_at = state.good_since
            alert.save(update_fields=["recovered_at"])
            _write_letters(alert, now, is_recovery=True)
            outbox.write(Event.ALERT_RECOVERED, f"alert.recovered:{alert.pk}", _told(alert), now)
            if alert.kind in _OF_RUNS:
                outbox.write(Event.RUN_RECOVERED, f"run.recovered:{alert.pk}", _told(alert), now)
    return True


def _reword(found: Found) -> None:
    """Let an open alert lead to the newest of what it is about: another run is held by now, another error tells why."""
    for alert in Alert.objects.filter(recovered_at__isnull=True):
        condition = found.get((alert.kind, alert.key))
        if condition and (condition.link, condition.text) != (alert.link, alert.text):
            Alert.objects.filter(pk=alert.pk).update(link=condition.link, text=condition.text)


def _write_letters(alert: Alert, now: datetime, *, is_recovery: bool) -> None:
    if is_recovery:  # whoever heard that it began hears that it is over, and nobody else
        people = list(alert.letters.filter(is_recovery=False).values_list("user_id", flat=True))
    else:
        people = [user.pk for user in audience.readers(AlertKind(alert.kind), but=_told_already(alert))]
    AlertLetter.objects.bulk_create(
        AlertLetter(user_id=pk, alert=alert, is_recovery=is_recovery, asked_at=now, due_at=now) for pk in people
    )


def _told_already(alert: Alert) -> list[int]:
    """Return who gets an e-mail of the mailing itself: its author, and whoever said Send."""
    if alert.kind != AlertKind.MAILING:
        return []
    pairs = Mailing.objects.filter(pk=alert.key.partition(":")[2]).values_list("created_by_id", "sent_by_id")
    return [pk for pair in pairs for pk in pair if pk]


def _told(alert: Alert) -> dict[str, object]:
    """Say to programs what an alert is about: its words and numbers, nobody's data."""
    return {
        "alert": alert.pk,
        "kind": alert.kind,
        "about": alert.about,
        "key": alert.key,
        "raised_at": alert.raised_at.isoformat(),
        "recovered_at": alert.recovered_at.isoformat() if alert.recovered_at else None,
        "address": outbox.address(alert.link),
    }
