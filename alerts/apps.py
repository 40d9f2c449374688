from django.apps import AppConfig
from django.utils.translation import gettext_lazy


class AlertsConfig(AppConfig):
    name = "alerts"

    def ready(self) -> None:
        """Say what is added to the room below."""
        from accounts.permissions import MANAGE_SETTINGS
        from targetgroups import rooms

        from . import finding, webhooks

        rooms.add(
            rooms.Room(
                self.name,
                gettext_lazy("Webhooks"),
                MANAGE_SETTINGS,
                alarms=finding.switched_off,
                actions=webhooks.ACTIONS,
                hold=finding.hold,
            )
        )
