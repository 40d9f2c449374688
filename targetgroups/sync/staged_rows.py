"""People as lines of COPY's text: the one thing of a sync that is done in Python for each, so it is done sparingly."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from thrive_sync.lib.addresses import address_key
from thrive_sync.lib.sorting import sort_key

from ..choices import ExclusionReason
from ..remote import PeoplePage, Person, RejectedRow
from .eligibility import exclusion_reason

# Readings, as numbered in the stage.
FIRST, SECOND, LOOK_UP, DO_NOT_EMAIL = 1, 2, 3, 9
# A row of a reading without a flag that can be read: Yes for this group (R1), but nothing that is known of the person,
# so it erases nobody and says nothing to other groups. A look-up, which is a second question, does.
NO_FLAG = "no readable flag"
_ONCE_ASKED = {FIRST, SECOND}

COLUMNS = (
    *("reading", "asked_at", "reason", "remote_key", "remote_id", "local_id", "email", "first_name", "last_name"),
    *("address_key", "sort_email", "sort_name", "attributes", "detail"),
)
# The keys of a person `s` of the stage. Where a text is plain they are null there, and these expressions make them:
# few rows of a sync ever need them.
KEYS = {
    "address_key": """coalesce(s.address_key, lower(s.email COLLATE "C"))""",
    "sort_email": """coalesce(s.sort_email, lower(s.email COLLATE "C"))""",
    "sort_name": """coalesce(s.sort_name, lower(btrim(s.last_name || ' ' || s.first_name) COLLATE "C"))""",
}

_LONGEST_REMOTE_ID = 100
_LONGEST_SORT_KEY = 200  # an index entry must stay far below a third of a page
_BIGGEST_LOCAL_ID = 2**63 - 1

_NULL = "\\N"
_MUST_BE_ESCAPED = re.compile(r"[\\\t\n\r]")
_ESCAPED = {"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"}
_encoder = msgspec.json.Encoder()


class StagedPage:
    """A page as COPY's text, each row with its exclusion reason; nothing personal of a Do Not Email row (R1)."""

    def __init__(self, page: PeoplePage, reading: int) -> None:
        self._people = page.rows
        if reading == DO_NOT_EMAIL:  # a server that ignores the criterion sends the others too: they are staged already
            self._people = [person for person in page.rows if person.do_not_email is not False]
        self._unreadable = page.rejected
        self._reading = reading
        self._asked = f"{reading}\t{page.asked_at.isoformat()}"
        self.has_rejects = bool(page.rejected)

    def __len__(self) -> int:
        return len(self._people) + len(self._unreadable)

    def texts(self, rows_a_text: int) -> Iterator[str]:
        """Make the page's lines, so many at a time; `has_rejects` is known after the last."""
        for start in range(0, len(self._people), rows_a_text):
            people = self._people[start : start + rows_a_text]
            yield "".join(map(self._line, people, _attributes(people)))
        if self._unreadable:
            yield "".join(map(self._rejected, self._unreadable))

    def _line(self, person: Person, attributes: str) -> str:
        remote_id = person.remote_id
        if not _is_kept_whole(remote_id):
            return self._rejected(RejectedRow(None, person.local_id, "Remote ID is too long"))
        email = (person.email or "").strip()
        first_name, last_name = person.first_name or "", person.last_name or ""
        reason = exclusion_reason(person.do_not_email, email)
        texts = f"{remote_id}{email}{last_name} {first_name}"
        # Nothing to escape, and keys that PostgreSQL makes as Python would, but for names with marks: nearly everybody.
        is_plain = texts.isprintable() and "\\" not in texts and len(texts) <= _LONGEST_SORT_KEY and email.isascii()
        if is_plain and reason is None:
            name_key = _NULL if texts.isascii() else _name_key(first_name, last_name)
            return (
                f"{self._asked}\t\t{remote_id.lower()}\t{remote_id}\t{_local_id(person.local_id)}"
                f"\t{email}\t{first_name}\t{last_name}\t\\N\t\\N\t{name_key}\t{attributes}\t\n"
            )
        if reason is ExclusionReason.DO_NOT_EMAIL:
            is_doubtful = person.do_not_email is None and self._reading in _ONCE_ASKED
            return self._bare(remote_id, person.local_id, reason, NO_FLAG if is_doubtful else "")
        return self._unusual(person, email, first_name, last_name, attributes)

    def _unusual(self, person: Person, email: str, first_name: str, last_name: str, attributes: str) -> str:
        if "\0" in f"{email}{first_name}{last_name}":
            email, first_name, last_name = _clean(email).strip(), _clean(first_name), _clean(last_name)
        reason = exclusion_reason(person.do_not_email, email)
        texts = (
            email,
            first_name,
            last_name,
            "" if reason else address_key(email),
            sort_key(email)[:_LONGEST_SORT_KEY],
        )
        ids, local_id = _ids(reason or "", person.remote_id), _local_id(person.local_id)
        rendered, name_key = "\t".join(map(_escaped, texts)), _name_key(first_name, last_name)
        return f"{self._asked}\t{ids}\t{local_id}\t{rendered}\t{name_key}\t{attributes}\t\n"

    def _rejected(self, rejected: RejectedRow) -> str:
        self.has_rejects = True
        remote_id = _clean(rejected.remote_id)
        if not _is_kept_whole(remote_id):
            remote_id = ""
        detail = _clean(rejected.reason)[:200]
        return self._bare(remote_id, rejected.local_id, ExclusionReason.UNREADABLE_ROW, detail)

    def _bare(self, remote_id: str, local_id: int | None, reason: ExclusionReason, detail: str) -> str:
        ids = _ids(reason, remote_id)
        return f"{self._asked}\t{ids}\t{_local_id(local_id)}\t\t\t\t\t\t\t{{}}\t{_escaped(detail)}\n"


