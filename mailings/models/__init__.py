from .mail_event import EventCount, MailEvent, RefusedEvents
from .mailing import Mailing, MailingGroup
from .recipient import LeftOut, MinuteTally, Recipient, Tally
from .trial import MailingTest, MailingTestCopy

__all__ = [
    "EventCount",
    "LeftOut",
    "MailEvent",
    "Mailing",
    "MailingGroup",
    "MailingTest",
    "MailingTestCopy",
    "MinuteTally",
    "Recipient",
    "RefusedEvents",
    "Tally",
]
