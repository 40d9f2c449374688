"""What people do with mailings: the only thing that views and commands call. Nothing here sends or waits (R8)."""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy, pgettext_lazy

import audit
from targetgroups.models import TargetGroup
from thrive_sync.lib.addresses import is_address
from thrive_sync.lib.claims import claim
from thrive_sync.lib.words import listed

from .choices import (
    ACTIVE,
    CANCELLABLE,
    EDITABLE,
    STALE_STOPS,
    GroupRole,
    MailingStatus,
    NoticeState,
    Outcome,
    StopCode,
)
from .exceptions import NotAllowedNow, NotReady
from .letterbox import Beginning
from .message import findings_of, placed
from .models import Mailing, MailingGroup, MailingTestCopy
from .querysets import figures_of
from .reviewed import Numbers
from .send import lease, pipeline, resync
from .send.render import NOT_ASCII, is_ascii_address, is_one_line
from .stretch import Stretch, picture

Actor = AbstractBaseUser | None

# What `save_mailing` takes; everything else about a mailing is not for a form to say.
FIELDS = ("name", "from_name", "from_email", "reply_to", "subject", "preheader", "text", "html", "not_to_addresses")
_LONGEST_NAME = 200
_HEADER_FIELDS = ("subject", "preheader", "from_name", "from_email", "reply_to")


# --- writing a mailing -------------------------------------------------------------------------------------------


@transaction.atomic
def create_mailing(user: Actor) -> Mailing:
    """Begin an empty draft."""
    mailing = Mailing.objects.create(name=gettext("New mailing"), created_by=_known(user))
    audit.record(_actor(user), "mailing.created", mailing)
    return mailing


@transaction.atomic
def save_mailing(
    mailing: Mailing,
    values: dict[str, Any],
    group_ids: Sequence[int],
    user: Actor,
    *,
    version: int,
    not_to_ids: Sequence[int] = (),
    by_itself: bool = False,
) -> Mailing:
    """Change a mailing that may still be changed, and return it as it is now.

    Args:
        values: some of FIELDS.
        group_ids: every group it goes to; `not_to_ids`: every group it does not go to, which wins over the former.
        version: the version that the person saw when the change began.
        by_itself: nobody said Save: the page keeps what is typed.

    Raises NotAllowedNow if it is no longer editable, or somebody saved it meanwhile.
    """
    if unknown := values.keys() - set(FIELDS):
        raise TypeError(f"a mailing has no field {', '.join(sorted(unknown))}")
    stretch = Stretch(mailing)
    saveable = Mailing.objects.filter(pk=mailing.pk, status__in=EDITABLE, version=version)
    if not claim(saveable, **values, version=F("version") + 1, changed_at=Now()):
        raise NotAllowedNow(_why_not_saved(mailing))
    _set_groups(mailing, group_ids, not_to_ids)
    mailing.refresh_from_db()
    stretch.saved(_actor(user), by_itself=by_itself)
    return mailing


@transaction.atomic
def begin_message(mailing: Mailing, start: Beginning, user: Actor) -> Mailing:
    """Put a ready message into a mailing that has none. Raises NotAllowedNow if somebody wrote one meanwhile."""
    values = {"subject": mailing.subject or start.subject, "preheader": start.preheader, "html": start.html}
    stretch = Stretch(mailing)
    empty = Mailing.objects.filter(pk=mailing.pk, status__in=EDITABLE, html="", text="")
    if not claim(empty, **values, version=F("version") + 1, changed_at=Now()):
        raise NotAllowedNow(gettext("This mailing has a message already, or can't be changed any more."))
    mailing.refresh_from_db()
    stretch.saved(_actor(user))
    return mailing


@transaction.atomic
def copy_mailing(mailing: Mailing, user: Actor) -> Mailing:
    """Begin a draft with the text and the groups of another mailing."""
    values = {name: getattr(mailing, name) for name in FIELDS}
    values["name"] = (gettext("Copy of %(name)s") % {"name": mailing.name})[:_LONGEST_NAME]
    copy = Mailing.objects.create(**values, created_by=_known(user))
    groups = mailing.groups.filter(target_group__deleted_at__isnull=True)
    MailingGroup.objects.bulk_create(
        MailingGroup(mailing=copy, target_group_id=group.target_group_id, role=group.role) for group in groups
    )
    audit.record(_actor(user), "mailing.copied", copy, None, {"from": mailing.pk})
    return copy


