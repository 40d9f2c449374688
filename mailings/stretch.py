"""What the audit log keeps of writing a mailing: two entries for a stretch of writing, however often it kept itself.

A draft keeps itself every few seconds while it is written, and entries are only ever added. So the first keeping of a
stretch is recorded, and then what it came to: by the person's own Save, or, in the name of who wrote, with whatever
happens to the mailing next. What one entry left is what the next one began with: no change is between two entries.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.utils import timezone

import audit
from audit.models import AuditEntry

from .choices import GroupRole
from .models import Mailing

# Whoever pauses for longer begins another stretch.
QUIET = timedelta(minutes=30)


def picture(mailing_id: int) -> dict[str, Any]:
    """Give what an audit entry keeps of a mailing: its head and groups; the text by its length."""
    mailing = Mailing.objects.get(pk=mailing_id)
    kept: dict[str, Any] = {name: getattr(mailing, name) for name in ("name", "from_name", "subject")}
    kept |= {"text_length": len(mailing.text), "html_length": len(mailing.html), "version": mailing.version}
    kept["not_to_address_count"] = len(mailing.not_to_addresses)
    for role in GroupRole:
        kept[role] = sorted(mailing.groups.filter(role=role).values_list("target_group_id", flat=True))
    return kept


class Stretch:
    """What stands in the log when a mailing is about to be changed. Made before the change, in its transaction."""

    def __init__(self, mailing: Mailing) -> None:
        self._mailing = mailing
        self._before = picture(mailing.pk)
        self._kept_at = Mailing.objects.values_list("changed_at", flat=True).get(pk=mailing.pk)
        newest = audit.newest(mailing, "mailing.writing", "mailing.saved")
        self._open = newest if newest is not None and newest.action == "mailing.writing" else None

    def saved(self, actor: AbstractBaseUser | str, *, by_itself: bool = False) -> None:
        """Record that the mailing was saved: by a click, or by itself as it was written."""
        before = self._before
        if self._open is not None and _is_by(self._open, actor) and timezone.now() - self._kept_at < QUIET:
            if by_itself:
                return
            before = self._open.after or before
        else:
            self.end()
        after = picture(self._mailing.pk)
        audit.record(actor, "mailing.writing" if by_itself else "mailing.saved", self._mailing, before, after)

    def end(self) -> None:
        """Record what an open stretch came to, because something else happens to the mailing now."""
        left = self._open.after if self._open is not None else None
        if self._open is None or not left or left["version"] == self._before["version"]:
            return
        author, after = self._open.actor or self._open.actor_label, self._before | {"kept_at": self._kept_at}
        audit.record(author, "mailing.saved", self._mailing, left, after)


def _is_by(entry: AuditEntry, actor: AbstractBaseUser | str) -> bool:
    return entry.actor_label == actor if isinstance(actor, str) else entry.actor_id == actor.pk
