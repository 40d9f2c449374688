"""Whole records: the fields of a person, an organization, a saved search, and how they are written back."""

import base64
from collections.abc import Mapping

from memberSuite.standin.columns import Value
from memberSuite.standin.engine import Engine
from memberSuite.standin.errors import RemoteError
from memberSuite.standin.names import words
from memberSuite.standin.people import READ_ONLY, Population
from memberSuite.standin.searches import SEARCH_KINDS, SavedSearch, search_row
from memberSuite.standin.soap_write import Field
from memberSuite.standin.tables import ORGANIZATION_KINDS

PERSON_FIELDS = words(
    "ID LocalID Name FirstName LastName EmailAddress Title DoNotEmail DoNotMail DoNotFax OptOuts Status Type Owner "
    "PrimaryOrganization__rtg FavouriteLamp__c NewsletterReader__c VolunteersIn__c BoardRole__c ChapterRole__c "
    "CreatedDate CreatedBy LastModifiedDate LastModifiedBy"
)
# What Save can blank: a whole record replaces the one that is there.
WRITABLE = [
    name
    for name in PERSON_FIELDS
    if name.lower() not in READ_ONLY and name not in ("Status", "Type", "Owner", "PrimaryOrganization__rtg")
]


def person(population: Population, row: int) -> list[Field]:
    columns = population.columns
    fields: list[Field] = [
        (name, columns[name.lower()].kind, columns[name.lower()].value(row)) for name in PERSON_FIELDS
    ]
    return [
        *fields,
        ("SystemTimestamp", "text", row_version(population, row)),
        ("MembershipAge__transient", "number", row % 40),
    ]


def row_version(population: Population, row: int) -> str:
    """Return the record's version, which changes with every save."""
    modified = population.columns["lastmodifieddate"].value(row)
    return base64.b64encode(int(str(modified)).to_bytes(8, "big")).decode()


def organization(engine: Engine, row: int) -> list[Field]:
    return [(name, kind, engine.organizations.column(name).value(row)) for name, kind in ORGANIZATION_KINDS.items()]


def saved_search(search: SavedSearch) -> list[Field]:
    values = search_row(0, search)
    names = [name for name in SEARCH_KINDS if name not in ("LocalID", "IsActive")]
    fields: list[Field] = [(name, SEARCH_KINDS[name], values[name]) for name in names]
    if search.is_active is not None:
        fields.append(("IsActive", "flag", search.is_active))
    return [*fields, ("Search", "text", search)]


def find_organization(engine: Engine, wanted: str) -> int | None:
    key = wanted.strip().lower()
    column = engine.organizations.column("ID")
    return next((row for row in range(engine.organizations.size) if str(column.value(row)).lower() == key), None)


def save_person(population: Population, fields: Mapping[str, object], modified_at: int) -> int:
    """Replace a person's record by this one, blanks included, and return the row; RemoteError when it can't be."""
    given = {name.lower(): value for name, value in fields.items()}
    row = population.find(str(given.get("id") or ""))
    if row is None:
        raise RemoteError("RecordNotFound")
    allowed = {name.lower() for name in PERSON_FIELDS} | {"systemtimestamp"}
    for name in fields:
        if name.lower() not in allowed:
            raise RemoteError("ObjectInvalid", f"{name[:60]} is not a field of an Individual.", name[:60])
    changed: dict[str, object] = {name: given.get(name.lower()) for name in WRITABLE}
    change_person(population, row, changed, modified_at)
    return row


def change_person(population: Population, row: int, fields: Mapping[str, object], modified_at: int) -> None:
    """Set fields of one person as a write from outside does; RemoteError ObjectInvalid names the bad one."""
    for name, value in fields.items():
        if name.lower() in READ_ONLY or name.lower() not in population.columns:
            raise RemoteError("ObjectInvalid", f"{name[:60]} can't be written.", name[:60])
        try:
            population.change(row, {name: value})
        except ValueError as error:
            raise RemoteError("ObjectInvalid", f"Bad value for {name[:60]}.", name[:60]) from error
    population.change(row, {}, modified_at)


def as_text(value: Value) -> str | None:
    return None if value is None else str(value)