@transaction.atomic
def delete_draft(mailing: Mailing, user: Actor) -> None:
    """Delete a mailing that was never asked to be sent. Raises NotAllowedNow otherwise."""
    locked = Mailing.objects.select_for_update().filter(pk=mailing.pk, status=MailingStatus.DRAFT).first()
    if locked is None:
        raise _refusal(mailing, "deleted")
    Stretch(locked).end()
    audit.record(_actor(user), "mailing.deleted", locked, picture(mailing.pk), None)
    locked.delete()


def problems(mailing: Mailing, stale_ids: Collection[int] = ()) -> dict[str, str]:
    """Say what a mailing lacks before it can be sent: by field, in words.

    Nothing is said of groups that are sent to as they are (`stale_ids`), whatever keeps them from being synced.
    Beside FIELDS the keys are "groups", and "site" for what an administrator must set.
    """
    found = {
        name: gettext("This must be one line.") for name in _HEADER_FIELDS if not is_one_line(getattr(mailing, name))
    }
    needed = {
        "name": gettext("Give the mailing a name."),
        "from_email": gettext("Say from which address it comes."),
        "subject": gettext("Give it a subject."),
    }
    found |= {name: sentence for name, sentence in needed.items() if not getattr(mailing, name).strip()}
    if not mailing.text.strip() and not mailing.html.strip():
        found["text"] = gettext("Write the message.")
    for finding in findings_of(mailing):
        if finding.is_error:
            found.setdefault(finding.part, placed(finding))
    for name in ("from_email", "reply_to"):
        value = getattr(mailing, name)
        if value and not is_address(value):
            found.setdefault(name, gettext("This is not a complete e-mail address."))
        elif value and not is_ascii_address(value):
            found.setdefault(name, str(NOT_ASCII))
    return found | _group_problems(mailing, stale_ids) | _site_problems()


def _group_problems(mailing: Mailing, stale_ids: Collection[int]) -> dict[str, str]:
    groups = list(mailing.groups.select_related("target_group"))
    if not any(group.role == GroupRole.TO for group in groups):
        return {"groups": gettext("Choose at least one target group.")}
    for name, group in ((group.target_group.name, group.target_group) for group in groups):
        if group.deleted_at:
            words = gettext('"%(group)s" was deleted. Choose another group, or undelete it.')
            return {"groups": words % {"group": name}}
        if group.pk in stale_ids:
            continue
        if group.is_gone:
            words = gettext('"%(group)s" is no longer in MemberSuite. Choose another group.')
            return {"groups": words % {"group": name}}
        if group.not_runnable_code:
            words = gettext('The search of "%(group)s" can\'t be run from here. Choose another group.')
            return {"groups": words % {"group": name}}
    return {}


def _site_problems() -> dict[str, str]:
    lacking = [name for name in ("SITE_URL", "MAIL_POSTAL_ADDRESS") if not getattr(settings, name)]
    if not lacking:
        return {}
    # Translators: %(settings)s are names of settings, such as "SITE_URL and MAIL_POSTAL_ADDRESS".
    sentence = gettext("Nothing can be sent before an administrator has set %(settings)s.")
    return {"site": sentence % {"settings": listed(lacking)}}


# --- sending it --------------------------------------------------------------------------------------------------


