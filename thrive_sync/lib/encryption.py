"""Encrypt secrets at rest (R17): Fernet tokens under keys of their own, so that SECRET_KEY can change freely."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models, transaction
from django.db.models.functions import Cast


def _fernet() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.FIELD_ENCRYPTION_KEYS])


class EncryptedTextField(models.TextField):
    """Text that only this application can read; the first key of FIELD_ENCRYPTION_KEYS encrypts, any decrypts.

    Raises ImproperlyConfigured on reading a value that none of the keys opens.
    """

    def get_prep_value(self, value: Any) -> Any:
        text = super().get_prep_value(value)
        return _fernet().encrypt(text.encode()).decode() if text else text

    def from_db_value(self, value: str | None, *args: object) -> str | None:
        if not value:
            return value
        try:
            return _fernet().decrypt(value.encode()).decode()
        except InvalidToken as error:
            message = f"{self.model.__name__}.{self.name} was encrypted with a key that FIELD_ENCRYPTION_KEYS lacks."
            raise ImproperlyConfigured(message) from error

    def get_lookup(self, lookup_name: str) -> Callable[..., Any] | None:  # type: ignore[override]
        # Two encryptions of one text differ, so nothing but a test for emptiness can work.
        return super().get_lookup(lookup_name) if lookup_name in {"isnull"} else None


@dataclass
class Rotated:
    """How many secrets there are, how many were not under the first key, and those that no key opens, by their row."""

    total: int = 0
    older: int = 0
    unreadable: list[str] = field(default_factory=list)


def encrypted_fields(model: type[models.Model]) -> list[str]:
    return [one.name for one in model._meta.get_fields() if isinstance(one, EncryptedTextField)]


def rotate(model: type[models.Model], *, is_dry: bool, on_change: Callable[[Any, list[str]], None]) -> Rotated:
    """Encrypt a model's secrets anew where another key than the first opens them: row by row, each in a transaction.

    `on_change` is called in that transaction with the row and the names of its fields.
    """
    told, names = Rotated(), encrypted_fields(model)
    objects = model._default_manager
    for pk in objects.order_by("pk").values_list("pk", flat=True):
        with transaction.atomic():
            # As they are stored: the field itself would refuse the whole row for one secret that cannot be read.
            stored = {f"stored_{name}": Cast(name, models.TextField()) for name in names}
            row = objects.filter(pk=pk).select_for_update().values(**stored).first() or {}
            secrets = {name: row.get(f"stored_{name}") or "" for name in names}
            changed = _opened_by_older_keys(f"{model._meta.verbose_name} {pk}", secrets, told)
            if changed and not is_dry:
                objects.filter(pk=pk).update(**changed)
                on_change(objects.defer(*names).get(pk=pk), list(changed))
    return told


def _opened_by_older_keys(row: str, secrets: dict[str, str], told: Rotated) -> dict[str, str]:
    opened = {}
    for name, token in secrets.items():
        if not token:
            continue
        told.total += 1
        try:
            text = _fernet().decrypt(token.encode()).decode()
        except InvalidToken:
            told.unreadable.append(f"{name.replace('_', ' ')} of {row}")
            continue
        try:
            Fernet(settings.FIELD_ENCRYPTION_KEYS[0]).decrypt(token.encode())
        except InvalidToken:
            told.older += 1
            opened[name] = text
    return opened
