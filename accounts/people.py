"""Who may sign in, and as what: every change of a person, each recorded with who made it (R16)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.contrib.auth.models import Group
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import get_random_string
from django.utils.translation import gettext

import audit
from accounts import letters, lockout, presence, two_step
from accounts.exceptions import NotAllowedNow
from accounts.models import Letter, User
from accounts.permissions import ADMINISTRATOR

Actor = User | str  # a person, or a word for what acted by itself


@transaction.atomic
def invite(actor: Actor, email: str, roles: Collection[Group]) -> User:
    """Make a person who can't sign in yet, and let the link go out that changes it.

    Raises NotAllowedNow if somebody has this address, or signs in with it.
    """
    address = email.strip().lower()
    Group.objects.select_for_update().get(
        name=ADMINISTRATOR.name
    )  # two invitations of one address: one after the other
    if User.objects.filter(email__iexact=address).exists() or User.objects.filter(username__iexact=address).exists():
        said = gettext("Somebody with the address %(address)s is here already.")
        raise NotAllowedNow(said % {"address": address})
    user = User(username=address, email=address, is_active=False)
    user.set_unusable_password()
    user.save()
    user.groups.set(roles)
    _renew(actor, user)
    audit.record(actor, "user.invited", user, None, {"roles": _names(roles)})
    return user


@transaction.atomic
def invite_again(actor: User, user: User) -> None:
    """Let a new link go out; the one before it ends."""
    invited = _locked(user)
    if not invited.invitation:
        raise NotAllowedNow(gettext("%(who)s is not invited any more.") % {"who": invited})
    _renew(actor, invited)
    audit.record(actor, "user.invited_again", invited)


@transaction.atomic
def withdraw(actor: User, user: User) -> None:
    """Take an invitation back: the link ends, and nobody is left of whom it was."""
    invited = _locked(user)
    if not invited.invitation:
        said = gettext("%(who)s has accepted the invitation: deactivate the account instead.")
        raise NotAllowedNow(said % {"who": invited})
    audit.record(actor, "user.invitation_withdrawn", invited)
    invited.delete()


@transaction.atomic
def accept(user: User, password: str, first_name: str, last_name: str) -> None:
    """Make an invited person one who signs in; the link is used with it.

    Raises NotAllowedNow if it was used or withdrawn meanwhile.
    """
    invited = User.objects.select_for_update().filter(pk=user.pk, invitation=user.invitation).first()
    if invited is None or not invited.invitation:
        raise NotAllowedNow(gettext("This invitation was used or withdrawn meanwhile."))
    invited.set_password(password)
    invited.first_name, invited.last_name = first_name, last_name
    invited.is_active, invited.invitation = True, ""
    invited.save()
    audit.record(invited, "user.invitation_accepted", invited)


@transaction.atomic
def change_roles(actor: User, user: User, roles: Collection[Group]) -> bool:
    """Give a person exactly these roles; return whether that is a change."""
    changed = _locked(user)
    before, after = _names(changed.groups.all()), _names(roles)
    if before == after:
        return False
    if ADMINISTRATOR.name in before and ADMINISTRATOR.name not in after:
        if actor.pk == user.pk:
            said = gettext("You can't take the role Administrator from yourself. Another Administrator can.")
            raise NotAllowedNow(said)
        _keep_an_administrator(changed)
    changed.groups.set(roles)
    if changed.is_superuser and ADMINISTRATOR.name not in after:  # or the role would go and every right stay
        changed.is_superuser = False
        changed.save(update_fields=["is_superuser"])
    audit.record(actor, "user.roles_changed", changed, {"roles": before}, {"roles": after})
    return True


@transaction.atomic
def deactivate(actor: User, user: User) -> int:
    """Let a person sign in no more and end their sessions at once; return how many these were."""
    switched = _locked(user)
    if actor.pk == user.pk:
        raise NotAllowedNow(gettext("You can't deactivate yourself. Another Administrator can."))
    if switched.invitation:
        said = gettext("%(who)s has not accepted the invitation yet: withdraw it instead.")
        raise NotAllowedNow(said % {"who": switched})
    if not switched.is_active:
        raise NotAllowedNow(gettext("%(who)s is deactivated already.") % {"who": switched})
    _keep_an_administrator(switched)
    switched.is_active = False
    switched.save(update_fields=["is_active"])
    count = presence.end_all(switched)
    audit.record(actor, "user.deactivated", switched, {"active": True}, {"active": False, "signed_out": count})
    return count


@transaction.atomic
def reactivate(actor: User, user: User) -> None:
    switched = _locked(user)
    if switched.is_active or switched.invitation:
        raise NotAllowedNow(gettext("%(who)s is not deactivated.") % {"who": switched})
    switched.is_active = True
    switched.save(update_fields=["is_active"])
    audit.record(actor, "user.reactivated", switched, {"active": False}, {"active": True})


@transaction.atomic
def sign_out(actor: User, user: User) -> int:
    """End all sessions of somebody else; return how many these were."""
    count = presence.end_all(user)
    audit.record(actor, "user.signed_out", user, None, {"count": count})
    return count


@transaction.atomic
def unlock(actor: User, user: User) -> None:
    lockout.unlock(user)
    audit.record(actor, "user.unlocked", user)


@transaction.atomic
def reset_two_step(actor: User, user: User) -> None:
    """Switch two-step sign-in off for somebody who lost app and codes; whoever is signed in with it no longer is."""
    if not two_step.switch_off(user):
        raise NotAllowedNow(gettext("%(who)s signs in without a second step.") % {"who": user})
    presence.end_all(user)
    audit.record(actor, "user.two_step_reset", user)


@transaction.atomic
def send_password_link(actor: User, user: User) -> None:
    """Let a person set a new password; the old one works until then."""
    if not user.is_active:
        said = gettext("%(who)s can't sign in now, so a new password would be of no use.")
        raise NotAllowedNow(said % {"who": user})
    if letters.is_set_up():
        letters.ask_for(user, Letter.Kind.PASSWORD)
    audit.record(actor, "user.link_sent", user)


@transaction.atomic
def set_password(user: User, password: str) -> None:
    """Set the password that a person chose by a link; whoever was signed in with the old one no longer is."""
    user.set_password(password)
    user.save(update_fields=["password"])
    presence.end_all(user)
    lockout.unlock(user)
    audit.record(user, "user.password_set_by_link", user)


def _renew(actor: Actor, user: User) -> None:
    user.invitation, user.invited_at = get_random_string(24), timezone.now()
    user.invited_by = actor if isinstance(actor, User) else None
    user.save(update_fields=["invitation", "invited_at", "invited_by"])
    if letters.is_set_up():
        letters.ask_for(user, Letter.Kind.INVITATION)


def _locked(user: User) -> User:
    """Return the person as they are now; nobody else changes people meanwhile, so that one Administrator stays."""
    Group.objects.select_for_update().get(name=ADMINISTRATOR.name)
    found = User.objects.select_for_update().filter(pk=user.pk).first()
    if found is None:
        raise NotAllowedNow(gettext("This invitation was withdrawn meanwhile."))
    return found


def _keep_an_administrator(user: User) -> None:
    others = User.objects.filter(is_active=True, groups__name=ADMINISTRATOR.name).exclude(pk=user.pk)
    if user.is_active and user.groups.filter(name=ADMINISTRATOR.name).exists() and not others.exists():
        raise NotAllowedNow(gettext("This is the last active Administrator. Give somebody else that role first."))


def _names(roles: Any) -> list[str]:
    return sorted(role.name for role in roles)
