"""Everything that changes something is recorded (R16): who, when, what, before and after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils.translation import override

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser
    from django.db.models import Model

    from audit.models import AuditEntry

# A key that contains one of these words is left out wherever it stands (R17).
SECRET_WORDS = (
    "password",
    "passwd",
    "secret",
    "token",
    "access_key",
    "api_key",
    "apikey",
    "private_key",
    "credential",
    "certificate",
    "authorization",
    "signature",
    "cookie",
    "session",
)


def record(
    actor: AbstractBaseUser | str | None,
    action: str,
    obj: Model,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> AuditEntry:
    """Write one entry in the caller's transaction, so that a change and its entry stand or fall together.

    `actor` is a user or a word for what acted by itself ("schedule", "command"). Keys that name secrets are dropped;
    to say that a secret was replaced, list its name as a value: after={"replaced": ["api_password"]}.
    """
    from audit.models import AuditEntry  # models can't be imported before the app registry is ready

    is_person = actor is not None and not isinstance(actor, str)
    with override(settings.LANGUAGE_CODE):  # names are kept for everybody, not in the language of whoever did it
        label = str(obj)[:200]
    return AuditEntry.objects.create(
        actor=actor if is_person and actor.pk else None,  # type: ignore[union-attr,misc]
        actor_label=(str(actor) if actor else "system")[:150],
        action=action[:60],
        object_type=obj._meta.label_lower,
        object_id=str(obj.pk),
        object_label=label,
        before=without_secrets(before),
        after=without_secrets(after),
    )


def newest(obj: Model, *actions: str) -> AuditEntry | None:
    """Return the last entry about an object that is one of these actions."""
    from audit.models import AuditEntry

    entries = AuditEntry.objects.filter(object_type=obj._meta.label_lower, object_id=str(obj.pk), action__in=actions)
    return entries.order_by("-at", "-id").select_related("actor").first()


def without_secrets(value: Any) -> Any:
    """Return the value without any key that names a secret, at any depth."""
    if isinstance(value, dict):
        return {key: without_secrets(inner) for key, inner in value.items() if not _names_secret(str(key))}
    if isinstance(value, (list, tuple)):
        return [without_secrets(inner) for inner in value]
    return value


def _names_secret(key: str) -> bool:
    lowered = key.lower().replace("-", "_").replace(" ", "_")
    squeezed = lowered.replace("_", "")  # SecretAccessKey and secret_access_key are the same name
    return any(word in lowered or word.replace("_", "") in squeezed for word in SECRET_WORDS)
