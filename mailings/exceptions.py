"""What a mailing can refuse to do, in words for the person who asked."""

from typing import Any


class MailingError(Exception):
    """A refusal with a sentence that a marketer understands."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class NotAllowedNow(MailingError):
    """The mailing's status does not allow this any more."""


class NotReady(MailingError):
    """The mailing lacks something that every mailing needs; `problems` lists it by field."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__(" ".join(problems.values()))
        self.problems = problems


class StopMailing(MailingError):
    """A mailing can't go on: `code` is a StopCode, the sentence says what happened and what to do.

    `values` are fields of the mailing that tell more, to be kept with its stop.
    """

    def __init__(self, code: str, sentence: str, **values: Any) -> None:
        super().__init__(sentence)
        self.code = code
        self.values = values


class TurnLost(MailingError):
    """The mailing is not this worker's any more, or somebody ended it: this worker may write nothing about it."""

    def __init__(self) -> None:
        super().__init__("Another worker has this mailing, or it was cancelled.")
