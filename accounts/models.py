from __future__ import annotations

import zoneinfo
from datetime import datetime
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, Group, UserManager
from django.contrib.sessions.base_session import AbstractBaseSession
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy

from accounts.permissions import ADMINISTRATOR, RIGHTS, full_name
from thrive_sync.lib.encryption import EncryptedTextField


def validate_timezone(name: str) -> None:
    """Refuse a name that is no IANA time zone."""
    if name not in zoneinfo.available_timezones():
        raise ValidationError(gettext("Choose a time zone from the list."), code="unknown_timezone")


class PeopleManager(UserManager["User"]):
    """Makes whoever `createsuperuser` is for an Administrator like all others, so that Users shows what they are."""

    def create_superuser(self, *args: Any, **kwargs: Any) -> User:
        user = super().create_superuser(*args, **kwargs)
        user.groups.add(Group.objects.get(name=ADMINISTRATOR.name))
        return user


class User(AbstractUser):
    """A person who signs in. What they may do comes from their role (a Django group), never from the page."""

    timezone = models.CharField(
        "time zone",
        max_length=64,
        default="UTC",
        validators=[validate_timezone],
        help_text="Times on every page are shown in this zone.",
    )
    # Of settings.LANGUAGES. Blank: on pages the browser's, in letters the site's.
    language = models.CharField(max_length=10, blank=True, db_default="")
    # {table name: {"columns": [...], "page_size": n}}; holds no data of people, only the choice of columns.
    table_preferences = models.JSONField(default=dict, blank=True)
    # To the minute: reading pages does not write each time.
    last_seen_at = models.DateTimeField(null=True, blank=True, editable=False)
    # Invited and not here yet: the word that the link must hold. Empty as soon as it was used.
    invitation = models.CharField(max_length=32, blank=True, db_default="", editable=False)
    invited_at = models.DateTimeField(null=True, blank=True, editable=False)
    invited_by = models.ForeignKey(
        "self", null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )

    def may(self, codename: str) -> bool:
        """Say whether this person has the permission."""
        return self.has_perm(full_name(codename))

    objects: ClassVar[PeopleManager] = PeopleManager()

    @property
    def has_two_step(self) -> bool:
        """Say whether the sign-in asks for a code."""
        two_step = getattr(self, "two_step", None)
        return two_step is not None and two_step.confirmed_at is not None

    def table_preference(self, table: str) -> dict[str, Any]:
        """Return what this person chose for a table; empty when nothing was."""
        stored = self.table_preferences.get(table)
        return stored if isinstance(stored, dict) else {}


class Session(AbstractBaseSession):
    """A session, with whose it is: so that a person sees where they are signed in, and can end it."""

    user = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="sessions")
    browser = models.CharField(max_length=100, blank=True)
    created_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    @classmethod
    def get_session_store_class(cls) -> Any:
        from accounts.sessions import SessionStore

        return SessionStore


class TwoStep(models.Model):
    """A second step at the sign-in: the secret of an authenticator app, and what is left of the recovery codes."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="two_step")
    secret = EncryptedTextField()
    # Empty until a first code has shown that the app has the secret: nobody is asked for a code before.
    confirmed_at = models.DateTimeField(null=True)
    # A code is taken once: that of this half minute, and of those before, no more.
    last_step = models.BigIntegerField(default=0)
    recovery_codes = models.JSONField(default=list)  # their hashes; one that was used is gone
    failures = models.PositiveSmallIntegerField(default=0)
    failed_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"two-step sign-in of {self.user}"


class Letter(models.Model):
    """An e-mail about an account that is to go out or has gone out. The link is made when it does, and kept nowhere."""

    class Kind(models.TextChoices):
        INVITATION = "invitation", gettext_lazy("Invitation")
        PASSWORD = "password", gettext_lazy("New password")

    # The problem of one that waited when the database was restored: it is sent no more by itself.
    RESTORED = "restored"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="letters")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    asked_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(default=timezone.now)
    tries = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    problem = models.CharField(max_length=60, blank=True)

    class Meta:
        default_permissions = ()
        indexes = [
            # What waits to be sent; nearly nothing does.
            models.Index(fields=["due_at"], name="letter_due", condition=models.Q(sent_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} to {self.user}"


class ApiToken(models.Model):
    """What a program shows instead of a password: it may what its scopes say, and never more than its user may now.

    The token itself is kept nowhere: `prefix` finds the row, `digest` proves the rest.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=16, unique=True)
    digest = models.CharField(max_length=64)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    # To the minute, as people's last_seen_at.
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.CharField(max_length=150, blank=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix})"

    def is_live(self, now: datetime) -> bool:
        """Say whether a program can still use it, its user aside."""
        return self.revoked_at is None and now < self.expires_at


class Right(models.Model):
    """Carries the permission codenames; has no table and no rows."""

    class Meta:
        managed = False
        default_permissions = ()
        permissions = [(codename, f"Can {label}") for codename, label in RIGHTS.items()]

    def __str__(self) -> str:
        return "right"