def fields_of(person: Person) -> dict[str, Any]:
    """Give the fields of a subscriber as a row of the stage has them: for one person who is mailable."""
    email, first_name, last_name = _clean(person.email).strip(), _clean(person.first_name), _clean(person.last_name)
    local_id = _local_id(person.local_id)
    sort_email, sort_name = sort_keys(email, first_name, last_name)
    return {
        "remote_id": person.remote_id,
        "local_id": None if local_id == _NULL else int(local_id),
        "email": email,
        "first_name": first_name,
        "last_name": last_name,
        "address_key": address_key(email),
        "sort_email": sort_email,
        "sort_name": sort_name,
    }


def sort_keys(email: str, first_name: str, last_name: str) -> tuple[str, str]:
    by_name = sort_key(f"{last_name} {first_name}".strip())
    return sort_key(email)[:_LONGEST_SORT_KEY], by_name[:_LONGEST_SORT_KEY]


def _is_kept_whole(remote_id: str) -> bool:
    """Say whether a Remote ID and its key fit; few letters have a longer small form, and none of ASCII."""
    longest = len(remote_id) if remote_id.isascii() else max(len(remote_id), len(remote_id.lower()))
    return longest <= _LONGEST_REMOTE_ID and "\0" not in remote_id


def _ids(reason: str, remote_id: str) -> str:
    return "\t".join(map(_escaped, (reason, remote_id.lower(), remote_id)))


def _local_id(local_id: int | None) -> str:
    return str(local_id) if local_id is not None and 0 <= local_id <= _BIGGEST_LOCAL_ID else _NULL


def _clean(text: str | None) -> str:
    """PostgreSQL's text has no NUL."""
    return text.replace("\0", "") if text else ""


def _name_key(first_name: str, last_name: str) -> str:
    return _escaped(sort_key(f"{last_name} {first_name}".strip())[:_LONGEST_SORT_KEY])


def _attributes(people: Sequence[Person]) -> list[str]:
    """Render everybody's attributes for COPY. Of what must be escaped, JSON leaves only its own backslashes."""
    lines = _encoder.encode_lines([person.attributes for person in people]).decode()
    rendered = lines.split("\n")[: len(people)]
    return rendered if "\\" not in lines else [_escaped_json(*each) for each in zip(rendered, people, strict=True)]


def _escaped_json(rendered: str, person: Person) -> str:
    if r"\u0000" in rendered:  # also where a text merely spells it out: cleaning changes nothing then
        cleaned = {_clean(name): _clean(value) for name, value in person.attributes.items()}
        rendered = _encoder.encode(cleaned).decode()
    return rendered.replace("\\", "\\\\")


def _escaped(value: str) -> str:
    if not _MUST_BE_ESCAPED.search(value):
        return value
    return _MUST_BE_ESCAPED.sub(lambda found: _ESCAPED[found[0]], value)
