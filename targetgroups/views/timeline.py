"""What has happened to one person, newest first: here, and what the rooms above tell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from django.db.models import QuerySet
from django.utils.translation import gettext, pgettext

from accounts.models import User
from accounts.permissions import VIEW_BRIDGE
from audit.models import AuditEntry

from ..choices import OutcomeKind, RunKind, RunStatus, WritebackState, reason_label
from ..models import Membership, RunOutcome, Subscriber, Suppression, SyncRun, Writeback
from ..rooms import Event, Link, events_of

MOST = 60
_SUPPRESSION = "targetgroups.suppression"


def timeline_of(person: Subscriber, user: User) -> list[Event]:
    """Return the newest events; a page that this user may not open is left out of them."""
    events = [*_memberships(person), *_outcomes(person), *_suppressions(person), *_checks(person)]
    events += _writebacks(person)
    events += [*events_of(person, MOST), *_kept(person)]  # of one moment's events the first is told last
    events.sort(key=lambda event: event.at, reverse=True)
    return [_openable(event, user) for event in events[:MOST]]


def _openable(event: Event, user: User) -> Event:
    if event.link is None or not event.link.right or user.may(event.link.right):
        return event
    return replace(event, link=Link(event.link.words))


def _kept(person: Subscriber) -> Iterator[Event]:
    found = gettext("The record was in a search, with Do Not Email = No.")
    yield Event(person.created_at, "plus-lg", gettext("First kept here"), found)
    if person.do_not_email_at and not person.erased_at:
        erased = gettext("Name, address and attributes were erased here.")
        yield Event(person.do_not_email_at, "envelope-slash", gettext("MemberSuite says Do Not Email = Yes"), erased)
    if person.erased_at:
        entry = AuditEntry.objects.filter(
            object_type="targetgroups.subscriber", object_id=str(person.pk), action="person.erased"
        ).first()
        yield Event(
            person.erased_at, "x-circle-fill", gettext("Erased on request"), who=entry.actor_label if entry else ""
        )


def _memberships(person: Subscriber) -> Iterator[Event]:
    for row in Membership.objects.filter(subscriber=person).select_related("target_group")[:MOST]:
        group = row.target_group
        yield Event(
            row.subscribed_at, "people", gettext("Joined"), link=Link(group.name, "targetgroups:info", group.pk)
        )


def _outcomes(person: Subscriber) -> Iterator[Event]:
    known = RunOutcome.objects.filter(bridge=person.bridge_id, remote_key=person.remote_key)
    told = known.filter(kind__in=(OutcomeKind.CHANGED, OutcomeKind.REMOVED)).select_related("run__target_group")
    for row in told.order_by("-recorded_at")[:MOST]:
        run, group = row.run, row.run.target_group
        if row.kind == OutcomeKind.REMOVED and group:
            yield Event(
                row.recorded_at,
                "dash-circle",
                pgettext("a person has left a group", "Left"),
                reason_label(row.reason),
                link=Link(group.name, "targetgroups:info", group.pk),
            )
        elif row.kind == OutcomeKind.CHANGED:
            detail = "" if row.changes else gettext("What changed was erased.")
            yield Event(
                row.recorded_at,
                "arrow-repeat",
                gettext("Changed in MemberSuite"),
                detail,
                link=Link(str(run), "targetgroups:run", run.pk),
                changes=row.changes,
            )


def _suppressions(person: Subscriber) -> Iterator[Event]:
    """Tell of the address's suppressions, in force or ended, and who did it as far as the audit log knows."""
    if not person.address_key:
        return
    rows = list(Suppression.objects.filter(address_key=person.address_key).order_by("-suppressed_at")[:MOST])
    entries = AuditEntry.objects.filter(object_type=_SUPPRESSION, object_id__in=[str(row.pk) for row in rows])
    told = {(entry.object_id, entry.action): entry for entry in entries}
    for row in rows:
        began, ended = told.get((str(row.pk), "opt_out")), told.get((str(row.pk), "opt_in"))
        yield Event(
            row.suppressed_at,
            "envelope-slash",
            row.get_cause_display(),
            row.note,
            who=row.added_by or (began.actor_label if began else ""),
        )
        if row.lifted_at:
            reason = row.lifted_because or ((ended.after or {}).get("reason", "") if ended else "")
            # Translators: a suppression has ended: "Ended: Hard bounce".
            what = gettext("Ended: %(cause)s") % {"cause": row.get_cause_display()}
            yield Event(
                row.lifted_at, "envelope", what, reason, who=row.lifted_by or (ended.actor_label if ended else "")
            )


def _writebacks(person: Subscriber) -> Iterator[Event]:
    rows = Writeback.objects.filter(bridge=person.bridge_id, remote_key=person.remote_key).order_by("-queued_at")
    link = Link(gettext("Writeback List"), "targetgroups:writebacks", person.bridge_id, VIEW_BRIDGE)
    for row in rows[:MOST]:
        what = {
            WritebackState.PENDING: gettext("Waits to be written back"),
            WritebackState.COMPLETED: gettext("Written back"),
            WritebackState.FAILED: gettext("Not written back"),
        }[WritebackState(row.state)]
        wish = gettext("Do Not Email = %(wish)s in MemberSuite.") % {"wish": row.wish}
        detail = f"{wish} {row.reason}".strip()
        yield Event(row.finished_at or row.queued_at, "send", what, detail, link=link)


def _checks(person: Subscriber) -> Iterator[Event]:
    for run in checks_of(person).filter(finished_at__isnull=False)[:MOST]:
        said = run.sentence if run.is_good else run.error_text or run.sentence
        asked = run.requests.all()
        who = str(asked[0].user) if asked and asked[0].user else ""
        what = gettext("Checked in MemberSuite") if run.status != RunStatus.FAILED else gettext("Check failed")
        link = Link(str(run), "targetgroups:run", run.pk)
        if run.finished_at:
            yield Event(run.finished_at, "eye", what, said, who, link)


def checks_of(person: Subscriber) -> QuerySet[SyncRun]:
    """Return the person's checks, newest first."""
    runs = SyncRun.objects.filter(bridge=person.bridge_id, kind=RunKind.PERSON, remote_id=person.remote_id)
    return runs.select_related("progress").prefetch_related("requests__user").order_by("-id")
