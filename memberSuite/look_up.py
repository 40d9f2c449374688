"""Asking for people by their ids: an absence counts only if the answer is whole and the ids were looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice

from memberSuite.crew import Crew, Halt
from memberSuite.exceptions import CriterionRefused, PagingIgnored, UnreadableReply
from memberSuite.pages import Answer, PageSize
from memberSuite.records import PeoplePage, Person, RejectedRow
from memberSuite.words import gettext

IDS_A_CALL = 200
MOST_ROWS_AN_ID = 500  # a person may have several rows in a search; a server that never stops gives more

FetchIds = Callable[[Sequence[str], int, PageSize, Halt], Answer]


def batches(ids: Iterable[str], size: int) -> Iterator[list[str]]:
    """Cut ids into lists of a size, each id once whatever its letters' case."""
    unique = iter({one.lower(): one for one in ids}.values())
    while batch := list(islice(unique, size)):
        yield batch


def look_up_pages(
    fetch: FetchIds, remote_ids: Iterable[str], page_size: int, in_flight: int, halt: Halt
) -> Iterator[PeoplePage]:
    """Yield every row of these ids, 200 ids a call, several calls at a time."""
    jobs = [partial(_answers, fetch, batch, page_size) for batch in batches(remote_ids, IDS_A_CALL)]
    for number, (answer, asked) in enumerate(Crew(jobs, readers=in_flight, halt=halt), start=1):
        yield _page(answer, asked, number)


def _answers(fetch: FetchIds, batch: list[str], page_size: int, halt: Halt) -> Iterator[tuple[Answer, set[str]]]:
    asked = {remote_id.lower() for remote_id in batch}
    start, answered = 0, set[str]()
    while True:
        answer = fetch(batch, start, PageSize(page_size), halt)
        if not start and answer.total is not None and len(answer) > answer.total:
            raise UnreadableReply(gettext("More rows came than MemberSuite said there are."))
        is_only_page = not start
        start += len(answer)
        yield answer, asked
        if answer.total is not None and is_only_page and start >= answer.total:
            return
        answered.update(row.remote_id.lower() for row in answer.read() if row.remote_id)
        if answer.total is None or start >= answer.total:
            # Nothing tells whether the answer is whole: no total does, and none does for several pages, where one may
            # repeat what another left out. So the rest is asked for alone until nobody of it comes.
            rest = [remote_id for remote_id in batch if remote_id.lower() not in answered]
            if not rest or len(rest) == len(batch):
                return
            batch, start = rest, 0
            continue
        if start > MOST_ROWS_AN_ID * len(batch):
            raise PagingIgnored
        if not len(answer):
            raise UnreadableReply(gettext("Fewer rows came than MemberSuite said there are."))


def _page(answer: Answer, asked: set[str], number: int) -> PeoplePage:
    rows = answer.read()
    people = [row for row in rows if isinstance(row, Person)]
    rejected = [row for row in rows if isinstance(row, RejectedRow)]
    if any(person.remote_id.lower() not in asked for person in people):
        # Whoever is absent from an answer to another question proves nothing (R5).
        raise CriterionRefused(gettext("MemberSuite answered records that were not asked for."))
    if any(not row.remote_id for row in rejected):
        raise UnreadableReply(gettext("MemberSuite answered a record without saying which."))
    return PeoplePage(people, rejected, answer.asked_at, False, number)
