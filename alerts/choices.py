"""The words for what alerts tell of, and where to. One list: nothing is listed again elsewhere."""

from django.db import models


class AlertKind(models.TextChoices):
    """What is not good with a thing. For each kind and thing there is one open alert at most."""

    UNREACHABLE = "unreachable", "Not reachable"
    FAILED = "failed", "Failed"
    HELD = "held", "Held"
    STALLED = "stalled", "Stalled"
    SHRUNK = "shrunk", "Shrank"
    MAILING = "mailing", "Mailing stopped"
    WEBHOOK = "webhook", "Webhook switched off"


# What each kind tells, as Preferences and e-mails say it.
TELLS = {
    AlertKind.UNREACHABLE: "MemberSuite does not answer, or refuses us: no sync works.",
    AlertKind.FAILED: "A sync or a list refresh failed after it had worked. Nothing was changed.",
    AlertKind.HELD: "A sync would remove more people than its limit allows and waits for a decision.",
    AlertKind.STALLED: "A running sync has gone silent, and no other worker has taken it over.",
    AlertKind.SHRUNK: "A sync has made a group smaller by more than the limit for alerts.",
    AlertKind.MAILING: "A mailing has stopped or paused by itself and waits for a decision.",
    AlertKind.WEBHOOK: "A webhook was switched off after days of failures: the program behind it hears nothing.",
}


class Channel(models.TextChoices):
    EMAIL = "email", "E-mail"
    APP = "app", "In the menu"


class Event(models.TextChoices):
    """What webhooks tell of."""

    RUN_ENDED = "run.ended", "A sync or a list refresh ended, whatever came of it"
    RUN_HELD = "run.held", "One is held and waits for a decision"
    RUN_FAILED = "run.failed", "One failed"
    RUN_RECOVERED = "run.recovered", "What failed, was held or had stalled is good again"
    MAILING_SENT = "mailing.sent", "A mailing was sent"
    MAILING_STOPPED = "mailing.stopped", "A mailing stopped or paused by itself"
    MAILING_FAILED = "mailing.failed", "A mailing failed"
    ALERT_RAISED = "alert.raised", "An alert of any kind began"
    ALERT_RECOVERED = "alert.recovered", "An alert is over"


# Whoever presses "Send a test event" gets it, whatever else was chosen.
TEST = "test"


class DeliveryState(models.TextChoices):
    WAITING = "waiting", "Waiting"
    DELIVERED = "delivered", "Delivered"
    FAILED = "failed", "Given up"