@transaction.atomic
def request_send(
    mailing: Mailing,
    user: Actor,
    *,
    at: datetime | None = None,
    time_zone: str = "",
    version: int | None = None,
    seen: str = "",
) -> None:
    """Ask for a mailing to be sent: now, or at a time (aware; `time_zone` is the one it was typed in).

    Args:
        version: of the mailing as the person looked at it: no other text is sent.
        seen: the fingerprint of the numbers that the person looked at: no others are taken for reviewed.

    Raises NotReady if it lacks something, NotAllowedNow if it is not a draft and not stopped, or is another by now.
    """
    mailing.refresh_from_db()
    if mailing.status not in EDITABLE:
        raise _refusal(mailing, "sent")
    if version is not None and version != mailing.version:
        raise NotAllowedNow(gettext("Somebody changed this mailing meanwhile. Look at it again before you send it."))
    if seen and seen != _numbers(mailing).fingerprint:
        raise NotAllowedNow(gettext("A sync changed the numbers meanwhile. Look at them again before you send it."))
    if lacking := problems(mailing):
        raise NotReady(lacking)
    # The version too: what is sent is what was checked here.
    sendable = Mailing.objects.filter(pk=mailing.pk, status__in=EDITABLE, version=mailing.version)
    reviewed = _review(mailing, user)
    _schedule(sendable, mailing, user, scheduled_for=at, time_zone=time_zone, reviewed=reviewed)
    audit.record(_actor(user), "mailing.send", mailing, None, {"at": at, "time_zone": time_zone, "reviewed": reviewed})


@transaction.atomic
def request_retry(mailing: Mailing, user: Actor) -> None:
    """Ask for a stopped mailing to be sent now; its groups are resynced again. Raises as `request_send`.

    It is compared with what was reviewed before it stopped, unless its groups are others now. A list that moved is not
    retried: `request_accept` says that its new numbers were reviewed.
    """
    stopped = _stopped(mailing, "retried")
    if mailing.stop_code == StopCode.LIST_MOVED:
        raise NotAllowedNow(gettext("The list moved since it was reviewed. Look at the new numbers and decide."))
    before = {"stopped": mailing.stop_code}
    reviewed = mailing.reviewed if _is_reviewed(mailing) else _review(mailing, user)
    _schedule(stopped, mailing, user, scheduled_for=None, time_zone="", reviewed=reviewed)
    audit.record(_actor(user), "mailing.retry", mailing, before)


@transaction.atomic
def request_accept(mailing: Mailing, user: Actor, *, count: int) -> None:
    """Send a mailing that stopped because its list moved: its groups are resynced again, and the numbers found are
    those it is compared with from now on.

    Args:
        count: the number of recipients that the person saw and accepts.

    Raises NotAllowedNow if the mailing is another by now, or nobody would receive it; NotReady as `request_send`.
    """
    stopped = _stopped(mailing, "sent")
    found = mailing.found
    if mailing.stop_code != StopCode.LIST_MOVED or not found or found["most"] != count:
        raise NotAllowedNow(gettext("Its numbers are others by now. Look at them again, then decide."))
    if not count:
        raise NotAllowedNow(gettext("Nobody would receive it. Choose other groups."))
    if not _has_these_groups(mailing, found):
        raise NotAllowedNow(gettext("Its groups are others by now. Look at the mailing again, then send it."))
    before = mailing.reviewed
    reviewed = found | _stamp(user)
    _schedule(stopped, mailing, user, scheduled_for=None, time_zone="", reviewed=reviewed)
    audit.record(_actor(user), "mailing.accept", mailing, before, reviewed)


def blocked_groups(mailing: Mailing) -> list[MailingGroup]:
    """Return the groups to whose last good lists a stopped mailing could be sent; none if that is no answer."""
    is_answer = mailing.status == MailingStatus.STOPPED and mailing.stop_code in STALE_STOPS
    return resync.blocked(mailing) if is_answer else []


def ages_seen(groups: Sequence[MailingGroup]) -> str:
    """Say in one word which lists a page showed, by which its form tells them."""
    times = ((one.target_group_id, one.target_group.read_at) for one in groups)
    return "-".join(f"{pk}at{read_at.timestamp():.0f}" if read_at else f"{pk}never" for pk, read_at in times)


