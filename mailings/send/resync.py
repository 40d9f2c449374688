"""Every group of a mailing is brought level with its search after the sending moment has come (R7, R12)."""

from django.db import transaction
from django.utils.translation import gettext

from targetgroups.choices import RunStatus, Trigger
from targetgroups.enqueue import request_sync
from targetgroups.models import SyncRun, TargetGroup

from ..choices import StopCode
from ..exceptions import StopMailing
from ..models import Mailing, MailingGroup

# How a run can end so that the group's last good list is all there is.
_BAD = (RunStatus.FAILED, RunStatus.HELD, RunStatus.SUPERSEDED)


def ask(mailing: Mailing) -> None:
    """Ask for a run of each group that has none yet; a run that has begun already is not joined.

    The moment must be committed: only then is the first page of a run that still waits asked for after it.
    Raises StopMailing if a group can't be synced at all.
    """
    for member in _groups(mailing):
        _refuse_unusable(member)
        if member.run_id is None and member.stale_read_at is None:
            with transaction.atomic():
                run = request_sync(member.target_group, Trigger.MAILING, mailing.sent_by)
                MailingGroup.objects.filter(pk=member.pk).update(run=run)


def is_over(mailing: Mailing) -> bool:
    """Say whether every group is current, or is to be sent to as it is. Raises StopMailing if one can't be (R12)."""
    groups = list(_groups(mailing))
    for member in groups:
        _refuse_unusable(member)
        if member.run is not None:
            _refuse_failed(member.target_group, member.run)
    resynced = [member for member in groups if member.stale_read_at is None]
    if not all(member.run is not None and member.run.is_good for member in resynced):
        return False
    for member in resynced:
        read_at = member.target_group.read_at
        if read_at is None or mailing.moment_at is None or read_at < mailing.moment_at:
            # Never by this program's doing; but nothing is sent on a stale group silently.
            raise StopMailing(
                StopCode.UNEXPECTED,
                gettext('"%(group)s" is older than the sending moment. Please retry.')
                % {"group": member.target_group.name},
            )
    return True


def blocked(mailing: Mailing) -> "list[MailingGroup]":
    """Return the groups of a stopped mailing that can't be made current now, those it was to use so included.

    A group that was deleted here is none of them: whoever wants it undeletes it.
    """
    return [member for member in _groups(mailing) if _is_blocked(member)]


def _is_blocked(member: MailingGroup) -> bool:
    if member.target_group.deleted_at:
        return False
    is_unusable = not member.target_group.is_runnable or member.stale_read_at is not None
    return is_unusable or (member.run is not None and member.run.status in _BAD)


def _groups(mailing: Mailing) -> "list[MailingGroup]":
    return list(mailing.groups.select_related("target_group__bridge", "run").order_by("pk"))


def _refuse_unusable(member: MailingGroup) -> None:
    group = member.target_group
    if group.deleted_at:
        raise StopMailing(
            StopCode.GROUP_DELETED,
            gettext(
                'The target group "%(group)s" was deleted here. Nothing was sent. Undelete it and retry, or choose '
                "another group."
            )
            % {"group": group.name},
        )
    if member.stale_read_at is not None:
        return
    if group.is_gone:
        raise StopMailing(
            StopCode.GROUP_GONE,
            gettext(
                'The search of the target group "%(group)s" is no longer in MemberSuite. Nothing was sent. Choose '
                "another group; or bring the search back, refresh the target group list, and retry."
            )
            % {"group": group.name},
        )
    if group.not_runnable_code:
        raise StopMailing(
            StopCode.GROUP_NOT_RUNNABLE,
            gettext(
                'The search of the target group "%(group)s" can\'t be run from here. Nothing was sent. Change the '
                "search in MemberSuite and refresh the target group list, or choose another group."
            )
            % {"group": group.name},
        )


def _refuse_failed(group: TargetGroup, run: SyncRun) -> None:
    if run.status in (RunStatus.HELD, RunStatus.SUPERSEDED):
        raise StopMailing(
            StopCode.SYNC_HELD,
            gettext(
                'The resync of "%(group)s" is held, because it would remove more people than is usual. Nothing was '
                "sent. Look at run %(run)s, apply or discard it, then retry."
            )
            % {"group": group.name, "run": run.pk},
        )
    if run.status == RunStatus.FAILED:
        raise StopMailing(
            StopCode.SYNC_FAILED,
            gettext('"%(group)s" could not be resynced: %(error)s Nothing was sent. Retry when that is mended.')
            % {"group": group.name, "error": run.error_text or gettext("the sync failed.")},
        )
    if run.status == RunStatus.CANCELLED:
        raise StopMailing(
            StopCode.SYNC_CANCELLED,
            gettext(
                'Somebody cancelled the resync of "%(group)s" (run %(run)s). Nothing was sent. Retry, which resyncs '
                "all groups again."
            )
            % {"group": group.name, "run": run.pk},
        )
