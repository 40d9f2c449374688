"""What a mailing can refuse to do, in words for the person who asked."""


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
