import pytest

from memberSuite.standin.criteria import Criterion, Group
from memberSuite.standin.errors import RemoteError
from memberSuite.standin.msql import parse


def test_and_binds_tighter_than_or_and_words_may_be_in_any_case() -> None:
    query = parse(
        "select top 5 ID, Membership.Type.Name from Individual where a = 1 or b <> 'x' and c is not null"
    ).query
    either = (
        Criterion("Equals", "a", ("1",)),
        Group("And", (Criterion("DoesNotEqual", "b", ("x",)), Criterion("IsNotBlank", "c"))),
    )
    assert query.where == Group("Or", either)
    assert (query.top, [column.name for column in query.columns]) == (5, ["ID", "Membership.Type.Name"])


def test_quotes_dates_booleans_brackets_and_order() -> None:
    query = parse(
        "SELECT * FROM Individual WHERE (Name LIKE 'O''N*' AND LastModifiedDate > '2026-01-01 00:00:00') "
        "AND DoNotEmail = false ORDER BY LastName DESC, ID"
    ).query
    assert query.sort == (("LastName", True), ("ID", False))
    assert isinstance(query.where.criteria[0], Group)
    assert query.where.criteria[0].criteria[0] == Criterion("Like", "Name", ("O'N*",))


def test_a_custom_field_after_a_word_is_a_name_of_its_own() -> None:
    query = parse("SELECT FavouriteLamp__c FROM Individual WHERE VolunteersIn__c = 'North'").query
    assert query.where.criteria == (Criterion("Equals", "VolunteersIn__c", ("North",)),)


@pytest.mark.parametrize(
    ("statement", "shape"), [("SELECT OBJECTS() FROM X", "objects"), ("SELECT Object() FROM X", "object")]
)
def test_whole_objects_are_asked_for(statement: str, shape: str) -> None:
    assert parse(statement).shape == shape


@pytest.mark.parametrize(
    "statement",
    [
        "",
        "DELETE FROM Individual",
        "SELECT FROM X",
        "SELECT ID FROM X WHERE",
        "SELECT ID FROM X WHERE a ~ 1",
        "SELECT ID FROM X y",
        "SELECT TOP x ID FROM X",
    ],
)
def test_what_is_no_msql_is_a_syntax_error(statement: str) -> None:
    with pytest.raises(RemoteError, match="MSQLSyntaxError"):
        parse(statement)
