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


# What each kind tells, as Preferences and e-mails say it.
TELLS = {
    AlertKind.UNREACHABLE: "MemberSuite does not answer, or refuses us: no sync works.",
    AlertKind.FAILED: "A sync or a list refresh failed after it had worked. Nothing was changed.",
    AlertKind.HELD: "A sync would remove more people than its limit allows and waits for a decision.",
    AlertKind.STALLED: "A running sync has gone silent, and no other worker has taken it over.",
    AlertKind.SHRUNK: "A sync has made a group smaller by more than the limit for alerts.",
    AlertKind.MAILING: "A mailing has stopped or paused by itself and waits for a decision.",
}


class Channel(models.TextChoices):
    EMAIL = "email", "E-mail"
    APP = "app", "In the menu"
