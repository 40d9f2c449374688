from django.apps import AppConfig


class MailingsConfig(AppConfig):
    name = "mailings"

    def ready(self) -> None:
        """Hear when a sync has ended: a mailing may wait for it; and tell of mailings on the pages of people."""
        from . import persons, receivers  # noqa: F401

        persons.register()
