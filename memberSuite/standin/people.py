"""The association's people: any number of them, the same for the same number and seed, kept in columns."""

import random
import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Mapping

from memberSuite.standin import data
from memberSuite.standin.columns import (
    Coded,
    Column,
    Computed,
    Kind,
    Sparse,
    Value,
    WithBlanks,
    coerce,
    evenly,
    spread,
    to_moment,
)

FIRST_LOCAL_ID = 1001
STARTED_AT, ENDED_AT = to_moment("2004-01-05T08:00:00"), to_moment("2026-10-30T17:00:00")
DO_NOT_EMAIL_DEFAULT_SINCE = to_moment("2018-01-01")
ID_PATTERN = re.compile(r"6faf90e4-0006-c([0-9a-f]{3})-([0-9a-f]{4})-0b3c([0-9a-f]{8})", re.ASCII)
ID_BITS = 60
ID_FACTOR = 0x9E3779B97F4A7C1 | 1
# What the byte of an e-mail address stands for.
PLAIN, NONE, EMPTY, MALFORMED, NON_ASCII, INTERNATIONAL, LONG, SHOUTED, PADDED = range(9)
READ_ONLY = frozenset(
    {"id", "localid", "createddate", "lastmodifieddate", "createdby", "lastmodifiedby", "systemtimestamp", "name"}
)


def local_id_of(row: int) -> int:
    """Return a row's LocalID: rising with the row, a number left out now and then."""
    return FIRST_LOCAL_ID + row + row // 7


def scramble(row: int) -> int:
    """Return 32 well mixed bits of a row number."""
    mixed = (row + 1) * 0x9E3779B1 & 0xFFFFFFFF
    mixed ^= mixed >> 15
    mixed = mixed * 0x85EBCA77 & 0xFFFFFFFF
    return mixed ^ mixed >> 13


def slug(name: str) -> str:
    """Return the name in the small ASCII letters of an e-mail address."""
    plain = unicodedata.normalize("NFKD", name.lower().translate(str.maketrans("łøðþßıđæœ", "lodtsidao")))
    return re.sub(r"[^a-z]", "", plain) or "keeper"


FIRST_SLUGS, LAST_SLUGS = list(map(slug, data.FIRST_NAMES)), list(map(slug, data.LAST_NAMES))