@transaction.atomic
def request_send_stale(mailing: Mailing, user: Actor, *, seen: str) -> None:
    """Send a stopped mailing although some groups can't be made current: to their last good lists (R10, R12).

    Every other group is resynced again. Who may ask for this is a right of its own; the ages are recorded.

    Args:
        seen: the lists that the person saw, as `ages_seen` tells them.

    Raises NotAllowedNow if the lists are others by now or a group has none; NotReady as `request_send`.
    """
    mailing.refresh_from_db()
    groups = blocked_groups(mailing)
    if not groups:
        raise _refusal(mailing, "sent to the last good list")
    if seen != ages_seen(groups) or any(one.target_group.read_at is None for one in groups):
        raise NotAllowedNow(gettext("The lists are others by now. Look at them again, then decide."))
    stopped = _stopped(mailing, "sent", stale_ids=[one.target_group_id for one in groups])
    code, reviewed = mailing.stop_code, mailing.reviewed if _is_reviewed(mailing) else _review(mailing, user)
    _schedule(stopped, mailing, user, scheduled_for=None, time_zone="", reviewed=reviewed)
    for one in groups:
        MailingGroup.objects.filter(pk=one.pk).update(stale_read_at=one.target_group.read_at)
    told = {"groups": [_age(one) for one in groups]}
    audit.record(_actor(user), "mailing.send_stale", mailing, {"stopped": code}, told)


@transaction.atomic
def request_pause(mailing: Mailing, user: Actor) -> None:
    """Hand out no more messages; what is in flight still goes. Raises NotAllowedNow if it is not sending."""
    sending = Mailing.objects.filter(pk=mailing.pk, status=MailingStatus.SENDING)
    # It may have waited for the mail server just now: that is not why it pauses, and nobody is to be told so.
    own = {**_NOT_STOPPED, "stopped_at": Now(), "server_tries": 0}
    _change(sending, mailing, "paused", status=MailingStatus.PAUSED, **own)
    audit.record(_actor(user), "mailing.pause", mailing, None, _gone_so_far(mailing))


@transaction.atomic
def pause_everything() -> list[Mailing]:
    """Have nothing go out by itself any more: pause what is sending, stop what waits for its time or its syncs.

    For a database that was restored: what it holds as queued may have gone out since, and so may notices that a mailing
    stopped. Returns the mailings touched.
    """
    untold = gettext("Nobody was told by e-mail: the database was restored from a back-up.")
    Mailing.objects.filter(notice=NoticeState.DUE).update(notice=NoticeState.FAILED, notice_text=untold)
    touched = list(Mailing.objects.select_for_update().filter(status__in=ACTIVE).order_by("pk"))
    for mailing in touched:
        if mailing.status == MailingStatus.SENDING:
            request_pause(mailing, None)
            continue
        before = {"status": mailing.status}
        stop = {"stop_code": StopCode.RESTORED, "stop_text": str(_RESTORED), "stopped_at": Now(), "due_at": None}
        _change(Mailing.objects.filter(pk=mailing.pk), mailing, "stopped", status=MailingStatus.STOPPED, **stop)
        audit.record("command", "mailing.stop", mailing, before, {"stopped": StopCode.RESTORED})
    waiting = MailingTestCopy.objects.filter(outcome=Outcome.QUEUED)
    waiting.update(outcome=Outcome.FAILED, said=gettext("The database was restored from a back-up."), settled_at=Now())
    return touched


@transaction.atomic
def request_resume(mailing: Mailing, user: Actor) -> None:
    """Go on with a paused mailing. Raises NotAllowedNow if it is not paused."""
    paused = Mailing.objects.filter(pk=mailing.pk, status=MailingStatus.PAUSED)
    _change(paused, mailing, "resumed", status=MailingStatus.SENDING, due_at=None, server_tries=0, **_NOT_STOPPED)
    audit.record(_actor(user), "mailing.resume", mailing, None, _gone_so_far(mailing))
    wake_mailing(mailing.pk)


@transaction.atomic
def request_cancel(mailing: Mailing, user: Actor) -> None:
    """End a mailing for good. Who did not get it yet never will, and is listed as skipped by a worker.

    Raises NotAllowedNow if it is a draft or over.
    """
    cancellable = Mailing.objects.filter(pk=mailing.pk, status__in=CANCELLABLE)
    _change(cancellable, mailing, "cancelled", status=MailingStatus.CANCELLED, due_at=None, stopped_at=Now())
    audit.record(_actor(user), "mailing.cancel", mailing, None, _gone_so_far(mailing))
    wake_mailing(mailing.pk)


