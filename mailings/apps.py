from django.apps import AppConfig
from django.utils.translation import gettext_lazy


class MailingsConfig(AppConfig):
    name = "mailings"

    def ready(self) -> None:
        """Hear when a sync has ended: a mailing may wait for it; and say what is added to the room below."""
        from accounts.permissions import VIEW_MAILINGS
        from targetgroups import rooms

        from . import finding, persons, receivers  # noqa: F401

        rooms.add(
            rooms.Room(
                self.name,
                gettext_lazy("Mailings"),
                VIEW_MAILINGS,
                find=finding.find_mailings,
                alarms=finding.stuck_mailings,
                events=persons.events_of,
                uses=finding.unfinished_mailings_of,
                mailings=finding.pages_of,
                unplaced=finding.events_of_nobody,
                erase=persons.erase,
                mailed=finding.mailed,
                actions=finding.ACTIONS,
            )
        )
