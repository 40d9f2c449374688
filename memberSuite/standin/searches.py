"""The association's saved searches: one of every kind, always with the same IDs."""
# ruff: noqa: E501 - one search a line

from collections.abc import Sequence
from dataclasses import dataclass, field

from memberSuite.standin import data
from memberSuite.standin.columns import Kind, Value, to_moment
from memberSuite.standin.criteria import Criterion, Group, Node
from memberSuite.standin.query import Output, Query
from memberSuite.standin.tables import ListTable

SEARCH_KINDS: dict[str, Kind] = {
    "ID": "text",
    "LocalID": "number",
    "Name": "text",
    "Description": "text",
    "IsPublic": "flag",
    "IsActive": "flag",
    "ApplicableType": "text",
    "CustomObject": "text",
    "CreatedBy": "text",
    "LastModifiedDate": "moment",
}
NAMES = ("FirstName", "LastName", "EmailAddress")


@dataclass
class SavedSearch:
    id: str
    name: str
    description: str | None
    query: Query
    is_public: bool = True
    # None: the record has no such field, as most have not.
    is_active: bool | None = None
    modified_at: int = 0
    is_deleted: bool = False
    context: str | None = None

    @property
    def needs_parameter(self) -> bool:
        return _needs_parameter(self.query.where)


def _needs_parameter(node: Node) -> bool:
    return node.needs_parameter if isinstance(node, Criterion) else any(map(_needs_parameter, node.criteria))


def search_id(number: int) -> str:
    return f"6faf90e4-00a1-c7d2-8f10-0b3c0d{0x5E9A00 + number:06x}"


def equals(field_name: str, *values: str) -> Criterion:
    return Criterion("Equals", field_name, values)


def query_of(
    *criteria: Node, kind: str = "And", extra: Sequence[str] = (), sort: str = "LastName", email: bool = True
) -> Query:
    names = [name for name in NAMES if email or name != "EmailAddress"]
    return Query(
        "Individual", Group(kind, criteria), tuple(Output(name) for name in [*names, *extra]), ((sort, False),)
    )