class Population:
    """Columns by row number, which is LocalID order. Some rows are spare: people who can join later, anywhere in it."""

    def __init__(self, people: int, seed: int) -> None:
        self.people, self.seed = people, seed
        self.built_size = self.size = people + max(8, people // 20)
        self.structure_version = 0
        self.changes = random.Random(f"{seed}/changes")
        self.id_offset = random.Random(f"{seed}/id").getrandbits(ID_BITS)
        self.id_inverse = pow(ID_FACTOR, -1, 1 << ID_BITS)
        picks = random.Random(f"{seed}/picks")
        self.alive = bytearray(b"\x01") * self.size
        self.spare = sorted(picks.sample(range(self.size), self.size - people))
        for row in self.spare:
            self.alive[row] = 0
        self.without_local_id = set(picks.sample(range(self.size), _few(people, 400, least=2)))
        self.columns: dict[str, Column] = {}
        self._make_names(picks)
        self._make_addresses(picks)
        self._make_flags(picks)
        self._make_membership()
        self._make_moments()

    # -- building -----------------------------------------------------------------------------------------------

    def _bytes(self, name: str, table: bytes, count: int | None = None) -> bytearray:
        raw = random.Random(f"{self.seed}/{name}/{self.size}").randbytes(self.size if count is None else count)
        return bytearray(raw.translate(table))

    def _add(self, column: Column) -> None:
        self.columns[column.name.lower()] = column

    def _add_coded(self, name: str, table: Iterable[Value], codes: bytearray, *, shared: bool = False) -> None:
        values = list(table)
        kind: Kind = "flag" if any(isinstance(value, bool) for value in values) else "text"
        self._add(Coded(name, kind, codes=codes, table=values, shared=shared))

    def _make_names(self, picks: random.Random) -> None:
        # English-speaking rows come up more often than the others.
        culture = self._bytes("culture", bytes(c << 4 for c in spread([4, 4, 2] + [1] * 13)))
        for name, table in (("FirstName", data.FIRST_NAMES), ("LastName", data.LAST_NAMES)):
            low = self._bytes(name, evenly(16))
            both = int.from_bytes(culture, "little") | int.from_bytes(low, "little")
            self._add_coded(name, table, bytearray(both.to_bytes(self.size, "little")))
        # Copies: an address stays as it is when a name changes later.
        self.address_names = [bytearray(self.coded(name).codes) for name in ("firstname", "lastname")]
        first, last = self.columns["firstname"], self.columns["lastname"]
        for row in picks.sample(range(self.size), _few(self.people, 60)):
            first.own[row], last.own[row] = picks.choice(data.NATIVE_NAMES)
        for row in picks.sample(range(self.size), _few(self.people, 150)):
            first.own[row] = None
        for row in picks.sample(range(self.size), _few(self.people, 5000)):
            last.own[row] = "Featherstonehaugh-" * 14 + "Cholmondeley"
        self._add(Computed("ID", make=self.id_of))
        self._add(
            Computed("LocalID", "number", make=lambda row: None if row in self.without_local_id else local_id_of(row))
        )
        self._add(Computed("Name", make=lambda row: " ".join(str(n) for n in (first.value(row), last.value(row)) if n)))
        self._add_coded("Title", data.TITLES, self._bytes("title", evenly(len(data.TITLES))))

    def _make_addresses(self, picks: random.Random) -> None:
        self.domains = self._bytes("domain", evenly(len(data.DOMAINS)))
        self.address_kinds = self._bytes("address", spread([1]))
        quotas = [(NONE, 25), (EMPTY, 250), (MALFORMED, 100), (NON_ASCII, 120), (INTERNATIONAL, 100), (LONG, 2000)]
        counts = [(kind, _few(self.people, one_in)) for kind, one_in in [*quotas, (SHOUTED, 80), (PADDED, 300)]]
        shared = _few(self.people, 50)
        rows = iter(picks.sample(range(self.size), sum(count for _, count in counts) + 2 * shared))
        for kind, count in counts:
            for _ in range(count):
                self.address_kinds[next(rows)] = kind
        address = WithBlanks(
            "EmailAddress", make=self._address, kinds=self.address_kinds, blank_kinds=frozenset({NONE, EMPTY})
        )
        for _ in range(shared):
            one, other = next(rows), next(rows)
            address.own[other] = self._address(one)
        self._add(address)
        cities, countries, chapters = zip(*data.PLACES, strict=True)
        places = self._bytes("place", evenly(len(data.PLACES)))
        for name, table in (("City", cities), ("Country", countries), ("Chapter.Name", chapters)):
            self._add_coded(name, table, places, shared=True)

    def _address(self, row: int) -> Value:
        first, last = self.address_names
        local = f"{FIRST_SLUGS[first[row]]}.{LAST_SLUGS[last[row]]}{row + 1}"
        domain, kind = data.DOMAINS[self.domains[row]], self.address_kinds[row]
        if kind == PLAIN:
            return f"{local}@{domain}"
        if kind in (NONE, EMPTY):
            return None if kind == NONE else ""
        if kind == MALFORMED:
            return data.MALFORMED[scramble(row) % len(data.MALFORMED)].format(n=row + 1)
        if kind == NON_ASCII:
            return f"{data.NON_ASCII_LOCALS[scramble(row) % len(data.NON_ASCII_LOCALS)]}{row + 1}@{domain}"
        if kind == INTERNATIONAL:
            return f"{local}@{data.IDN_DOMAINS[scramble(row) % len(data.IDN_DOMAINS)]}"
        if kind == LONG:
            return f"{'very-' * 11}long{row + 1:07}@{'sub-harbour.' * 14}{domain}"[-254:]
        return f"{local}@{domain}".upper() if kind == SHOUTED else f"  {local}@{domain} "

    def _make_flags(self, picks: random.Random) -> None:
        # Records made since 2018 start as "do not e-mail"; most were never changed.
        border = bisect_left(range(self.size), DO_NOT_EMAIL_DEFAULT_SINCE, key=self._created)
        older = self._bytes("older", spread([88, 12]), border)
        codes = older + self._bytes("newer", spread([30, 70]), self.size - border)
        for row in picks.sample(range(self.size), _few(self.people, 300, least=2)):
            codes[row] = 2
        self._add_coded("DoNotEmail", [False, True, None], codes)
        for name in ("DoNotMail", "DoNotFax"):
            self._add_coded(name, [False, True], self._bytes(name, spread([90, 10])))
        self._add_coded("NewsletterReader__c", [True, False, None], self._bytes("newsletter", spread([35, 60, 5])))
        self._add_coded("VolunteersIn__c", [None, "North", "South"], self._bytes("volunteers", spread([88, 6, 6])))
        self._add_coded("FavouriteLamp__c", data.LAMPS, self._bytes("lamp", evenly(len(data.LAMPS))))
        self._add_coded("2nd Language__c", data.LANGUAGES, self._bytes("language", evenly(len(data.LANGUAGES))))
        board, chapter = Sparse("BoardRole__c"), Sparse("ChapterRole__c")
        for number, row in enumerate(picks.sample(range(self.size), min(14, self.size // 3))):
            board.own[row] = data.BOARD_ROLES[min(number, 4) if number < 13 else 5]
        for row in picks.sample(range(self.size), min(60, self.size // 4)):
            chapter.own[row] = picks.choice(data.CHAPTER_ROLES)
        self._add(board)
        self._add(chapter)
        optouts = Sparse("OptOuts", "ids")
        for row in picks.sample(range(self.size), _few(self.people, 40)):
            optouts.own[row] = tuple(picks.sample(data.OPT_OUT_CATEGORIES, 2))
        self._add(optouts)

    def _make_membership(self) -> None:
        # Code 0 was never a member; the others are a type and one of 12 months lapsed or 12 months still to run.
        months = [f"2025-{m:02}-28T00:00:00" for m in range(1, 13)] + [f"2027-{m:02}-28T00:00:00" for m in range(1, 13)]
        pairs = [(kind, month) for kind in data.MEMBERSHIP_TYPES for month in months]
        codes = self._bytes("membership", spread([80] + [1 if "2025" in month else 2.2 for _, month in pairs]))
        current = ["2027" in month for _, month in pairs]
        for name, table in (
            ("Membership.Type.Name", [None, *(kind for kind, _ in pairs)]),
            ("Membership.ReceivesMemberBenefits", [None, *current]),
            ("Membership.Status.Name", [None, *("Current" if is_current else "Lapsed" for is_current in current)]),
        ):
            self._add_coded(name, table, codes, shared=True)
        expiry: list[Value] = [None, *(to_moment(month) for _, month in pairs)]
        self._add(Coded("Membership.ExpirationDate", "moment", codes=codes, table=expiry, shared=True))
        self.organizations = max(3, self.people // 40)
        self._add(Computed("PrimaryOrganization__rtg", make=self._organization))
        self.event_counts = self._bytes("events", spread([55, 25, 12, 5, 3]))

    def events(self, rows: int) -> bytearray:
        """Return an event code, from 1, for each row of the join; more people change nothing for earlier ones."""
        table = bytes(code + 1 for code in evenly(len(data.EVENTS)))
        raw = random.Random(f"{self.seed}/registrations").randbytes(rows + -rows % 4)
        return bytearray(raw.translate(table)[:rows])

    def _organization(self, row: int) -> Value:
        mixed = scramble(row + 77)
        return None if mixed % 3 == 0 else organization_id(mixed % self.organizations)

    def _created(self, row: int) -> int:
        return STARTED_AT + (ENDED_AT - STARTED_AT) * row // self.built_size

    def _modified(self, row: int) -> int:
        created = self._created(row)
        return created + max(0, ENDED_AT - created) * (scramble(row) & 0xFFFF) // 0x10000

    def _make_moments(self) -> None:
        self._add(Computed("CreatedDate", "moment", make=self._created))
        self._add(Computed("LastModifiedDate", "moment", make=self._modified))
        for name in ("CreatedBy", "LastModifiedBy"):
            self._add(Computed(name, make=lambda _row: data.API_USER_ID))
        for name in ("Status", "Type", "Owner"):
            self._add(Computed(name))

    def coded(self, name: str) -> Coded:
        column = self.columns[name]
        assert isinstance(column, Coded)  # noqa: S101 - only asked for columns made so above
        return column

    # -- identity -----------------------------------------------------------------------------------------------

    def id_number(self, row: int) -> int:
        """Return the number a row's ID spells; IDs sort as these numbers do."""
        return (row * ID_FACTOR + self.id_offset) & (1 << ID_BITS) - 1

    def id_of(self, row: int) -> str:
        number = self.id_number(row)
        return f"6faf90e4-0006-c{number >> 48:03x}-{number >> 32 & 0xFFFF:04x}-0b3c{number & 0xFFFFFFFF:08x}"

    def find(self, remote_id: str) -> int | None:
        """Return the row of an ID, in either case, if that person exists."""
        match = ID_PATTERN.fullmatch(remote_id.strip().lower())
        if match is None:
            return None
        number = int("".join(match.groups()), 16)
        row = (number - self.id_offset) * self.id_inverse & (1 << ID_BITS) - 1
        return row if row < self.size and self.alive[row] else None

    def first_row_from(self, local_id: int) -> int:
        """Return the first row whose LocalID is at least this."""
        return bisect_left(range(self.size), local_id, key=local_id_of)

    def living(self) -> list[int]:
        alive = self.alive
        return [row for row in range(self.size) if alive[row]]

    # -- changes ------------------------------------------------------------------------------------------------

    def change(self, row: int, fields: Mapping[str, object], modified_at: int | None = None) -> None:
        """Set fields of one person and, if given, when that was. KeyError: no such field; ValueError: no such value."""
        pairs = [(self.columns[name.lower()], value) for name, value in fields.items()]
        for column, value in [(column, coerce(value, column.kind)) for column, value in pairs]:
            column.set(row, value)
        if modified_at is not None:
            self.columns["lastmodifieddate"].set(row, modified_at)

    def delete(self, row: int) -> None:
        self.alive[row] = 0
        self.structure_version += 1

    def insert(self, row: int | None = None) -> int:
        """Bring a spare person to life, somewhere in LocalID order unless told where, and return the row."""
        if row is None:
            if not self.spare:
                self._grow()
            row = self.spare.pop(self.changes.randrange(len(self.spare)))
        self.alive[row] = 1
        self.structure_version += 1
        return row

    def _grow(self) -> None:
        extra = max(64, self.people // 50)
        rows = range(self.size, self.size + extra)
        stores = {id(column.codes): column.codes for column in self.columns.values() if isinstance(column, Coded)}
        source = random.Random(f"{self.seed}/grow/{self.size}")
        for codes in [*stores.values(), *self.address_names, self.domains, self.event_counts]:
            codes += bytes(source.choices(codes, k=extra))
        self.address_kinds += bytes(extra)
        self.alive += bytes(extra)
        self.size += extra
        self.spare.extend(rows)


def _few(people: int, one_in: int, least: int = 1) -> int:
    """Return how many of an awkward kind to make: a very small population has none."""
    return people // one_in if people < 60 else max(least, people // one_in)


def organization_id(number: int) -> str:
    return f"6faf90e4-0007-c0de-{number >> 16:04x}-0b3c0000{number & 0xFFFF:04x}"
