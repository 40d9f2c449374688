"""The words for what alerts tell of, and where to. One list: nothing is listed again elsewhere."""

from django.db import models
from django.utils.translation import gettext_lazy

from thrive_sync.lib.words import Words


class AlertKind(models.TextChoices):
    """What is not good with a thing. For each kind and thing there is one open alert at most."""

    UNREACHABLE = "unreachable", gettext_lazy("Not reachable")
    FAILED = "failed", gettext_lazy("Failed")
    HELD = "held", gettext_lazy("Held")
    STALLED = "stalled", gettext_lazy("Stalled")
    SHRUNK = "shrunk", gettext_lazy("Shrank")
    MAILING = "mailing", gettext_lazy("Mailing stopped")
    WEBHOOK = "webhook", gettext_lazy("Webhook switched off")


# What each kind tells, as Preferences and e-mails say it.
TELLS: dict[AlertKind, Words] = {
    AlertKind.UNREACHABLE: gettext_lazy("MemberSuite does not answer, or refuses us: no sync works."),
    AlertKind.FAILED: gettext_lazy("A sync or a list refresh failed after it had worked. Nothing was changed."),
    AlertKind.HELD: gettext_lazy("A sync would remove more people than its limit allows and waits for a decision."),
    AlertKind.STALLED: gettext_lazy("A running sync has gone silent, and no other worker has taken it over."),
    AlertKind.SHRUNK: gettext_lazy("A sync has made a group smaller by more than the limit for alerts."),
    AlertKind.MAILING: gettext_lazy("A mailing has stopped or paused by itself and waits for a decision."),
    AlertKind.WEBHOOK: gettext_lazy(
        "A webhook was switched off after days of failures: the program behind it hears nothing."
    ),
}


class Channel(models.TextChoices):
    EMAIL = "email", gettext_lazy("E-mail")
    APP = "app", gettext_lazy("In the menu")


class Event(models.TextChoices):
    """What webhooks tell of."""

    RUN_ENDED = "run.ended", gettext_lazy("A sync or a list refresh ended, whatever came of it")
    RUN_HELD = "run.held", gettext_lazy("One is held and waits for a decision")
    RUN_FAILED = "run.failed", gettext_lazy("One failed")
    RUN_RECOVERED = "run.recovered", gettext_lazy("What failed, was held or had stalled is good again")
    MAILING_SENT = "mailing.sent", gettext_lazy("A mailing was sent")
    MAILING_STOPPED = "mailing.stopped", gettext_lazy("A mailing stopped or paused by itself")
    MAILING_FAILED = "mailing.failed", gettext_lazy("A mailing failed")
    ALERT_RAISED = "alert.raised", gettext_lazy("An alert of any kind began")
    ALERT_RECOVERED = "alert.recovered", gettext_lazy("An alert is over")


# Whoever presses "Send a test event" gets it, whatever else was chosen.
TEST = "test"


class DeliveryState(models.TextChoices):
    WAITING = "waiting", gettext_lazy("Waiting")
    DELIVERED = "delivered", gettext_lazy("Delivered")
    FAILED = "failed", gettext_lazy("Given up")
