from django.apps import AppConfig


class MailingsConfig(AppConfig):
    name = "mailings"

    def ready(self) -> None:
        """Hear when a sync has ended: a mailing may wait for it."""
        from . import receivers  # noqa: F401
