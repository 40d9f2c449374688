from .mailing import Mailing, MailingGroup
from .recipient import LeftOut, Recipient, Tally

__all__ = ["LeftOut", "Mailing", "MailingGroup", "Recipient", "Tally"]
