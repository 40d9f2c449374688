"""Encrypt secrets at rest (R17): Fernet tokens under keys of their own, so that SECRET_KEY can change freely."""

from collections.abc import Callable
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models


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