@transaction.atomic
def decide_unknown(mailing: Mailing, user: Actor, *, resend: bool) -> int:
    """Settle the recipients of whom nobody knows whether they got it: count them as sent, or send them again (R13).

    Returns how many. Raises NotAllowedNow if the mailing was cancelled and they should be sent again.
    """
    locked = Mailing.objects.select_for_update(no_key=True).get(pk=mailing.pk)
    if resend and locked.status == MailingStatus.CANCELLED:
        raise _refusal(locked, "sent again")
    count = lease.decide_unknown(locked.pk, resend=resend, decided_by=str(_actor(user)))
    if count:
        audit.record(_actor(user), "mailing.decide_unknown", locked, None, {"resend": resend, "people": count})
        pipeline.reopen(locked.pk)
        wake_mailing(locked.pk)
    mailing.refresh_from_db()
    return count


def wake_mailing(mailing_id: int) -> None:
    """Let a worker look at a mailing, once the present transaction is committed."""
    transaction.on_commit(partial(pipeline.wake, mailing_id))


# --- inside ------------------------------------------------------------------------------------------------------

_RESTORED = gettext_lazy(
    "The database was restored from a back-up. If this mailing went out after the back-up was made, cancel it; the "
    "mail server's log tells. If not, retry."
)
# What a mailing refuses to be, by the wish.
_REFUSALS = {
    "changed": gettext_lazy("This mailing can't be changed: it is %(status)s."),
    "deleted": gettext_lazy("This mailing can't be deleted: it is %(status)s."),
    "sent": gettext_lazy("This mailing can't be sent: it is %(status)s."),
    "sent again": gettext_lazy("This mailing can't be sent again: it is %(status)s."),
    "sent to the last good list": gettext_lazy("This mailing can't be sent to the last good list: it is %(status)s."),
    "retried": gettext_lazy("This mailing can't be retried: it is %(status)s."),
    "paused": gettext_lazy("This mailing can't be paused: it is %(status)s."),
    "stopped": gettext_lazy("This mailing can't be stopped: it is %(status)s."),
    "resumed": gettext_lazy("This mailing can't be resumed: it is %(status)s."),
    "cancelled": gettext_lazy("This mailing can't be cancelled: it is %(status)s."),
}
_STATUS_WITHIN = {
    MailingStatus.DRAFT: pgettext_lazy("a mailing is …", "draft"),
    MailingStatus.SCHEDULED: pgettext_lazy("a mailing is …", "scheduled"),
    MailingStatus.RESYNCING: pgettext_lazy("a mailing is …", "resyncing"),
    MailingStatus.STOPPED: pgettext_lazy("a mailing is …", "stopped"),
    MailingStatus.SENDING: pgettext_lazy("a mailing is …", "sending"),
    MailingStatus.PAUSED: pgettext_lazy("a mailing is …", "paused"),
    MailingStatus.SENT: pgettext_lazy("a mailing is …", "sent"),
    MailingStatus.SENT_WITH_ERRORS: pgettext_lazy("a mailing is …", "sent with errors"),
    MailingStatus.CANCELLED: pgettext_lazy("a mailing is …", "cancelled"),
    MailingStatus.FAILED: pgettext_lazy("a mailing is …", "failed"),
}
_NOT_STOPPED: dict[str, Any] = {
    "stop_code": "",
    "stop_text": "",
    "stopped_at": None,
    "notice": "",
    "notice_tries": 0,
    "notice_text": "",
}


def _stopped(mailing: Mailing, wish: str, *, stale_ids: Collection[int] = ()) -> QuerySet[Mailing]:
    """Read a stopped mailing anew and return the claim on exactly this stop. Raises NotAllowedNow, NotReady."""
    mailing.refresh_from_db()
    if mailing.status != MailingStatus.STOPPED:
        raise _refusal(mailing, wish)
    if lacking := problems(mailing, stale_ids):
        raise NotReady(lacking)
    stop = {"version": mailing.version, "stopped_at": mailing.stopped_at}
    return Mailing.objects.filter(pk=mailing.pk, status=MailingStatus.STOPPED, **stop)


