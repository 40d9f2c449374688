"""What ends a run, as far as it is not MemberSuite's doing (those errors come through `remote`)."""

from django.utils.translation import gettext, gettext_noop


class SyncError(Exception):
    """A run can't go on: `code` is stored on it, `sentence` is what a marketer reads."""

    code = "sync_error"
    sentence = gettext_noop("The sync could not be finished. Nothing was changed.")

    def __init__(self, sentence: str = "", *, code: str = "", remote_said: str = "") -> None:
        self.code = code or self.code
        self.sentence = sentence or gettext(self.sentence)
        self.remote_said = remote_said
        super().__init__(self.sentence)


class Fenced(SyncError):
    """Another worker has taken this run over, or it has ended: this one may write nothing any more."""

    code = "fenced"
    sentence = gettext_noop("Another worker has taken this run over.")


class Cancelled(SyncError):
    """Somebody wished that the run should stop, before it wrote."""

    code = "cancelled"
    sentence = gettext_noop("The sync was cancelled. Nothing was changed.")


class GroupDeleted(Cancelled):
    """Somebody deleted the group while its run waited or read."""

    code = "group_deleted"
    sentence = gettext_noop(
        "This target group was deleted here, so it is not synced. Nothing was changed. Undelete it, then resync."
    )


class Held(SyncError):
    """The removal guard holds the run until a person decides (R6, R10).

    `preview_sentence` is what a preview says of it, for whom there is nothing to decide.
    """

    code = "held"

    def __init__(self, sentence: str, preview_sentence: str = "") -> None:
        super().__init__(sentence)
        self.preview_sentence = preview_sentence


class IncompleteReading(SyncError):
    """The rows received don't match MemberSuite's own totals, even after reading again (R5)."""

    code = "incomplete_reading"
    sentence = gettext_noop(
        "MemberSuite's answers did not add up: the number of people received is not the number it announced. "
        "Nothing was changed. Please resync in a few minutes; the search may be changing right now."
    )


class WorkerLost(SyncError):
    """The run's worker died again and again."""

    code = "worker_lost"
    sentence = gettext_noop(
        "The sync was interrupted several times and has been given up. Nothing was changed. Please resync."
    )


class NotAllowedNow(SyncError):
    """The wish does not fit the run's state, such as applying a run that is not held."""

    code = "not_allowed_now"


class FolderRefused(Exception):
    """A folder can't be made, named or deleted so; `sentence` says why."""

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence
        super().__init__(sentence)
