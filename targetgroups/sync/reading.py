"""Read a whole search into the stage and verify it: rows received must lie within MemberSuite's own totals (R5)."""

from django.utils.translation import gettext, gettext_noop

from ..choices import RunStatus
from ..exceptions import IncompleteReading
from ..remote import CriterionRefused, MemberSuiteClient, PeopleReading, Search, SearchGone
from .attempt import Attempt
from .staged_rows import DO_NOT_EMAIL, FIRST, LOOK_UP, SECOND

# More differences than this between two readings are not shifting rows but a broken server.
_MOST_DIFFERENCES = 20_000
# A search in these states is no longer offered to us (R10).
_NO_LONGER_OFFERED = frozenset({"not_public", "inactive"})

FILTER_IGNORED = gettext_noop(
    "MemberSuite sent people whose Do Not Email is Yes although only No was asked for. They were left out here, "
    "but please tell MemberSuite's support."
)
LIMITED = gettext_noop(
    "This is a limited search (a number of rows, unique or grouped rows), so it was run exactly as it is stored."
)
NOT_LISTED = gettext_noop(
    "MemberSuite refused to list the people who are Do Not Email; their number is calculated from its totals."
)


def get_runnable_search(client: MemberSuiteClient, search_id: str) -> Search:
    """Fetch the search's definition. Raises SearchGone if it is not offered to us any more."""
    search = client.get_search(search_id)
    if search.not_runnable in _NO_LONGER_OFFERED or not search.is_public or not search.is_active:
        raise SearchGone(
            sentence=gettext(
                "This search is no longer offered in MemberSuite: it is private or inactive now. "
                "The group keeps its last members."
            )
        )
    return search  # whatever else keeps it from being run, the client says when it is read


def read_everything(attempt: Attempt) -> None:
    """Fill the stage with one verified reading and the people who are Do Not Email.

    Raises IncompleteReading when the rows received don't match the totals and asking again can't settle it, and
    SearchGone if the search is not offered any more when all is read: a reading sends the search's criteria, not its
    ID, so MemberSuite answers it even if the search was deleted meanwhile (R10).
    """
    first, is_doubtful = _read(attempt, FIRST)
    if is_doubtful or not first.is_complete:
        attempt.warnings.append(gettext("The search changed while it was read, so it was read a second time."))
        second, is_doubtful_too = _read(attempt, SECOND)
        if (is_doubtful or is_doubtful_too) and not attempt.stage.readings_agree():
            raise IncompleteReading
        if second.is_complete:
            attempt.stage.forget(FIRST)
        else:
            _settle_differences(attempt)
    if first.filter_ignored and not first.is_limited:
        attempt.warnings.append(gettext(FILTER_IGNORED))
    if attempt.search.is_limited:
        attempt.warnings.append(gettext(LIMITED))
    else:
        _read_do_not_email(attempt)
    get_runnable_search(attempt.client, attempt.search.remote_id)


def read_again(attempt: Attempt) -> None:
    """Read a limited search once more, keeping whoever appears in either reading: it has no other look-up."""
    reading, _ = _read(attempt, SECOND)
    if not reading.is_complete:
        raise IncompleteReading


def _read(attempt: Attempt, number: int) -> tuple[PeopleReading, bool]:
    """Stage one reading; also say whether it is doubtful: read by place alone, it gave somebody more than once.

    That is a person with several rows, or rows that moved: then as many others never came, and yet the total is right.
    """
    reading, is_by_place = attempt.client.read_people(attempt.search), False
    reading.start()
    attempt.heart.rows_read, attempt.heart.rows_total = 0, reading.total_before
    for page in reading:
        attempt.heart.check()
        is_by_place = is_by_place or page.starts_over
        attempt.stage.add_page(page, number)
        attempt.heart.rows_read = reading.rows_received
    return reading, is_by_place and attempt.stage.has_repeats(number)


def _settle_differences(attempt: Attempt) -> None:
    """Ask again for whoever only one of two incomplete readings shows, and take that answer (protocol 4.7)."""
    differing = attempt.stage.ids_in_one_reading_only()
    if attempt.search.is_limited or not differing or len(differing) > _MOST_DIFFERENCES:
        raise IncompleteReading
    attempt.stage.keep_second_reading(differing)
    for page in attempt.client.look_up(attempt.search, differing):
        attempt.heart.check()
        attempt.stage.add_page(page, LOOK_UP)
    attempt.stage.prefer_look_up()


def _read_do_not_email(attempt: Attempt) -> None:
    """List the search's people who are Do Not Email, by Remote ID; or calculate their number."""
    if attempt.run.bridge.lists_do_not_email:
        try:
            for page in attempt.client.read_do_not_email(attempt.search):
                attempt.heart.check()
                attempt.stage.add_page(page, DO_NOT_EMAIL)
            return
        except CriterionRefused:
            attempt.stage.forget(DO_NOT_EMAIL)
            attempt.warnings.append(gettext(NOT_LISTED))
    everybody = attempt.client.count_rows(attempt.search, only_mailable=False)
    mailable = attempt.client.count_rows(attempt.search, only_mailable=True)
    attempt.calculated_do_not_email = max(everybody - mailable, 0)


def status_of(rejected: int) -> RunStatus:
    """Give the status of a run that wrote: with rejects, if there were rows we could not read."""
    return RunStatus.COMPLETED_WITH_REJECTS if rejected else RunStatus.COMPLETED
