from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError, CommandParser

import audit
from thrive_sync.lib.encryption import Rotated, encrypted_fields, rotate


class Command(BaseCommand):
    help = (
        "Encrypt every secret in the database anew under the first key of FIELD_ENCRYPTION_KEYS. When it has ended "
        "without an error, the keys behind the first one can go. Safe to run at any time, and again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="only say which secrets still need an older key")

    def handle(self, *args: Any, **options: Any) -> None:
        unreadable: list[str] = []
        older = 0
        for model in apps.get_models():
            if not encrypted_fields(model):
                continue
            told = rotate(model, is_dry=options["check"], on_change=_recorded)
            older += told.older
            unreadable += told.unreadable
            self.stdout.write(_sentence(model._meta.verbose_name_plural, told, options["check"]))
        if unreadable:
            raise CommandError(
                f"None of FIELD_ENCRYPTION_KEYS opens: {', '.join(unreadable)}. They were left as they are. Add the "
                "key they were encrypted with behind the first one, or enter these secrets anew."
            )
        if options["check"] and older:
            self.stdout.write("The older keys are still needed. Without --check this command ends that.")
        else:
            self.stdout.write("Every secret is under the first key: the keys behind it can go.")


def _recorded(row: Any, names: list[str]) -> None:
    audit.record("command", "secrets_encrypted_anew", row, after={"fields": [name.replace("_", " ") for name in names]})


def _sentence(name: object, told: Rotated, is_dry: bool) -> str:
    verb = "under an older key" if is_dry else "encrypted anew"
    return f"{str(name).capitalize()}: {told.total} secrets, {told.older} {verb}, {len(told.unreadable)} unreadable."
