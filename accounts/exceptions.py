"""What was asked for and not done, with the sentence that says why."""


class NotAllowedNow(Exception):
    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence
