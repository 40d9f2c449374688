from django.apps import AppConfig


class MailingsConfig(AppConfig):
    name = "mailings"

    def ready(self) -> None:
        """Hear when a sync has ended: a mailing may wait for it; and tell of mailings on pages of the room below."""
        from . import finding, persons, receivers  # noqa: F401

        persons.register()
        finding.register()
