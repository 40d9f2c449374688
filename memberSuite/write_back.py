"""Writing Do Not Email: in small batches, and believed only when it is read back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from memberSuite.exceptions import MemberSuiteError, PermanentError, ReadingStopped
from memberSuite.look_up import batches
from memberSuite.records import PeoplePage, WriteResult

IDS_A_WRITE = 50

Write = Callable[[Sequence[str]], None]
ReadBack = Callable[[Iterable[str]], Iterator[PeoplePage]]


def write_flags(write: Write, read_back: ReadBack, remote_ids: Iterable[str], value: bool) -> WriteResult:
    """Write the flag, read it back, and say of each id whether it now holds the value, or why not."""
    confirmed: list[str] = []
    refused: list[tuple[str, str]] = []
    for batch in batches(remote_ids, IDS_A_WRITE):
        reasons = dict(_write(write, batch))
        flags = {person.remote_id.lower(): person.do_not_email for page in read_back(batch) for person in page.rows}
        for remote_id in batch:
            key = remote_id.lower()
            if key in flags and flags[key] is value:
                confirmed.append(remote_id)
            else:
                refused.append(
                    (remote_id, reasons.get(remote_id, "not_changed" if key in flags else "record_not_found"))
                )
    return WriteResult(tuple(confirmed), tuple(refused))


def _write(write: Write, batch: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Write a batch; where one record spoils it, write each by itself and yield those refused."""
    try:
        write(batch)
    except ReadingStopped:
        raise
    except PermanentError as error:
        if len(batch) > 1 and _is_about_one_record(error):
            for remote_id in batch:
                yield from _write(write, [remote_id])
        elif _is_about_one_record(error):
            yield batch[0], error.remote_said or error.code
        else:
            raise


def _is_about_one_record(error: MemberSuiteError) -> bool:
    return error.code in ("remote_refused", "access_denied", "search_invalid")
