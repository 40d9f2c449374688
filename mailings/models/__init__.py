from .mail_event import EventCount, MailEvent
from .mailing import Mailing, MailingGroup
from .recipient import LeftOut, Recipient, Tally

__all__ = ["EventCount", "LeftOut", "MailEvent", "Mailing", "MailingGroup", "Recipient", "Tally"]
