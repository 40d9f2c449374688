"""The rows that every contestant of the sync measurements gets: invented people, always the same, no randomness.

Plain Python without imports of the project: it also runs in the peers' own virtual environments.
"""

from __future__ import annotations

from collections.abc import Iterator

STEPS = ("first", "unchanged", "changed", "removed")
# The first six are fields of every record, the others are the search's own output columns.
FIELDS = (
    *("id", "local_id", "first_name", "last_name", "email", "do_not_email"),
    *("company", "title", "city", "state", "member_type", "joined"),
)
FLAG = FIELDS.index("do_not_email")
OWN_COLUMNS = FIELDS[FLAG + 1 :]
Row = tuple[str, ...]

_EVERY_FLAGGED = 41  # one row in 41 is Do Not Email
_EVERY_CHANGED, _CHANGED = 20, 3
_EVERY_REMOVED, _REMOVED = 20, 7
_FIRST_NAMES = ("Ada", "Bruno", "Chloé", "Dario", "Edith", "Fátima", "Gustav", "Hilde", "Ivan", "June")
_LAST_NAMES = ("Archer", "O'Brien", "Gómez", "Köhler", "Okafor", "Weaver", "Stone & Hill", "Haddad", "Mori", "Quist")
_TITLES = ("Director", "Engineer", "Member", "Vice President, Finance")
_CITIES = (("Savannah", "GA"), ("Worcester", "MA"), ("Zürich", "ZH"), ("Boulder", "CO"))
_MEMBER_TYPES = ("Regular", "Student", "Retired")


def rows(people: int, step: str) -> Iterator[Row]:
    """Give the rows as a step finds them: 5 % have another title from `changed` on, other 5 % are gone in `removed`."""
    for number in range(people):
        if step == "removed" and number % _EVERY_REMOVED == _REMOVED:
            continue
        yield row(number, is_changed=step in ("changed", "removed") and number % _EVERY_CHANGED == _CHANGED)


def row(number: int, *, is_changed: bool) -> Row:
    mixed = number * 2654435761 % 2**32
    first, last = _FIRST_NAMES[mixed % 10], _LAST_NAMES[mixed // 10 % 10]
    city, state = _CITIES[mixed // 400 % 4]
    plain = "".join(letter for letter in last.lower() if "a" <= letter <= "z")
    return (
        f"{mixed:08x}-0006-4c1d-{number % 65536:04x}-{number:012x}",
        str(100_000 + number),
        first,
        last,
        f"{first[0].lower()}.{plain}{number}@society{number % 997}.example",
        "true" if number % _EVERY_FLAGGED == 0 else "false",
        f"Guild of {last} & Partners {number % 5000}",
        "Changed" if is_changed else _TITLES[mixed // 100 % 4],
        city,
        state,
        _MEMBER_TYPES[mixed // 1600 % 3],
        f"20{number % 24:02}-0{number % 9 + 1}-1{number % 9}",
    )


def is_flagged(row: Row) -> bool:
    return row[FLAG] == "true"


def row_count(people: int, step: str) -> int:
    return people if step != "removed" else sum(n % _EVERY_REMOVED != _REMOVED for n in range(people))


def expected(people: int, step: str) -> dict[str, int]:
    """Give the figures that a sync of this step must report, if the steps before it were done."""

    def count(every: int, place: int) -> int:
        return sum(n % every == place and n % _EVERY_FLAGGED != 0 for n in range(people))

    mailable = sum(n % _EVERY_FLAGGED != 0 for n in range(people))
    removed = count(_EVERY_REMOVED, _REMOVED) if step == "removed" else 0
    return {
        "added": mailable if step == "first" else 0,
        "changed": count(_EVERY_CHANGED, _CHANGED) if step == "changed" else 0,
        "removed": removed,
        "members_after": mailable - removed,
    }