def _review(mailing: Mailing, user: Actor) -> dict[str, Any]:
    """Take the numbers that the Send page shows: they are what the list is compared with after the resync."""
    return _numbers(mailing).as_json() | _stamp(user)


def _numbers(mailing: Mailing) -> Numbers:
    groups = mailing.groups.select_related("target_group__receiving")
    return Numbers.of(groups, named=len(mailing.not_to_addresses))


def _age(one: MailingGroup) -> dict[str, Any]:
    group, now = one.target_group, timezone.now()
    age = (now - group.read_at).total_seconds() if group.read_at else None
    return {
        "group": group.pk,
        "name": group.name,
        "members": group.member_count,
        "read_at": group.read_at,
        "age_seconds": None if age is None else round(age),
    }


def _stamp(user: Actor) -> dict[str, str]:
    return {"at": timezone.now().isoformat(), "by": str(_actor(user))}


def _is_reviewed(mailing: Mailing) -> bool:
    return mailing.reviewed is not None and _has_these_groups(mailing, mailing.reviewed)


def _has_these_groups(mailing: Mailing, kept: dict[str, Any]) -> bool:
    return Numbers.of_json(kept).roles == set(mailing.groups.values_list("target_group_id", "role"))


def _schedule(sendable: QuerySet[Mailing], mailing: Mailing, user: Actor, **values: Any) -> None:
    values |= {"status": MailingStatus.SCHEDULED, "sent_by": _known(user), "requested_at": Now()}
    values |= {"moment_at": None, "due_at": None, "server_tries": 0, "found": None, **_NOT_STOPPED}
    _change(sendable, mailing, "sent", **values)
    Stretch(mailing).end()  # before the entry that says it was sent
    mailing.groups.update(run=None, member_count=None, stale_read_at=None)
    wake_mailing(mailing.pk)


def _change(rows: QuerySet[Mailing], mailing: Mailing, wish: str, **values: Any) -> None:
    """Claim a change of status and read the row again; refuse in words if it is too late for the wish."""
    if not claim(rows, **values):
        raise _refusal(mailing, wish)
    mailing.refresh_from_db()


def _refusal(mailing: Mailing, wish: str) -> NotAllowedNow:
    now = Mailing.objects.filter(pk=mailing.pk).only("status").first()
    if now is None:
        return NotAllowedNow(gettext("This mailing was deleted."))
    status = _STATUS_WITHIN[MailingStatus(now.status)]
    return NotAllowedNow(str(_REFUSALS[wish]) % {"status": status})


def _why_not_saved(mailing: Mailing) -> str:
    now = Mailing.objects.filter(pk=mailing.pk, status__in=EDITABLE).first()
    if now is None:
        return _refusal(mailing, "changed").sentence
    return gettext("Somebody changed this mailing meanwhile. Look at it again, then make your change.")


def _set_groups(mailing: Mailing, group_ids: Sequence[int], not_to_ids: Sequence[int]) -> None:
    roles = dict.fromkeys(group_ids, GroupRole.TO) | dict.fromkeys(not_to_ids, GroupRole.NOT_TO)
    known = set(TargetGroup.objects.filter(pk__in=roles).values_list("pk", flat=True))
    mailing.groups.exclude(target_group__in=known).delete()
    for pk in known:
        MailingGroup.objects.update_or_create(mailing=mailing, target_group_id=pk, defaults={"role": roles[pk]})


def _gone_so_far(mailing: Mailing) -> dict[str, int]:
    figures = figures_of(mailing)
    return {"sent": figures["outcomes"].get(Outcome.SENT, 0), "total": figures["total"]}


def _actor(user: Actor) -> Any:
    return _known(user) or "command"


def _known(user: Actor) -> Any:
    """Mailings keep people, not the anonymous."""
    return user if user is not None and user.is_authenticated else None
