"""Who is told of what: never of what their role may not see, by default what their rights let them mend."""

from __future__ import annotations

from collections.abc import Iterable

from accounts.models import User
from accounts.permissions import MANAGE_SETTINGS, SEND_MAILING, SYNC, VIEW_BRIDGE, VIEW_GROUPS, VIEW_MAILINGS

from .choices import AlertKind, Channel
from .models import Alert, Wishes

_RIGHT = {
    AlertKind.UNREACHABLE: VIEW_GROUPS,
    AlertKind.FAILED: VIEW_GROUPS,
    AlertKind.HELD: VIEW_GROUPS,
    AlertKind.STALLED: VIEW_GROUPS,
    AlertKind.SHRUNK: VIEW_GROUPS,
    AlertKind.MAILING: VIEW_MAILINGS,
    AlertKind.WEBHOOK: MANAGE_SETTINGS,
}
# Whoever never said anything else: with this right they are told ...
_CARES = dict.fromkeys(AlertKind, SYNC) | {AlertKind.MAILING: SEND_MAILING, AlertKind.WEBHOOK: MANAGE_SETTINGS}
# ... by these ways. A mailing's author and sender get an e-mail of its stop anyway.
_DEFAULT = {
    AlertKind.UNREACHABLE: (Channel.EMAIL, Channel.APP),
    AlertKind.FAILED: (Channel.EMAIL, Channel.APP),
    AlertKind.HELD: (Channel.EMAIL, Channel.APP),
    AlertKind.STALLED: (Channel.APP,),
    AlertKind.SHRUNK: (Channel.APP,),
    AlertKind.MAILING: (Channel.APP,),
    AlertKind.WEBHOOK: (Channel.EMAIL, Channel.APP),
}
# What an alert leads to may need more than seeing the alert.
_LINK_RIGHT = {AlertKind.UNREACHABLE: VIEW_BRIDGE}


def kinds_for(user: User) -> list[AlertKind]:
    """Return what a person may be told of."""
    return [kind for kind in AlertKind if user.may(_RIGHT[kind])]


def may_follow(user: User, kind: AlertKind) -> bool:
    """Say whether the page that an alert of this kind leads to opens for a person."""
    return kind not in _LINK_RIGHT or user.may(_LINK_RIGHT[kind])


def suggested(user: User, channel: Channel) -> list[AlertKind]:
    """Return what somebody is told of who never chose."""
    return [kind for kind in kinds_for(user) if channel in _DEFAULT[kind] and user.may(_CARES[kind])]


def chosen(user: User, channel: Channel, wishes: Wishes | None) -> list[AlertKind]:
    """Return what a person is told of in this way."""
    own: Iterable[str] | None = getattr(wishes, channel) if wishes else None
    return suggested(user, channel) if own is None else [kind for kind in kinds_for(user) if kind in own]


def wishes_of(user: User) -> Wishes | None:
    return Wishes.objects.filter(user=user).first()


def wish(user: User, email: list[str], app: list[str]) -> None:
    """Keep what a person chose; what their role does not let them see cannot be chosen, and stays as it was."""
    Wishes.objects.update_or_create(user=user, defaults={"email": email, "app": app})


def mark_seen(user: User, up_to: int) -> None:
    """Let alerts up to this one be no news any more; never back."""
    Wishes.objects.get_or_create(user=user)
    Wishes.objects.filter(user=user, seen_id__lt=up_to).update(seen_id=up_to)


_UNSEEN = """
SELECT a.id FROM alerts_alert a LEFT JOIN alerts_wishes w ON w.user_id = %(user)s
WHERE a.recovered_at IS NULL AND a.id > COALESCE(w.seen_id, 0) AND a.kind = ANY(%(may)s)
    AND a.kind = ANY(COALESCE(w.app, %(suggested)s::varchar[])) LIMIT %(most)s
"""


def unseen_count(user: User, most: int) -> int:
    """Return how many open alerts a person wants to see in the menu and has not seen, up to `most`. One statement."""
    may = [kind.value for kind in kinds_for(user)]
    if not may:
        return 0
    asked = {
        "user": user.pk,
        "may": may,
        "suggested": [kind.value for kind in suggested(user, Channel.APP)],
        "most": most,
    }
    return len(list(Alert.objects.raw(_UNSEEN, asked)))


def readers(kind: AlertKind, *, but: Iterable[int] = ()) -> list[User]:
    """Return who is told of a kind by e-mail."""
    people = User.objects.filter(is_active=True).exclude(email="").exclude(pk__in=list(but))
    return [
        user
        for user in people.select_related("alert_wishes")
        if kind in chosen(user, Channel.EMAIL, getattr(user, "alert_wishes", None))
    ]