def standard_searches() -> list[SavedSearch]:
    """Return the searches every stand-in starts with."""
    abroad = Group("Or", (Criterion("DoesNotEqual", "Country", ("United Kingdom",)), Criterion("IsBlank", "Country")))
    nested = Group("And", (equals("Membership.ReceivesMemberBenefits", "true"), abroad))
    recent = Query("Individual", Group(), tuple(map(Output, NAMES)), (("CreatedDate", True),), top=50)
    towns = Query("Individual", Group(), (Output("City"), Output("Country")), (("City", False),), unique=True)
    counts = Query("Individual", Group(), (Output("City", "GroupBy"), Output("ID", "Count")), ())
    lapsed = (
        Criterion("IsBetween", "Membership.ExpirationDate", ("2025-01-01T00:00:00", "2025-12-31T23:59:59")),
        equals("Membership.ReceivesMemberBenefits", "false"),
    )
    firms = Query(
        "Organization",
        Group("And", (Criterion("Contains", "Name", ("Trust",)),)),
        (Output("Name"),),
        (("Name", False),),
    )
    rows: list[tuple[str, str | None, Query]] = [
        ("Current members", "Everybody who receives member benefits", query_of(equals("Membership.ReceivesMemberBenefits", "true"), extra=("City", "Membership.Type.Name"))),
        ("Board of directors", None, query_of(Criterion("IsNotBlank", "BoardRole__c"), extra=("BoardRole__c",))),
        ("New since January", "Records made in 2026", query_of(Criterion("IsGreaterThanOrEqualTo", "CreatedDate", ("2026-01-01T00:00:00",)), extra=("CreatedDate",))),
        ("Lapsed 2025", "Memberships that ran out in 2025", query_of(*lapsed, extra=("Membership.Type.Name", "Membership.ExpirationDate"))),
        ("Newsletter readers", "Asked for \"The Lantern\" <monthly> & its extras", query_of(equals("NewsletterReader__c", "true"))),
        ("All individuals", "The whole database", query_of()),
        ("Centenarians", "Nobody yet", query_of(equals("Title", "Centenarian"))),
        ("Volunteers", "In the north", query_of(equals("VolunteersIn__c", "North"))),
        ("Volunteers", "In the south", query_of(equals("VolunteersIn__c", "South"))),
        ("Students and graduates", "Either kind of membership", query_of(equals("Membership.Type.Name", "Student"), equals("Membership.Type.Name", "Graduate"), kind="Or", extra=("Membership.Type.Name",))),
        ("Mailing labels", "Post only: no e-mail column", query_of(equals("DoNotMail", "false"), extra=("City", "Country"), email=False)),
        ("Registered for a 2026 event", "One row for each registration", query_of(equals("EventRegistrations.Event.Year", "2026"), extra=("EventRegistrations.Event.Name",))),
        ("Member organizations", "Trusts among them", firms),
        ("Members in a town of your choice", "Asks for the town", query_of(equals("City", "##Town##"), extra=("City",))),
        ("Fifty newest records", "Limited to 50", recent),
        ("Members abroad or of unknown country", "A group inside a group", query_of(nested, extra=("Country",))),
        ("London chapter", None, query_of(Criterion("StartsWith", "Chapter.Name", ("London",)), extra=("Chapter.Name", "2nd Language__c"))),
        ("Chapter officers", "Uses an operation of its own", query_of(Criterion("SpecialOperation", "ChapterRole__c", ("HoldsOffice",)), extra=("ChapterRole__c",))),
        ("Towns we have people in", "Each town once", towns),
        ("People by town", "Counts", counts),
    ]  # fmt: skip
    made = [
        SavedSearch(search_id(n + 1), name, text, query, modified_at=_modified(n))
        for n, (name, text, query) in enumerate(rows)
    ]
    hidden = query_of(equals("DoNotFax", "false"))
    made.append(
        SavedSearch(
            search_id(0x31), "Staff only: fees to chase", None, hidden, is_public=False, modified_at=_modified(40)
        )
    )
    made.append(
        SavedSearch(
            search_id(0x32),
            "Annual Congress 2019 delegates",
            "No longer used",
            hidden,
            is_active=False,
            modified_at=_modified(41),
        )
    )
    return made


def _modified(number: int) -> int:
    return to_moment("2026-01-20T09:00:00") + number * 86_461_000


@dataclass
class Catalogue:
    """All saved searches, those deleted kept so that they can come back."""

    searches: dict[str, SavedSearch] = field(default_factory=dict)
    version: int = 0
    _table: ListTable | None = None

    def __post_init__(self) -> None:
        for search in standard_searches():
            self.add(search)

    def add(self, search: SavedSearch) -> None:
        self.searches[search.id.lower()] = search
        self.touch()

    def touch(self) -> None:
        self.version += 1
        self._table = None

    def get(self, wanted: str) -> SavedSearch | None:
        search = self.searches.get(wanted.strip().lower())
        return None if search is None or search.is_deleted else search

    def current(self) -> list[SavedSearch]:
        return [search for search in self.searches.values() if not search.is_deleted]

    def by_definition(self, where: Group, query: Query) -> SavedSearch | None:
        """Return the search a query was made from: the same query, or one that holds its criteria as a group."""
        groups = [node for node in where.criteria if isinstance(node, Group)]
        own = next((search for search in self.current() if search.query == query), None)
        if own is not None or not groups:
            return own or next((s for s in self.current() if not s.query.where.criteria and not s.query.top), None)
        return next((search for search in self.current() if search.query.where in groups), None)

    def table(self) -> ListTable:
        table = self._table
        if table is None:
            rows = [search_row(number, search) for number, search in enumerate(self.current())]
            table = self._table = ListTable("SavedSearch", SEARCH_KINDS, rows, self.version)
        return table


def search_row(number: int, search: SavedSearch) -> dict[str, Value]:
    return {
        "ID": search.id,
        "LocalID": 9001 + number,
        "Name": search.name,
        "Description": search.description,
        "IsPublic": search.is_public,
        "IsActive": search.is_active,
        "ApplicableType": search.query.type,
        "CustomObject": None,
        "CreatedBy": data.API_USER_ID,
        "LastModifiedDate": search.modified_at,
    }
